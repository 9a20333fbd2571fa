"""Sending a response piece by piece, in chunks of HTTP/1.1, with what goes wrong in a trailer.

    head of the request ─ [prelude ─ eight NUL bytes] ─ piece ─ piece ─ … ─ end, with an error's trailers or without

Chunks are made of the function's own pieces, one of one, and nothing is held back. Lambda's guide asks to close the
connection when the response is sent.

Sources: as for `client`; AWS's Node client (`ResponseStream.js`, `HttpResponseStream.js`) for the trailers and the
prelude.
"""

from __future__ import annotations

from .._value import Value
from .errors import RuntimeApiError, RuntimeFault
from .limits import STREAMED_BYTES, check_prelude, stream_limit_met

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .connection import Connection
    from .faults import Fault
    from .streams import ResponseStream

_WITH_HEAD = "application/vnd.awslambda.http-integration-response"
_ERROR_TYPE, _ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
_END_OF_PRELUDE = bytes(8)
_END: Any = object()
_ACCEPTED = (200, 202)


class Sent(Value):
    """What became of a streamed response."""

    bytes_sent: int
    """Of the pieces, without head and framing."""
    fault: Fault | None = None
    """What it ended with before its time, and the caller was told."""
    left: str = ""
    """Why Lambda took no more of it: nobody reads any longer, or the invocation has ended."""
    error: BaseException | None = None
    """What the stream raised."""


def send_stream(
    connection: Connection, head: Callable[[dict[str, str]], bytes], id: str, stream: ResponseStream
) -> Sent:
    """Send a stream; `head` makes the request's head of its headers. The stream is closed where it is not used up.

    Raises `RuntimeFault` before anything is sent, where its head can't be, and `RuntimeApiError` where the API does not
    accept what it was sent.
    """
    try:
        prelude = _prelude(stream)
        headers = {
            "Content-Type": str(stream.content_type) if prelude is None else _WITH_HEAD,
            "Lambda-Runtime-Function-Response-Mode": "streaming",
            "Transfer-Encoding": "chunked",
            "Trailer": f"{_ERROR_TYPE}, {_ERROR_BODY}",
        }
        connection.start(head(headers))
    except BaseException:
        stream.close()
        raise
    try:
        return _Sending(connection, id, stream).run(prelude)
    except BaseException:  # also the end of the process, which may come between two pieces
        stream.close()
        raise
    finally:
        connection.close()


def _prelude(stream: ResponseStream) -> bytes | None:
    if stream.head is None:
        return None
    try:
        prelude = stream.head.prelude()
    except (AttributeError, TypeError, ValueError) as error:
        raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal the response's head: {error}") from error
    check_prelude(len(prelude))
    return prelude


def _pieces(stream: ResponseStream) -> Iterator[bytes]:
    pieces: Iterator[object] = iter(stream)
    for piece in pieces:
        if not isinstance(piece, (bytes, bytearray, memoryview)):
            stream.close()
            raise RuntimeFault("Runtime.MarshalError", f"The stream gave a {type(piece).__name__}. Give bytes.")
        yield bytes(piece)


class _Sending:
    """The body of one response."""

    def __init__(self, connection: Connection, id: str, stream: ResponseStream) -> None:
        self._connection, self._id, self._stream = connection, id, stream
        self._bytes = 0
        self._accepted = False
        """The API has answered already; it reads on."""

    def run(self, prelude: bytes | None) -> Sent:
        """Send all of it."""
        try:
            if prelude is not None:
                self._chunk(prelude)
                self._chunk(_END_OF_PRELUDE)
        except OSError as error:
            return self._left(str(error))
        pieces = _pieces(self._stream)
        while True:
            try:
                piece = next(pieces, _END)
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:  # noqa: BLE001  # the caller is told
                return self._failed(error)
            if piece is _END:
                return self._ended(b"")
            ended = self._sent(piece)
            if ended is not None:
                return ended

    def _sent(self, piece: bytes) -> Sent | None:
        """Send a piece; the end where it is the last that can be sent."""
        if not piece:
            return None  # an empty chunk would end the body
        if self._bytes + len(piece) > STREAMED_BYTES:
            self._stream.close()
            return self._failed(stream_limit_met(self._bytes + len(piece)))
        try:
            if not self._accepted and self._connection.has_input():
                refused = self._refused_early()
                if refused:
                    return self._left(refused)
            self._chunk(piece)
        except OSError as error:
            return self._left(str(error))
        self._bytes += len(piece)
        return None

    def _chunk(self, data: bytes) -> None:
        self._connection.send(b"%x\r\n%b\r\n" % (len(data), data))

    def _failed(self, error: BaseException) -> Sent:
        from .faults import fault_of

        fault = fault_of(error)
        trailers = f"{_ERROR_TYPE}: {fault.header}\r\n{_ERROR_BODY}: ".encode("ascii", "replace")
        return self._ended(trailers + fault.trailer_body(self._id) + b"\r\n", fault, error)

    def _ended(self, trailers: bytes, fault: Fault | None = None, error: BaseException | None = None) -> Sent:
        """End the body, and hear what the API says to it."""
        try:
            self._connection.send(b"0\r\n" + trailers + b"\r\n")
        except OSError as broken:
            return Sent(self._bytes, fault, str(broken), error)
        if self._accepted:
            return Sent(self._bytes, fault, "", error)
        reply = self._connection.read()
        if reply.status not in _ACCEPTED:
            said = reply.body[:500].decode("utf-8", "replace")
            raise RuntimeApiError(f"The Runtime API answered {reply.status} to a stream: {said!r}.", reply.status)
        return Sent(self._bytes, fault, "", error)

    def _left(self, reason: str) -> Sent:
        self._stream.close()
        return Sent(self._bytes, None, reason)

    def _refused_early(self) -> str:
        """What an answer before the end of the body says; nothing where it is that all is well, and it reads on."""
        try:
            reply = self._connection.read_early()
        except RuntimeApiError as error:
            return str(error)
        if reply.status in _ACCEPTED:
            self._accepted = True
            return ""
        return f"it answered {reply.status} before the end: {reply.body[:500].decode('utf-8', 'replace')!r}"
