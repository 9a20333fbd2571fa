"""What a journal says comes back as it was said, whoever wrote it and however it was made shorter."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import messages, plain, texts
from lambdallm.llm.backends import BackendError
from lambdallm.llm.types import ChatMessage
from lambdallm.state.history import Limits, shortened
from lambdallm.state.store import Entry
from lambdallm.state.strategies import MemoryStrategy
from lambdallm.state.transcript import Summary, Transcript, Turn, replayed, written

turns = st.builds(
    Turn,
    st.uuids().map(lambda id: id.hex[:16]),
    st.lists(messages, max_size=3).map(tuple),
    st.sampled_from([False, False, False, True]),
    st.dictionaries(texts, plain, max_size=2),
    st.lists(texts, max_size=1).map(tuple),
    st.none() | st.builds(Summary, texts, st.integers(0, 20), st.integers(0, 2)),
)
journals = st.lists(turns, max_size=8)


def entries(written_turns, first=1):
    return [Entry(number, written(turn)) for number, turn in enumerate(written_turns, first)]


def said(transcript):
    return transcript.replace(turns=0)


@given(journals)
def test_every_conversation_survives_its_storage(told):
    read = replayed(entries(told))
    known = Transcript()
    for turn in told:
        known = known.with_turn(turn)
    assert read == known
    assert repr(read) == repr(known), "true is not 1, and 1.0 is not 1"


@given(journals, st.integers(0, 8))
def test_reading_on_is_reading_anew(told, at):
    at = min(at, len(told))
    assert replayed(entries(told)[at:], replayed(entries(told)[:at])) == replayed(entries(told))


@settings(max_examples=50)
@given(journals, st.integers(0, 8))
def test_a_transcript_in_the_place_of_turns_says_the_same(told, at):
    at = min(at, len(told))
    before = replayed(entries(told)[:at])
    short = [Entry(max(at, 1), written(before)), *entries(told)[at:]] if at else entries(told)
    assert said(replayed(short)) == said(replayed(entries(told)))


@settings(max_examples=50)
@given(journals, st.sampled_from(list(MemoryStrategy)), st.integers(1, 5))
def test_positions_go_on_when_a_journal_is_made_shorter(told, memory, most):
    """So that a summary goes on standing for the messages it was made of."""
    known = replayed(entries(told))
    short = shortened(known, Limits(memory, most))
    talk = [message for message in known.messages if message.role not in ("system", "developer")]
    left = [message for message in short.messages if message.role not in ("system", "developer")]
    assert short.offset - known.offset == len(talk) - len(left)
    assert talk[len(talk) - len(left) :] == left
    assert short.state == known.state
    assert short.covered <= known.covered


def test_clearing_forgets_the_messages_before_it_and_keeps_the_data():
    hello = (ChatMessage("user", "Hi"),)
    read = replayed(entries([Turn("1", hello, sets={"a": 1}), Turn("2", clears=True), Turn("3", hello)]))
    assert (read.messages, read.state, read.epoch) == (hello, {"a": 1}, 1)


def test_a_summary_of_what_was_cleared_meanwhile_stands_for_nothing():
    late = Turn("3", summary=Summary("of the old", 4, epoch=0))
    assert replayed(entries([Turn("1"), Turn("2", clears=True), late])).summary is None


def test_of_two_summaries_the_one_of_more_counts():
    two = [Turn("1", summary=Summary("long", 6)), Turn("2", summary=Summary("short", 4))]
    assert replayed(entries(two)).summary == Summary("long", 6)


def test_the_latest_ids_are_known():
    read = replayed(entries([Turn(f"{number}") for number in range(150)]))
    assert read.ids == tuple(f"{number}" for number in range(50, 150))


@pytest.mark.parametrize("data", [b"", b"s2 j 00000000 {}", b"junk", written(Turn("1"))[:-1]])
def test_what_can_t_be_read_is_an_error_and_not_an_empty_session(data):
    with pytest.raises(BackendError, match="Entry 1 of the session begins with") as failed:
        replayed([Entry(1, data)])
    assert not failed.value.retryable


def test_long_turns_are_compressed():
    assert len(written(Turn("1", (ChatMessage("user", "word " * 10_000),)))) < 1_000
