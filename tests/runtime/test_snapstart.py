"""SnapStart under our own runtime: what is called when, and what Lambda is told where a hook fails."""

import json

import pytest

from concurrent_api import concurrent_api
from function_processes import function_process
from lambdallm.runtime.emulator import Emulator, Function

SNAP_START = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
HOOKS = """
    from lambdallm.runtime import after_restore, before_snapshot
    said = []
    for name in "ab":
        before_snapshot(lambda name=name: said.append(f"before {name}"))
        after_restore(lambda name=name: said.append(f"after {name}"))
    def handler(event, context):
        return said
"""


@pytest.fixture
def api():
    with concurrent_api() as api:
        yield api


def test_hooks_stand_around_the_snapshot(tmp_path, api):
    with function_process(tmp_path, api, HOOKS, **SNAP_START):
        assert api.asked.get(timeout=20) == "restore"
        api.invoke({}, "1")
        assert api.asked.empty(), "no invocation is asked for before the restore"
        api.restored.set()
        assert api.answer() == ("1", ["before b", "before a", "after a", "after b"])


def test_without_snapstart_none_is_called(tmp_path, api):
    with function_process(tmp_path, api, HOOKS, AWS_LAMBDA_INITIALIZATION_TYPE="on-demand"):
        api.invoke({}, "1")
        assert api.answer() == ("1", [])


def test_hooks_of_awss_own_package_are_called_among_ours(tmp_path, api):
    _registry(tmp_path)
    code = """
        from lambdallm.runtime import after_restore, before_snapshot
        from snapshot_restore_py import register_after_restore, register_before_snapshot
        said = []
        before_snapshot(lambda: said.append("ours"))
        register_before_snapshot(said.append, "theirs")
        after_restore(lambda: said.append("ours"))
        register_after_restore(said.append, "theirs")
        def handler(event, context):
            return said
    """
    with function_process(tmp_path, api, code, **SNAP_START):
        api.restored.set()
        api.invoke({}, "1")
        assert api.answer() == ("1", ["theirs", "ours", "ours", "theirs"])


def test_a_hook_that_fails_before_the_snapshot_fails_the_initialisation(tmp_path, api):
    code = """
        from lambdallm.runtime import before_snapshot
        before_snapshot(lambda: 1 / 0)
        def handler(event, context):
            return "never"
    """
    with function_process(tmp_path, api, code, **SNAP_START) as function:
        status, output = function.ends()
    path, headers, body = api.posted.get(timeout=1)
    assert (status, path) == (64, "/init/error")
    assert headers["lambda-runtime-function-error-type"] == "Runtime.BeforeSnapshotError"
    assert json.loads(body)["errorType"] == "ZeroDivisionError"
    assert "division by zero" in output
    assert api.asked.empty()


def test_one_that_fails_after_the_restore_ends_the_environment(tmp_path, api):
    code = """
        from lambdallm.runtime import after_restore
        after_restore(lambda: 1 / 0)
        def handler(event, context):
            return "never"
    """
    api.restored.set()
    with function_process(tmp_path, api, code, **SNAP_START) as function:
        status, output = function.ends()
    path, headers, body = api.posted.get(timeout=1)
    assert (status, path) == (65, "/restore/error")
    assert headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"
    assert json.loads(body)["errorType"] == "ZeroDivisionError"
    assert "division by zero" in output


def test_a_snapshot_that_lambda_refuses_fails_the_initialisation(tmp_path, api):
    api.statuses.append(("/restore/next", 500))
    api.restored.set()
    with function_process(tmp_path, api, HOOKS, **SNAP_START) as function:
        status, _ = function.ends()
    assert status == 64
    assert api.posted.get(timeout=1)[0] == "/init/error"


def _registry(folder):
    """AWS's package, as far as its registry goes."""
    (folder / "snapshot_restore_py.py").write_text("""
before, after = [], []
def register_before_snapshot(f, *args, **kwargs):
    before.append((f, args, kwargs))
def register_after_restore(f, *args, **kwargs):
    after.append((f, args, kwargs))
def get_before_snapshot():
    return before
def get_after_restore():
    return after
""")


def test_on_the_local_lambda_a_restored_handler_has_its_model_ready(tmp_path):
    (tmp_path / "app.py").write_text("""
import sys
from lambdallm import handler

@handler(model="openai/gpt-4o-mini")
def function(event, context):
    return "lambdallm.llm.wire.openai_chat.response" in sys.modules
""")
    with Emulator() as emulator:
        for name, snapstart in (("restored", True), ("cold", False)):
            function = Function(name=name, code=str(tmp_path), handler="app.function", snapstart=snapstart)
            emulator.add(function.replace(timeout=30.0))
        restored, cold = (b"".join(emulator.invoke(name, b"{}")) for name in ("restored", "cold"))
    assert (restored, cold) == (b"true", b"false")
