"""Events and results beside AWS's own marshaller: the same values in, the same bytes out."""

import sys
from collections import OrderedDict, namedtuple
from decimal import Decimal
from enum import Enum, IntEnum

import hypothesis
import pytest
from hypothesis import strategies

import servers
from lambdallm.runtime import RuntimeFault
from lambdallm.runtime.payload import decode, encode

Point = namedtuple("Point", "x y")


class Color(str, Enum):  # noqa: UP042  # what functions have
    RED = "red"


class Size(IntEnum):
    LARGE = 3


@pytest.fixture(scope="module")
def marshaller():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(servers.lambda_tools().awslambdaric))
        from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

        yield LambdaMarshaller
    for name in [name for name in sys.modules if name.startswith(("awslambdaric", "simplejson"))]:
        del sys.modules[name]


def outcome(function, *arguments):
    """What it returns, or the type and the words of what it raises."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001  # whatever either raises is compared
        return getattr(error, "type", getattr(error, "exception_type", None)), getattr(error, "msg", str(error))


def text(result):
    body, content_type = result
    return (body.decode() if content_type == "application/json" and isinstance(body, bytes) else body, content_type)


RESULTS = [
    None, True, 0, -1.5, "text", "é\u2028\U0001f600", [], {}, [1, [2]], (1, 2), {"a": {"b": [None]}},
    float("nan"), float("inf"), 10**40, b"\x00\xff", {1: "int", 1.5: "float", None: 0, False: 1},
    Decimal("1.10"), Decimal("NaN"), Decimal("1E+400"), Decimal("-Infinity"), {"price": Decimal("0.30"), "a": "é"},
    b"bytes are raw", {"bytes": b"text"}, {b"key": 1}, Point(1, 2), {"p": [Point(Decimal("1.0"), b"y")]},
    OrderedDict(z=1, a=2), Color.RED, Size.LARGE, {"c": Color.RED, "s": Size.LARGE},
    {"": "empty key", "quote\"": "back\\slash\n\t\x00"},
]  # fmt: skip


@pytest.mark.parametrize("version", ["python3.11", "python3.12", "python3.14"])
@pytest.mark.parametrize("result", RESULTS, ids=repr)
def test_results_become_the_bytes_that_awss_client_sends(marshaller, monkeypatch, result, version):
    monkeypatch.setenv("AWS_EXECUTION_ENV", f"AWS_Lambda_{version}")
    assert text(encode(result)) == marshaller().marshal_response(result)


def test_outside_of_managed_runtimes_characters_are_not_escaped():
    assert encode("é") == ('"é"'.encode(), "application/json")


def test_half_a_character_is_escaped_where_awss_client_would_end_the_process():
    assert encode("half: \ud83d é") == (b'"half: \\ud83d \\u00e9"', "application/json")


@pytest.mark.parametrize("result", [object(), {1, 2}, {"a": object()}, {(1, 2): 3}, 1j, [b"\xff"], {"b": {b"\xff": 1}}])
def test_what_has_no_json_is_an_error_of_its_kind(marshaller, result):
    ours, theirs = outcome(encode, result), outcome(marshaller().marshal_response, result)
    assert ours[0] == theirs[0] == "Runtime.MarshalError"
    assert ours[1].startswith("Unable to marshal response: ")
    if "Object of type" in theirs[1]:
        assert ours[1] == theirs[1]


def test_a_circle_and_a_great_depth_are_errors_too():
    circle = []
    circle.append(circle)
    deep = []
    for _ in range(100_000):
        deep = [deep]
    for result in (circle, deep):
        with pytest.raises(RuntimeFault, match="Unable to marshal response"):
            encode(result)


@pytest.mark.parametrize("body", [b"{}", b'"x"', b"null", b"1e3", '{"é": "\\u00e9"}'.encode()])
def test_events_are_read_alike(marshaller, body):
    assert repr(decode(body, "application/json")) == repr(marshaller().unmarshal_request(body, "application/json"))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"{'a': 1}", b"1 2"])
def test_an_event_that_is_not_json_is_an_error_of_its_kind(marshaller, body):
    ours = outcome(decode, body, "application/json")
    assert ours[0] == outcome(marshaller().unmarshal_request, body, "application/json")[0] == "Runtime.UnmarshalError"
    assert ours[1].startswith("Unable to unmarshal input: ")


def test_bytes_of_another_type_are_handed_over_as_they_are():
    assert decode(b"\x00\x01", "application/octet-stream") == b"\x00\x01"
    assert decode(b"[1]", "application/json; charset=utf-8") == [1]


whole_text = strategies.text(strategies.characters(exclude_categories=["Cs"]))
scalars = strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats(allow_nan=False)
values = strategies.recursive(
    scalars | whole_text | strategies.decimals(allow_nan=False) | strategies.binary().map(lambda b: b.hex().encode()),
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(whole_text, inner, max_size=4)
    | strategies.tuples(inner, inner).map(Point._make),
)  # fmt: skip


@hypothesis.given(values)
def test_any_value_comes_out_alike(marshaller, value):
    hypothesis.assume(not isinstance(value, bytes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.12")
        assert text(encode(value)) == marshaller().marshal_response(value)
