"""An HTTP server for front ends: requests in as values, replies out, each piece of a streamed body sent at once.

A front end is a function of an `HttpRequest` that gives an `HttpReply`; it knows no socket. What Lambda is, the
listener does not know. A client that leaves does not stop a body: it is read to its end and thrown away, as a function
runs on when nobody listens any more.
"""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    Pairs: TypeAlias = tuple[tuple[str, str], ...]
    Front: TypeAlias = Callable[["HttpRequest"], "HttpReply"]

KEPT_BYTES = 32 * 1024 * 1024
"""The longest body that is kept; of a longer one a front end hears the `length` alone, by which it refuses it.

It is read to its end all the same, and dropped: a client that is still sending would not read the refusal.
"""

_MOST_BYTES = 512 * 1024 * 1024
_PIECE_BYTES = 64 * 1024
_NO_BODY = (204, 304)
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,8}")
_ORIGIN = re.compile(r"^https?://[^/?#]*", re.IGNORECASE)
_OURS = frozenset(("content-length", "connection", "transfer-encoding", "keep-alive", "date", "server"))


class HttpRequest(Value):
    """What a client sent. `target` is the path with its query, as it was written; `length` is the body's."""

    method: str
    target: str
    headers: Pairs = ()
    body: bytes = b""
    length: int = 0
    source_ip: str = "127.0.0.1"
    protocol: str = "HTTP/1.1"
    port: int = 80

    def header(self, name: str) -> str:
        """The first value of a header, matched without case; empty when absent."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    @property
    def path(self) -> str:
        """The path as it was written."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query as it was written."""
        return self.target.partition("?")[2]


class HttpReply(Value):
    """What goes back. A body that is no bytes is a stream: each item goes out by itself, and at once.

    A stream that raises `Cut` ends the connection, so that the client can tell that the body is not whole. One with a
    method `left` hears once that its client has gone; where that gives true it is not read any further.
    """

    status: int
    headers: Pairs = ()
    body: bytes | Iterable[bytes] = b""


class Cut(Exception):
    """A streamed body ends before its end."""


class Listener:
    """A front end at an address, a thread for each connection, until `close`. A context manager."""

    def __init__(self, front: Front, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen. Raises `OSError` for a port that is taken; 0 takes a free one."""
        self._server = _Server((host, port), front)
        self.host, self.port = host, int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens: `http://127.0.0.1:3000`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def close(self) -> None:
        """Stop listening, and end what is open."""
        self._server.shutdown()
        self._server.server_close()
        self._server.end_connections()
        self._thread.join()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], front: Front) -> None:
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        self.front = front
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind, without asking a name server what this machine is called."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, so that it can be ended."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """End every connection that is open."""
        with self._lock:
            left = list(self._open)
        for connection in left:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; anything else is a bug and is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def answer(self) -> None:
        """Answer any request."""
        self.gone = False
        try:
            body, length = self._body()
        except ValueError as error:
            self.close_connection = True
            self._send(HttpReply(400, (("Content-Type", "text/plain"),), f"{error}\n".encode()))
            return
        try:
            reply = self.server.front(self._request(body, length))
        except Exception:  # a bug, which `handle_error` shows
            self.close_connection = True
            self._send(HttpReply(500, (("Content-Type", "text/plain"),), b"Internal Server Error\n"))
            raise
        self._send(reply)

    def __getattr__(self, name: str) -> Any:
        """`do_…` for a method of any name."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def version_string(self) -> str:
        """What the `Server` header says."""
        return "lambdallm"

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: who uses the emulator has a log of its own."""

    def _request(self, body: bytes, length: int) -> HttpRequest:
        headers = tuple(map(_unfolded, self.headers.items()))
        return HttpRequest(
            self.command, self._target(), headers, body, length, str(self.client_address[0]),
            self.request_version, int(self.server.server_address[1]),
        )  # fmt: skip

    def _target(self) -> str:
        """What the client asks for as it was written, without the host: `http.server` would join slashes."""
        target = self.requestline.split()[1]
        return _ORIGIN.sub("", target) or "/"

    def _body(self) -> tuple[bytes, int]:
        """The request's body as far as it is kept, and its length. Raises `ValueError` for broken framing."""
        coding = self.headers.get("Transfer-Encoding", "").strip().lower()
        pieces = self._chunked() if coding == "chunked" else self._sized(coding)
        kept, length = bytearray(), 0
        for piece in pieces:
            length += len(piece)
            if length > _MOST_BYTES:
                raise ValueError("The body is too long.")
            if length <= KEPT_BYTES:
                kept += piece
            else:
                kept.clear()
        return bytes(kept), length

    def _sized(self, coding: str) -> Iterable[bytes]:
        text, *others = set(map(str.strip, self.headers.get_all("Content-Length", ["0"])))
        if coding or others or not (text.isascii() and text.isdecimal()):
            raise ValueError("The body needs a Content-Length, or Transfer-Encoding: chunked.")
        return self._read(int(text))

    def _read(self, left: int) -> Iterable[bytes]:
        while left:
            piece = self.rfile.read(min(left, _PIECE_BYTES))
            if not piece:
                raise ValueError("The body ends before its Content-Length.")
            left -= len(piece)
            yield piece

    def _chunked(self) -> Iterable[bytes]:
        while size := self._chunk_size():
            yield from self._read(size)
            if self._line():
                raise ValueError("A chunk of the body is longer than it says.")
        while self._line():
            pass

    def _chunk_size(self) -> int:
        digits = self._line().partition(b";")[0].strip()
        if not _CHUNK_SIZE.fullmatch(digits):
            raise ValueError(f"A chunk of the body has the size {digits[:20]!r}.")
        return int(digits, 16)

    def _line(self) -> bytes:
        line = self.rfile.readline(65_537)
        if not line.endswith(b"\n"):
            raise ValueError("The body's chunks are broken.")
        return line.rstrip(b"\r\n")

    def _send(self, reply: HttpReply) -> None:
        bodiless = self.command == "HEAD" or reply.status in _NO_BODY
        if isinstance(reply.body, bytes):
            self._head(reply, len(reply.body), False)
            self._write(b"" if bodiless else reply.body)
            return
        chunked = self.request_version != "HTTP/1.0" and reply.status not in _NO_BODY
        self._head(reply, None, chunked)
        self._stream(reply.body, chunked and not bodiless, bodiless)

    def _head(self, reply: HttpReply, length: int | None, chunked: bool) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers:
            if name.lower() not in _OURS:
                self.send_header(name, value)
        if length is not None and reply.status not in _NO_BODY:
            self.send_header("Content-Length", str(length))
        if chunked:
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection or (length is None and not chunked and reply.status not in _NO_BODY):
            self.send_header("Connection", "close")
            self.close_connection = True
        try:
            self.end_headers()
        except OSError:
            self.gone = self.close_connection = True

    def _stream(self, body: Iterable[bytes], chunked: bool, silent: bool) -> None:
        left = getattr(body, "left", None)
        try:
            for piece in body:
                if piece and not silent:
                    self._write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                if self.gone and left is not None:
                    if left():
                        return
                    left = None
        except Cut:
            self.close_connection = True
            return
        if chunked:
            self._write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        """Write, or remember that the client has gone."""
        if self.gone or not data:
            return
        try:
            self.wfile.write(data)
        except OSError:
            self.gone = self.close_connection = True


def _unfolded(header: tuple[str, str]) -> tuple[str, str]:
    """A header whose value a client has broken into lines, in one."""
    name, value = header
    return name, " ".join(value.split("\r\n")) if "\n" in value else value
