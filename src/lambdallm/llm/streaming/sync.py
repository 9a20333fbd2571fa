"""The names of this package for those who don't await: what a Lambda handler uses, without an event loop.

    from lambdallm.llm.streaming.sync import StreamingResponse

Both kinds count, decode and merge by the same code. The adapters and `to_sse` are the very same: they block where
their source does.
"""

from __future__ import annotations

from functools import partial
from time import monotonic

from ..drivers import shared_driver
from ..errors import LambdaLLMError
from ..result import Err
from .adapter import AbstractStreamingAdapter, SSEStreamAdapter
from .measured import Measured
from .merge import Merge, SourceChunk, ThreadSource
from .parallel import Together, merge_of, named
from .relay import to_sse
from .source import close, let_go, next_of
from .stream import Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
    from types import TracebackType
    from typing import Any, Self

    from ..errors import LLMError
    from ..result import Result
    from ..types import Completion, StreamChunk
    from .parallel import Mode, OnError, Results

__all__ = ["AbstractStreamingAdapter", "ParallelStreamAggregator", "SSEStreamAdapter", "StreamingResponse", "to_sse"]


class StreamingResponse(Measured):
    """The blocking twin of `streaming.response.StreamingResponse`.

    with StreamingResponse(client.stream_chat("Tell me a story")) as response:
        for chunk in response:
            print(chunk.delta, end="")
    print(response.total_tokens, response.time_to_first_chunk_ms, response.thinking)
    """

    def __init__(self, stream: Iterable[StreamChunk], *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(stream, clock=clock)
        self._stream = stream
        self._items: Iterator[StreamChunk] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamChunk:
        if self._over:
            raise StopIteration
        if self._items is None:
            self._items = iter(self._stream)
        self._begin()
        try:
            chunk = next_of(self._items)
        except BaseException as error:
            self._end(error if isinstance(error, LambdaLLMError) else None)
            raise
        if chunk is None:
            self._end(whole=True)
            raise StopIteration
        self._take(chunk)
        return chunk

    def collect(self) -> Result[Completion, LLMError]:
        """The whole answer, once all of it is read; an error has what had come in its `partial`.

        Raises `ConfigurationError` and its kin for what is wrong before anything is sent.
        """
        try:
            for _ in self:
                pass
        except LambdaLLMError:
            pass  # it is in `error`
        return self._collected()

    def close(self) -> None:
        """Stop reading, and close the stream."""
        self._end()
        if self._closed:
            return
        self._closed = True
        if self._items is not None and self._items is not self._stream:
            close(self._items)
        close(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class ParallelStreamAggregator(Together, Stream[SourceChunk, LambdaLLMError]):
    """The blocking twin of `streaming.parallel.ParallelStreamAggregator`: each stream is read in a thread of its own.

        streams = {"gpt": openai.stream_chat("Hi"), "claude": anthropic.stream_chat("Hi")}
        with ParallelStreamAggregator(streams) as merged:
            for item in merged:
                print(item.source, item.chunk.delta)

    Leaving early interrupts the threads, and does not wait for them: one that waits for the network ends at once, one
    in an iterator that is not ours when that gives its next chunk. Each closes its stream when it ends.
    """

    responses: Mapping[str, StreamingResponse]

    def __init__(
        self,
        sources: Mapping[str, Iterable[StreamChunk]] | Iterable[Iterable[StreamChunk]],
        *,
        mode: Mode = "merge",
        on_error: OnError | None = None,
        buffer: int = 16,
    ) -> None:
        self.responses = {name: StreamingResponse(stream) for name, stream in named(sources).items()}
        merging = [
            ThreadSource(name, partial(_following, response), partial(let_go, response))
            for name, response in self.responses.items()
        ]
        self._merge = merge_of(merging, mode, on_error, buffer)
        super().__init__(_merged(self._merge))

    def collect(self) -> Results:
        """Read everything; how each stream ended, as `results` has it."""
        for _ in self:
            pass
        return self.results

    def close(self) -> None:
        """Stop reading, and close every stream."""
        super().close()
        for source in self._merge.sources:
            source.close()


def _following(response: StreamingResponse) -> Any:
    try:
        return next(response, None)
    except LambdaLLMError as error:
        return Err(error)


def _merged(merge: Merge) -> Generator[SourceChunk, None, None]:
    try:
        yield from shared_driver().iterate(merge.flow())
    finally:
        for source in merge.sources:
            source.close()
