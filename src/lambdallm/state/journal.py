"""One session's journal in a store: read, appended to whatever others do, summed up and shortened. Flows only.

Appending is tried again behind what others have appended; a turn that is in the journal already is not added twice,
whatever became of the answer that should have said so. Summing up and shortening come after the turn is safe: what goes
wrong there is logged, and tried again by a later save.
"""

from __future__ import annotations

from ..llm.backends.errors import BackendError, ConditionFailed
from ..llm.errors import LambdaLLMError
from ..llm.flow import Sleep
from .history import shortened, to_sum_up
from .store import shown
from .transcript import Summary, Transcript, Turn, replayed, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..llm.flow import Flow
    from ..llm.types import ChatMessage
    from .history import Limits
    from .store import StateStore
    from .summary import Summarizer

_TRIES = 40
_LONGEST_WAIT = 0.2
_SHORTEN_AT = 32
"""So many entries are read one by one before they become one."""


class Journal:
    """The journal of one session."""

    def __init__(self, store: StateStore, key: str, ttl_seconds: float | None) -> None:
        self._store, self._key, self._ttl = store, key, ttl_seconds

    def read(self) -> Flow[Transcript]:
        """What was said."""
        return replayed((yield from self._store.read(self._key)))

    def remove(self) -> Flow[None]:
        """Forget it."""
        yield from self._store.remove(self._key)

    def appended(self, known: Transcript, turn: Turn) -> Flow[Transcript]:
        """The journal with one more turn at its end, once and whole.

        Raises `BackendError` where the store fails, or where others append so fast that there is no getting in.
        """
        data = [written(turn)]
        for attempt in range(_TRIES):
            try:
                yield from self._store.append(self._key, known.number, data, self._ttl)
                return known.with_turn(turn)
            except ConditionFailed:
                known = yield from self.read()
            if turn.id in known.ids:
                return known
            if attempt:
                yield Sleep(_wait(attempt))
        said = f"Others wrote to {self._key!r} each of {_TRIES} times that this turn was to be appended."
        raise BackendError(said, fix="Save again, or let fewer turns of one session run at the same time.")

    def tended(
        self, known: Transcript, limits: Limits, summarizer: Summarizer | None
    ) -> Flow[tuple[Transcript, float]]:
        """The journal summed up and shortened where it is time to, and what that cost in US dollars."""
        cost = 0.0
        try:
            messages = to_sum_up(known, limits)
            if messages and summarizer is not None:
                known, cost = yield from self._summed_up(known, messages, summarizer)
            if known.turns >= _SHORTEN_AT:
                known = yield from self._shortened(limits)
        except LambdaLLMError as error:
            _warn("The session %r is saved, but could not be summed up or shortened: %s", shown(self._key), error)
        return known, cost

    def _summed_up(
        self, known: Transcript, messages: tuple[ChatMessage, ...], summarizer: Summarizer
    ) -> Flow[tuple[Transcript, float]]:
        earlier = None if known.summary is None else known.summary.text
        text, cost = yield from summarizer(earlier, messages)
        covers = known.offset + known.covered + len(messages)
        turn = Turn(f"summary-{covers}-{known.number}", summary=Summary(text, covers, known.epoch))
        return (yield from self.appended(known, turn)), cost or 0.0

    def _shortened(self, limits: Limits) -> Flow[Transcript]:
        """One entry in the place of all; a later turn of somebody else's stays behind it.

        The journal is read for it: what an instance remembers could be of one that was removed and has begun again.
        """
        known = yield from self.read()
        if known.turns < _SHORTEN_AT:
            return known
        short = shortened(known, limits)
        try:
            yield from self._store.compact(self._key, known.number, written(short), self._ttl)
        except ConditionFailed:
            return known.replace(turns=1)  # somebody else did it, or removed the journal, as the next append will find
        return short.replace(turns=1)


def _wait(attempt: int) -> float:
    """Seconds until the next try: spread, so that many writers do not meet again and again."""
    from random import random

    return min(0.005 * 2.0**attempt, _LONGEST_WAIT) * random()


def _warn(message: str, *words: object) -> None:
    from logging import getLogger

    getLogger("lambdallm.state").warning(message, *words)
