"""Which functions Lambda can call, and where the project is: from texts and folders, without importing anything."""

import pytest

from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.handlers import handlers_of
from lambdallm.deploy.places import place_of, project_of


def found(project, text, name=None):
    return handlers_of(str(project({"app.py": text}) / "app.py"), "app", name)


@pytest.mark.parametrize(
    "text",
    [
        "from lambdallm import handler\n@handler\ndef f(e, c): ...",
        "from lambdallm import handler as h\n@h(model='echo')\nasync def f(e, c): ...",
        "import lambdallm\n@lambdallm.handler\ndef f(e, c): ...",
        "from lambdallm import handler\n@other\n@handler()\ndef f(e, c): ...\ndef g(): ...",
    ],
)
def test_a_decorated_function_is_found_under_whatever_name_the_decorator_has(project, text):
    assert found(project, text) == ("app.f",)


def test_without_one_the_usual_name_is_taken(project):
    assert found(project, "def lambda_handler(e, c): ...") == ("app.lambda_handler",)
    assert found(project, "lambda_handler = make()") == ("app.lambda_handler",)


@pytest.mark.parametrize(
    "text",
    [
        "from other import go",
        "if x:\n    go = 1",
        "try:\n    import go\nexcept E: ...",
        "class go: ...",
        "from x import *",
        "for go in y: ...",
        "with a() as go: ...",
        "go: int = 1",
    ],
)
def test_a_named_function_may_come_from_anywhere(project, text):
    assert found(project, text, "go") == ("app.go",)


def test_a_name_inside_another_function_is_none(project):
    with pytest.raises(BuildError, match=r"has no function 'go'\. Correct the name"):
        found(project, "def f():\n    go = 1", "go")


def test_a_file_of_a_package_is_seen_from_the_folder_around(project):
    folder = project({"src/shop/__init__.py": "", "src/shop/api/__init__.py": "", "src/shop/api/app.py": ""})
    assert place_of(str(folder / "src/shop/api/app.py")) == (str(folder / "src"), "shop.api.app")


def test_the_project_is_the_nearest_folder_with_requirements_or_settings(project):
    folder = project({"requirements.txt": "", "one/lambdallm.yaml": "", "one/src/app.py": "", "two/src/app.py": ""})
    here = str(folder)
    assert project_of(str(folder / "one" / "src"), here) == str(folder / "one")
    assert project_of(str(folder / "two" / "src"), here) == here


def test_the_project_is_never_looked_for_outside_the_working_folder(project):
    folder = project({"requirements.txt": "", "two/src/app.py": ""})
    assert project_of(str(folder / "two" / "src"), str(folder / "two")) == str(folder / "two" / "src")
    assert project_of(str(folder / "two" / "src"), "/elsewhere") == str(folder / "two" / "src")


def test_in_a_repository_it_may_be_above_the_working_folder(project):
    folder = project({".git/HEAD": "", "requirements.txt": "", "two/src/app.py": ""})
    assert project_of(str(folder / "two" / "src"), str(folder / "two" / "src")) == str(folder)
