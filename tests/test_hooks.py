"""What is told of a snapshot, of a restore and of the end; and what no snapshot may hold."""

import logging
import os
import subprocess
import sys
import types

import pytest

from lambdallm import _hooks
from lambdallm._hooks import after_restore, before_snapshot, kept_out_of_snapshots, on_shutdown


@pytest.fixture(autouse=True)
def _own_lists(monkeypatch):
    """Hooks of a test are nobody else's, and those of other tests are not called."""
    for name in ("_before", "_after", "_ending", "_forgetful"):
        monkeypatch.setattr(_hooks, name, [])
    monkeypatch.setattr(_hooks, "_told", ["exit"])


def test_before_a_snapshot_the_last_is_first_and_after_a_restore_the_first():
    said = []
    for name in "abc":
        before_snapshot(lambda name=name: said.append(f"before {name}"))
        after_restore(lambda name=name: said.append(f"after {name}"))
    _hooks.run_before_snapshot()
    _hooks.run_after_restore()
    assert said == ["before c", "before b", "before a", "after a", "after b", "after c"]


def test_registering_gives_the_function_back_so_that_it_can_be_a_decorator():
    def function():
        """Something to be told."""

    assert before_snapshot(function) is after_restore(function) is on_shutdown(function) is function


def test_a_hook_that_a_hook_registers_is_called_too():
    said = []
    before_snapshot(lambda: before_snapshot(lambda: said.append("late")))
    _hooks.run_before_snapshot()
    assert said == ["late"]


def test_hooks_are_called_once_however_often_they_are_run():
    said = []
    before_snapshot(lambda: said.append("before"))
    after_restore(lambda: said.append("after"))
    for _ in range(2):
        _hooks.run_before_snapshot()
        _hooks.run_after_restore()
    assert said == ["before", "after"]


def test_what_a_snapshot_may_not_hold_is_forgotten_after_the_hooks_which_may_still_use_it():
    said = []

    class Cache:
        def forget(self):
            said.append("forgotten")

    cache, gone = Cache(), Cache()
    kept_out_of_snapshots(cache)
    kept_out_of_snapshots(gone)
    del gone
    before_snapshot(lambda: said.append("hook"))
    _hooks.run_before_snapshot()
    assert said == ["hook", "forgotten"]


def test_what_a_hook_of_a_snapshot_raises_is_the_runtimes_to_tell():
    before_snapshot(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        _hooks.run_before_snapshot()


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(3)])
def test_at_the_end_one_that_fails_is_logged_and_does_not_stop_the_others(error, caplog):
    said = []

    def fails():
        raise error

    for function in (lambda: said.append("first"), fails, lambda: said.append("last")):
        on_shutdown(function)
    with caplog.at_level(logging.ERROR):
        _hooks.run_shutdown()
    assert said == ["last", "first"]
    assert "fails" in caplog.text


def test_what_closes_what_others_use_comes_last():
    said = []
    _hooks.at_last(lambda: said.append("driver"))
    for name in ("first", "second"):
        on_shutdown(lambda name=name: said.append(name))
    _hooks.at_last(lambda: said.append("loop"))
    _hooks.run_shutdown()
    assert said == ["second", "first", "driver", "loop"]


def test_a_forked_child_does_not_end_what_its_parent_began():
    said = []
    _hooks._ending.append((os.getpid() + 1, lambda: said.append("the parent's")))
    on_shutdown(lambda: said.append("mine"))
    _hooks.run_shutdown()
    assert said == ["mine"]


def test_a_process_that_just_ends_calls_them():
    code = "from lambdallm._hooks import on_shutdown\non_shutdown(lambda: print('flushed'))\nprint('done')"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["done", "flushed"]


def test_random_numbers_are_others_after_a_restore():
    import random

    state = random.getstate()
    try:
        random.seed(1)
        expected = random.random()
        random.seed(1)
        _hooks.run_after_restore()
        assert random.random() != expected
    finally:
        random.setstate(state)


def test_nothing_is_loaded_to_renew_randomness():
    source = _hooks.__file__.rpartition("/lambdallm/")[0]
    code = f"import sys; sys.path.insert(0, {source!r})\nfrom lambdallm import _hooks\n_hooks.run_after_restore()\n"
    check = "assert not {'random', 'ssl'} & set(sys.modules)"
    subprocess.run([sys.executable, "-I", "-S", "-c", code + check], check=True)


class TestUnderAwsRuntime:
    """AWS's client goes through the registry of `snapshot_restore_py`."""

    @pytest.fixture
    def registry(self, monkeypatch):
        module = types.ModuleType("snapshot_restore_py")
        module.before, module.after = [], []
        module.register_before_snapshot = module.before.append
        module.register_after_restore = module.after.append
        monkeypatch.setitem(sys.modules, "snapshot_restore_py", module)
        return module

    def test_the_lists_are_entered_into_it_once(self, registry, monkeypatch):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        for _ in range(3):
            before_snapshot(lambda: None)
            after_restore(lambda: None)
        assert registry.before == [_hooks.run_before_snapshot]
        assert registry.after == [_hooks.run_after_restore]

    def test_what_the_framework_has_to_forget_is_reason_enough(self, registry, monkeypatch):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        kept_out_of_snapshots(types.ModuleType("holds something"))
        assert registry.before == [_hooks.run_before_snapshot]

    def test_without_snapstart_it_is_left_alone(self, registry, monkeypatch):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand")
        before_snapshot(lambda: None)
        assert registry.before == []

    def test_where_it_is_not_installed_the_lists_wait_for_our_own_runtime(self, monkeypatch):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        monkeypatch.setitem(sys.modules, "snapshot_restore_py", None)
        said = []
        before_snapshot(lambda: said.append("told"))
        _hooks.run_before_snapshot()
        assert said == ["told"]
