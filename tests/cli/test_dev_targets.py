"""Which functions a project has, read from its files without importing any."""

import pytest

from lambdallm.cli.dev_targets import find_project
from lambdallm.cli.target import TargetError

ONE = "from lambdallm import handler\n\n@handler\ndef {}(event, context): ...\n"


@pytest.fixture
def found(project, monkeypatch):
    def find(files, target=None, known=None):
        monkeypatch.chdir(project(files))
        return find_project(target, known)

    return find


def names(project):
    return [(entry.name, entry.handler) for entry in project.entries]


class TestWithoutATarget:
    def test_the_usual_files_functions_come_first_and_others_follow(self, found):
        files = {"app.py": ONE.format("main"), "orders.py": ONE.format("order"), "lib.py": "x = 1"}
        assert names(found(files)) == [("main", "app.main"), ("order", "orders.order")]

    def test_any_file_will_do_where_there_is_no_usual_one(self, found):
        assert names(found({"orders.py": ONE.format("order")})) == [("order", "orders.order")]

    def test_functions_of_the_same_name_say_their_modules(self, found):
        files = {"app.py": ONE.format("main"), "shop/orders.py": ONE.format("main")}
        assert names(found(files)) == [("app-main", "app.main"), ("shop-orders-main", "shop.orders.main")]

    def test_tests_and_other_peoples_code_are_left_alone(self, found):
        one = ONE.format("f")
        files = {"app.py": ONE.format("main"), "tests/test_app.py": one, "test_it.py": one, "venv/lib.py": one}
        assert names(found(files)) == [("main", "app.main")]

    def test_nothing_at_all_is_an_error(self, found):
        with pytest.raises(TargetError, match=r"There is no app\.py"):
            found({"lib.py": "x = 1"})

    @pytest.mark.parametrize(
        "source",
        [
            "from lambdallm import handler as h\n@h(model='echo')\ndef f(e, c): ...",
            "import lambdallm\n@lambdallm.handler\nasync def f(e, c): ...",
            "import lambdallm as llm\n@llm.handler()\ndef f(e, c): ...",
            "from lambdallm.core.handler import handler\n@handler\ndef f(e, c): ...",
        ],
    )
    def test_the_decorator_is_known_by_any_name(self, found, source):
        assert names(found({"app.py": source})) == [("f", "app.f")]

    def test_another_decorator_of_that_name_is_not_ours(self, found):
        files = {"app.py": ONE.format("main"), "web.py": "from web import handler\n@handler\ndef f(e, c): ..."}
        assert names(found(files)) == [("main", "app.main")]

    def test_a_file_without_one_is_left_to_whoever_loads_it(self, found):
        (entry,) = found({"app.py": "x = 1"}).entries
        assert (entry.name, entry.function, entry.module) == ("function", None, "app")


class TestWithATarget:
    def test_a_function_is_the_only_one(self, found):
        files = {"app.py": ONE.format("main") + ONE.format("other"), "b.py": ONE.format("b")}
        assert names(found(files, "app.py:other")) == [("other", "app.other")]
        assert names(found(files, "app.plain")) == [("plain", "app.plain")]

    def test_a_files_functions_are_all_of_it(self, found):
        files = {"app.py": ONE.format("main"), "b.py": ONE.format("b") + "@handler\ndef c(e, x): ..."}
        assert names(found(files, "b.py")) == [("b", "b.b"), ("c", "b.c")]


class TestBrokenFiles:
    def test_keep_the_functions_they_had(self, found):
        known = found({"app.py": ONE.format("main"), "orders.py": ONE.format("order")})
        broken = found({"orders.py": "def (:"}, known=known)
        assert names(broken) == names(known)

    def test_that_were_never_whole_are_left_to_whoever_loads_them(self, found):
        (entry,) = found({"app.py": "def (:"}).entries
        assert (entry.name, entry.function) == ("function", None)
