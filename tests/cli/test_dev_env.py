"""The variables of functions under `lambdallm dev`."""

import pytest

from lambdallm.cli.dev_env import dotenv, environment


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("export KEY=value", "value"),
        ("  KEY = spaced out  ", "spaced out"),
        ("KEY=value # a comment", "value"),
        ("KEY=a#b", "a#b"),
        ("KEY='single # kept'", "single # kept"),
        ('KEY="two\\nlines"', "two\nlines"),
        ('KEY="a \\"word\\"" # why', 'a "word"'),
        ("KEY=", ""),
        ("KEY=sk-a=b==", "sk-a=b=="),
    ],
)
def test_lines_are_read_as_shells_read_them(tmp_path, line, value):
    (tmp_path / ".env").write_text(f"# first\n\n{line}\nnot a setting\n")
    assert dotenv(str(tmp_path)) == {"KEY": value}


def test_a_variable_that_is_set_is_left_as_it_is(tmp_path):
    (tmp_path / ".env").write_text("A=file\nB=file\n")
    assert environment(str(tmp_path), {"A": "set"}) == {"A": "set", "B": "file", "PYTHONDONTWRITEBYTECODE": "1"}


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_no_file_and_no_text_say_nothing(tmp_path, content):
    if content is not None:
        (tmp_path / ".env").write_bytes(content)
    assert dotenv(str(tmp_path)) == {}
