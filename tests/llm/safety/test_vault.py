"""Placeholders that can be undone."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.safety import PersonalDataFilter, RestoreFilter, Vault
from lambdallm.llm.safety.report import Tally

TEXT = "Ask ada@example.com or bob@example.com; ada@example.com is quicker: +49 30 901820."


def hidden(text, vault):
    passing = PersonalDataFilter().begin(Tally("personal", vault))
    return passing.feed(text) + passing.finish()


def test_equal_texts_get_equal_placeholders_and_come_back():
    vault = Vault()
    assert hidden(TEXT, vault) == "Ask [EMAIL_1] or [EMAIL_2]; [EMAIL_1] is quicker: [PHONE_1]."
    assert vault.restored("[PHONE_1], [EMAIL_2], [EMAIL_9], [1]") == "+49 30 901820, bob@example.com, [EMAIL_9], [1]"


def test_a_placeholder_that_somebody_wrote_is_not_given_out():
    vault = Vault()
    vault.avoid("What does [EMAIL_1] mean?")
    assert hidden("ada@example.com", vault) == "[EMAIL_2]"
    assert vault.restored("[EMAIL_1] [EMAIL_2]") == "[EMAIL_1] ada@example.com"


@given(st.lists(st.integers(0, 80), max_size=6))
def test_a_stream_is_restored_whatever_its_pieces(cuts):
    vault = Vault()
    safe = hidden(TEXT, vault)
    edges = sorted({0, *(cut % len(safe) for cut in cuts), len(safe)})
    passing = RestoreFilter(vault).begin()
    pieces = [passing.feed(safe[a:b]) for a, b in pairwise(edges)]
    assert "".join(pieces) + passing.finish() == TEXT


def test_only_what_may_become_a_placeholder_is_held():
    passing = RestoreFilter(Vault()).begin()
    assert passing.feed("see [1") == "see [1"
    assert passing.feed("] and [EM") == "] and "
    assert passing.feed("!") == "[EM!"
