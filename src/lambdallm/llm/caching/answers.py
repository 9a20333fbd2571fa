"""Answers in a store of bytes: encoded, kept for their time, and never in the way of a call.

A store that is down costs its own short timeout once, then is left alone for a while; a stored answer that can't be
read is removed. Both are said in the log, and the call goes on without.
"""

from __future__ import annotations

from ..backends.errors import BackendError
from ..backends.outage import Outage
from ..errors import ConfigurationError
from ..flow import NOW
from .entry import decode_entry, encode_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..flow import Flow
    from .entry import CacheEntry


class Answers:
    """Entries by key in `store`, whose flows are `load`, `save` and `remove`.

    They live for `ttl_seconds` unless their writer says otherwise, `None` being forever; JSON of more than
    `compress_over` bytes is compressed.
    """

    def __init__(self, store: Any, *, ttl_seconds: float | None = None, compress_over: int | None = None) -> None:
        self.store, self.ttl_seconds = store, checked_ttl(ttl_seconds)
        self._compress_over = compress_over

    def load(self, key: str) -> Flow[CacheEntry | None]:
        """The entry of a key. One that another version wrote, or that is damaged, is removed and not there.

        Raises `BackendError`.
        """
        data: bytes | None = yield from self.store.load(key)
        if data is None:
            return None
        entry = decode_entry(data)
        if entry is None:
            warn(f"The cached answer {key!r} can't be read (another version wrote it, or it is damaged): removed.")
            yield from self.store.remove(key)
        return entry

    def save(self, key: str, entry: CacheEntry, ttl_seconds: float | None = None) -> Flow[None]:
        """Keep an entry. One that can't be kept (too large, no JSON) is left out with a warning in the log.

        Raises `BackendError`.
        """
        try:
            data = encode_entry(entry, compress_over=self._compress_over)
        except (TypeError, ValueError, RecursionError) as reason:
            warn(f"An answer was not cached: {reason}. Keep plain JSON values in its metadata.")
            return
        kept = yield from self.store.save(key, data, self.ttl_seconds if ttl_seconds is None else ttl_seconds)
        if kept is False:
            warn(f"An answer of {len(data)} bytes was not cached: that is more than the cache holds. Raise max_bytes.")

    def remove(self, key: str) -> Flow[None]:
        """Forget a key. Raises `BackendError`."""
        yield from self.store.remove(key)


class FailOpen:
    """Answers that a call asks for without ever failing for them."""

    def __init__(self, answers: Any, *, rest_seconds: float = 5.0, log_seconds: float = 60.0) -> None:
        self.answers = answers
        self.outage = Outage(
            "cached answers", "calls are made without the cache", rest_seconds=rest_seconds, log_seconds=log_seconds
        )

    def load(self, key: str) -> Flow[CacheEntry | None]:
        """The entry of a key, `None` also where the store does not answer."""
        entry: CacheEntry | None = yield from self._tried(lambda: self.answers.load(key))
        return entry

    def save(self, key: str, entry: CacheEntry, ttl_seconds: float | None = None) -> Flow[None]:
        """Keep an entry, where the store answers."""
        yield from self._tried(lambda: self.answers.save(key, entry, ttl_seconds))

    def _tried(self, operation: Any) -> Flow[Any]:
        if self.outage.resting((yield NOW).monotonic):
            return None
        try:
            outcome = yield from operation()
        except BackendError as error:
            self.outage.failed(error, (yield NOW).monotonic)
            return None
        self.outage.answered()
        return outcome


def checked_ttl(ttl_seconds: float | None) -> float | None:
    """The time to live. Raises `ConfigurationError` for one that is over at once."""
    if ttl_seconds is not None and not ttl_seconds > 0:
        raise ConfigurationError(f"ttl_seconds is {ttl_seconds!r}.", fix="Use a number of seconds above 0, or None.")
    return ttl_seconds


def warn(message: str) -> None:
    """Say something in the log `lambdallm.caching`."""
    import logging

    logging.getLogger("lambdallm.caching").warning(message)
