"""References in settings: what they leave alone, and what they put in."""

from hypothesis import given
from hypothesis import strategies as st

from lambdallm.core.config.fields import TEXT
from lambdallm.core.config.variables import filled

TEXTS = st.text(alphabet="ab${}:-\n ", max_size=12) | st.text(max_size=12)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,5}", fullmatch=True)


def filled_in(text, **environ):
    problems = []
    return filled(text, TEXT, environ, (), problems), problems


@given(TEXTS)
def test_what_is_escaped_comes_back_as_it_was(text):
    assert filled_in(text.replace("${", "$${")) == (text, [])


@given(TEXTS, NAMES, TEXTS, TEXTS)
def test_a_reference_is_what_its_variable_holds_whatever_that_is(before, name, value, after):
    before = before.replace("${", "$${").rstrip("$")
    text = f"{before}${{{name}}}{after.replace('${', '$${')}"
    found, problems = filled_in(text, **{name: value})
    if value:
        assert (found, problems) == (before.replace("$${", "${") + value + after, [])
    else:
        assert found is None
        assert len(problems) == 1


@given(NAMES, TEXTS.filter(lambda text: "}" not in text and "${" not in text))
def test_a_default_stands_in(name, default):
    assert filled_in(f"${{{name}:-{default}}}")[0] == default


@given(st.text(alphabet="ab${}:-", max_size=14))
def test_anything_is_read_or_refused(text):
    found, problems = filled_in(text, a="1", b="2")
    assert (found is None) == bool(problems)
