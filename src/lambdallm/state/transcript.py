"""What a session's journal says: each save is a `Turn`, and reading them in order gives a `Transcript`. Pure.

A journal is never rewritten, so what a turn means must not depend on when it was written: a clearing is a turn too, a
summary says how many messages it stands for, and of which epoch (an epoch ends when somebody clears). A `Transcript` in
the place of many turns is a journal made shorter; it keeps the ids of the latest of them, so that whoever does not know
whether a turn has arrived can see that it has.

Positions count the conversation's messages; those of the system and the developer are no part of it, and are not
dropped.
"""

from __future__ import annotations

from .._value import Value
from ..llm.backends.errors import BackendError
from ..llm.stored import StoredForm
from ..llm.types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..llm.types import ChatMessage
    from .store import Entry

_MOST_IDS = 100
"""So many concurrent turns may arrive between a try and the next look whether it arrived."""

_COMPRESS_OVER = 4096
_INSTRUCTIONS = ("system", "developer")


class Summary(Value):
    """What stands for the first `covers` messages of an epoch's conversation."""

    text: str
    covers: int
    epoch: int = 0


class Turn(Value):
    """What one save adds: its messages stay together. `id` is its own, so that it is never added twice.

    `sets` and `unsets` are changes of the session's data, by its keys; `clears` forgets all messages before this turn.
    """

    id: str
    messages: tuple[ChatMessage, ...] = ()
    clears: bool = False
    sets: Mapping[str, Any] = EMPTY
    unsets: tuple[str, ...] = ()
    summary: Summary | None = None


class Transcript(Value):
    """All that was said, as far as it is kept. `offset` counts the conversation's messages that are kept no more.

    `number` is the journal's last entry, `turns` how many entries it has, `ids` are the latest turns'.
    """

    messages: tuple[ChatMessage, ...] = ()
    state: Mapping[str, Any] = EMPTY
    summary: Summary | None = None
    epoch: int = 0
    offset: int = 0
    ids: tuple[str, ...] = ()
    number: int = 0
    turns: int = 0

    @property
    def covered(self) -> int:
        """How many of the kept messages of the conversation the summary stands for."""
        return 0 if self.summary is None else max(self.summary.covers - self.offset, 0)

    def with_turn(self, turn: Turn, number: int | None = None) -> Transcript:
        """The transcript after one more turn, the journal's next entry unless it has another number."""
        epoch, summary = self.epoch + turn.clears, None if turn.clears else self.summary
        state = self.state
        if turn.sets or turn.unsets:
            state = {name: value for name, value in state.items() if name not in turn.unsets} | dict(turn.sets)
        return Transcript(
            turn.messages if turn.clears else self.messages + turn.messages,
            state,
            _later(summary, turn.summary, epoch),
            epoch,
            0 if turn.clears else self.offset,
            (*self.ids, turn.id)[-_MOST_IDS:],
            self.number + 1 if number is None else number,
            self.turns + 1,
        )

    def without_first(self, count: int) -> Transcript:
        """The transcript with the first so many messages of the conversation kept no more."""
        kept: list[ChatMessage] = []
        left = count
        for message in self.messages:
            if is_instruction(message) or left <= 0:
                kept.append(message)
            else:
                left -= 1
        return self.replace(messages=tuple(kept), offset=self.offset + count - left)


def is_instruction(message: ChatMessage) -> bool:
    """Whether a message belongs to the system or the developer."""
    return message.role in _INSTRUCTIONS


def replayed(entries: Iterable[Entry], known: Transcript | None = None) -> Transcript:
    """The transcript that a journal's entries give, after what is known of it.

    Raises `BackendError` for an entry that can't be read: another version's, encrypted by another key, or damaged.
    """
    transcript = known or Transcript()
    for entry in entries:
        read = _FORM.decode(entry.data)
        if isinstance(read, Transcript):
            transcript = read.replace(number=entry.number, turns=1)
        elif isinstance(read, Turn):
            transcript = transcript.with_turn(read, entry.number)
        else:
            said = f"Entry {entry.number} of the session begins with {entry.data[:8]!r} and can't be read."
            fix = "Read it with the version and the encryption that wrote it, or delete the session."
            raise BackendError(said, fix=fix, retryable=False)
    return transcript


def written(value: Turn | Transcript) -> bytes:
    """An entry of the journal. Raises `TypeError` or `ValueError` for what is no JSON."""
    if isinstance(value, Transcript):
        value = value.replace(number=0, turns=0)
    return _FORM.encode(value, compress_over=_COMPRESS_OVER)


def fingerprint(value: object) -> bytes:
    """A value of a session's data as bytes, to see whether it changed. Raises as `written` does."""
    return _FORM.encode(value)


def copied(value: Any) -> Any:
    """A value of a session's data that shares nothing with it."""
    return value if isinstance(value, (str, int, float, type(None))) else _FORM.decode(_FORM.encode(value))


def _later(known: Summary | None, summary: Summary | None, epoch: int) -> Summary | None:
    """The summary that stands for more, of those of this epoch."""
    if summary is None or summary.epoch != epoch or (known is not None and known.covers > summary.covers):
        return known
    return summary


_FORM = StoredForm(b"s1", {"Turn": Turn, "Transcript": Transcript, "Summary": Summary})
