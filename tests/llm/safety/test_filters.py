"""Filters on text that comes in pieces: what passes adds up to the whole text filtered, whatever the split."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lambdallm.llm.errors import ConfigurationError, LLMContentFilterError
from lambdallm.llm.safety import (
    BlocklistFilter,
    MaxLengthFilter,
    OutputFilter,
    PersonalDataFilter,
    RegexFilter,
    SecretsFilter,
)
from lambdallm.llm.safety.report import Tally
from look_alikes import AWS_ACCESS_KEY, BY_KIND, GITHUB_TOKEN, JWT, PASSWORDS, PRIVATE_KEY


class NoShouting(OutputFilter):
    """A user's own filter, with nothing but `apply` and the longest thing it looks at."""

    longest = 12

    def apply(self, text):
        return re.sub(r"\b[A-Z]{2,10}\b", lambda word: word[0].capitalize(), text)


class Whole(OutputFilter):
    """One that says nothing of how far it looks."""

    def apply(self, text):
        return text[::-1]


FILTERS = [
    SecretsFilter(),
    PersonalDataFilter(names=["Ada Lovelace"]),
    BlocklistFilter(["foo", "foo bar", "Fooling"], action="redact"),
    RegexFilter(r"PROJ-\d{2,5}\b", "[TICKET]"),
    RegexFilter(r"a.*?b"),
    MaxLengthFilter(20),
    NoShouting(),
    Whole(),
]
secrets = st.sampled_from(
    sorted({s for all_ in BY_KIND.values() for s in all_} | {t.replace("X", s) for t, s in PASSWORDS})
)
personal = st.sampled_from([
    "ada@example.com", "+49 30 901820", "(212) 555-0123", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00",
    "078-05-1120", "203.0.113.7", "2001:db8::8a2e:370:7334", "Ada Lovelace", "PROJ-1234", "foo bar", "SHOUT", "aXXb",
])  # fmt: skip
filler = st.text('aAbK I-:=@.+0123456789\n"foPROJ', max_size=12)
documents = st.lists(st.one_of(secrets, personal, filler, st.sampled_from([" ", ", ", "\n"])), max_size=8).map("".join)


def in_pieces(text, cuts):
    edges = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.label())
@given(documents, st.lists(st.integers(0, 5000), max_size=8))
@example(f"x {PRIVATE_KEY} y", [3, 700, 820])
@example("SHOUTING LOUDLY AT NOBODY IN PARTICULAR", list(range(40)))
def test_pieces_add_up_to_the_whole(one, text, cuts):
    passing = one.begin()
    assert "".join([passing.feed(piece) for piece in in_pieces(text, cuts)]) + passing.finish() == one.apply(text)


@pytest.mark.parametrize("secret", [AWS_ACCESS_KEY, GITHUB_TOKEN, JWT, PRIVATE_KEY])
def test_letter_by_letter_no_beginning_of_a_secret_gets_out(secret):
    """Not even the part that, alone, would have been harmless."""
    passing, passed = SecretsFilter().begin(), ""
    for letter in f"Here it is: {secret}, keep it.":
        passed += passing.feed(letter)
        assert secret[:4] not in passed
    assert passed + passing.finish() == SecretsFilter().apply(f"Here it is: {secret}, keep it.")


def test_text_flows_as_soon_as_it_can_become_nothing_else():
    passing = SecretsFilter(["GITHUB_TOKEN"]).begin()
    assert passing.feed("Hello wor") == "Hello wor"
    assert passing.feed("ld, g") == "ld, "
    assert passing.feed("h") == ""
    assert passing.feed("ost") == "ghost"
    assert passing.finish() == ""


def test_a_filter_of_ones_own_streams_within_what_it_says_it_looks_at():
    passing = NoShouting().begin()
    passed, most = "", 0
    for n, letter in enumerate("this is a long and quiet text without a single loud word in it " * 4):
        passed += passing.feed(letter)
        most = max(most, n + 1 - len(passed))
    assert most <= 2 * NoShouting.longest


