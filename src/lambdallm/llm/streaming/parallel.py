"""`ParallelStreamAggregator`: several providers' streams as one. `merge` decides; the blocking twin is in `sync`."""

from __future__ import annotations

from functools import partial

from ..drivers import shared_async_driver
from ..errors import ConfigurationError, LambdaLLMError
from ..pricing.cost import total
from ..result import Err
from ..types import Usage
from .merge import Merge, Source, SourceChunk
from .response import StreamingResponse
from .source import alet_go
from .stream import AsyncStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
    from typing import Any, Literal, TypeAlias, TypeVar

    from ..result import Result
    from ..types import Completion, StreamChunk
    from .measured import Measured

    T = TypeVar("T")
    Mode: TypeAlias = Literal["merge", "ordered", "first"]
    OnError: TypeAlias = Literal["report", "raise"]
    Results: TypeAlias = dict[str, Result[Completion, LambdaLLMError]]

_MODES = ("merge", "ordered", "first")


class Together:
    """Several streams, each measured by a response of its own: what both aggregators know."""

    responses: Mapping[str, Measured]
    _merge: Merge

    @property
    def winner(self) -> str | None:
        """In mode `first` the name of the stream that was chosen, once it is."""
        return None if self._merge.winner is None else self._merge.winner.name

    @property
    def completions(self) -> dict[str, Completion]:
        """Each stream's answer by its name; before its end, what has come of it."""
        return {name: response.completion for name, response in self.responses.items()}

    @property
    def results(self) -> Results:
        """How each stream ended that has: a whole answer, or an error. One that was let go is not in it."""
        found = ((name, response.result) for name, response in self.responses.items())
        return {name: result for name, result in found if result is not None}

    @property
    def usage(self) -> Usage | None:
        """What all of them used; `None` where one can't say, as those can't that run, or were let go."""
        used = [response._spent()[0] for response in self.responses.values()]
        known = [usage for usage in used if usage is not None]
        return sum(known, Usage()) if len(known) == len(used) else None

    @property
    def cost_usd(self) -> float | None:
        """What all of them cost; `None` where that of one is unknown."""
        return total(response._spent()[1] for response in self.responses.values())


class ParallelStreamAggregator(Together, AsyncStream[SourceChunk, LambdaLLMError]):
    """Reads several streams at once, and gives their chunks as one stream of `SourceChunk`s.

        streams = {"gpt": openai.stream_chat("Hi"), "claude": anthropic.stream_chat("Hi")}
        async with ParallelStreamAggregator(streams) as merged:
            async for item in merged:
                print(item.source, item.chunk.delta)
        print(merged.completions["gpt"].text, merged.cost_usd)

    `sources` are asynchronous iterables of `StreamChunk`s by name, or in a list, where they are called `"0"`, `"1"` and
    so on. `mode` says what comes out: `merge` the chunks of all as they come, each source's in order; `ordered` all of
    the first source's, then the second's, while the others are read ahead; `first` those of the one that says something
    first, the others being let go.

    A stream that fails does not end the others: its error is an item, and in `results`. With `on_error="raise"`, as
    `first` has it unless told otherwise, the error is raised: in `first` the chosen one's, or the last when all fail.
    At most `buffer` chunks of each stream wait for the reader; beyond that it is not read on. Leaving early, or the end
    of an `async with` block, stops and closes every stream. `responses` has each one's times and counts.
    """

    responses: Mapping[str, StreamingResponse]

    def __init__(
        self,
        sources: Mapping[str, AsyncIterable[StreamChunk]] | Iterable[AsyncIterable[StreamChunk]],
        *,
        mode: Mode = "merge",
        on_error: OnError | None = None,
        buffer: int = 16,
    ) -> None:
        self.responses = {name: StreamingResponse(stream) for name, stream in named(sources).items()}
        merging = [
            Source(name, partial(_following, response), partial(alet_go, response))
            for name, response in self.responses.items()
        ]
        self._merge = merge_of(merging, mode, on_error, buffer)
        super().__init__(_merged(self._merge))

    async def collect(self) -> Results:
        """Read everything; how each stream ended, as `results` has it."""
        async for _ in self:
            pass
        return self.results

    async def aclose(self) -> None:
        """Stop reading, and close every stream."""
        await super().aclose()
        for source in self._merge.sources:
            await source.close()


async def _following(response: StreamingResponse) -> Any:
    try:
        return await anext(response, None)
    except LambdaLLMError as error:
        return Err(error)


async def _merged(merge: Merge) -> AsyncGenerator[SourceChunk, None]:
    items = shared_async_driver().iterate(merge.flow())
    try:
        async for item in items:
            yield item
    finally:
        await items.aclose()
        for source in merge.sources:
            await source.close()


def named(sources: Mapping[str, T] | Iterable[T]) -> dict[str, T]:
    """The sources by name; those of a list by their places."""
    pairs: Any = sources.items() if hasattr(sources, "items") else ((str(n), s) for n, s in enumerate(sources))
    return dict(pairs)


def merge_of(sources: Sequence[Source], mode: Mode, on_error: OnError | None, buffer: int) -> Merge:
    """The merging that a caller asks for. Raises `ConfigurationError` for words that mean nothing."""
    if mode not in _MODES:
        raise ConfigurationError(f"mode is {mode!r}.", fix=f"Use one of {', '.join(map(repr, _MODES))}.")
    if on_error not in (None, "report", "raise"):
        raise ConfigurationError(f"on_error is {on_error!r}.", fix="Use 'report' or 'raise'.")
    if buffer < 1:
        raise ConfigurationError(f"buffer is {buffer!r}.", fix="Give each stream room for one chunk or more.")
    raises = on_error == "raise" or (on_error is None and mode == "first")
    return Merge(sources, mode, raises=raises, room=buffer)
