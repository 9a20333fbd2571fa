"""`to_sse`: a stream told on to a client of one's own, in the words of a wire protocol that clients speak."""

from __future__ import annotations

from functools import partial

from ..call import codec_named
from ..drivers import shared_async_driver, shared_driver
from ..errors import ConfigurationError, LambdaLLMError, StreamError
from ..flow import Emit, Perform
from ..result import Err, Ok
from ..types import ChatRequest
from .inbox import ENDED, Inbox
from .merge import Source, ThreadSource, arrival, begun
from .source import alet_go, let_go

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Generator, Iterable, Iterator
    from typing import Any, Literal, TypeAlias, overload

    from ..flow import Flow
    from ..result import Result
    from ..types import StreamChunk
    from ..wire.codec import Encoder

    Spoken: TypeAlias = Literal["openai_chat", "openai_responses", "anthropic_messages", "gemini"]

_ALIVE = b": keep-alive\n\n"
_BROKEN = StreamError("The stream broke off.", fix="Try again.")
_SPOKEN = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")


if TYPE_CHECKING:

    @overload
    def to_sse(
        chunks: AsyncIterable[StreamChunk],
        protocol: Spoken = "openai_chat",
        *,
        request: ChatRequest | None = None,
        model: str = "",
        keep_alive_seconds: float | None = None,
        id: str | None = None,
        created: int | None = None,
    ) -> AsyncGenerator[bytes, None]: ...

    @overload
    def to_sse(
        chunks: Iterable[StreamChunk],
        protocol: Spoken = "openai_chat",
        *,
        request: ChatRequest | None = None,
        model: str = "",
        keep_alive_seconds: float | None = None,
        id: str | None = None,
        created: int | None = None,
    ) -> Generator[bytes, None, None]: ...


def to_sse(
    chunks: AsyncIterable[StreamChunk] | Iterable[StreamChunk],
    protocol: Spoken = "openai_chat",
    *,
    request: ChatRequest | None = None,
    model: str = "",
    keep_alive_seconds: float | None = None,
    id: str | None = None,
    created: int | None = None,
) -> AsyncGenerator[bytes, None] | Generator[bytes, None, None]:
    """The server-sent events that tell a client of `protocol` what a stream says; awaiting where the stream is.

        @app.post("/v1/chat/completions")
        async def chat(body: dict):
            stream = client.stream_chat(body["messages"])
            return StreamingResponse(to_sse(stream), media_type="text/event-stream")

    `request` is what the client asked, where it is at hand: it decides what the protocol lets the client choose, such
    as usage in the stream, which is told otherwise. `model` is the answer's model where the chunks name none, `id` its
    id, `created` its time in seconds since the epoch. After `keep_alive_seconds` of silence a comment is sent, which
    clients read over and which keeps connections from being closed; without an event loop that takes a thread.

    A stream that fails ends with the protocol's own event for it. What is no error of ours is told as a broken stream,
    without its words, and raised. Leaving early closes the stream. Raises `ConfigurationError` for a protocol that no
    client speaks to us.
    """
    asked = request or ChatRequest(model, (), extra={"stream_options": {"include_usage": True}})
    encoder = _encoder(protocol, asked, id, created)
    if hasattr(chunks, "__aiter__"):
        waited: Any = chunks
        return _awaiting(waited, encoder, keep_alive_seconds)
    return _blocking(chunks, encoder, keep_alive_seconds)


def _encoder(protocol: str, request: ChatRequest, id: str | None, created: int | None) -> Encoder:
    from os import urandom
    from time import time

    codec = codec_named(protocol)
    if not hasattr(codec, "StreamEncoder"):
        fix = f"Use one of {', '.join(map(repr, _SPOKEN))}."
        raise ConfigurationError(f"No client speaks {protocol!r} to us.", fix=fix)
    encoder: Encoder = codec.StreamEncoder(
        request, id=id or f"chat-{urandom(12).hex()}", created=int(time()) if created is None else created
    )
    return encoder


def _blocking(chunks: Iterable[StreamChunk], encoder: Encoder, seconds: float | None) -> Generator[bytes, None, None]:
    items = iter(chunks)
    source = ThreadSource("", partial(_next, items), partial(let_go, items, chunks))
    try:
        yield from shared_driver().iterate(_told(source, encoder, seconds))
    finally:
        source.close()


async def _awaiting(
    chunks: AsyncIterable[StreamChunk], encoder: Encoder, seconds: float | None
) -> AsyncGenerator[bytes, None]:
    items = aiter(chunks)
    source = Source("", partial(_anext, items), partial(alet_go, items, chunks))
    told = shared_async_driver().iterate(_told(source, encoder, seconds))
    try:
        async for data in told:
            yield data
    finally:
        await told.aclose()
        await source.close()


def _next(items: Iterator[StreamChunk]) -> Any:
    try:
        return next(items, None)
    except Exception as error:  # noqa: BLE001  # what it is decides how it is told
        return Err(error)


async def _anext(items: AsyncIterator[StreamChunk]) -> Any:
    try:
        return await anext(items, None)
    except Exception as error:  # noqa: BLE001  # what it is decides how it is told
        return Err(error)


def _told(source: Source, encoder: Encoder, seconds: float | None) -> Flow[Result[None, Any]]:
    """Emit the bytes for a source's chunks, and those that end the stream as it ended."""
    inbox = Inbox(1, room=16)
    if seconds is not None:
        yield from begun((source,), inbox)
    while (item := (yield from _arrived(source, inbox, seconds))) is not ENDED:
        if isinstance(item, Err):
            ours = isinstance(item.error, LambdaLLMError)
            yield Emit((encoder.fail(item.error if ours else _BROKEN),))
            return Ok(None) if ours else item
        data = _ALIVE if item is None else encoder.feed((item,))
        if data:
            yield Emit((data,))
    yield Emit((encoder.close(),))
    return Ok(None)


def _arrived(source: Source, inbox: Inbox, seconds: float | None) -> Flow[Any]:
    """The next chunk, `ENDED`, an `Err`, or `None` after `seconds` of silence."""
    if seconds is None:
        item = yield Perform(source.following)
        return ENDED if item is None else item
    found = yield from arrival(inbox, seconds)
    return None if found is None else found[1]
