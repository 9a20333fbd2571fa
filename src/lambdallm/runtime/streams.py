"""What a function answers piece by piece, as a runtime sends it: a head, then bytes as they come.

It knows neither where the pieces come from nor how they are sent.
"""

from __future__ import annotations

from .._value import Value
from .events import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from typing import Any


class Head(Value):
    """What goes before a streamed body to an HTTP client. A header may have a list of values."""

    status: int = 200
    headers: Mapping[str, str | list[str]] = NOTHING
    cookies: tuple[str, ...] = ()

    def prelude(self) -> bytes:
        """The JSON of `application/vnd.awslambda.http-integration-response`, which eight NUL bytes follow."""
        import json

        several = {name: value for name, value in self.headers.items() if isinstance(value, list)}
        content = {
            "statusCode": self.status,
            "headers": {name: value for name, value in self.headers.items() if name not in several},
            "cookies": list(self.cookies),
        }
        return json.dumps(content | ({"multiValueHeaders": several} if several else {})).encode()


class ResponseStream:
    """What a handler returns in the place of a value where its `lambda_context.accepts_stream` is true.

    `head` is `None` where no HTTP client waits: the bytes go as they are, and `content_type` says what they are.
    """

    def __init__(self, head: Head | None, content_type: str, pieces: Generator[bytes, Any, Any]) -> None:
        self.head = head
        self.content_type = content_type
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        """The pieces, each to be sent by itself and at once. Raises what the function raises."""
        return self._pieces

    def close(self) -> None:
        """End the function's work: the reader is gone, or a limit is met. What was used until then is counted."""
        self._pieces.close()


class OnePiece(ResponseStream):
    """A whole response, with a `statusCode` and in the form of any payload format, for a source that reads streams."""

    def __init__(self, response: Mapping[str, Any]) -> None:
        several = response.get("multiValueHeaders") or {}
        headers = {**(response.get("headers") or {}), **several}
        known = {name: _as_header(value) for name, value in headers.items() if value is not None}
        head = Head(int(response["statusCode"]), known, tuple(response.get("cookies") or ()))
        super().__init__(head, "", (piece for piece in (_body_of(response),) if piece))
        self.response = response


def _as_header(value: Any) -> str | list[str]:
    """A header's value as text: a function that writes its response itself may have numbers there."""
    if isinstance(value, (list, tuple)):
        return [str(each) for each in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body_of(response: Mapping[str, Any]) -> bytes:
    body = response.get("body") or ""
    if response.get("isBase64Encoded"):
        from binascii import a2b_base64

        return a2b_base64(body)
    data: bytes = body.encode("utf-8", "replace")
    return data
