"""Looking at folders: what is seen, what is left out, what can't be packed."""

import os
import socket
import subprocess

import pytest

from lambdallm.deploy.collect import content, project_files
from lambdallm.deploy.errors import BuildError


def paths(folder, project=None, never=()):
    return [file.path for file in project_files(str(folder), str(project or folder), never)]


def test_a_project_without_what_never_runs(project):
    folder = project(
        {
            "app.py": "",
            "prompts/hello.yaml": "",
            "providers/own.json": "",
            "lambdallm.yaml": "",
            "data/big.bin": "",
            "tests/test_app.py": "",
            "test_app.py": "",
            "app_test.py": "",
            "conftest.py": "",
            "pkg/tests/x.py": "",
            ".env": "KEY=1",
            ".env.local": "",
            ".git/config": "",
            ".venv/bin/python": "",
            ".lambdallm/x": "",
            "env/pyvenv.cfg": "",
            "env/lib/x.py": "",
            "__pycache__/app.cpython-311.pyc": "",
            "node_modules/a/b.js": "",
            "requirements.txt": "",
            "pyproject.toml": "",
            "README.md": "",
            "dist/old.zip": "",
            "x.egg-info/PKG-INFO": "",
            "pkg/README.md": "",
            "docs/rag.md": "",
        }
    )
    assert paths(folder) == [
        "app.py",
        "data/big.bin",
        "docs/rag.md",
        "lambdallm.yaml",
        "pkg/README.md",
        "prompts/hello.yaml",
        "providers/own.json",
    ]


def test_what_git_ignores_is_left_out_and_lambdaignore_is_over_it(project):
    folder = project(
        {
            "app.py": "",
            "data/.gitignore": "*.db\n",
            "data/a.db": "",
            "data/b.txt": "",
            "index.bin": "",
            "notes.md": "",
            "tests/fixtures/x": "",
            ".gitignore": "index.bin\n",
            ".lambdaignore": "notes.md\n!index.bin\n!data/a.db\n",
        }
    )
    assert paths(folder) == ["app.py", "data/a.db", "data/b.txt", "index.bin"]


def test_secrets_and_histories_are_packed_by_no_pattern(project):
    folder = project({"app.py": "", ".env": "", ".env.prod": "", ".git/config": "", ".lambdaignore": "!.*\n!.env\n"})
    assert paths(folder) == [".lambdaignore", "app.py"]


def test_the_patterns_of_the_repository_around_count(project):
    folder = project(
        {".git/HEAD": "", ".gitignore": "*.db\n/one/app.db2\n", "one/app.py": "", "one/x.db": "", "one/app.db2": ""}
    )
    assert paths(folder / "one") == ["app.py"]


def test_code_in_a_folder_below_has_the_settings_and_prompts_of_the_project(project):
    folder = project(
        {
            "src/app.py": "",
            "src/README.md": "",
            "lambdallm.yaml": "",
            "prompts/a.yaml": "",
            "prompts/a.bak": "",
            "providers/own.json": "",
            "other.py": "",
            ".gitignore": "*.bak\n",
        }
    )
    assert sorted(paths(folder / "src", folder)) == ["app.py", "lambdallm.yaml", "prompts/a.yaml", "providers/own.json"]


def test_what_the_code_has_itself_is_not_taken_from_beside_it(project):
    folder = project({"src/app.py": "", "src/lambdallm.yaml": "a", "lambdallm.yaml": "b"})
    assert paths(folder / "src", folder) == ["app.py", "lambdallm.yaml"]


def test_the_packages_of_a_project_that_can_be_installed_are_imported_without_its_src(project):
    files = {"app.py": "", "src/shop/__init__.py": "", "pyproject.toml": ""}
    assert paths(project(files)) == ["app.py", "src/shop/__init__.py"]
    assert paths(project({"pyproject.toml": "[build-system]\n"})) == ["app.py", "shop/__init__.py"]


def test_links_are_followed(project, tmp_path):
    folder = project({"app.py": ""})
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "common.py").write_text("")
    (folder / "shared").symlink_to(shared)
    (folder / "one.py").symlink_to(shared / "common.py")
    assert paths(folder) == ["app.py", "one.py", "shared/common.py"]


def test_a_link_that_leads_nowhere_is_named(project):
    folder = project()
    (folder / "gone.py").symlink_to("nowhere.py")
    with pytest.raises(BuildError, match=r"gone\.py' is a link that leads nowhere"):
        paths(folder)


def test_a_link_to_a_folder_around_it_is_named(project):
    folder = project({"app.py": "", "pkg/x.py": ""})
    (folder / "pkg" / "again").symlink_to(folder)
    with pytest.raises(BuildError, match=r"pkg/again' is a link to a folder around it"):
        paths(folder)


def test_what_is_no_file_is_named(project):
    folder = project()
    os.mkfifo(folder / "pipe")
    with pytest.raises(BuildError, match=r"pipe' is neither a file nor a folder"):
        paths(folder)
    os.remove(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(folder)  # the path of a socket may have a hundred letters
        listener.bind("s")
        with pytest.raises(BuildError, match="neither a file nor a folder"):
            paths(folder)


@pytest.fixture(autouse=True)
def _back():
    here = os.getcwd()
    yield
    os.chdir(here)


def test_the_package_that_is_written_is_not_packed(project):
    folder = project({"app.py": "", "function.zip": ""})
    assert paths(folder, never=[str(folder / "function.zip")]) == ["app.py"]


def test_who_may_run_a_file_is_seen_whatever_else_its_mode_is(project):
    folder = project({"run.sh": "", "data": ""})
    (folder / "run.sh").chmod(0o700)
    (folder / "data").chmod(0o666)
    assert [(file.path, file.executable) for file in project_files(str(folder), str(folder))] == [
        ("data", False),
        ("run.sh", True),
    ]


@pytest.mark.parametrize("change", ["echo more >> data", "echo x > new && mv new data", "rm data"])
def test_a_file_that_changes_while_it_is_packed_is_named(project, change):
    folder = project({"data": "x"})
    (file,) = project_files(str(folder), str(folder))
    assert content(file) == b"x"
    subprocess.run(["sh", "-c", change], cwd=folder, check=True)
    with pytest.raises(BuildError, match=r"data' (changed while it was packed|can't be read: No such file)"):
        content(file)


def test_names_that_are_not_ascii(project):
    assert paths(project({"größe/データ.txt": "", "app.py": ""})) == ["app.py", "größe/データ.txt"]
