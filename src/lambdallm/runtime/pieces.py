"""What a plain function gives in pieces, a generator of text or bytes, as a stream or joined.

Functions with `@handler` have more: formats, heads, middleware. This is for those without. Which of them stream is
decided by the event's source, as for all.
"""

from __future__ import annotations

import os

from .errors import RuntimeFault
from .events import HTTP_KINDS, kind_of
from .sources import SETTING, source_of, sources
from .streams import Head, ResponseStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def answer_in_pieces(pieces: Iterator[Any], event: Any) -> Any:
    """A `ResponseStream` of what a generator yields, or the whole of it where the event's source takes no stream.

    The first piece is pulled here, so that what fails before it is an ordinary error.
    """
    is_http = kind_of(event) in HTTP_KINDS
    first = next(pieces, b"")
    is_text = isinstance(first, str)
    content_type = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
    stream = PlainStream(_bytes(first), pieces, content_type, is_http)
    if source_of(event) in sources(os.environ.get(SETTING)):
        return stream
    return _joined(stream, is_text, is_http)


class PlainStream(ResponseStream):
    """The pieces of a generator; text goes as UTF-8."""

    def __init__(self, first: bytes, rest: Iterator[Any], content_type: str, with_head: bool) -> None:
        self.head = Head(headers={"Content-Type": content_type}) if with_head else None
        self.content_type = content_type
        self._first, self._rest = first, rest

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from map(_bytes, self._rest)

    def close(self) -> None:
        """End the generator."""
        if (close := getattr(self._rest, "close", None)) is not None:
            close()


def _bytes(piece: Any) -> bytes:
    if isinstance(piece, str):
        return piece.encode()
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    message = f"The function yielded a {type(piece).__name__}. Yield text or bytes, or decorate it with @handler."
    raise RuntimeFault("Runtime.MarshalError", message)


def _joined(stream: PlainStream, is_text: bool, is_http: bool) -> Any:
    data = b"".join(stream)
    if not is_http:
        return data.decode() if is_text else data
    from binascii import b2a_base64

    body = data.decode() if is_text else b2a_base64(data, newline=False).decode()
    headers = {"Content-Type": stream.content_type}
    return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": not is_text}
