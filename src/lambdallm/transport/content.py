"""Content encodings: compressed body bytes in, plain ones out, piece by piece.

zlib is imported when the first compressed response arrives. A piece never exceeds `MAX_PIECE_BYTES`, however small the
input that it comes from, and a whole body never exceeds `MAX_DECODED_BYTES`.
"""

from __future__ import annotations

from .errors import ConnectionLost, ProtocolError
from .types import find_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib
    from collections.abc import Iterator

    from .types import Headers

MAX_PIECE_BYTES = 1024 * 1024
MAX_DECODED_BYTES = 256 * 1024 * 1024
"""The size at which a decompressed whole body is taken for a bomb: far above any model's answer."""

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""zlib window sizes, which also select the container format."""


def content_decoder(headers: Headers) -> ContentDecoder | None:
    """A decoder for the response's content encoding; `None` when there is nothing to decode. Raises `ProtocolError`."""
    coding = (find_header(headers, "content-encoding") or "identity").strip().lower()
    if coding in ("identity", ""):
        return None
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise ProtocolError(
            f"The response's Content-Encoding {coding[:40]!r} is not supported; ask for gzip or identity."
        )
    return ContentDecoder(deflate=coding == "deflate")


def without_coding(headers: Headers) -> Headers:
    """The headers that still hold once the body is decoded."""
    return tuple(pair for pair in headers if pair[0].lower() not in ("content-encoding", "content-length"))


class ContentDecoder:
    """Inflates gzip (also several members) and deflate, with or without the zlib wrapper that servers forget."""

    __slots__ = ("_first", "_inflater", "_wrapper")

    def __init__(self, *, deflate: bool) -> None:
        self._wrapper = 0 if deflate else _GZIP
        self._first = b""
        self._inflater: zlib._Decompress | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that the bytes complete. Raises `ProtocolError` for damaged data and for bytes after its end."""
        import zlib

        data = self._choose_wrapper(data)
        while data:
            if self._inflater is None or self._inflater.eof:
                self._inflater = zlib.decompressobj(self._wrapper)
            try:
                piece = self._inflater.decompress(data, MAX_PIECE_BYTES)
            except zlib.error as error:
                raise ProtocolError(f"The compressed response is damaged ({error}).") from None
            if piece:
                yield piece
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
            if self._inflater.eof and data and self._wrapper != _GZIP:
                raise ProtocolError("Bytes follow the end of the compressed response.")

    def finish(self) -> Iterator[bytes]:
        """What is still held back at the end of the body. Raises `ConnectionLost` when the data is cut short."""
        inflater = self._inflater
        while inflater is not None and not inflater.eof:
            piece = inflater.decompress(inflater.unconsumed_tail, MAX_PIECE_BYTES)
            if not piece:
                break
            yield piece
        if self._first or (inflater is not None and not inflater.eof):
            raise ConnectionLost("The compressed response ends too early. Try again.")

    def _choose_wrapper(self, data: bytes) -> bytes:
        """Tell bare deflate from zlib by its first two bytes, holding data back until they are there."""
        if self._wrapper:
            return data
        data = self._first + data
        if len(data) < 2:
            self._first = data
            return b""
        self._first = b""
        self._wrapper = _ZLIB if data[0] & 15 == 8 and (data[0] * 256 + data[1]) % 31 == 0 else _RAW
        return data
