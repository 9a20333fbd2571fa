"""How long a caller waits for a function: for its first word, for the next one, and in all. The function runs on."""

from __future__ import annotations

import threading
import time
from queue import Empty, SimpleQueue

from .listener import Cut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeVar

    T = TypeVar("T")


class TimedOut(Exception):
    """Nobody waits any longer; what is waited for runs on."""


def in_time(work: Callable[[], T], seconds: float) -> T:
    """What `work` gives. Raises `TimedOut`. It goes on by itself, as a function does whose caller has left."""
    done: SimpleQueue[tuple[T, BaseException | None]] = SimpleQueue()
    threading.Thread(target=_work, args=(work, done), daemon=True).start()
    try:
        value, error = done.get(timeout=seconds)
    except Empty:
        raise TimedOut from None
    if error is not None:
        raise error
    return value


def _work(work: Callable[[], Any], done: SimpleQueue[tuple[Any, BaseException | None]]) -> None:
    try:
        done.put((work(), None))
    except BaseException as error:  # noqa: BLE001 - it is raised where it is waited for
        done.put((None, error))


def patient(chunks: Iterable[bytes], idle_seconds: float, end: float) -> Iterator[bytes]:
    """The pieces, until there is none for too long or the time is up: then the stream is cut."""
    pieces: SimpleQueue[tuple[bytes | None, BaseException | None]] = SimpleQueue()
    threading.Thread(target=_pump, args=(chunks, pieces), daemon=True).start()
    while True:
        try:
            piece, error = pieces.get(timeout=max(0.0, min(idle_seconds, end - time.monotonic())))
        except Empty:
            raise Cut from None
        if error is not None:
            raise error
        if piece is None:
            return
        yield piece


def _pump(chunks: Iterable[bytes], pieces: SimpleQueue[tuple[bytes | None, BaseException | None]]) -> None:
    try:
        for piece in chunks:
            pieces.put((piece, None))
        pieces.put((None, None))
    except BaseException as error:  # noqa: BLE001 - it is raised where the pieces are read
        pieces.put((None, error))
