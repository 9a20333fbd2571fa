"""Server-sent events to whoever listens: one queue for each page, filled by any thread."""

from __future__ import annotations

import json
import queue
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MOST_WAITING = 10_000
_HEARTBEAT_SECONDS = 10.0


def sse(event: str, data: Any) -> bytes:
    """One event with its data as JSON, which has no line breaks."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False, default=repr)}\n\n".encode("utf-8", "replace")


class Feed:
    """The events of one stream, to be read once. With `beats` a comment goes out while there is nothing to say."""

    def __init__(self, *, beats: bool = False) -> None:
        self._waiting: queue.Queue[bytes | None] = queue.Queue()
        self._beats = beats
        self.closed = False

    def put(self, event: str, data: Any) -> None:
        """Add an event. A reader that is far behind is let go."""
        if self._waiting.qsize() > _MOST_WAITING and self._beats:
            self.close()
        if not self.closed:
            self._waiting.put(sse(event, data))

    def close(self) -> None:
        """End the stream, after what is waiting."""
        self.closed = True
        self._waiting.put(None)

    def left(self) -> bool:
        """The reader has gone, and nobody reads on in its place: a feed may have no end."""
        self.closed = True
        return True

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._beats:
                yield b": open\n\n"
            while (item := self._next()) is not None:
                yield item
        finally:
            self.closed = True

    def _next(self) -> bytes | None:
        try:
            return self._waiting.get(timeout=_HEARTBEAT_SECONDS if self._beats else None)
        except queue.Empty:
            return b": still here\n\n"


class Hub:
    """Sends an event to every page that watches."""

    def __init__(self) -> None:
        self._feeds: set[Feed] = set()
        self._lock = threading.Lock()

    def open(self) -> Feed:
        """A feed of everything from now on."""
        feed = Feed(beats=True)
        with self._lock:
            self._feeds = {each for each in self._feeds if not each.closed} | {feed}
        return feed

    def send(self, event: str, data: Any) -> None:
        """Tell all pages."""
        with self._lock:
            feeds = list(self._feeds)
        for feed in feeds:
            feed.put(event, data)

    def close(self) -> None:
        """End all feeds."""
        with self._lock:
            feeds, self._feeds = self._feeds, set()
        for feed in feeds:
            feed.close()
