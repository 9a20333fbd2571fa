"""Whole builds: reproducible bytes, what is in them, what stops them, and that nothing half-made is left."""

import marshal
import os
import shutil
import subprocess
import sys
import zipfile
from functools import partial

import pytest

from lambdallm.deploy import BuildError, report
from lambdallm.deploy.gather import WRAPPER

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_everything_that_runs_is_in_it_compiled(project, build):
    told, names = build(project({"app.py": "", "shop/prices.py": ""}), handlers=("app.lambda_handler",))
    tag = f"cpython-{HERE.replace('.', '')}"
    assert {"app.py", "lambdallm/core/handler.py", "lambdallm/llm/catalog/openai.json", WRAPPER} <= set(names)
    assert {name for name in names if name.endswith(".pyc")} == {
        f"__pycache__/app.{tag}.pyc",
        f"shop/__pycache__/prices.{tag}.pyc",
        f"lambdallm/__pycache__/__init__.{tag}.pyc",
        f"lambdallm/__pycache__/_image.{tag}.pyc",
    }
    modules = [name for name in names if name.endswith(".py")]
    held, _ = marshal.loads(names["lambdallm/image.bin"][8:])
    assert told.compiled == len(modules) == len(held) + 4
    assert len([name for name in names if name.startswith("lambdallm/transport/roots/")]) > 100


def test_two_builds_elsewhere_at_another_time_by_another_user_are_the_same_bytes(project, build, wheel, tmp_path):
    wheel("colour", {"colour/__init__.py": "SHADES = {'red', 'green', 'blue'}\n", "colour/data.bin": b"\0" * 999})
    files = {"app.py": "X = {'a', 'b'}\n", "größe.py": "", "run.sh": "#!/bin/sh\n", "requirements.txt": "colour\n"}
    here, there = project(files, "here"), project(files, "there/deep")
    (here / "run.sh").chmod(0o755)
    (there / "run.sh").chmod(0o700)
    (there / "app.py").chmod(0o600)
    os.utime(there / "app.py", (1_000_000_000, 1_000_000_000))
    command = [sys.executable, "-m", "lambdallm", "build", "app.py:X", "--json", "-o"]
    strange = {**os.environ, "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "5", "UV_COMPILE_BYTECODE": "1"}
    places = [tmp_path / "one.zip", tmp_path / "two.zip"]
    run = partial(subprocess.run, check=True, capture_output=True)
    run([*command, places[0]], cwd=here, umask=0o022)
    run([*command, places[1]], cwd=there, umask=0o077, env=strange)
    assert places[0].read_bytes() == places[1].read_bytes()


PYTHON_HOME = """
    bin/pip include/Python.h lib/libpython3.12.a lib/libcrypto.so lib/libpython3.12.so.1.0 lib/python3.12/venv/x.py
    lib/python3.12/os.py lib/python3.12/lib-dynload/_ssl.txt lib/python3.12/site-packages/pip/x.py
    lib/python3.12/test/x.py lib/python3.12/idlelib/x.py lib/python3.11/os.py
"""


@pytest.fixture
def home(tmp_path):
    """A Python installation, with a program that says how it is linked."""

    def make(program="#!"):
        folder = tmp_path / "home"
        for path in PYTHON_HOME.split():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).touch()
        (folder / "bin" / "python3.12").write_text(program)
        (folder / "bin" / "python3.12").chmod(0o755)
        (folder / "bin" / "python3").symlink_to("python3.12")
        return str(folder)

    return make


