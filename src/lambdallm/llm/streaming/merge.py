"""Several streams read at once: the flow that merges them, or chooses the first, under either driver.

Each stream is read by a task of its own, which stops reading while its part of the inbox is full. What a stream fails
with is an item like any other; that it has ended, however it did, is what its task's signal says.
"""

from __future__ import annotations

from functools import partial

from ..._value import Value
from ..flow import Await, Cancel, Emit, Perform, Start
from ..result import Err, Ok
from ..task import Signal
from ..types import StreamChunk
from .inbox import ENDED, Inbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Literal, TypeAlias

    from ..errors import LambdaLLMError
    from ..flow import Flow
    from ..result import Result
    from ..task import Task

    Outcome: TypeAlias = Result[None, Any]


class SourceChunk(Value):
    """A chunk, and the name of the stream it came from.

    Where that stream failed, `error` says how; the chunk is then an empty one with the finish reason `error`.
    """

    source: str
    chunk: StreamChunk
    error: LambdaLLMError | None = None


_FAILED = StreamChunk(finish_reason="error")


class Source:
    """A stream to read: `following` gives its next chunk, `None` at its end, `Err` for a failure; `close` lets it go.

    `task` is what reads it, once that has begun.
    """

    def __init__(self, name: str, following: Callable[[], Any], close: Callable[[], Any]) -> None:
        self.name, self.following, self.close = name, following, close
        self.task: Task | None = None


class ThreadSource(Source):
    """A stream that a thread may read: it is closed by that thread, when it no longer does."""

    def __init__(self, name: str, following: Callable[[], Any], close: Callable[[], object]) -> None:
        super().__init__(name, following, partial(self._close, close))

    def _close(self, close: Callable[[], object]) -> None:
        if self.task is None:
            close()
        else:
            self.task.signal.listen(close)


class Merge:
    """One merging of several sources, at most `room` chunks of each waiting to be read.

    `mode` is `merge` (as they come), `ordered` (one source after another) or `first` (the first to say anything). With
    `raises`, a failure ends it: that of any source, or in `first` that of the chosen one, or of the last when all fail.
    """

    def __init__(
        self, sources: Sequence[Source], mode: Literal["merge", "ordered", "first"], *, raises: bool, room: int
    ) -> None:
        self.sources, self._mode, self._raises = sources, mode, raises
        self._inbox = Inbox(len(sources), room, in_turn=mode == "ordered")
        self.winner: Source | None = None
        """The source that was chosen."""

    def flow(self) -> Flow[Outcome]:
        """Emit a `SourceChunk` for each chunk and each failure."""
        yield from begun(self.sources, self._inbox)
        result = yield from self._chosen() if self._mode == "first" else self._merged(len(self.sources))
        for source in self.sources:
            if source.task is not None and source.task.failure is not None:
                raise source.task.failure
        return result

    def _merged(self, left: int) -> Flow[Outcome]:
        """Pass on everything until `left` sources have ended."""
        while left:
            number, item = yield from arrival(self._inbox)
            source = self.sources[number]
            if self.winner not in (None, source):
                continue  # it was let go, and had something in the inbox
            if item is ENDED:
                left -= 1
            elif isinstance(item, Err) and self._raises:
                return item
            else:
                yield Emit((_tagged(source, item),))
        return Ok(None)

    def _chosen(self) -> Flow[Outcome]:
        """Wait for the first source that says something, let the others go, and pass on that one alone."""
        race = _Race(len(self.sources))
        while race.winner is None and race.running:
            number, item = yield from arrival(self._inbox)
            race.note(number, item)
            if isinstance(item, Err) and not self._raises:
                yield Emit((_tagged(self.sources[number], item),))
        winner = race.winner if race.winner is not None else race.ended_first
        if winner is None:
            return race.last_failure if self._raises and race.last_failure else Ok(None)
        self.winner = self.sources[winner]
        yield from _let_go(source for source in self.sources if source is not self.winner)
        yield Emit([SourceChunk(self.winner.name, chunk) for chunk in race.held[winner]])
        return (yield from self._merged(0 if race.winner is None else 1))


class _Race:
    """What each source has given so far, and which of them was the first to say something."""

    def __init__(self, sources: int) -> None:
        self.running = sources
        self.held: list[list[StreamChunk]] = [[] for _ in range(sources)]
        self.winner: int | None = None
        self.ended_first: int | None = None
        """The first that ended well without a word: an empty answer is one where there is no other."""
        self.last_failure: Err[LambdaLLMError] | None = None
        self._failed: set[int] = set()

    def note(self, number: int, item: Any) -> None:
        if item is ENDED:
            self.running -= 1
            if self.ended_first is None and number not in self._failed:
                self.ended_first = number
        elif isinstance(item, Err):
            self.last_failure = item
            self._failed.add(number)
        else:
            self.held[number].append(item)
            if _says_something(item):
                self.winner = number


def begun(sources: Sequence[Source], inbox: Inbox) -> Flow[None]:
    """Start to read the sources into the inbox."""
    for number, source in enumerate(sources):
        source.task = yield Start(_read(source, inbox, number))
        source.task.signal.listen(partial(inbox.put, number, ENDED))


def arrival(inbox: Inbox, seconds: float | None = None) -> Flow[Any]:
    """Wait for the next item; the number of its source, and itself. `None` when nothing has come for `seconds`."""
    found = inbox.take()
    while isinstance(found, Signal):
        yield Await((found,), seconds)
        if not found.fired:
            return None
        found = inbox.take()
    return found


def _read(source: Source, inbox: Inbox, number: int) -> Flow[None]:
    """Read a source to its end or its failure, as long as there is room."""
    following = Perform(source.following)
    while (item := (yield following)) is not None:
        full = inbox.put(number, item)
        if isinstance(item, Err):
            return
        if full is not None:
            yield Await((full,))


def _let_go(sources: Iterable[Source]) -> Flow[None]:
    for source in sources:
        if source.task is not None:
            yield Cancel(source.task)
            yield Perform(source.close)


def _tagged(source: Source, item: Any) -> SourceChunk:
    if isinstance(item, Err):
        return SourceChunk(source.name, _FAILED, item.error)
    return SourceChunk(source.name, item)


def _says_something(chunk: StreamChunk) -> bool:
    """Whether a chunk is content: an answer's beginning, not its head."""
    return bool(chunk.delta or chunk.thinking or chunk.tool_calls or chunk.part is not None)
