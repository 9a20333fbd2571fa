"""The streamed extraction: partial structures while the answer is written, then the validated value.

A stream is asked once: what has been shown can't be taken back, so a wrong answer is an error and no reason to ask
again. Only a way of asking that is refused before anything came is given up for the next one.
"""

from __future__ import annotations

from ..errors import ConfigurationError, ExtractionError, LLMContentFilterError, LLMError
from ..flow import Emit, Perform
from ..result import Err, Ok
from ..streaming.accumulator import Accumulator
from ..streaming.stream import AsyncStream, Stream
from ..tally import Tally
from .flow import extracted, final_error, located, may_ask_otherwise, read_answer, with_words
from .partial import Partial, PartialAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, Generic, TypeVar

    from ..flow import Flow
    from ..result import Result
    from ..types import ChatMessage, Completion
    from .extraction import Extraction
    from .flow import Wanted
    from .modes import Ask

    T = TypeVar("T")

    class _Typed(Generic[T]): ...

else:

    class _Typed:
        def __class_getitem__(cls, _item):
            return cls

    T = None


class Source:
    """An opened stream of chunks: `following` gives the next one, `None` at the end, or what awaits to it."""

    def __init__(self, chunks: Any, following: Callable[[], Any]) -> None:
        self.chunks, self.following = chunks, following
        self._accumulator = None if hasattr(type(chunks), "completion") else Accumulator()

    def add(self, chunk: Any) -> None:
        """Keep a chunk, where the stream itself does not."""
        if self._accumulator is not None:
            self._accumulator.add((chunk,))

    def completion(self) -> Completion:
        """The whole answer."""
        whole: Completion = self.chunks.completion if self._accumulator is None else self._accumulator.completion()
        return whole


def stream(
    wanted: Wanted, begin: Callable[[tuple[ChatMessage, ...], Ask], Source], done: list[Extraction[Any]]
) -> Flow[Result[None, LLMError]]:
    """Emits `Partial`s, the last one with the value; puts the extraction into `done`. `begin` opens a stream."""
    tally = Tally()
    result: Result[None, LLMError] = Ok(None)
    for ask in wanted.asks:
        result = yield from _followed(wanted, ask, begin, tally, done)
        if isinstance(result, Ok) or not may_ask_otherwise(result.error, tally):
            break
        wanted.refused.add(ask.mode)
    return result if isinstance(result, Ok) else Err(tally.on(result.error))


def _followed(
    wanted: Wanted,
    ask: Ask,
    begin: Callable[[tuple[ChatMessage, ...], Ask], Source],
    tally: Tally,
    done: list[Extraction[Any]],
) -> Flow[Result[None, LLMError]]:
    """One stream from its first chunk to its value."""
    source = begin(with_words(wanted.messages, ask.words), ask)
    answer = PartialAnswer(wanted.model, ask)
    while True:
        chunk = yield Perform(source.following)
        if isinstance(chunk, Err):
            tally.failed(chunk.error)
            return chunk
        if chunk is None:
            break
        tally.begun = True
        source.add(chunk)
        if (known := answer.add(chunk)) is not None:
            yield Emit((known,))
    completion = source.completion()
    tally.answered(completion)
    try:
        value, data = read_answer(completion, wanted.model, ask)
    except ExtractionError as error:
        return Err(final_error(error, completion, max_retries=0))
    except LLMContentFilterError as error:
        return Err(located(error, completion))
    done.append(extracted(value, completion, ask, tally))
    yield Emit((Partial(lambda: wanted.model.unwrapped(data), value, final=True),))
    return Ok(None)


class _Ended(_Typed[T]):
    """What is known of a stream when it has ended."""

    _done: list[Extraction[T]]

    @property
    def extraction(self) -> Extraction[T]:
        """The value with its completion, usage and cost. Raises `ConfigurationError` before the stream's end."""
        if not self._done:
            raise ConfigurationError("The stream has not come to its end.", fix="Iterate over all of it first.")
        return self._done[0]

    @property
    def value(self) -> T:
        """The validated value. Raises `ConfigurationError` before the stream's end."""
        return self.extraction.value


class ObjectStream(Stream[Partial[T], LLMError], _Ended[T]):
    """A structure while it is written. The call is made when iteration begins.

    with extractor.stream("Describe Ada Lovelace.", Person) as stream:
        for partial in stream:
            show(partial.data)
    print(stream.value)
    """

    def __init__(self, partials: Generator[Partial[T], None, None], done: list[Extraction[T]]) -> None:
        super().__init__(partials)
        self._done = done


class AsyncObjectStream(AsyncStream[Partial[T], LLMError], _Ended[T]):
    """The asynchronous twin of `ObjectStream`."""

    def __init__(self, partials: AsyncGenerator[Partial[T], None], done: list[Extraction[T]]) -> None:
        super().__init__(partials)
        self._done = done
