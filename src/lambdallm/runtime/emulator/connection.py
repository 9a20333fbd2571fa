"""One connection of a process to its Runtime API."""

from __future__ import annotations

import socket
from contextlib import suppress

from . import http1
from .bodies import Body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .protocol import Refusal

_READ_BYTES = 262_144


class Connection:
    """Reads requests, one after the other. `ask` gives the body's reader for each request's head."""

    def __init__(self, sock: socket.socket, ask: Callable[[Connection, http1.Head], Body]) -> None:
        self.socket, self._ask = sock, ask
        self._reader = http1.Reader()
        self._body: Body | None = None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self, answer: Callable[[bytes], None], *, block: bool = True) -> bool:
        """Take what has come, and give what is answered at once to `answer`. Whether the connection lives."""
        try:
            data = self.socket.recv(_READ_BYTES, 0 if block else socket.MSG_DONTWAIT)
            events = self._reader.feed(data)
            for event in events:
                self._take(event, answer)
        except BlockingIOError:
            return False
        except (OSError, http1.BadRequest):
            data = b""
        if not data and self._body is not None:
            self._body.cut()
            self._body = None
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send, if somebody is there."""
        with suppress(OSError):
            self.socket.sendall(data)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()

    def _take(self, event: http1.Event, answer: Callable[[bytes], None]) -> None:
        if isinstance(event, http1.Head):
            if event.headers.get("expect", "").lower() == "100-continue":
                answer(http1.CONTINUE)
            self._body = self._ask(self, event)
            return
        assert self._body is not None
        if isinstance(event, http1.Data):
            self._body.data(event.data)
            return
        body, self._body = self._body, None
        if (refusal := body.end(event.trailers)) is not None:
            answer(encoded(refusal))


def encoded(refusal: Refusal) -> bytes:
    """An answer of the Runtime API as bytes."""
    headers: Mapping[str, str] = refusal.headers
    return http1.reply(refusal.status, refusal.body, headers)
