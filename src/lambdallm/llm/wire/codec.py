"""The shape every codec has. A codec speaks one wire protocol: values in, bytes out, and back. It opens nothing.

A codec is a module of this package with five names: `PATHS`, `encode_request`, `decode_response`, `decode_error` and
`StreamDecoder`. It never names a provider: what differs between two providers of one protocol is declared in the
provider's catalog entry and arrives here as `facts`.
"""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol, TypeAlias

    from ...transport.types import Headers
    from ..errors import LLMError
    from ..result import Result
    from ..types import ChatRequest, Completion, StreamChunk

    Facts: TypeAlias = Mapping[str, Any]


class Encoded(Value):
    """A request in wire form: `body` is JSON in UTF-8; `headers` are those the protocol itself asks for.

    `warnings` name what was asked for and left out because the provider's entry says it ignores it.
    """

    body: bytes
    headers: Headers = ()
    warnings: tuple[str, ...] = ()


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

        error: LLMError | None
        done: bool

        def feed(self, data: bytes) -> list[StreamChunk]:
            """The chunks that these bytes complete."""
            ...

        def close(self) -> list[StreamChunk]:
            """The chunks that the end of the bytes completes."""
            ...