def test_one_that_says_nothing_is_asked_at_the_end():
    passing = Whole().begin()
    assert passing.feed("abc") == passing.feed("def") == ""
    assert passing.finish() == "fedcba"


def test_a_long_text_that_is_held_back_is_not_looked_at_again_for_each_letter():
    """A megabyte that never ends its match takes no quadratic time: looks grow with the logarithm."""
    one = RegexFilter(r"<[a-z]*>")
    passing = one.begin()
    looks = []
    scanner = passing._scanner
    settled = scanner.settled
    scanner.settled = lambda text, at: looks.append(len(text)) or settled(text, at)
    passing.feed("<")
    for _ in range(20_000):
        assert passing.feed("abcde") == ""
    assert sum(looks) < 20 * 100_000
    assert passing.feed("> ") + passing.finish() == "[REDACTED] "
    scanner.settled = settled


def test_blocking_stops_a_stream_at_the_match_and_names_what_was_found():
    passing = BlocklistFilter(["launch code"]).begin()
    assert passing.feed("The launch ") == "The "
    with pytest.raises(LLMContentFilterError, match=r"BLOCKED.*'blocklist' blocks") as blocked:
        passing.feed("code is ")
    assert "launch" not in str(blocked.value)


def test_the_whole_match_is_replaced_or_the_group_that_is_called_secret():
    assert RegexFilter(r"(\d{3})-(\d{4})", "X").apply("555-0123!") == "X!"
    assert RegexFilter(r"user (?P<secret>\w+)!", "X").apply("user ada! user bob!") == "user X! user X!"


def test_flags_and_compiled_patterns_are_taken():
    assert RegexFilter(re.compile("abc", re.IGNORECASE), "-").apply("ABC") == "-"
    assert RegexFilter("abc", "-", flags=re.IGNORECASE).apply("ABC") == "-"
    assert RegexFilter("(?i)abc", "-").apply("ABC") == "-"
    assert RegexFilter("(?x) a b c  # letters", "-").apply("abc") == "-"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RegexFilter("("), r"'\(:?.*' is no pattern|is no pattern"),
        (lambda: RegexFilter("a", action="warn"), "'warn'"),
        (lambda: SecretsFilter(["NOPE"]), "NOPE.*Choose among.*JWT"),
        (lambda: PersonalDataFilter([]), "Choose among"),
        (lambda: BlocklistFilter([" "]), "holds no word"),
        (lambda: MaxLengthFilter(-1), "-1"),
        (lambda: MaxLengthFilter(1, action="redact"), "'redact'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ConfigurationError, match=message):
        make()


def test_a_filter_without_apply_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="Bare must implement apply"):
        type("Bare", (OutputFilter,), {})().apply("x")


def test_words_are_whole_and_of_any_case():
    one = BlocklistFilter(["Foo", "foo bar", "a.b", "ÄPFEL"], action="redact")
    assert one.apply("FOO  BAR, food, a.b, axb, äpfel") == "[BLOCKED], food, [BLOCKED], axb, [BLOCKED]"


def test_thousands_of_words_share_one_tree():
    words = [f"word{n}" for n in range(3000)]
    assert BlocklistFilter(words, action="redact", replacement="-").apply("word12 word2999 word3000") == "- - word3000"


def test_too_long_a_text_is_cut_or_blocked():
    assert MaxLengthFilter(3).apply("abcdef") == "abc"
    with pytest.raises(LLMContentFilterError, match="longer than 3 characters"):
        MaxLengthFilter(3, action="block").apply("abcd")


def test_what_was_replaced_is_counted_and_not_kept():
    tally = Tally("secrets")
    passing = SecretsFilter().begin(tally)
    passing.feed(f"{GITHUB_TOKEN} {GITHUB_TOKEN} {JWT} ")
    passing.finish()
    assert tally.counts == {"GITHUB_TOKEN": 2, "JWT": 1}
