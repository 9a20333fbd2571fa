"""The package runs: unpacked where nothing can be written, under AWS's emulator, by a Python with nothing installed.

An audit hook watches what the process opens and compiles. AWS's client is one way in, ours the other.
"""

import json
import shutil
import sys
import urllib.request

import pytest

from lambdallm.deploy.gather import BOOTSTRAP, WRAPPER
from servers import free_port, lambda_tools, running

PYTHON = "/usr/bin/python3.11"
HANDLER = "app.lambda_handler"

WATCH = """
import os, runpy, sys
log = open({log!r}, "a", buffering=1)
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        writes = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        log.write("open " + ("w " if writes else "r ") + arguments[0] + "\\n")
    elif event == "compile" and arguments[1] not in (None, "<string>") and not str(arguments[1]).startswith("<"):
        log.write("compile " + str(arguments[1]) + "\\n")
sys.addaudithook(watch)
sys.argv = {argv!r}
sys.path[:1] = {path!r}
{start}
"""
UNDER_AWS = "runpy.run_module('awslambdaric', run_name='__main__')"
UNDER_OURS = "runpy.run_path(sys.argv[0], run_name='__main__')"

pytestmark = [
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="a bare Python 3.11 runs what this one compiles"),
    pytest.mark.skipif(shutil.which(PYTHON) is None, reason="there is no bare Python 3.11"),
]


@pytest.fixture
def run(tmp_path, unpacked):
    """Unpack a package and ask its function: run(zip, {...}, start="lambdallm-wrapper", python=…)."""

    def ask(output, event, *, start=None, python=None):
        task, tools, seen = unpacked(output), lambda_tools(), tmp_path / "seen"
        path = [str(task)] if start else [str(task), str(tools.awslambdaric)]
        argv = [str(task / start) if start else "awslambdaric", HANDLER]
        watch = tmp_path / "watch.py"
        watch.write_text(WATCH.format(log=str(seen), argv=argv, path=path, start=UNDER_OURS if start else UNDER_AWS))
        port = free_port()
        command = [
            *(str(tools.emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
            *("--runtime-api-address", f"127.0.0.1:{free_port()}"),
            *(str(task / python) if python else PYTHON, "-S", "-B", str(watch), HANDLER),
        ]
        with running(command, port, tmp_path, {"LAMBDA_TASK_ROOT": str(task), "AWS_LAMBDA_FUNCTION_TIMEOUT": "20"}):
            url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
            with urllib.request.urlopen(url, json.dumps(event).encode(), timeout=30) as response:
                answer = json.loads(response.read())
        return answer, seen.read_text().splitlines(), (tmp_path / "log").read_text(), task

    return ask


def opened(seen, kind):
    """The files that a process opened to read ("r") or to write ("w"), devices left out."""
    files = [line.split(" ", 2)[2] for line in seen if line.startswith(f"open {kind} /")]
    return [file for file in files if not file.startswith(("/dev/", "/proc/", "/sys/"))]


def compiled(seen, task):
    """The files of a package whose source was compiled when it ran; a start script has no bytecode."""
    files = [line.removeprefix("compile ") for line in seen if line.startswith("compile ")]
    return [file for file in files if file.startswith(str(task)) and not file.endswith((WRAPPER, BOOTSTRAP))]


@pytest.mark.parametrize("start", [None, WRAPPER], ids=["under-awslambdaric", "under-our-runtime"])
def test_the_first_answer_of_a_package(project, build, wheel, run, start):
    wheel("colour", {"colour/__init__.py": "RED = 'red'\n"})
    app = """
        import colour
        from lambdallm import handler

        @handler
        def lambda_handler(event, context):
            return context.invoke("{text} " + colour.RED, text=event["text"])
    """
    folder = project({"app.py": app, "lambdallm.json": '{"model": "echo"}', "requirements.txt": "colour\n"})
    told, names = build(folder)
    answer, seen, log, task = run(told.output, {"text": "hello"}, start=start)
    assert answer == "hello red", log
    assert {file for file in opened(seen, "r") if file.startswith(f"{task}/lambdallm/") and ".json" not in file} == {
        f"{task}/lambdallm/__pycache__/__init__.cpython-311.pyc",
        f"{task}/lambdallm/__pycache__/_image.cpython-311.pyc",
        f"{task}/lambdallm/image.bin",
    }
    elsewhere = (str(task), "/usr/lib/python3", "/etc/", str(lambda_tools().awslambdaric))
    assert [file for file in opened(seen, "r") if not file.startswith(elsewhere)] == []
    assert opened(seen, "w") == []
    assert compiled(seen, task) == []
    assert {path.relative_to(task).as_posix() for path in task.rglob("*") if path.is_file()} == set(names)


def test_a_package_without_sources_answers_too(project, build, run):
    told, names = build(project(), sources=False)
    assert "lambdallm/__init__.pyc" in names
    assert "lambdallm/core/handler.py" not in names
    answer, seen, log, task = run(told.output, {"text": "hello"})
    assert answer == "hello", log
    assert compiled(seen, task) == []


def test_a_package_with_its_own_python_needs_no_other(project, build, run):
    told, _ = build(project(), runtime="provided", python_home="/usr")
    answer, seen, log, task = run(told.output, {"text": "hello"}, start=BOOTSTRAP, python="python/bin/python3.11")
    assert answer == "hello", log
    library = {file.partition("/python/lib/python3.11/")[2] for file in opened(seen, "r")}
    in_the_image = ("json/", "__pycache__/socket.", "__pycache__/selectors.", "__pycache__/base64.")
    assert [file for file in library if file.startswith(in_the_image)] == []
    assert [file for file in opened(seen, "r") if file.startswith("/usr/lib/python3")] == []
    assert compiled(seen, task) == []
