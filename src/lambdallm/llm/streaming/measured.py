"""What is counted and timed of a stream while it is read, without reading it: both `StreamingResponse`s are this."""

from __future__ import annotations

from _thread import allocate_lock
from time import monotonic

from ..errors import LLMError, StreamError
from ..result import Err, Ok
from ..types import Completion, Usage
from .accumulator import Accumulator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..errors import LambdaLLMError
    from ..result import Result
    from ..types import FinishReason, StreamChunk, ToolCall


class Measured:
    """The chunks of one stream added up, and when they came.

    Times count from the moment the first chunk is asked for, and include what the reader does between two chunks;
    `clock` gives seconds that only grow. What is not known yet is `None`.
    """

    def __init__(self, source: object, *, clock: Callable[[], float] = monotonic) -> None:
        self._source = source
        self._clock = clock
        self._chunks: list[StreamChunk] = []
        self._sum, self._added = Accumulator(), 0
        self._lock = allocate_lock()
        self._begun: float | None = None
        self._first: float | None = None
        self._last: float | None = None
        self._over = self._whole = self._closed = False
        self.error: LambdaLLMError | None = None
        """What the stream ended with; what had come before it is in `completion`."""

    @property
    def completion(self) -> Completion:
        """The whole answer; before the end, what has come so far. A stream that knows its own price tells it."""
        told = getattr(self._source, "completion", None)
        if isinstance(told, Completion):
            return told
        return self._summed().replace(
            latency_ms=self.total_latency_ms if self._over else None,
            time_to_first_token_ms=self.time_to_first_chunk_ms,
        )

    @property
    def total_chunks(self) -> int:
        """The chunks that have come."""
        return len(self._chunks)

    @property
    def content(self) -> str:
        """The answer's text, without the thinking."""
        return self.completion.text

    @property
    def thinking(self) -> str | None:
        """What the model thought; `None` where it gave nothing."""
        return self.completion.thinking

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the model asks for; the arguments of one that is still coming may be cut."""
        return self.completion.tool_calls

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended."""
        return self.completion.finish_reason

    @property
    def usage(self) -> Usage | None:
        """The tokens, as the provider counts them; `None` where it has not told."""
        return self.completion.usage

    @property
    def total_tokens(self) -> int | None:
        """Input and output together, as the provider counts them; `None` where it has not told, never an estimate."""
        usage = self.usage
        return None if usage is None else usage.total_tokens

    @property
    def total_latency_ms(self) -> float | None:
        """From the beginning to the end; before the end, to the last chunk."""
        return self._since_begun(self._last)

    @property
    def time_to_first_chunk_ms(self) -> float | None:
        """From the beginning to the first chunk."""
        return self._since_begun(self._first)

    @property
    def chunks_per_second(self) -> float | None:
        """`total_chunks` over `total_latency_ms`; `None` while no time has passed."""
        milliseconds = self.total_latency_ms
        return self.total_chunks * 1000 / milliseconds if milliseconds else None

    @property
    def ended(self) -> bool:
        """Whether no more chunks come: the stream is at its end, has failed, or was closed."""
        return self._over

    @property
    def result(self) -> Result[Completion, LambdaLLMError] | None:
        """The whole answer, or what the stream failed with; `None` before its end, and where it was closed early."""
        if self.error is not None:
            return Err(self.error)
        return Ok(self.completion) if self._whole else None

    def _collected(self) -> Result[Completion, LLMError]:
        """The result of a stream that has been read to its end. Raises an error that no call to a model gave."""
        if isinstance(self.error, LLMError):
            return Err(self.error)
        if self.error is not None:
            raise self.error
        if self._whole:
            return Ok(self.completion)
        fix = "Read it to its end; what had come is in `partial`."
        return Err(StreamError("The stream was closed before its end.", fix=fix, partial=self.completion))

    def _spent(self) -> tuple[Usage | None, float | None]:
        """What was used and what it cost: nothing where nothing was asked, or it failed before anything was told."""
        error = self.error if isinstance(self.error, LLMError) and self.error.usage is not None else None
        if error is not None:
            return error.usage, error.cost_usd
        if self._begun is None or (self.error is not None and not self.total_chunks):
            return Usage(), 0.0
        answer = self.completion
        return answer.usage, answer.cost_usd

    def _summed(self) -> Completion:
        """The chunks added up. Another thread may go on reading: it only appends to the list."""
        with self._lock:
            chunks = self._chunks[self._added :]
            self._added += len(chunks)
            self._sum.add(chunks)
            return self._sum.completion()

    def _since_begun(self, moment: float | None) -> float | None:
        return None if self._begun is None or moment is None else (moment - self._begun) * 1000

    def _begin(self) -> None:
        if self._begun is None:
            self._begun = self._clock()

    def _take(self, chunk: StreamChunk) -> None:
        self._last = self._clock()
        if self._first is None:
            self._first = self._last
        self._chunks.append(chunk)

    def _end(self, error: LambdaLLMError | None = None, *, whole: bool = False) -> None:
        if self._over:
            return
        self._over, self._whole = True, whole
        if self._begun is not None:
            self._last = self._clock()
        self.error = error
        if isinstance(error, LLMError) and error.partial is None and self.total_chunks:
            error.partial = self.completion
            error.usage, error.cost_usd = error.partial.usage, error.partial.cost_usd
