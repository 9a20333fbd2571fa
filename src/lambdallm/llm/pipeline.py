"""The one place that knows the order of things: resolve → encode → authorize → send → decode → price, under retry.

Flows only: nothing here opens, reads a clock or sleeps.
"""

from __future__ import annotations

from .call import labelled, prepared
from .errors import (
    ConfigurationError,
    DeadlineExceededError,
    ProviderResponseError,
    ProviderTimeoutError,
    StreamError,
)
from .flow import NOW, Close, Emit, Open, Read, Send
from .pricing.cost import cost_usd
from .result import Err, Ok
from .retry import RetryPolicy, retried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .call import CallSettings, Prepared
    from .catalog.resolve import Target
    from .errors import LLMError
    from .flow import Flow
    from .result import Result
    from .streaming.record import StreamRecord
    from .types import ChatRequest, Completion, EmbeddingRequest, Embeddings, TokenCount
    from .wire.codec import Codec, Decoder, Encoded

_MOST_ERROR_BYTES = 1024 * 1024


def chat(request: ChatRequest, target: Target, settings: CallSettings) -> Flow[Result[Completion, LLMError]]:
    """The whole answer. Raises `ConfigurationError` and its kin for what is wrong before anything is sent."""
    begun = yield NOW
    _check_deadline(settings, begun.monotonic)
    call = yield from _chat_call(request, target, settings, stream=False)
    attempts = [0]
    result = yield from retried(lambda: _send_once(call, attempts), _policy(settings))
    if isinstance(result, Err):
        return Err(result.error.located(target.provider.name, target.model.id))
    ended = yield NOW
    milliseconds = (ended.monotonic - begun.monotonic) * 1000
    return Ok(
        labelled(
            _untagged(result.value, target),
            target,
            warnings=call.warnings,
            latency_ms=milliseconds,
            attempts=attempts[0],
        )
    )


def stream_chat(
    request: ChatRequest, target: Target, settings: CallSettings, record: StreamRecord
) -> Flow[Result[None, LLMError]]:
    """The answer piece by piece: emits `StreamChunk`s as bytes arrive and keeps them in `record`.

    An error carries in `partial` what had come.
    """
    record.begun = (yield NOW).monotonic
    _check_deadline(settings, record.begun)
    call = yield from _chat_call(request, target, settings, stream=True)
    record.warnings = call.warnings
    result = yield from retried(lambda: _stream_once(call, record), _policy(settings), emitted=record.has_begun)
    record.ended = (yield NOW).monotonic
    if isinstance(result, Err):
        return Err(record.explained(result.error.located(target.provider.name, target.model.id)))
    return Ok(None)


def embed_batch(
    request: EmbeddingRequest, target: Target, settings: CallSettings
) -> Flow[Result[Embeddings, LLMError]]:
    """A vector for each text of one request, in their order; raises as `chat` does. `embedding.flow` makes requests."""
    _check_deadline(settings, (yield NOW).monotonic)
    wire = embedding_wire(target)
    named = request.replace(model=target.model.id)
    call = yield from prepared("embed", wire, lambda codec: codec.encode_request(named, target.facts), target, settings)
    attempts = [0]
    result = yield from retried(lambda: _embedded_once(call, attempts, len(named.texts)), _policy(settings))
    if isinstance(result, Err):
        return Err(result.error.located(target.provider.name, target.model.id))
    answer: Embeddings = result.value
    return Ok(
        answer.replace(
            provider=target.provider.name,
            model=answer.model or target.model.id,
            cost_usd=cost_usd(answer.usage, target.model.price),
            warnings=(*answer.warnings, *call.warnings),
            attempts=attempts[0],
        )
    )


def embedding_wire(target: Target) -> str:
    """The wire protocol of a model's embeddings. Raises `ConfigurationError` where its provider has none."""
    wire: str | None = target.facts.get("embedding_wire", target.provider.embedding_wire)
    if wire is None:
        fix = "Choose a provider whose definition has 'embedding_wire'."
        raise ConfigurationError(f"{target.provider.name!r} has no embeddings.", fix=fix)
    return wire


def count_tokens(request: ChatRequest, target: Target, settings: CallSettings) -> Flow[Result[TokenCount, LLMError]]:
    """How many tokens a request's input has, as its provider counts them. Raises as `chat` does."""
    _check_deadline(settings, (yield NOW).monotonic)
    wire = target.facts.get("count_wire", target.provider.count_wire)
    if wire is None:
        fix = "Count with a tokenizer, or choose a provider whose definition has 'count_wire'."
        raise ConfigurationError(f"{target.provider.name!r} counts no tokens.", fix=fix)
    named = request.replace(model=target.model.id, stream=False)
    call = yield from prepared(
        "count_tokens", wire, lambda codec: codec.encode_request(named, target.facts), target, settings
    )
    result = yield from retried(lambda: _send_once(call, [0]), _policy(settings))
    if isinstance(result, Err):
        return Err(result.error.located(target.provider.name, target.model.id))
    answer: TokenCount = result.value
    return Ok(answer.replace(provider=target.provider.name, model=answer.model or target.model.id))


