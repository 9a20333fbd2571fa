"""What of a long conversation is sent to the model: the newest that fits, by count or by tokens. Pure.

Four things hold of whatever is kept: instructions (the system's and the developer's messages) stay; calls and results
of tools stay together; the conversation begins with a user's message where it has one, as providers want; the newest
piece stays even where it alone is more than the limit.
"""

from __future__ import annotations

from enum import StrEnum

from .._value import Value
from .transcript import is_instruction
from .turns import pieces_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from ..llm.types import ChatMessage
    from .turns import Piece

    Count: TypeAlias = Callable[[Sequence[ChatMessage]], int]
    """How many tokens a conversation has."""
    Fits: TypeAlias = Callable[[Sequence[ChatMessage]], bool]


class MemoryStrategy(StrEnum):
    """How a session's history is kept within limits.

    `SLIDING_WINDOW` keeps the newest `max_messages`. `SUMMARY` has a model sum up what is older. `TOKEN_BUFFER` keeps
    the newest that have at most `max_tokens`. `FULL` keeps everything.
    """

    SLIDING_WINDOW = "sliding_window"
    SUMMARY = "summary"
    TOKEN_BUFFER = "token_buffer"
    FULL = "full"


class Kept(Value):
    """What is kept of a conversation. `first` is how many messages at its beginning are not needed any more."""

    messages: tuple[ChatMessage, ...]
    dropped: int = 0
    first: int = 0


def windowed(messages: Sequence[ChatMessage], most: int) -> Kept:
    """The newest of a conversation: at most `most` messages beside the instructions."""
    return _kept(messages, lambda kept: len(kept) <= most)


def buffered(messages: Sequence[ChatMessage], most_tokens: int, count: Count) -> Kept:
    """The newest of a conversation that, with the instructions, has at most `most_tokens`."""
    instructions = [message for message in messages if is_instruction(message)]
    return _kept(messages, lambda kept: count([*instructions, *kept]) <= most_tokens)


def whole(messages: Sequence[ChatMessage]) -> Kept:
    """Everything but calls and results that have lost each other."""
    return _kept(messages, lambda _: True)


def _kept(messages: Sequence[ChatMessage], fits: Fits) -> Kept:
    """The newest pieces whose messages fit, with the instructions where they were."""
    places = [at for at, message in enumerate(messages) if not is_instruction(message)]
    pieces = [piece for piece in pieces_of([messages[at] for at in places]) if piece.whole]
    chosen = _newest(pieces, fits)
    if len(chosen) < len(pieces):
        chosen = _from_a_user(pieces, chosen, fits)
    wanted = {places[piece.start + at] for piece in chosen for at in range(len(piece.messages))}
    kept = tuple(message for at, message in enumerate(messages) if at in wanted or is_instruction(message))
    return Kept(kept, len(messages) - len(kept), chosen[0].start if chosen else len(places))


def _newest(pieces: list[Piece], fits: Fits) -> list[Piece]:
    """As many of the newest pieces as fit, found by halving; the last one in any case."""
    low, high = 0, max(len(pieces) - 1, 0)
    while low < high:
        middle = (low + high) // 2
        if fits(_messages(pieces[middle:])):
            high = middle
        else:
            low = middle + 1
    return pieces[low:]


def _from_a_user(pieces: list[Piece], chosen: list[Piece], fits: Fits) -> list[Piece]:
    """The chosen pieces from their first user's message on. Where none of them is a user's (a long row of tool calls),
    the question they are about takes the place of the oldest of them."""
    for at, piece in enumerate(chosen):
        if _is_users(piece):
            return chosen[at:]
    question = next((piece for piece in reversed(pieces) if _is_users(piece)), None)
    if question is None:
        return chosen
    while len(chosen) > 1 and not fits(_messages([question, *chosen])):
        chosen = chosen[1:]
    return [question, *chosen]


def _messages(pieces: Sequence[Piece]) -> list[ChatMessage]:
    return [message for piece in pieces for message in piece.messages]


def _is_users(piece: Piece) -> bool:
    return piece.messages[0].role == "user"
