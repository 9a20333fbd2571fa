"""Where modules are looked for, and what a handler's name means."""

import sys

import pytest

from lambdallm.runtime import RuntimeFault
from lambdallm.runtime.loading import load_handler, search_folders
from lambdallm.runtime.scripts import bootstrap, exec_wrapper
from runtime_api import function, runtime_api


@pytest.fixture
def api():
    with runtime_api() as api:
        yield api


def test_the_function_comes_first_then_its_layers():
    assert search_folders({"LAMBDA_TASK_ROOT": "/var/task"}, (3, 12)) == [
        "/var/task", "/opt/python/lib/python3.12/site-packages", "/opt/python",
    ]  # fmt: skip


def test_a_search_path_of_the_functions_own_replaces_the_layers():
    assert search_folders({"LAMBDA_TASK_ROOT": "/var/task", "PYTHONPATH": "/opt/mine"}, (3, 12)) == ["/var/task"]
    assert search_folders({"PYTHONPATH": ""}, (3, 12)) == []


@pytest.mark.parametrize(
    ("name", "type", "words"),
    [
        ("", "Runtime.MalformedHandlerName", "Bad handler ''"),
        ("handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys"),
        ("no_such_module.f", "Runtime.ImportModuleError", "Unable to import module 'no_such_module': No module named"),
        ("json.no_such", "Runtime.HandlerNotFound", "Handler 'no_such' missing on module 'json'"),
        (".f", "Runtime.MalformedHandlerName", "Bad handler '.f': name a module and a function"),
    ],
)
def test_what_can_not_be_loaded_has_awss_name_for_it(name, type, words):
    with pytest.raises(RuntimeFault, match=words) as fault:
        load_handler(name)
    assert fault.value.type == type


def test_dots_and_slashes_lead_to_the_same_function():
    import os.path

    assert load_handler("os.path.join") is load_handler("os/path.join") is os.path.join


SCRIPT_SOURCE = """
import sys
def lambda_handler(event, context):
    if event == "exit":
        exit(9)
    return {"path": sys.path, "no_site": sys.flags.no_site, "customized": "sitecustomize" in sys.modules}
"""


@pytest.mark.parametrize("make", [bootstrap, exec_wrapper])
def test_a_script_starts_the_function_without_site_and_with_all_it_is_for(api, tmp_path, make):
    """The wrapper is given the command line of AWS's own runtime, and leaves it aside."""
    for folder in ("added", "customs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "more.pth").write_text("added\n")
    (tmp_path / "customs" / "sitecustomize.py").write_text("")
    script = tmp_path / "start"
    script.write_text(make(sys.executable))
    script.chmod(0o755)
    (tmp_path / "lambdallm").symlink_to(__import__("lambdallm").__path__[0])
    command = [str(script), "/var/lang/bin/python3.12", "/var/runtime/bootstrap.py"]
    with function(api, tmp_path, SCRIPT_SOURCE, command=command, PYTHONPATH=str(tmp_path / "customs")) as process:
        told = api.invoke({}).answer().json()
        assert told["path"][0] == str(tmp_path)
        assert str(tmp_path / "added") in told["path"], "its .pth files are followed"
        assert (told["no_site"], told["customized"]) == (1, True)
        assert any(each.endswith("site-packages") for each in told["path"])
        api.invoke("exit")
        assert process.wait() == 9


def test_a_managed_runtime_is_named_by_its_version_alone():
    assert exec_wrapper("3.12").startswith("#!/var/lang/bin/python3.12 -S\n")
    assert bootstrap("/opt/bin/python3.13").startswith("#!/opt/bin/python3.13 -S\n")


@pytest.mark.parametrize("python", ["python3", "", "/opt/my python", "/opt/py\nthon", "/opt/" + "x" * 120])
def test_an_interpreter_that_no_first_line_can_name_is_refused(python):
    with pytest.raises(ValueError, match="interpreter"):
        bootstrap(python)