def _embedded_once(call: Prepared, attempts: list[int], texts: int) -> Flow[Result[Embeddings, LLMError]]:
    """One attempt. An answer with more or fewer vectors than texts is none: which text has which would be a guess."""
    result = yield from _send_once(call, attempts)
    if isinstance(result, Ok) and (found := len(result.value.vectors)) != texts:
        return Err(ProviderResponseError(f"The answer holds {found} vectors for {texts} texts."))
    return result


def _send_once(call: Prepared, attempts: list[int]) -> Flow[Result[Any, LLMError]]:
    attempts[0] += 1
    reply = yield Send(call.request, call.timeouts, call.target.provider.transport)
    if isinstance(reply, Err):
        return reply
    response = reply.value
    if response.status >= 300:
        return Err(call.codec.decode_error(response.status, response.headers, response.body))
    decoded: Result[Any, LLMError] = call.codec.decode_response(response.status, response.headers, response.body)
    return decoded


def _stream_once(call: Prepared, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    record.attempts += 1
    reply = yield Open(call.request, call.timeouts, call.target.provider.transport)
    if isinstance(reply, Err):
        return reply
    opened = reply.value
    if opened.status >= 300:
        body = yield from error_body(opened.handle)
        return Err(call.codec.decode_error(opened.status, opened.headers, body))
    decoder = _decoder(call)
    error = yield from _decoded(opened.handle, decoder, record, call.chunk_timeout)
    if error is not None:
        yield Close(opened.handle)
        return Err(error)
    yield from _drained(opened.handle)
    return Ok(None)


def _untagged(answer: Completion, target: Target) -> Completion:
    """The answer with thinking told apart where this model writes it between tags in its text."""
    if way := target.facts.get("thinking_tags"):
        from .thinking.tags import normalized

        return normalized(answer, opened=way == "opened")
    return answer


def _decoder(call: Prepared) -> Decoder:
    decoder: Decoder = call.codec.StreamDecoder()
    if way := call.target.facts.get("thinking_tags"):
        from .thinking.tags import ThinkingDecoder

        return ThinkingDecoder(decoder, opened=way == "opened")
    return decoder


def _decoded(
    handle: object, decoder: Decoder, record: StreamRecord, chunk_timeout: float | None
) -> Flow[LLMError | None]:
    """Emit the chunks of an open answer until it ends; the error it ended with, or `None`."""
    read = Read(handle)
    silent_since: float | None = None
    while not decoder.done and decoder.error is None:
        piece = yield read
        if isinstance(piece, Err):
            return broken_off(piece.error, record)
        chunks = decoder.feed(piece.value) if piece.value else decoder.close()
        if chunks:
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            record.add(chunks)
            yield Emit(chunks)
            silent_since = None
        elif chunk_timeout is not None:
            now = (yield NOW).monotonic
            silent_since = now if silent_since is None else silent_since
            if now - silent_since >= chunk_timeout:
                late = ProviderTimeoutError(f"The stream is alive, but no piece came for {chunk_timeout} s.")
                return broken_off(late, record)
        if not piece.value:
            break
    return decoder.error


def broken_off(error: LLMError, record: StreamRecord) -> LLMError:
    """The error as it is while nothing has come, else that of a broken stream."""
    if record.first_chunk is None or isinstance(error, StreamError):
        return error
    return StreamError(f"The stream broke off. {error.message}")


def _drained(handle: object) -> Flow[None]:
    """Read what little follows the protocol's own end, so that the connection can be used again."""
    for _ in range(4):
        piece = yield Read(handle)
        if isinstance(piece, Err) or not piece.value:
            return


def error_body(handle: object) -> Flow[bytes]:
    """The body of an open answer that is an error, as far as one is read."""
    pieces, size = [], 0
    while size < _MOST_ERROR_BYTES:
        piece = yield Read(handle)
        if isinstance(piece, Err) or not piece.value:
            break
        pieces.append(piece.value)
        size += len(piece.value)
    return b"".join(pieces)


def _chat_call(request: ChatRequest, target: Target, settings: CallSettings, *, stream: bool) -> Flow[Prepared]:
    if request.model != target.model.id or request.stream != stream:
        request = request.replace(model=target.model.id, stream=stream)
    operation = "stream" if stream else "chat"
    if target.facts.get("thinking_tags"):
        from .thinking.tags import restored

        request = request.replace(messages=tuple(restored(request.messages)))

    def encode(codec: Codec) -> Encoded:
        return codec.encode_request(request, target.facts)

    return (yield from prepared(operation, settings.wire or target.wire, encode, target, settings))


def _policy(settings: CallSettings) -> RetryPolicy:
    return RetryPolicy(settings.max_retries, settings.deadline)


def _check_deadline(settings: CallSettings, now: float) -> None:
    if settings.deadline is not None and now >= settings.deadline:
        raise DeadlineExceededError("No time is left for a call to a model.")
