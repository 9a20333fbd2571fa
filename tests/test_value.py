"""Values: what frozen, slotted dataclasses promise, kept without importing `dataclasses`."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys

import pytest

from lambdallm._value import Value


class Point(Value):
    x: int
    y: int = 0


class Named(Point):
    name: str = "origin"

    def __post_init__(self) -> None:
        self._set("name", self.name.strip())


def test_fields_are_given_by_position_or_name_and_have_defaults():
    assert Point(1) == Point(x=1, y=0) != Point(1, 2)
    assert repr(Named(1, name="a")) == "Named(x=1, name='a')"


def test_a_subclass_adds_fields_and_may_normalise_them():
    assert Named(1, 2, " a ").name == "a"
    assert Named(1, 2) != Point(1, 2)


def test_a_missing_or_unknown_field_is_named():
    with pytest.raises(TypeError, match="'x'"):
        Point()
    with pytest.raises(TypeError, match="'z'"):
        Point(1, z=2)


def test_the_first_values_of_a_class_and_later_ones_are_made_alike():
    class Fresh(Named):
        more: int = 3

    made = [(Fresh(1, 2, name=" a "), Fresh(x=1, y=2, name="a", more=3)) for _ in range(10)]
    assert len({value for pair in made for value in pair}) == 1
    for _ in range(10):
        for wrong in ((1, 2, "a", 3, 4), ()):
            with pytest.raises(TypeError):
                Fresh(*wrong)
        with pytest.raises(TypeError, match="multiple values"):
            Fresh(1, x=1)


def test_values_do_not_change():
    with pytest.raises(AttributeError, match=r"immutable.*replace"):
        Point(1).x = 2
    with pytest.raises(AttributeError):
        del Point(1).x
    with pytest.raises(AttributeError):
        Point(1).z = 2


def test_replace_makes_a_changed_copy():
    assert Named(1).replace(y=5) == Named(1, 5)


def test_values_hash_copy_and_pickle_by_content():
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert pickle.loads(pickle.dumps(Named(1, 2))) == Named(1, 2) == copy.deepcopy(Named(1, 2))


def test_values_match_by_position():
    match Point(1, 2):
        case Point(1, y):
            assert y == 2
        case _:
            pytest.fail("no match")


def test_dataclass_functions_work_on_values():
    assert dataclasses.is_dataclass(Point)
    assert [field.name for field in dataclasses.fields(Named(1))] == ["x", "y", "name"]
    assert dataclasses.asdict(Point(1)) == {"x": 1, "y": 0}
    assert dataclasses.replace(Point(1), x=3) == Point(3)


def test_importing_values_imports_nothing_else():
    code = "import sys; before = set(sys.modules); import lambdallm._value; print(*(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name for name in out.split() if not name.startswith("lambdallm")} <= {"__future__"}


def test_values_with_mappings_are_dataclasses_and_pickle_too():
    from lambdallm.llm.types import EMPTY, ChatMessage, ChatRequest, TextPart

    request = ChatRequest("m", (ChatMessage("user", (TextPart("Hi"),)),), extra={"a": 1})
    assert dataclasses.asdict(request)["messages"][0]["content"][0]["metadata"] == {}
    assert {field.name for field in dataclasses.fields(request)} >= {"model", "messages", "extra"}
    restored = pickle.loads(pickle.dumps(request))
    assert restored == request == copy.deepcopy(request)
    assert restored.messages[0].metadata is EMPTY
    with pytest.raises(TypeError, match="stays empty"):
        EMPTY["a"] = 1


def test_threads_may_construct_the_first_one_together():
    """Each writes the class's constructor; neither may find it half written, or another class's."""
    import sys
    import threading

    failures = []

    def race(cls, barrier):
        try:
            barrier.wait()
            assert cls(1, y=2) == cls(1, 2)
        except Exception as error:  # noqa: BLE001
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(200):
            cls = type(Value)("Point", (Value,), {"__annotations__": {"x": "int", "y": "int"}, "y": 0})
            barrier = threading.Barrier(4)
            threads = [threading.Thread(target=race, args=(cls, barrier)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert failures == []
