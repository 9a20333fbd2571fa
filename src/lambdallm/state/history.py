"""What of a transcript a model is shown, what is summed up, and what need not be kept any more. Pure.

Strategies know messages alone; this module knows transcripts: what a summary stands for, and what is gone already.
"""

from __future__ import annotations

from .._value import Value
from ..llm.types import ChatMessage
from .strategies import Kept, MemoryStrategy, buffered, whole, windowed
from .transcript import is_instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .strategies import Count
    from .transcript import Transcript

SUMMARY_TITLE = "[Summary of the conversation so far]"
_MOST_UNSUMMED = 10
"""Without a summary, because none can be made, so many times `max_messages` are kept."""


class Limits(Value):
    """How much of a history is shown: by `max_messages`, or by `max_tokens` as `count` counts them."""

    memory: MemoryStrategy = MemoryStrategy.SLIDING_WINDOW
    max_messages: int = 20
    max_tokens: int = 4000
    count: Count | None = None


class Dropped(Value):
    """What of a conversation the model is not shown: messages left out, and messages that a summary stands for."""

    messages: int = 0
    summarized: int = 0


def shown(transcript: Transcript, limits: Limits) -> tuple[tuple[ChatMessage, ...], Dropped]:
    """The messages for a request, and what is not among them."""
    covered = transcript.covered
    kept = _kept(transcript.without_first(covered).messages, _beside(transcript, limits))
    summed_up = 0 if transcript.summary is None else transcript.summary.covers
    dropped = Dropped(transcript.offset + covered + kept.dropped - summed_up, summed_up)
    if transcript.summary is None:
        return kept.messages, dropped
    return _with_summary(kept.messages, transcript.summary.text), dropped


def _beside(transcript: Transcript, limits: Limits) -> Limits:
    """The limits of what is shown beside the summary, which is a message too."""
    if transcript.summary is None:
        return limits
    return limits.replace(max_messages=max(limits.max_messages - 1, 1))


def _kept(messages: tuple[ChatMessage, ...], limits: Limits) -> Kept:
    if limits.memory is MemoryStrategy.FULL:
        return whole(messages)
    if limits.memory is MemoryStrategy.TOKEN_BUFFER and limits.count is not None:
        return buffered(messages, limits.max_tokens, limits.count)
    return windowed(messages, limits.max_messages)


def _with_summary(messages: tuple[ChatMessage, ...], text: str) -> tuple[ChatMessage, ...]:
    """The messages with the summary before the conversation. It is told as the user's: what users said may not become
    an instruction by being summed up."""
    at = next((at for at, message in enumerate(messages) if not is_instruction(message)), len(messages))
    return (*messages[:at], ChatMessage("user", f"{SUMMARY_TITLE}\n{text}"), *messages[at:])


def to_sum_up(transcript: Transcript, limits: Limits) -> tuple[ChatMessage, ...]:
    """The messages that a summary should stand for beside those of the last one; none while all can be shown.

    Half of `max_messages` stay, so that not every turn has to be summed up.
    """
    if limits.memory is not MemoryStrategy.SUMMARY:
        return ()
    rest = transcript.without_first(transcript.covered).messages
    conversation = [message for message in rest if not is_instruction(message)]
    if len(conversation) <= _beside(transcript, limits).max_messages:
        return ()
    return tuple(conversation[: windowed(conversation, max(limits.max_messages // 2, 1)).first])


def shortened(transcript: Transcript, limits: Limits) -> Transcript:
    """The transcript without what no later request will show."""
    if limits.memory is MemoryStrategy.FULL:
        return transcript
    if limits.memory is MemoryStrategy.SUMMARY:
        rest = transcript.without_first(transcript.covered)
        return rest.without_first(windowed(rest.messages, limits.max_messages * _MOST_UNSUMMED).first)
    return transcript.without_first(_kept(transcript.messages, limits).first)
