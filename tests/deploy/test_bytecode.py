"""Bytecode for the Python that will run, which depends on the source, its path there and the version alone."""

import importlib.util
import marshal
import os
import subprocess
import sys

import pytest

from lambdallm.deploy.bytecode import Source, compiled, entries_of, find_python, pyc_path, stays
from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.plan import YOURS
from lambdallm.deploy.settings import Settings

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
SETTINGS = Settings(code=".", project=".", output="x.zip", python=HERE)
TAG = f"cpython-{HERE.replace('.', '')}"


def source(text="x = 1\n", path="app.py", owner=YOURS):
    return Source(path, owner, text.encode())


def one(text, **more):
    modules, notes = compiled([source(text, **more)], sys.executable, SETTINGS)
    entries = entries_of(modules, SETTINGS)
    return entries[0] if entries else None, notes


def test_it_is_the_unchecked_hash_kind_whose_source_is_never_looked_at():
    entry, _ = one("x = 1\n")
    assert entry.path == f"__pycache__/app.{TAG}.pyc"
    assert entry.data[:4] == importlib.util.MAGIC_NUMBER
    assert entry.data[4:8] == b"\x01\0\0\0"
    assert entry.data[8:16] == importlib.util.source_hash(b"x = 1\n")


def test_its_paths_are_those_of_lambda():
    entry, _ = one("def f(): pass\n", path="pkg/mod.py")
    code = marshal.loads(entry.data[16:])
    assert code.co_filename == "/var/task/pkg/mod.py"
    assert "/work" not in str(entry.data)


def test_asserts_and_docstrings_stay():
    entry, _ = one('"""Doc."""\nassert x, "no"\n')
    space = {"x": False}
    with pytest.raises(AssertionError, match="no"):
        exec(marshal.loads(entry.data[16:]), space)
    assert space["__doc__"] == "Doc."


def test_the_same_source_gives_the_same_bytes_whatever_is_compiled_before_it():
    text = "NAMES = {'b', 'a', 'c'}\ndef f(x):\n    return x in {'q', 'r', 's'} or frozenset\n"
    others = [source(f"a{n} = {n}\nNAMES = 'q'\n", f"o{n}.py") for n in range(20)]
    alone, _ = one(text)
    among, _ = compiled([*others, source(text)], sys.executable, SETTINGS)
    assert among[-1].pyc == alone.data


def test_the_environment_of_the_build_does_not_matter(monkeypatch):
    plain, _ = one('"""Doc."""\nassert {1, "a", "b"}\n')
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("PYTHONNODEBUGRANGES", "1")
    assert one('"""Doc."""\nassert {1, "a", "b"}\n')[0] == plain


def test_a_mistake_of_the_projects_is_told_with_its_line():
    with pytest.raises(BuildError, match=rf"app\.py, line 2: invalid syntax: this is no Python {HERE}\. Correct"):
        one("x = 1\nx = = 2\n")


@pytest.mark.parametrize("text", ["print 'old'\n", "x = '\0'\n", "# coding: nonsense\n"])
def test_a_file_of_a_dependency_that_is_no_python_goes_as_it_is(text):
    entry, notes = one(text, path="pkg/template.py", owner="pkg")
    assert entry is None
    assert notes == [f"pkg/template.py (pkg) is no Python {HERE} and goes as it is."]


def test_warnings_about_the_source_are_nobodys_business_here(capfd):
    one(r"x = '\d' is 1" + "\n")
    assert capfd.readouterr().err == ""


def test_without_sources_bytecode_stands_in_their_place_but_the_projects_own_stay():
    bare = SETTINGS.replace(sources=False)
    theirs, yours = source(path="pkg/mod.py", owner="pkg"), source(path="app.py")
    assert (pyc_path(theirs, bare), stays(theirs, bare)) == ("pkg/mod.pyc", False)
    assert (pyc_path(yours, bare), stays(yours, bare)) == (f"__pycache__/app.{TAG}.pyc", True)


def test_the_running_python_compiles_for_its_own_version():
    assert find_python(HERE) == sys.executable


@pytest.fixture
def python(tmp_path, monkeypatch):
    """A Python 3.19 that is all the path has, where it is put, and says what it is told to."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    monkeypatch.setattr("sys.executable", str(tmp_path / "none"))

    def make(says="echo cpython final 3.19", name="python3.19"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\n{says}\n")
        place.chmod(0o755)
        return str(place)

    return make


def test_another_version_is_found_on_the_path(python):
    there = python()
    assert find_python("3.19") == there


def test_uv_is_asked_before(python):
    python()
    uvs = python(name="uvs/python")
    asked = "python find --no-project --no-python-downloads --quiet 3.19"
    python(f'[ "$*" = "{asked}" ] && echo {uvs}', name="uv")
    assert find_python("3.19") == uvs


def test_the_one_that_is_packed_compiles(python, tmp_path):
    python()
    packed = python(name="home/bin/python3.19")
    assert find_python("3.19", str(tmp_path / "home")) == packed


@pytest.mark.parametrize("says", ["echo cpython candidate 3.19", "echo pypy final 3.19", "exit 127"])
def test_what_only_claims_to_be_that_version_is_not_taken(python, says):
    """A release candidate writes other bytecode; a shim of pyenv exists for versions that are not installed."""
    python(says)
    with pytest.raises(BuildError, match=r"which is not found here\. Install it \(`uv python install 3\.19`"):
        find_python("3.19")


def test_a_python_imports_it_without_looking_at_the_source(tmp_path):
    entry, _ = one("x = 1\n")
    (tmp_path / "app.py").write_text("x = 2  # newer, and of another size\n")
    (tmp_path / entry.path).parent.mkdir()
    (tmp_path / entry.path).write_bytes(entry.data)
    told = subprocess.run([sys.executable, "-B", "-c", "import app; print(app.x)"], cwd=tmp_path, capture_output=True)
    assert told.stdout == b"1\n"


def test_the_modules_of_lambdallm_stand_together_in_the_image_that_it_mounts():
    paths = ["lambdallm/__init__.py", "lambdallm/_image.py", "lambdallm/core/__init__.py", "lambdallm/core/handler.py"]
    modules, _ = compiled([source(path=path, owner="lambdallm") for path in paths], sys.executable, SETTINGS)
    entries = {entry.path: entry.data for entry in entries_of(modules, SETTINGS)}
    assert set(entries) == {
        f"lambdallm/__pycache__/__init__.{TAG}.pyc",
        f"lambdallm/__pycache__/_image.{TAG}.pyc",
        "lambdallm/image.bin",
    }
    image = entries["lambdallm/image.bin"]
    assert image[:4] == importlib.util.MAGIC_NUMBER
    held, _ = marshal.loads(image[8:])
    assert {name: bool(entry & 1) for name, entry in held.items()} == {
        "lambdallm.core": True,
        "lambdallm.core.handler": False,
    }
