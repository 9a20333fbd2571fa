"""`lambdallm build`: what is built, where it goes, and what is said about it."""

import json
import sys
import zipfile

import pytest

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
APP = """
    from lambdallm import handler

    @handler(model="echo")
    def lambda_handler(event, context):
        return context.invoke("Hello")

    @handler
    def other(event, context):
        return None
"""


def names(path):
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_project_of_this_folder(cli, project):
    told = cli("build", cwd=(folder := project({"app.py": APP})))
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0].split() == ["version", "unzipped", "files"]
    assert lines[1].startswith("lambdallm  ")
    assert "dist/project.zip  " in told.stdout
    assert "% of 50 MB), " in told.stdout
    assert f"runtime  python{HERE}, x86_64; " in told.stdout
    assert "handler  app.lambda_handler, app.other\n" in told.stdout
    assert {"app.py", "lambdallm/core/handler.py"} <= names(folder / "dist" / "project.zip")


def test_a_second_build_says_the_same_and_does_not_pack_the_first(cli, project):
    folder = project({"app.py": APP, "lambdallm.json": "{}"})
    first, second = (json.loads(cli("build", "--json", "-o", "f.zip", cwd=folder).stdout) for _ in range(2))
    assert first == second
    assert "f.zip" not in names(folder / "f.zip")


def test_one_function_of_a_file_in_a_folder_below(cli, project):
    folder = project({"src/app.py": APP, "lambdallm.json": '{"model": "echo"}', "requirements.txt": ""})
    told = json.loads(cli("build", "src/app.py:other", "--json", cwd=folder).stdout)
    assert told["handlers"] == ["app.other"]
    assert told["output"] == str(folder / "dist" / "project.zip")
    assert {"app.py", "lambdallm.json"} <= names(told["output"])


def test_a_file_of_a_package_is_imported_through_it(cli, project):
    folder = project({"shop/__init__.py": "", "shop/api.py": APP, "shop/util.py": ""})
    told = json.loads(cli("build", "shop/api.py:other", "--json", "--no-bytecode", cwd=folder).stdout)
    assert told["handlers"] == ["shop.api.other"]
    assert {"shop/__init__.py", "shop/api.py", "shop/util.py"} <= names(told["output"])


def test_a_function_by_its_dotted_name(cli, project):
    folder = project({"shop/api.py": APP})
    told = json.loads(cli("build", "shop.api.other", "--json", "--no-bytecode", cwd=folder).stdout)
    assert told["handlers"] == ["shop.api.other"]
    assert "shop/api.py" in names(told["output"])


def test_the_json_has_everything_that_a_deployment_needs(cli, project):
    told = json.loads(cli("build", "--json", "--arch", "arm64", cwd=project({"app.py": APP})).stdout)
    assert told.keys() == {
        "output",
        "sha256",
        "code_sha256",
        "zipped_bytes",
        "unzipped_bytes",
        "limits",
        "handlers",
        "python",
        "arch",
        "runtime",
        "requirements",
        "compiled_modules",
        "left_to_the_runtime",
        "parts",
        "warnings",
    }
    assert (told["arch"], told["python"], told["runtime"], told["warnings"]) == ("arm64", HERE, "managed", [])
    assert told["parts"][0].keys() == {"owner", "version", "unzipped", "files"}


def test_a_warning_goes_to_standard_error(cli, project):
    told = cli("build", "--no-bytecode", cwd=project({"app.py": APP, "json.py": ""}))
    assert told.returncode == 0
    assert told.stderr == "warning: json.py hides Python's own module json from everything that imports it.\n"


@pytest.mark.parametrize(
    ("files", "arguments", "told"),
    [
        ({}, (), "There is no app.py in this folder. Name the function"),
        ({"app.py": ""}, (), "app.py has no function with @handler. Decorate one, or name a plain one: app.py:NAME."),
        ({"app.py": APP}, ("app.py:nope",), "Name one of its handlers, app.py:lambda_handler."),
        ({"app.py": "def f(:\n"}, (), "app.py, line 1: invalid syntax. Correct that line."),
        ({"app.py": APP, "x.py": "def f(:\n"}, (), f"x.py, line 1: invalid syntax: this is no Python {HERE}."),
        ({"app.py": APP}, ("--python", "3.8"), "Python '3.8' can't run LambdaLLM."),
        ({"app.py": APP}, ("--no-sources", "--no-bytecode"), "With neither sources nor bytecode nothing is left."),
        ({"app.py": APP}, ("--arch", "sparc"), "argument --arch: invalid choice: 'sparc'"),
        ({"app.py": APP}, ("--requirements", "none.txt"), "none.txt' can't be read: No such file or directory."),
    ],
)
def test_what_cannot_be_built_is_told_in_a_line(cli, project, files, arguments, told):
    done = cli("build", *arguments, cwd=(folder := project(files)))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert told in done.stderr
    assert not (folder / "dist").exists()


def test_nothing_of_the_project_is_run(cli, project):
    app = "raise SystemExit('ran')\ndef lambda_handler(event, context): ...\n"
    assert cli("build", "--no-bytecode", cwd=project({"app.py": app})).returncode == 0