@pytest.mark.usefixtures("little_of_lambdallm")
class TestWithLittleOfLambdaLLM:
    def test_entries_are_sorted_and_say_nothing_of_when_and_by_whom(self, project, build):
        folder = project({"b.py": "", "a.py": "", "tool": "#!/bin/sh\n"})
        (folder / "tool").chmod(0o777)
        with zipfile.ZipFile(build(folder)[0].output) as archive:
            infos = archive.infolist()
        assert [info.filename for info in infos] == sorted(info.filename for info in infos)
        assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
        assert {oct(info.external_attr >> 16) for info in infos if not info.filename.endswith(("tool", WRAPPER))} == {
            "0o100644"
        }
        assert {info.extra for info in infos} == {b""}
        modes = {info.filename: info.external_attr >> 16 for info in infos}
        assert modes["tool"] == modes[WRAPPER] == 0o100755

    def test_the_executable_of_a_managed_runtime_and_of_a_provided_one(self, project, build):
        _, managed = build(project(), python="3.12", bytecode=False)
        assert managed[WRAPPER].startswith(b"#!/var/lang/bin/python3.12 ")
        assert "bootstrap" not in managed
        _, provided = build(project(), python="3.12", bytecode=False, runtime="provided")
        assert provided["bootstrap"].startswith(b"#!/opt/bin/python3.12 ")
        assert WRAPPER not in provided

    def test_without_bytecode(self, project, build):
        told, names = build(project(), bytecode=False)
        assert told.compiled == 0
        assert not [name for name in names if name.endswith(".pyc")]

    def test_without_the_sources_of_others(self, project, build):
        _, names = build(project(), sources=False)
        assert "app.py" in names
        assert "lambdallm/__init__.pyc" in names
        assert "lambdallm/__init__.py" not in names

    def test_a_source_that_cannot_be_compiled_stays_also_then(self, project, build, wheel):
        wheel("skeleton", {"skeleton/__init__.py": "", "skeleton/template.py": "{{ name }} ="})
        folder = project({"app.py": "", "requirements.txt": "skeleton\n"})
        told, names = build(folder, sources=False)
        assert "skeleton/template.py" in names
        assert told.warnings == (f"skeleton/template.py (skeleton) is no Python {HERE} and goes as it is.",)

    def test_a_package_that_lambda_would_refuse_is_refused_before_it_is_written(self, project, build, tmp_path):
        folder = project()
        with open(folder / "huge.bin", "wb") as file:
            file.truncate(251 * report.MB)
        with pytest.raises(BuildError, match=r"is 251 MB unzipped, and Lambda takes 250 MB: your code 251 MB"):
            build(folder)
        assert not (tmp_path / "out").exists()

    def test_a_failed_build_leaves_what_was_there(self, project, build, tmp_path):
        folder = project()
        build(folder)
        before = (tmp_path / "out" / "f.zip").read_bytes()
        (folder / "_core.so").write_bytes(b"\xcf\xfa\xed\xfe" + bytes(40))
        with pytest.raises(BuildError, match=r"_core\.so \(your code\) is for macOS"):
            build(folder)
        assert (tmp_path / "out" / "f.zip").read_bytes() == before
        assert os.listdir(tmp_path / "out") == ["f.zip"]

    def test_a_place_that_cannot_be_written_to(self, project, build, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(BuildError, match=r"file/f\.zip' can't be written"):
            build(project(), output=str(tmp_path / "file" / "f.zip"))

    @pytest.mark.parametrize(
        ("make", "told"),
        [
            (lambda place: place.mkdir(), "is no file, and would be replaced"),
            (lambda place: os.mkfifo(place), "is no file, and would be replaced"),
            (lambda place: place.write_text("import json\n"), "is a file that is no zip, and would be replaced"),
        ],
        ids=["folder", "pipe", "source"],
    )
    def test_what_is_no_package_is_never_replaced(self, project, build, tmp_path, make, told):
        """A build by an administrator to a device would take it from everyone; one to `app.py` the function."""
        place = tmp_path / "place"
        make(place)
        before = (place.stat().st_ino, place.stat().st_mode)
        with pytest.raises(BuildError, match=told):
            build(project(), output=str(place))
        assert (place.stat().st_ino, place.stat().st_mode) == before

    def test_an_empty_file_that_was_made_to_be_written_to_is_taken(self, project, build, tmp_path):
        (tmp_path / "new.zip").touch()
        assert build(project(), output=str(tmp_path / "new.zip"))[0].zipped == (tmp_path / "new.zip").stat().st_size

    def test_a_file_of_the_project_and_of_a_dependency_under_one_path(self, project, build, wheel):
        wheel("colour", {"colour.py": ""})
        with pytest.raises(BuildError, match=r"'colour\.py' comes from your code and from colour"):
            build(project({"app.py": "", "colour.py": "", "requirements.txt": "colour\n"}))

    def test_what_is_asked_to_be_left_out_is(self, project, build, wheel):
        wheel("colour", {"colour/__init__.py": "", "colour/tests/big.bin": b"1", "colour/docs/x.md": ""})
        folder = project({"app.py": "", "data/x": "", "requirements.txt": "colour\n"})
        _, names = build(folder, leave_out=("/colour/tests/", "*.md", "/data"))
        assert {name for name in names if name.startswith(("colour/", "data"))} == {
            "colour/__init__.py",
            f"colour/__pycache__/__init__.cpython-{HERE.replace('.', '')}.pyc",
        }

    def test_the_gateway_is_asked_for_by_a_project_that_names_it(self, project, build, monkeypatch):
        asked = []
        monkeypatch.setattr("lambdallm.deploy.gather.library_files", lambda used: asked.append(used) or [])
        build(project({"app.py": "from lambdallm.gateway import app\n"}))
        build(project({"app.py": "gateway = 1\n"}))
        assert asked == [{"gateway"}, set()]

    def test_a_python_is_packed_without_what_a_function_never_needs(self, project, build, home):
        told, names = build(project(), runtime="provided", python="3.12", bytecode=False, python_home=home())
        assert sorted(name for name in names if name.startswith("python/")) == [
            "python/bin/python3.12",
            "python/lib/python3.12/lib-dynload/_ssl.txt",
            "python/lib/python3.12/os.py",
        ]
        assert names["bootstrap"].startswith(b"#!/var/task/python/bin/python3.12 ")
        assert ("python", "3.12") in {(part.owner, part.version) for part in told.parts}

    def test_a_python_that_is_linked_with_its_library_brings_it(self, project, build, home):
        place = home("libpython3.12.so.1.0 $ORIGIN/../lib")
        _, names = build(project(), runtime="provided", python="3.12", bytecode=False, python_home=place)
        assert "python/lib/libpython3.12.so.1.0" in names

    def test_a_python_that_cannot_be_moved_is_told(self, project, build, home):
        place = home("libpython3.12.so.1.0 /usr/local/lib")
        with pytest.raises(BuildError, match=r"can't be moved: .* Take one that can: `uv python install 3\.12`"):
            build(project(), runtime="provided", python="3.12", bytecode=False, python_home=place)

    def test_a_folder_that_holds_no_python_of_that_version(self, project, build, tmp_path):
        with pytest.raises(BuildError, match=r"has no bin/python3\.12 or no lib/python3\.12\. Name the"):
            build(project(), runtime="provided", python="3.12", python_home=str(tmp_path))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"python": "3.9"}, "Python '3.9' can't run LambdaLLM"),
        ({"python": "three"}, "Python 'three' can't run LambdaLLM"),
        ({"python": "3.99"}, r"no managed runtime that this version knows for Python 3\.99\. Take one of 3\.11"),
        ({"python_home": "/x"}, "A managed runtime brings its own Python"),
        ({"runtime": "provided", "without_boto3": True}, "A provided runtime has no boto3"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_done(project, build, options, told):
    with pytest.raises(BuildError, match=told):
        build(project(), **options)


def test_a_large_file_of_zeros_is_no_matter(project, build, little_of_lambdallm):
    folder = project()
    with open(folder / "data.bin", "wb") as file:
        file.truncate(60 * report.MB)
    told, _ = build(folder)
    assert told.unzipped > 60 * report.MB > told.zipped
    shutil.rmtree(folder)
