"""What a process may touch: a `/tmp` of its own and of the given size, and code that it can't write."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from emulated import emulated, function
from lambdallm.runtime.emulator import Emulator, NotIsolatedWarning, sandbox

WRITING = """
def act(event):
    try:
        with open(event["path"], "wb") as file:
            file.write(b"x" * event.get("bytes", 1))
        return sorted(os.listdir("/tmp"))
    except OSError as error:
        return error.strerror

serve(act)
"""


@pytest.fixture
def isolated(tmp_path):
    """Skip where the kernel gives no namespaces."""
    if not sandbox.prefix(function(tmp_path, ""), str(tmp_path)):
        pytest.skip("there are no user namespaces here")


def written(emulator, path, **event):
    return json.loads(emulator.invoke("app", json.dumps({"path": str(path), **event}).encode()).read())


def test_code_is_read_only(tmp_path, isolated):
    with emulated(tmp_path, WRITING) as emulator:
        assert written(emulator, tmp_path / "new") == "Read-only file system"
        assert written(emulator, "program.py") == "Read-only file system"


def test_tmp_is_an_environments_own_and_lasts_as_long_as_it(tmp_path, isolated):
    (tmp_path / "code").mkdir()
    (tmp_path / "hidden").touch()
    with emulated(tmp_path / "code", WRITING) as emulator:
        assert "mine" in written(emulator, "/tmp/mine")
        assert {"mine", "more"} <= set(written(emulator, "/tmp/more"))
        emulator.replace(emulator.functions["app"].replace(memory_mb=300))
        assert "mine" not in written(emulator, "/tmp/other")
        assert written(emulator, tmp_path / "hidden") == "No such file or directory" or "hidden" not in written(
            emulator, "/tmp/x"
        )


def test_tmp_is_full_at_its_size(tmp_path, isolated):
    with emulated(tmp_path, WRITING, tmp_mb=1) as emulator:
        assert isinstance(written(emulator, "/tmp/fits", bytes=500_000), list)
        assert written(emulator, "/tmp/large", bytes=2_000_000) == "No space left on device"


def test_a_folder_of_tmp_that_the_function_names_is_seen(tmp_path, isolated):
    (tmp_path / "code").mkdir()
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "data").write_text("there")
    reading = "serve(lambda event: open(event).read())"
    with emulated(tmp_path / "code", reading, mounts=(str(tmp_path / "layer"),)) as emulator:
        event = json.dumps(str(tmp_path / "layer" / "data")).encode()
        assert emulator.invoke("app", event).read() == b'"there"'


def test_a_python_program_finds_what_it_is_installed_with(tmp_path):
    program = "import lambdallm\nserve(lambda event: lambdallm.__name__)"
    with emulated(tmp_path, program, command=(sys.executable, "program.py")) as emulator:
        assert emulator.invoke("app", b"{}").read() == b'"lambdallm"'


def test_without_it_temporary_files_have_a_folder_that_goes(tmp_path):
    program = """
import tempfile
serve(lambda event: [tempfile.gettempdir(), os.listdir(tempfile.gettempdir()), tempfile.mkdtemp()])
"""
    with emulated(tmp_path, program, emulator={"isolate": False}) as emulator:
        folder, found, _ = json.loads(emulator.invoke("app", b"{}").read())
        assert (tmp_path / folder).is_dir()
    assert found == []
    assert not (tmp_path / folder).exists()


@pytest.mark.parametrize("what", [("_SCRIPT", "exit 1"), ("shutil.which", lambda name: None)])
def test_a_place_that_can_not_be_made_is_not_used(tmp_path, monkeypatch, what):
    monkeypatch.setattr(sandbox, "_tried", {})
    monkeypatch.setattr(f"{sandbox.__name__}.{what[0]}", what[1])
    assert sandbox.prefix(function(tmp_path, ""), str(tmp_path)) == ()


def test_a_process_is_the_user_that_it_is_outside(tmp_path):
    with emulated(tmp_path, "serve(lambda event: [os.getuid(), os.getgid()])") as emulator:
        assert json.loads(emulator.invoke("app", b"{}").read()) == [os.getuid(), os.getgid()]


def test_the_machines_own_mounts_are_left_alone(tmp_path, isolated):
    before = subprocess.run(["mount"], capture_output=True, check=True).stdout
    with emulated(tmp_path, WRITING) as emulator:
        written(emulator, "/tmp/x")
    assert subprocess.run(["mount"], capture_output=True, check=True).stdout == before


def test_a_machine_that_can_not_isolate_says_so_once(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_tried", {})
    monkeypatch.setattr("shutil.which", lambda *_names, **_path: None)
    with Emulator() as emulator:
        with pytest.warns(NotIsolatedWarning, match=r"isolate=False") as told:
            emulator.add(function(tmp_path, ""))
        assert [Path(warning.filename).name for warning in told] == [Path(__file__).name]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            emulator.add(function(tmp_path, "", name="other"))


@pytest.mark.filterwarnings("error::lambdallm.runtime.emulator.NotIsolatedWarning")
def test_and_nothing_where_that_is_agreed_to(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "_tried", {})
    monkeypatch.setattr("shutil.which", lambda *_names, **_path: None)
    with Emulator(isolate=False) as emulator:
        emulator.add(function(tmp_path, ""))
