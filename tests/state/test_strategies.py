"""What a model is shown of a long conversation: the newest that fits, and never half of a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import conversations
from lambdallm.llm.types import ChatMessage, TextPart, ToolCall, ToolResult
from lambdallm.state.strategies import MemoryStrategy, buffered, whole, windowed
from lambdallm.state.turns import pieces_of


def user(text="?"):
    return ChatMessage("user", text)


def assistant(text="!"):
    return ChatMessage("assistant", text)


def system(text="be kind"):
    return ChatMessage("system", text)


def calls(*ids):
    return ChatMessage("assistant", tuple(ToolCall(id, "f", {}) for id in ids))


def result(*ids):
    return ChatMessage("tool", tuple(ToolResult(id, "r") for id in ids))


def letters(messages):
    return sum(len(message.text) + 3 for message in messages)


STRATEGIES = {
    "window": lambda messages, limit: windowed(messages, limit),
    "buffer": lambda messages, limit: buffered(messages, limit * 6, letters),
    "full": lambda messages, limit: whole(messages),
}
each_strategy = pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)


@each_strategy
@given(conversations, st.integers(1, 12))
def test_what_is_kept_is_the_conversation_with_messages_left_out(strategy, messages, limit):
    kept = strategy(messages, limit)
    rest = iter(messages)
    assert all(any(one is message for one in rest) for message in kept.messages), "in order, unchanged"
    assert kept.dropped == len(messages) - len(kept.messages)


@each_strategy
@given(conversations, st.integers(1, 12))
def test_a_call_is_never_without_its_results_nor_a_result_without_its_call(strategy, messages, limit):
    talk = [message for message in strategy(messages, limit).messages if message.role not in ("system", "developer")]
    waiting = set()
    for place, message in enumerate(talk):
        found = {part.call_id for part in message.parts if isinstance(part, ToolResult)}
        assert found <= waiting, "a result follows its call"
        waiting = (waiting - found) | {call.id for call in message.tool_calls}
        if not found and not message.tool_calls:
            assert not waiting, f"the calls before {place} are answered"


@each_strategy
@given(conversations, st.integers(1, 12))
def test_instructions_stay(strategy, messages, limit):
    instructions = [message for message in messages if message.role in ("system", "developer")]
    assert [m for m in strategy(messages, limit).messages if m.role in ("system", "developer")] == instructions


@each_strategy
@given(conversations, st.integers(1, 12))
def test_once_something_is_cut_away_it_begins_with_a_user(strategy, messages, limit):
    kept = [message for message in strategy(messages, limit).messages if message.role not in ("system", "developer")]
    usable = [m for piece in pieces_of(talk_of(messages)) if piece.whole for m in piece.messages]
    if len(kept) < len(usable) and any(message.role == "user" for message in usable):
        assert kept[0].role == "user"


@given(conversations, st.integers(1, 12))
def test_a_window_holds_no_more_than_its_limit_unless_its_newest_piece_does(messages, limit):
    kept = talk_of(windowed(messages, limit).messages)
    newest = [piece for piece in pieces_of(talk_of(messages)) if piece.whole][-1:]
    assert len(kept) <= max(limit, *(len(piece.messages) + 1 for piece in newest), 0)


@given(conversations, st.integers(1, 60))
def test_a_buffer_holds_no_more_tokens_than_its_limit_unless_its_newest_piece_does(messages, limit):
    kept = buffered(messages, limit, letters).messages
    talk = talk_of(kept)
    pieces = pieces_of(talk)
    assert letters(kept) <= limit or len(pieces) <= 1 or (len(pieces) == 2 and talk[0].role == "user")


@given(conversations, st.integers(1, 12))
def test_what_is_not_needed_any_more_changes_nothing_when_it_is_gone(messages, limit):
    """So a journal may forget it."""
    kept = windowed(messages, limit)
    left, rest = kept.first, []
    for message in messages:
        if message.role in ("system", "developer") or left <= 0:
            rest.append(message)
        else:
            left -= 1
    assert windowed(rest, limit).messages == kept.messages


def talk_of(messages):
    return [message for message in messages if message.role not in ("system", "developer")]


def test_the_window_slides():
    messages = [system(), user("1"), assistant(), user("2"), assistant(), user("3")]
    assert windowed(messages, 3).messages == (messages[0], *messages[3:])
    assert windowed(messages, 4).messages == (messages[0], *messages[3:]), "it would begin with an answer"
    assert windowed(messages, 5).messages == tuple(messages)


def test_a_call_goes_with_its_results():
    messages = [user("1"), calls("a", "b"), result("a"), result("b"), assistant(), user("2")]
    assert windowed(messages, 3).messages == (user("2"),)
    assert windowed(messages, 6).messages == tuple(messages)


def test_a_long_row_of_calls_keeps_the_question_they_are_about():
    row = [message for number in range(10) for message in (calls(f"{number}"), result(f"{number}"))]
    messages = [user("old"), assistant(), user("How?"), *row]
    assert windowed(messages, 5).messages == (user("How?"), *row[-4:])


def test_calls_that_wait_for_results_stay_only_at_the_end():
    asked = [user(), calls("a", "b"), result("a")]
    assert windowed(asked, 9).messages == tuple(asked), "they are being answered"
    assert windowed([*asked, user("again")], 9).messages == (user(), user("again"))


def test_the_same_ids_in_every_turn_are_no_trouble():
    messages = [message for _ in range(4) for message in (user(), calls("call_0"), result("call_0"), assistant())]
    assert windowed(messages, 8).messages == tuple(messages[-8:])


def test_results_may_come_with_a_users_words_and_calls_may_be_given_one_by_one():
    both = ChatMessage("user", (ToolResult("a", "r"), ToolResult("b", "r"), TextPart("and now?")))
    messages = [user(), calls("a"), calls("b"), both, assistant()]
    assert windowed(messages, 9).messages == tuple(messages)
    assert windowed(messages, 2).messages == (user(), assistant())


def test_a_newest_piece_that_is_too_large_stays():
    messages = [user("1"), calls(*"abcdef"), result(*"abc"), result(*"def")]
    assert windowed(messages, 1).messages == tuple(messages)
    assert buffered(messages, 1, letters).messages == tuple(messages)


def test_nothing_of_nothing():
    for strategy in STRATEGIES.values():
        assert strategy([], 5).messages == ()
        assert strategy([system()], 5).messages == (system(),)


def test_strategies_go_by_their_names():
    assert MemoryStrategy("summary") is MemoryStrategy.SUMMARY
    assert [str(each) for each in MemoryStrategy] == ["sliding_window", "summary", "token_buffer", "full"]
