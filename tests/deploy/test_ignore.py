"""Patterns mean what Git says they mean: each is tried beside `git check-ignore` on the same tree."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.deploy.ignore import is_below_left_out, is_left_out, patterns

PATHS = [
    "a.txt",
    "b.log",
    "docs/a.txt",
    "docs/deep/a.txt",
    "docs/deep/b.log",
    "logs/x",
    "src/logs/x",
    "src/[x].py",
    "src/a b",
    "src/née.py",
    "!odd",
    "#odd",
    "sub/docs/a.txt",
    "abc/x",
    "Abc/x",
    "foo/bar/baz/qux",
]

TEXTS = [
    "*.log",
    "/a.txt",
    "docs/",
    "docs/a.txt",
    "docs/*",
    "docs/**",
    "**/a.txt",
    "docs/**/a.txt",
    "logs",
    "/logs",
    "src/logs",
    "*.txt\n!a.txt",
    "docs/\n!docs/a.txt",
    "docs/*\n!docs/deep\ndocs/deep/*\n!docs/deep/b.log",
    "\\!odd",
    "\\#odd",
    "# odd\n\n",
    "src/\\[x\\].py",
    "[a-b].*",
    "[!a].*",
    "[^a].*",
    "a?txt",
    "?.txt",
    "src/a b",
    "a.txt   ",
    "src/a\\ ",
    "foo/**/qux",
    "**/logs/x",
    "**",
    "*",
    "/*\n!/docs",
    "née.py",
    "foo/*/baz",
    "a*/",
    "[z-a]",
    "[]-a].txt",
    "**foo",
    "!",
    "/",
    "docs//",
    "[[:alpha:]].txt",
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    for path in PATHS:
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    return folder


def by_git(tree, text):
    """Whom Git leaves out, folders above included."""
    (tree / ".git" / "info" / "exclude").write_text("")
    (tree / ".gitignore").write_text(text)
    command = ["git", "-c", "core.quotepath=off", "-c", "core.ignorecase=false", "-c", "core.excludesFile=/dev/null"]
    told = subprocess.run(
        [*command, "check-ignore", "-z", "--stdin", "--no-index"],
        cwd=tree,
        input="\0".join(PATHS),
        capture_output=True,
        text=True,
    )
    return set(filter(None, told.stdout.split("\0")))


def by_us(text):
    rules = patterns(text)
    return {path for path in PATHS if is_below_left_out(path, rules)}


@pytest.mark.parametrize("text", TEXTS)
def test_a_pattern_leaves_out_what_it_does_for_git(tree, text):
    assert by_us(text) == by_git(tree, text)


def test_a_pattern_speaks_of_its_folder_alone():
    (rule,) = patterns("/x", "a/b/")
    assert [is_left_out(path, False, [rule]) for path in ("a/b/x", "x", "a/x", "a/b/c/x")] == [
        True,
        False,
        False,
        False,
    ]


def test_a_pattern_for_folders_leaves_a_file_of_that_name():
    rules = patterns("build/")
    assert is_left_out("build", True, rules)
    assert not is_left_out("build", False, rules)


@given(st.text(alphabet="ab/*?[]!^-\\# .", max_size=12))
def test_any_text_is_some_pattern(text):
    is_below_left_out("a/b", patterns(text))
