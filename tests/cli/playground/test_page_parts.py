"""The page's pure parts, in the browser that runs them: faults of JSON, differences, Markdown, numbers, literals."""

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.provisional import urls

LOAD = """async (names) => {
    window.parts = {};
    for (const name of names) window.parts[name] = await import(`/_playground/js/${name}.js`);
}"""
CALL = "([module, name, args]) => parts[module][name](...JSON.parse(args))"
LINKS = """(text) => {
    const shown = document.createElement('div');
    shown.append(...(parts.markdown.markdown(text) ?? []));
    return [...shown.querySelectorAll('a')].map((link) => link.protocol);
}"""


@pytest.fixture
def call(visit):
    """Call a function of a module of the page: call("format", "ms", 12)."""
    page = visit()
    page.evaluate(LOAD, ["format", "diff", "json_check", "share", "place", "markdown", "palette", "highlight"])
    return lambda module, name, *args: page.evaluate(CALL, [module, name, json.dumps(args)])


def test_numbers_are_as_a_person_reads_them(call):
    times = [0, 0.42, 9.96, 118.4, 999.4, 2345, 59_940, 75_000, -31.2, None]
    assert [call("format", "ms", time) for time in times] == [
        "0 ms",
        "0.4 ms",
        "10 ms",
        "118 ms",
        "999 ms",
        "2.35 s",
        "59.9 s",
        "1 min 15 s",
        "−31 ms",
        "–",
    ]
    costs = [None, 0, 0.00012, 0.0000012, 0.5, 3.14159]
    assert [call("format", "dollars", cost) for cost in costs] == ["–", "$0", "$0.00012", "$0.0000012", "$0.5", "$3.14"]
    assert [call("format", "ago", 1000 - gone, 1000) for gone in (0, 44, 60, 900)] == ["now", "now", "1 min", "15 min"]
    assert call("format", "count", 1234567) == "1,234,567"


FAULTS = [
    ("", 1, 1, "There is no value"),
    ('{"a": 1,}', 1, 9, "A comma before “}” is too many"),
    ("[1, 2", 1, 6, "The text ends before “]”"),
    ("{'a': 1}", 1, 2, "Names stand in double quotes"),
    ('{"a": True}', 1, 7, "Write true for True"),
    ('{"a"\n1}', 2, 1, "Expected “:” after the name"),
    ('["one\ntwo"]', 1, 6, "A line break in a text is written \\n"),
    ('["one', 1, 2, "This text is never closed"),
    ('"\\q"', 1, 2, "A backslash begins an escape: write \\\\ for itself"),
    ("1 2", 1, 3, "Nothing may follow the value"),
    ("[01]", 1, 2, "Expected a value, not “01”"),
    ("{,}", 1, 2, "Expected a name in double quotes"),
    ("nul", 1, 1, "Expected a value, not “nul”"),
]


def test_faults_of_json_have_a_place_and_a_reason(call):
    for text, line, column, said in FAULTS:
        error = call("json_check", "checkJson", text)["error"]
        assert (error["line"], error["column"], error["message"]) == (line, column, said), text


def test_json_is_refused_with_a_place_whenever_the_browser_refuses_it(call):
    @settings(max_examples=150)
    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(), st.lists
        ),
        st.data(),
    )
    def check(value, data):
        text = json.dumps(value)
        at = data.draw(st.integers(0, len(text)))
        broken = text[:at] + data.draw(st.sampled_from(["", ",", "]", "x", '"', "\\"])) + text[at + 1 :]
        found = call("json_check", "checkJson", broken)
        assert ("value" in found) != ("error" in found)
        if "error" in found:
            assert 0 <= found["error"]["offset"] <= len(broken.encode("utf-16-le")) // 2
            assert found["error"]["message"][0].isupper()

    check()


def test_differences_give_back_both_texts(call):
    words = st.lists(st.sampled_from(["a", "b", "the", " ", "\n", ",", "ü", "x1"]), max_size=40).map("".join)

    @settings(max_examples=150)
    @given(words, words)
    def check(before, after):
        parts = call("diff", "diffWords", before, after)
        assert "".join(text for kind, text in parts if kind != "new") == before
        assert "".join(text for kind, text in parts if kind != "gone") == after
        assert before != after or [kind for kind, _ in parts] in ([], ["same"])

    check()


def test_differences_are_phrases_and_large_texts_end_soon(call):
    parts = call("diff", "diffWords", "It costs ten euros today.", "It costs a dozen dollars today.")
    assert parts == [["same", "It costs "], ["gone", "ten euros"], ["new", "a dozen dollars"], ["same", " today."]]
    one, other = (" ".join(f"{letter}{at}" for at in range(20_000)) for letter in "ab")
    assert [kind for kind, _ in call("diff", "diffWords", one, other)] == ["gone", "new"]


def test_places_survive_any_name(call):
    @settings(max_examples=60)
    @given(st.text(min_size=1), st.none() | st.text(min_size=1))
    def check(id, run):
        if any(0xD800 <= ord(letter) < 0xE000 for letter in id + (run or "")):
            return
        place = {"view": "target", "kind": "prompt", "id": id, "run": run, "tab": None}
        assert call("place", "parsePlace", call("place", "formatPlace", place)) == place

    check()
    assert call("place", "parsePlace", "#/nonsense/x") is None
    assert call("place", "parsePlace", "#/prompt/%E0%A4%A") is not None


def test_python_literals_say_what_the_json_says(call):
    values = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    )

    @settings(max_examples=40)
    @given(values)
    def check(value):
        assert ast.literal_eval(call("share", "asPython", value)) == value

    check()


def test_variables_are_those_that_the_library_finds(call):
    from lambdallm.core.template import variables

    for template in [
        "{a} {b.c} {d[0].e}",
        "{{no}} {yes}",
        '{"json": {value}}',
        "{ a }",
        "{a",
        "a}",
        "{}",
        "{1}",
        "{a} {a}",
    ]:
        assert call("highlight", "variables", template) == variables(template), template


def test_markdown_of_any_kind_ends_and_has_no_foreign_links(call, page):
    @settings(max_examples=100)
    @given(
        st.lists(
            st.sampled_from(
                ["# ", "- ", "1. ", "> ", "```", "|", "--", "\n", " ", "**", "*", "`", "[a](", "x", ")", "<b>"]
            ),
            max_size=60,
        ).map("".join)
        | urls()
    )
    def check(text):
        links = page.evaluate(LINKS, text)
        assert set(links) <= {"http:", "https:"}

    check()
    for long in ("**" * 50_000, "`" * 50_000, "> " * 5_000, "- " * 20_000, "[" * 50_000, "*a " * 30_000):
        page.evaluate("(text) => { parts.markdown.markdown(text); }", long)


def test_the_palette_puts_beginnings_before_scattered_letters(call):
    items = [
        {"title": "long_night", "note": ""},
        {"title": "in_light", "note": ""},
        {"title": "handler", "note": "light.py"},
    ]
    assert [item["title"] for item in call("palette", "matching", items, "light")] == [
        "in_light",
        "handler",
        "long_night",
    ]
    assert call("palette", "matching", items, "zz") == []
