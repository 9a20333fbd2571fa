"""The one place that knows the order of things: resolve → encode → authorize → send → decode → price, under retry.

Flows only: nothing here opens, reads a clock or sleeps.
"""

from __future__ import annotations

from .._value import Value
from ..transport.types import HttpRequest, Timeouts
from .auth import authorized, percent_encoded
from .errors import ConfigurationError, DeadlineExceededError, StreamError
from .flow import ENVIRONMENT, NOW, Close, Emit, Open, Read, Send
from .pricing.cost import cost_usd
from .result import Err, Ok
from .retry import RetryPolicy, retried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..transport.types import Headers
    from .catalog.definition import ProviderDefinition
    from .catalog.resolve import Target
    from .errors import LLMError
    from .flow import Environ, Flow
    from .result import Result
    from .streaming.record import StreamRecord
    from .types import ChatRequest, Completion
    from .wire.codec import Codec, Decoder

_MOST_ERROR_BYTES = 1024 * 1024


class CallSettings(Value):
    """What a caller may decide for a call apart from the request itself.

    `timeout` is the longest silence and `total` the longest call, in seconds; `deadline` is a reading of the
    monotonic clock that no attempt and no wait goes beyond. `None` leaves a setting to the provider's definition.
    """

    api_key: str | None = None
    base_url: str | None = None
    headers: Headers = ()
    connect_timeout: float | None = 10.0
    timeout: float | None = None
    total: float | None = None
    deadline: float | None = None
    max_retries: int = 3

    def __repr__(self) -> str:
        return f"CallSettings(base_url={self.base_url!r}, timeout={self.timeout!r}, max_retries={self.max_retries!r})"


class Prepared(Value):
    """A call that is ready to be sent."""

    request: HttpRequest
    timeouts: Timeouts
    codec: Codec
    target: Target
    warnings: tuple[str, ...] = ()


def chat(request: ChatRequest, target: Target, settings: CallSettings) -> Flow[Result[Completion, LLMError]]:
    """The whole answer. Raises `ConfigurationError` and its kin for what is wrong before anything is sent."""
    begun = yield NOW
    _check_deadline(settings, begun.monotonic)
    call = yield from _prepared(request.replace(stream=False) if request.stream else request, target, settings)
    attempts = [0]
    result = yield from retried(lambda: _send_once(call, attempts), _policy(settings), may_emit=False)
    if isinstance(result, Err):
        return Err(result.error.located(target.provider.name, target.model.id))
    ended = yield NOW
    answer: Completion = result.value
    return Ok(_finished(answer, call, attempts[0], ended.monotonic - begun.monotonic))


def stream_chat(
    request: ChatRequest, target: Target, settings: CallSettings, record: StreamRecord
) -> Flow[Result[None, LLMError]]:
    """The answer piece by piece: emits `StreamChunk`s as bytes arrive and keeps them in `record`.

    An error carries in `partial` what had come.
    """
    record.begun = (yield NOW).monotonic
    _check_deadline(settings, record.begun)
    call = yield from _prepared(request if request.stream else request.replace(stream=True), target, settings)
    record.warnings = call.warnings
    result = yield from retried(lambda: _stream_once(call, record), _policy(settings))
    record.ended = (yield NOW).monotonic
    if isinstance(result, Err):
        error = result.error.located(target.provider.name, target.model.id)
        if record.first_chunk is not None:
            error.partial = record.completion()
            error.usage = error.usage or error.partial.usage
        return Err(error)
    return Ok(None)


def _finished(answer: Completion, call: Prepared, attempts: int, seconds: float) -> Completion:
    """A decoded answer with what only the call knows."""
    return answer.replace(
        provider=call.target.provider.name,
        model=answer.model or call.target.model.id,
        cost_usd=cost_usd(answer.usage, call.target.model.price),
        warnings=(*answer.warnings, *call.warnings),
        latency_ms=seconds * 1000,
        attempts=attempts,
    )


def _send_once(call: Prepared, attempts: list[int]) -> Flow[Result[Completion, LLMError]]:
    attempts[0] += 1
    reply = yield Send(call.request, call.timeouts, call.target.provider.transport)
    if isinstance(reply, Err):
        return reply
    response = reply.value
    if response.status >= 300:
        return Err(call.codec.decode_error(response.status, response.headers, response.body))
    return call.codec.decode_response(response.status, response.headers, response.body)


