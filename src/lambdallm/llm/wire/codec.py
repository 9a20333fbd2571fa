"""The shape every codec has. A codec speaks one wire protocol: values in, bytes out, and back. It opens nothing.

A codec is a module or package here with five names: `PATHS`, `encode_request`, `decode_response`, `decode_error` and
`StreamDecoder`. One that clients speak to us too is a `Dialect` and has five more: `decode_request`,
`encode_response`, `encode_error`, `StreamEncoder` and `STREAM_TYPE`. Codecs of embeddings and token counts have
`PATHS`, `encode_request`, `decode_response` and `decode_error` over their own values.

A codec never names a provider: what differs between two providers of one protocol is declared in the provider's
catalog entry and arrives here as `facts`. What has no field in our values is kept by the rules of `notes`.
"""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol, TypeAlias

    from ...transport.types import Headers
    from ..errors import LambdaLLMError, LLMError
    from ..result import Result
    from ..types import ChatRequest, Completion, StreamChunk

    Facts: TypeAlias = Mapping[str, Any]


class EncodedError(Value):
    """An error in wire form: what a server of the protocol would answer."""

    status: int
    body: bytes
    headers: Headers = ()


class Encoded(Value):
    """A request in wire form: `body` is JSON in UTF-8; `headers` are those the protocol itself asks for.

    `warnings` name what was asked for and left out because the provider's entry says it ignores it.
    """

    body: bytes
    headers: Headers = ()
    warnings: tuple[str, ...] = ()


_IGNORED = "was left out: this provider ignores it"


def is_set(request: ChatRequest, name: str) -> bool:
    """Whether a request says anything of a setting."""
    default = request._defaults.get(name)
    return getattr(request, name, default) is not default


def without_ignored(request: ChatRequest, facts: Facts, warnings: list[str], why: str = _IGNORED) -> ChatRequest:
    """The request without the settings that its provider's entry says it ignores; a warning for each."""
    ignored = [name for name in facts.get("ignored", ()) if is_set(request, name)]
    warnings += [f"{name!r} {why}" for name in ignored]
    return request.replace(**{name: request._defaults[name] for name in ignored}) if ignored else request


if TYPE_CHECKING:

    class Codec(Protocol):
        """One wire protocol."""

        PATHS: Mapping[str, str]
        """Where its operations `chat` and `stream` live below an endpoint; `{model}` stands for the model's id."""

        def encode_request(self, request: ChatRequest, facts: Facts) -> Encoded:
            """The request's body.

            Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take.
            """
            ...

        def decode_response(self, status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
            """A whole 2xx answer. An error object inside it, or bytes that are no answer, give `Err`."""
            ...

        def decode_error(self, status: int, headers: Headers, body: bytes) -> LLMError:
            """An answer that is not 2xx, whatever its body is."""
            ...

        def StreamDecoder(self) -> Decoder:
            """A fresh decoder for one stream."""
            ...

    class Decoder(Protocol):
        """Turns the bytes of one streamed answer into chunks.

        Feed bytes as they come, split anywhere. When `error` is set, or `done` turns true, no more chunks come.
        `close` says that the bytes have ended: a stream that ends before its protocol says so sets `error` to a
        `StreamError`.
        """

        @property
        def error(self) -> LLMError | None:
            """What the stream failed with."""
            ...

        @property
        def done(self) -> bool:
            """Whether no more chunks come."""
            ...

        def feed(self, data: bytes) -> list[StreamChunk]:
            """The chunks that these bytes complete."""
            ...

        def close(self) -> list[StreamChunk]:
            """The chunks that the end of the bytes completes."""
            ...

    class Dialect(Codec, Protocol):
        """A protocol that clients speak to us: the other direction.

        The modules behind these names are imported when one is first called: a call to a provider does without them.
        """

        STREAM_TYPE: str
        """The content type of a streamed answer."""

        def decode_request(self, body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
            """What a client asks for, with `dialect` naming this protocol and `extra` what no field holds.

            Where the URL says them, `model` and `stream` are given. Raises `InvalidRequestError` for what is malformed;
            it quotes the value, and its `param` is the path to it (`messages[2].content[0].type`).
            """
            ...

        def encode_response(self, answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
            """A whole answer to a client's request: JSON in UTF-8.

            `id` is used where the answer has none, `created` is in seconds since the epoch. What an official SDK of
            the protocol reads from it is what `answer` says. A finish reason is said in this protocol's words.
            """
            ...

        def encode_error(self, error: LambdaLLMError) -> EncodedError:
            """An error as the protocol's own server would report it, so that its SDKs raise their matching class."""
            ...

        def StreamEncoder(self, request: ChatRequest, *, id: str, created: int) -> Encoder:
            """A fresh encoder for one streamed answer."""
            ...

    class Encoder(Protocol):
        """Turns the chunks of one streamed answer into bytes, each call's bytes ready to be sent at once."""

        def feed(self, chunks: Sequence[StreamChunk]) -> bytes:
            """The bytes for these chunks; the first call's begin with what opens a stream of the protocol."""
            ...

        def close(self) -> bytes:
            """The bytes that end the stream normally: what was held back, the finish reason, usage, the end mark."""
            ...

        def fail(self, error: LambdaLLMError) -> bytes:
            """The bytes that end a stream which has begun with an error, as the protocol does it."""
            ...
