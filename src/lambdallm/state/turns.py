"""A conversation cut into pieces that stay whole: a message, or calls of tools with all their results. Pure.

Providers refuse a result whose call they have not seen, and a call without its result once the conversation has gone
on. So both are cut away together, and what is broken already (a turn that was interrupted) is left out.
"""

from __future__ import annotations

from .._value import Value
from ..llm.types import ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..llm.types import ChatMessage


class Piece(Value):
    """Messages that stay together, the first of them at `start`. `whole` is false where a call or a result is alone."""

    start: int
    messages: tuple[ChatMessage, ...]
    whole: bool = True


def pieces_of(conversation: Sequence[ChatMessage]) -> list[Piece]:
    """The pieces of a conversation without its instructions, in order.

    Calls at its very end that wait for results are whole: they are being answered.
    """
    pieces: list[Piece] = []
    at = 0
    while at < len(conversation):
        piece = _piece(conversation, at)
        pieces.append(piece)
        at += len(piece.messages)
    return pieces


def _piece(conversation: Sequence[ChatMessage], start: int) -> Piece:
    first = conversation[start]
    if not first.tool_calls:
        return Piece(start, (first,), not results_in(first))
    waiting: set[str] = set()
    answered = False
    end = start
    while end < len(conversation):
        message = conversation[end]
        given = results_in(message) & waiting
        if not given and (answered or not message.tool_calls):
            break
        answered = answered or bool(given)
        waiting = (waiting - given) | {call.id for call in message.tool_calls}
        end += 1
    whole = (not waiting or end == len(conversation)) and not results_in(first)
    return Piece(start, tuple(conversation[start:end]), whole)


def results_in(message: ChatMessage) -> set[str]:
    """The calls that a message has results for."""
    return {part.call_id for part in message.parts if type(part) is ToolResult}