def _stream_once(call: Prepared, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    reply = yield Open(call.request, call.timeouts, call.target.provider.transport)
    if isinstance(reply, Err):
        return reply
    opened = reply.value
    if opened.status >= 300:
        body = yield from _body(opened.handle)
        return Err(call.codec.decode_error(opened.status, opened.headers, body))
    decoder = call.codec.StreamDecoder()
    error = yield from _decoded(opened.handle, decoder, record)
    if error is not None:
        yield Close(opened.handle)
        return Err(error)
    yield from _drained(opened.handle)
    return Ok(None)


def _decoded(handle: object, decoder: Decoder, record: StreamRecord) -> Flow[LLMError | None]:
    """Emit the chunks of an open answer until it ends; the error it ended with, or `None`."""
    read = Read(handle)
    while not decoder.done and decoder.error is None:
        piece = yield read
        if isinstance(piece, Err):
            lost: LLMError = piece.error
            return lost if record.first_chunk is None else StreamError(f"The stream broke off. {lost.message}")
        chunks = decoder.feed(piece.value) if piece.value else decoder.close()
        if chunks:
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            record.add(chunks)
            yield Emit(chunks)
        if not piece.value:
            break
    return decoder.error


def _drained(handle: object) -> Flow[None]:
    """Read what little follows the protocol's own end, so that the connection can be used again."""
    for _ in range(4):
        piece = yield Read(handle)
        if isinstance(piece, Err) or not piece.value:
            return


def _body(handle: object) -> Flow[bytes]:
    pieces, size = [], 0
    while size < _MOST_ERROR_BYTES:
        piece = yield Read(handle)
        if isinstance(piece, Err) or not piece.value:
            break
        pieces.append(piece.value)
        size += len(piece.value)
    return b"".join(pieces)


def _prepared(request: ChatRequest, target: Target, settings: CallSettings) -> Flow[Prepared]:
    environ = yield ENVIRONMENT
    provider = target.provider
    codec = codec_named(provider.wire)
    if request.model != target.model.id:
        request = request.replace(model=target.model.id)
    encoded = codec.encode_request(request, target.facts)
    url = url_of(provider, codec, "stream" if request.stream else "chat", target.model.id, settings.base_url, environ)
    headers = (("Content-Type", "application/json"), *encoded.headers, *provider.headers.items(), *settings.headers)
    http = yield from authorized(HttpRequest("POST", url, headers, encoded.body), provider, settings.api_key, environ)
    read = provider.timeout if settings.timeout is None else settings.timeout
    timeouts = Timeouts(settings.connect_timeout, read, settings.total, settings.deadline)
    return Prepared(http, timeouts, codec, target, encoded.warnings)


def _policy(settings: CallSettings) -> RetryPolicy:
    return RetryPolicy(settings.max_retries, settings.deadline)


def _check_deadline(settings: CallSettings, now: float) -> None:
    if settings.deadline is not None and now >= settings.deadline:
        raise DeadlineExceededError("No time is left for a call to a model.")


def codec_named(wire: str) -> Codec:
    """The codec of a wire protocol. Raises `ConfigurationError` naming those there are."""
    module = f"{__package__}.wire.{wire}"
    try:
        codec: Codec = __import__(module, fromlist=["encode_request"])
        codec.encode_request  # noqa: B018  # a framing module is no codec
    except (ImportError, AttributeError) as error:
        if isinstance(error, ImportError) and error.name != module:
            raise
        known = "openai_chat, anthropic_messages, bedrock_converse"
        raise ConfigurationError(f"No wire protocol is called {wire!r}.", fix=f"Known: {known}.") from error
    return codec


def url_of(
    provider: ProviderDefinition, codec: Codec, operation: str, model: str, base_url: str | None, environ: Environ
) -> str:
    """Where an operation lives: the endpoint with its variables filled in, and the operation's path."""
    named = (environ.get(name) for name in provider.endpoint_env)
    base = base_url or next((value for value in named if value), None) or provider.endpoint
    path = provider.paths.get(operation, codec.PATHS[operation])
    if "{model}" in path:
        path = path.replace("{model}", percent_encoded(model))
    return _filled(base, provider, environ).rstrip("/") + path


def _filled(template: str, provider: ProviderDefinition, environ: Environ) -> str:
    if "{" not in template:
        return template
    for variable, sources in provider.variables.items():
        if "{" + variable + "}" in template:
            template = template.replace("{" + variable + "}", _variable(variable, sources, provider, environ))
    return template


def _variable(name: str, sources: tuple[str, ...], provider: ProviderDefinition, environ: Environ) -> str:
    value = next((found for source in sources if (found := _from_source(source, environ))), None)
    if value is None:
        where = " or ".join(source for source in sources if not source.startswith(("=", "aws:")))
        raise ConfigurationError(f"{provider.title or provider.name} needs {name!r}.", fix=f"Set {where}.")
    return value


def _from_source(source: str, environ: Environ) -> str | None:
    """What a source of a variable holds: `=text` is a literal, `aws:region` asks AWS's own settings."""
    if source.startswith("="):
        return source[1:]
    if source == "aws:region":
        from ..aws.region import region

        return region(environ)
    return environ.get(source)
