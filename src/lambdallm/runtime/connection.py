"""One kept-alive connection to the Runtime API: requests out, answers in, over a plain socket.

Its peer is a trusted service on the same machine, which is why this is not `transport`: no TLS, no proxy, no time
limit (`next` waits for as long as nobody calls), but bodies that are sent piece by piece. It knows no endpoint.
"""

from __future__ import annotations

import os
import socket

from .errors import RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_READ_BYTES = 256 * 1024
_HEAD_BYTES = 1024 * 1024
_JOINED_BYTES = 64 * 1024
"""A request's head and body go in one segment up to this size; beyond it, copying costs more than a second send."""


class _Gone(Exception):
    """The peer closed before it answered: a kept connection may have been closed since it was last used."""


class Reply:
    """An answer. Header names are lower case."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body


class Connection:
    """A connection to `host:port`, opened when it is first used and again when the peer has closed it.

    Not for several threads at once. A forked child opens its own.
    """

    __slots__ = ("_buffer", "_pid", "_sock", "address")

    def __init__(self, address: str) -> None:
        self.address = address
        self._sock: socket.socket | None = None
        self._pid = 0
        self._buffer = b""

    def exchange(self, head: bytes, body: bytes = b"") -> Reply:
        """Send a request and read its answer; once more where a kept connection turns out to be closed.

        Raises `RuntimeApiError` where there is no answer, or none in HTTP/1.1.
        """
        kept = self.is_open()
        try:
            return self._exchange(head, body)
        except _Gone as gone:
            if not kept:
                raise RuntimeApiError(f"The Runtime API at {self.address!r} did not answer: {gone}.") from gone
        try:
            return self._exchange(head, body)
        except _Gone as gone:
            raise RuntimeApiError(f"The Runtime API at {self.address!r} closed the connection: {gone}.") from gone

    def is_open(self) -> bool:
        """Whether a connection of this very process is there."""
        if self._sock is not None and self._pid != os.getpid():
            self.close()  # of the parent's copy of the socket nothing is shut down
        return self._sock is not None

    def start(self, head: bytes) -> None:
        """Send the head of a request whose body follows by `send`. Raises `OSError`."""
        if self.is_open() and self.has_input():
            self.close()
        self._opened().sendall(head)

    def send(self, data: bytes) -> None:
        """Send a part of a body, at once. Raises `OSError`."""
        assert self._sock is not None
        self._sock.sendall(data)

    def has_input(self) -> bool:
        """Whether something can be read now: an answer before its time, or the end of the connection."""
        if self._sock is None:
            return False
        try:
            self._sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True  # it broke: whoever reads hears of it
        return True

    def read(self) -> Reply:
        """The answer to what was sent. Raises `RuntimeApiError` where there is none."""
        try:
            return self._read()
        except _Gone as gone:
            raise RuntimeApiError(f"The Runtime API at {self.address!r} closed the connection: {gone}.") from gone

    def read_early(self) -> Reply:
        """An answer to a request that is still being sent, with what is there of its body. The connection stays open.

        Raises `RuntimeApiError` where it is the end of the connection, or no answer.
        """
        try:
            status, _, headers = _parsed_head(self._read_head())
        except _Gone as gone:
            raise RuntimeApiError(f"The Runtime API at {self.address!r} closed the connection: {gone}.") from gone
        return Reply(status, headers, self._buffer)

    def close(self) -> None:
        """Close the connection. The next request opens another."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        self._buffer = b""

    def _opened(self) -> socket.socket:
        if self._sock is None:
            self._sock, self._pid = _connected(self.address), os.getpid()
        return self._sock

    def _exchange(self, head: bytes, body: bytes) -> Reply:
        sock = self._opened()
        try:
            if len(body) > _JOINED_BYTES:
                sock.sendall(head)
                sock.sendall(body)
            else:
                sock.sendall(head + body)
        except OSError:
            pass  # it may have answered before it had read all
        return self._read()

    def _read(self) -> Reply:
        """The next final answer. Raises `_Gone` where the peer closes before its first byte."""
        status = 0
        try:
            while status < 200:
                status, modern, headers = _parsed_head(self._read_head())
            reply = Reply(status, headers, self._read_body(status, headers))
        except BaseException:
            self.close()
            raise
        if not modern or headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def _read_head(self) -> bytes:
        data = self._buffer
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _HEAD_BYTES:
                raise RuntimeApiError(f"The Runtime API's answer has a head of more than {_HEAD_BYTES} bytes.")
            more = self._receive(first=not data)
            if not more:
                raise RuntimeApiError("The Runtime API closed the connection in the middle of an answer's head.")
            data += more
        self._buffer = data[end + 4 :]
        return data[:end]

    def _receive(self, first: bool = False) -> bytes:
        """What comes next; nothing at the end of the connection. Raises `_Gone` for the `first` bytes of an answer."""
        assert self._sock is not None
        try:
            data = self._sock.recv(_READ_BYTES)
        except OSError as error:
            if first:
                raise _Gone(str(error)) from error
            raise RuntimeApiError(f"The connection to the Runtime API broke: {error}.") from error
        if first and not data:
            raise _Gone("it ended before the answer")
        return data

    def _read_body(self, status: int, headers: Mapping[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._read_chunks()
        length = headers.get("content-length")
        if length is not None:
            return self._exactly(_number(length, 10))
        return b"" if status in (204, 304) else self._rest()

    def _exactly(self, size: int) -> bytes:
        pieces, there = [self._buffer], len(self._buffer)
        while there < size:
            piece = self._receive()
            if not piece:
                raise RuntimeApiError(f"The Runtime API sent {there} of the {size} bytes it announced.")
            pieces.append(piece)
            there += len(piece)
        data = b"".join(pieces) if len(pieces) > 1 else pieces[0]
        self._buffer = data[size:]
        return data[:size]

    def _read_chunks(self) -> bytes:
        pieces = []
        while size := _number(self._line().split(b";")[0].strip().decode("latin-1"), 16):
            pieces.append(self._exactly(size))
            self._line()
        while self._line():
            continue  # trailers
        return b"".join(pieces)

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            piece = self._receive()
            if not piece:
                raise RuntimeApiError("The Runtime API closed the connection between the chunks of an answer.")
            self._buffer += piece
        line, self._buffer = self._buffer[:end], self._buffer[end + 2 :]
        return line

    def _rest(self) -> bytes:
        pieces = [self._buffer]
        while piece := self._receive():
            pieces.append(piece)
        self.close()
        return b"".join(pieces)


def _connected(address: str) -> socket.socket:
    """A socket without a time limit. `getaddrinfo` is not asked: it loads the tables of international names (2 ms)."""
    host, _, port = address.rpartition(":")
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.settimeout(None)  # whatever the function's code made the default
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.connect((host.strip("[]"), int(port)))
    except (OSError, ValueError) as error:
        sock.close()
        message = f"The Runtime API at {address!r} can't be reached: {error}."
        raise RuntimeApiError(f"{message} AWS_LAMBDA_RUNTIME_API names its host and port.") from error
    return sock


def _parsed_head(head: bytes) -> tuple[int, bool, dict[str, str]]:
    """Status, whether the protocol keeps connections alive, and the headers."""
    first, *lines = head.decode("utf-8", "replace").split("\r\n")
    protocol, _, rest = first.partition(" ")
    if not protocol.startswith("HTTP/1."):
        raise RuntimeApiError(f"The Runtime API does not answer in HTTP/1.1: {first[:40]!r}.")
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return _number(rest[:3], 10), protocol != "HTTP/1.0", headers


def _number(text: str, base: int) -> int:
    try:
        return int(text if text.isalnum() else "", base)
    except ValueError:
        raise RuntimeApiError(f"The Runtime API sent {text!r} where a number belongs.") from None
