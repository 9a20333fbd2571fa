"""Files to entries: each path once, in one order, under a name that every system can hold."""

import pytest

from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.plan import OURS, YOURS, Entry, File, plan


def file(path, owner=YOURS, **more):
    return File(path, f"/project/{path}", 1, 0, owner=owner, **more)


def test_the_order_is_that_of_the_bytes_whatever_the_order_of_the_folders():
    found = ["b.py", "a/z.py", "a.py", "é.py", "B.py"]
    forward, backward = plan(map(file, found)), plan(map(file, reversed(found)))
    assert [entry.path for entry in forward.entries] == ["B.py", "a.py", "a/z.py", "b.py", "é.py"]
    assert forward.entries == backward.entries


def test_what_is_made_stands_among_what_is_found():
    made = Entry("bootstrap", "runtime scripts", data=b"#!", executable=True)
    assert [(entry.path, entry.size) for entry in plan([file("c"), file("a")], [made]).entries] == [
        ("a", 1),
        ("bootstrap", 2),
        ("c", 1),
    ]


def test_a_path_of_two_owners_is_an_error_that_names_both():
    with pytest.raises(BuildError, match=r"'lambdallm/__init__.py' comes from lambdallm and from your code\. Rename"):
        plan([file("lambdallm/__init__.py", OURS), file("lambdallm/__init__.py")])


def test_a_decomposed_name_is_composed_as_imports_take_it():
    assert plan([file("cafe\u0301.py")]).entries[0].path == "caf\u00e9.py"
    with pytest.raises(BuildError, match="comes from"):
        plan([file("cafe\u0301.py"), file("caf\u00e9.py")])


@pytest.mark.parametrize("name", ["bad\udcff", "back\\slash", "new\nline"])
def test_a_name_that_a_zip_cannot_hold_is_an_error(name):
    with pytest.raises(BuildError, match="The name of"):
        plan([file(name)])


def test_names_that_differ_in_case_alone_are_told():
    assert plan([file("data/A.txt"), file("data/a.txt")]).notes == (
        "data/A.txt and data/a.txt differ in case alone: some systems can't hold both.",
    )


def test_a_module_that_hides_another_is_told():
    notes = plan(
        [file("json/__init__.py"), file("random.py"), file("yaml.py"), file("yaml/__init__.py", "pyyaml")]
    ).notes
    assert notes == (
        "json/__init__.py hides Python's own module json from everything that imports it.",
        "random.py hides Python's own module random from everything that imports it.",
        "yaml.py (your code) is hidden by the package yaml (pyyaml).",
    )


def test_a_module_of_a_package_may_be_called_as_one_of_pythons():
    assert plan([file("app/random.py"), file("typing_extensions.py", "typing-extensions")]).notes == ()
