"""What of a packed Python's library is in the image: what that very Python says a first call imports."""

import marshal
import subprocess
import sys

import pytest

from lambdallm.deploy.bytecode import Source, compiled, entries_of
from lambdallm.deploy.image import FIRST_CALL, NO_STANDARD, Standard, standard_of
from lambdallm.deploy.plan import OURS, PYTHON, YOURS, Entry
from lambdallm.deploy.settings import Settings

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def settings(tmp_path):
    """Settings that pack the Python which runs this, from a folder that has no more than a way to it."""
    place = tmp_path / "home" / "bin" / f"python{HERE}"
    place.parent.mkdir(parents=True)
    place.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    place.chmod(0o755)
    return Settings(
        code=".", project=".", output="x.zip", python=HERE, runtime="provided", python_home=str(tmp_path / "home")
    )


def test_the_python_that_is_packed_says_what_it_imports_and_which_it_is(settings):
    found = standard_of(settings.packed_python, settings, [])
    assert found.version == sys.version
    assert {"json", "json.decoder", "enum", "functools", "socket", "selectors", "ssl", "base64"} <= found.names
    assert not found.names & set(sys.builtin_module_names)
    assert not {name for name in found.names if name.startswith("encodings")}


def test_another_python_says_nothing_of_it(settings):
    assert standard_of(sys.executable, settings, []) == NO_STANDARD
    assert standard_of(sys.executable, settings.replace(runtime="managed", python_home=None), []) == NO_STANDARD


def test_a_python_whose_library_is_not_whole_gives_none(settings, tmp_path):
    (tmp_path / "home" / "bin" / f"python{HERE}").write_text("#!/bin/sh\nexit 1\n")
    assert standard_of(settings.packed_python, settings, []) == NO_STANDARD


@pytest.mark.parametrize("path", ["base64.py", "base64/__init__.py", "base64.pyc"])
def test_a_module_of_the_projects_goes_on_hiding_the_librarys(path, settings):
    packaged = [Entry("python/lib/base64.py", PYTHON), Entry(path, YOURS)]
    assert "base64" not in standard_of(settings.packed_python, settings, packaged).names


def test_they_stand_behind_lambdallms_own_in_the_image_and_in_their_files_too(settings):
    library = f"python/lib/python{HERE}"
    sources = [
        Source("lambdallm/core/__init__.py", OURS, b""),
        Source(f"{library}/json/__init__.py", PYTHON, b"x = 1\n"),
        Source(f"{library}/cgi.py", PYTHON, b""),
        Source("json/tool.py", "tools", b""),
    ]
    modules, _ = compiled(sources, sys.executable, settings)
    entries = entries_of(modules, settings, Standard("3.99 (that one)", frozenset({"json", "json.tool"})))
    image = next(entry.data for entry in entries if entry.path == "lambdallm/image.bin")
    own, (version, held) = marshal.loads(image[8:])
    assert (list(own), version) == (["lambdallm.core"], "3.99 (that one)")
    assert {name: bool(entry & 1) for name, entry in held.items()} == {"json": True}
    tag = f"cpython-{HERE.replace('.', '')}"
    assert f"{library}/json/__pycache__/__init__.{tag}.pyc" in {entry.path for entry in entries}


def test_a_first_call_imports_nothing_of_the_library_that_is_not_asked_for(settings):
    """The list is what LambdaLLM imports: on the way to an answer over TLS under its own runtime, and to an error."""
    code = """
import sys
before = set(sys.modules)
sys.path[:0] = [{source!r}]
import lambdallm.runtime.main, lambdallm.runtime.loop, ssl
from lambdallm import WireClient
WireClient("openai/gpt-4o-mini", api_key="k", base_url="https://127.0.0.1:1").chat("Hi")
found = [(name, module.__spec__) for name, module in sys.modules.items() if name not in before]
print(*(name for name, spec in found if spec and spec.name == name and str(spec.origin).endswith(".py")))
"""
    source = __import__("lambdallm").__path__[0].rpartition("/")[0]
    command = [sys.executable, "-I", "-S", "-c", code.format(source=source)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    imported = {name for name in done.stdout.split() if not name.startswith("lambdallm")}
    assert imported <= standard_of(settings.packed_python, settings, []).names
    assert set(FIRST_CALL) & imported
