"""`SSEStreamAdapter`: bytes that somebody else receives, as a stream of ours. `AbstractStreamingAdapter`: the same for
a format of one's own.

An adapter opens nothing: it reads whatever iterable gives the bytes, and closes it at the end. It blocks where the
source does and awaits where the source does, so that one class serves both.
"""

from __future__ import annotations

from functools import partial

from ..call import codec_named
from ..drivers import shared_async_driver, shared_driver
from ..errors import ConfigurationError, error_for
from .adapted import Decoding, adapted, anext_piece, next_piece, refused
from .record import StreamRecord
from .source import aclose, close
from .stream import AsyncChatStream, ChatStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable, Mapping
    from typing import Any, ClassVar, Literal, TypeAlias, overload

    from ..catalog.resolve import Target
    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result
    from ..types import StreamChunk
    from ..wire.codec import Decoder

    Piece: TypeAlias = bytes | bytearray | memoryview | str
    Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
    Reading: TypeAlias = Callable[[Callable[[], Any]], Flow[Result[None, LLMError]]]

_SHOWN = 1000


class AbstractStreamingAdapter:
    """Turns the bytes of a streamed answer into chunks. A subclass says how one event is read:

        class AcmeAdapter(AbstractStreamingAdapter):
            framing = "ndjson"

            def decode(self, data, event):
                said = json.loads(data)
                yield StreamChunk(said["token"], finish_reason="stop" if said["last"] else None)

        stream = AcmeAdapter().adapt(response.iter_bytes())

    What `decode` raises ends the stream: an `LLMError` as it is, anything else as a `StreamError`. One adapter serves
    any number of streams; where `decode` remembers what came before, make an adapter for each. `model` is the model
    that answers, as `provider/model`: with it the completion has its provider and its price.
    """

    framing: ClassVar[Literal["sse", "ndjson"]] = "sse"
    """What cuts the bytes into events: the empty lines of server-sent events, or the ends of lines of JSON."""
    end_mark: ClassVar[bytes | None] = None
    """The data of the event that ends a stream, such as `b"[DONE]"`: one that ends without it has broken off.

    With `None` a stream has ended when its bytes have.
    """
    _target: Target | None = None

    def __init__(self, *, model: str | None = None) -> None:
        if model is not None:
            from ..catalog.resolve import resolve

            self._target = resolve(model)

    def decode(self, data: bytes, event: str) -> Iterable[StreamChunk]:
        """The chunks of one event: its data, and its name (`""` where it has none)."""
        raise NotImplementedError

    def decoder(self) -> Decoder:
        """A fresh decoder for one stream. Override it instead of `decode` for a framing of your own."""
        if type(self).decode is AbstractStreamingAdapter.decode:
            raise NotImplementedError(f"{type(self).__name__} must implement decode.")
        return Decoding(self.decode, self.framing, self.end_mark)

    def failure(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> LLMError:
        """What an answer means that is no stream but an error."""
        text = body[:_SHOWN].decode("utf-8", "replace").strip()
        return error_for(status, text or f"The answer has status {status}.")

    if TYPE_CHECKING:

        @overload
        def adapt(
            self, source: AsyncIterable[Piece], *, lines: bool = False, status: int = 200, headers: Headers = ()
        ) -> AsyncChatStream: ...

        @overload
        def adapt(
            self, source: Iterable[Piece] | bytes, *, lines: bool = False, status: int = 200, headers: Headers = ()
        ) -> ChatStream: ...

    def adapt(
        self,
        source: AsyncIterable[Piece] | Iterable[Piece] | bytes,
        *,
        lines: bool = False,
        status: int = 200,
        headers: Headers = (),
    ) -> AsyncChatStream | ChatStream:
        """The stream whose bytes or text `source` gives, in pieces split anywhere; it awaits where the source does.

        `lines` says that the pieces are lines without their ends, as `iter_lines()` gives them. With a `status` of 300
        or more the bytes are an error, which iterating raises. The end of the stream, and leaving it early, close the
        source. Raises `ConfigurationError` for a source that gives no bytes.
        """
        record = StreamRecord(self._target)
        reading: Reading = partial(adapted, self.decoder(), record)
        if status >= 300:
            pairs: Any = headers.items() if hasattr(headers, "items") else headers
            reading = partial(refused, partial(self.failure, status, tuple(pairs)))
        end = b"\n" if lines else b""
        if hasattr(source, "__aiter__"):
            waited: Any = source
            return AsyncChatStream(_awaiting(waited, end, reading), record)
        return ChatStream(_blocking(_iterable(source), end, reading), record)


class SSEStreamAdapter(AbstractStreamingAdapter):
    """Converts the server-sent events of a known wire protocol to `StreamChunk`s.

        with httpx.stream("POST", url, json=body) as response:
            for chunk in SSEStreamAdapter("openai_chat").adapt(response.iter_bytes(), status=response.status_code):
                print(chunk.delta, end="")

    `protocol` is a wire protocol that streams: `openai_chat`, `openai_responses`, `anthropic_messages`, `gemini`,
    `cohere_chat` and so on, also those with another framing: JSON lines (`ollama_chat`), AWS event streams
    (`bedrock_converse`). Raises `ConfigurationError` for a protocol that has no streams, or a model that is unknown.
    """

    def __init__(self, protocol: str = "openai_chat", *, model: str | None = None) -> None:
        self._codec = codec_named(protocol)
        if not hasattr(self._codec, "StreamDecoder"):
            raise ConfigurationError(f"{protocol!r} has no streams.", fix="Name a wire protocol of chats.")
        super().__init__(model=model)

    def decoder(self) -> Decoder:
        """A fresh decoder of the protocol; one that tells thinking apart where the model writes it into its text."""
        decoder: Decoder = self._codec.StreamDecoder()
        if self._target is not None and (way := self._target.facts.get("thinking_tags")):
            from ..thinking.tags import ThinkingDecoder

            return ThinkingDecoder(decoder, opened=way == "opened")
        return decoder

    def failure(self, status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> LLMError:
        """The protocol's own error."""
        error: LLMError = self._codec.decode_error(status, headers, body)
        return error


def _iterable(source: Any) -> Iterable[Piece]:
    """What gives the pieces: bytes and text that are already there are one."""
    if isinstance(source, (bytes, bytearray, memoryview, str)):
        return (source,)
    if not hasattr(source, "__iter__"):
        fix = "Give an iterable of bytes, such as response.iter_bytes()."
        raise ConfigurationError(f"{source!r} can't be read as a stream.", fix=fix)
    iterable: Iterable[Piece] = source
    return iterable


def _blocking(source: Iterable[Piece], end: bytes, reading: Reading) -> Generator[StreamChunk, None, None]:
    pieces = iter(source)
    try:
        yield from shared_driver().iterate(reading(lambda: next_piece(pieces, end)))
    finally:
        close(pieces)
        close(source)


async def _awaiting(source: AsyncIterable[Piece], end: bytes, reading: Reading) -> AsyncGenerator[StreamChunk, None]:
    pieces = aiter(source)
    chunks = shared_async_driver().iterate(reading(lambda: anext_piece(pieces, end)))
    try:
        async for chunk in chunks:
            yield chunk
    finally:
        await chunks.aclose()
        await aclose(pieces)
        await aclose(source)
