"""Queues as an event source reads them: the port, and a queue in memory that behaves as SQS does.

A standard queue gives what is visible, oldest first; a FIFO queue (its name ends in `.fifo`) gives a message only when
none of its group before it is still being worked on, and takes one of the same deduplication id once in five minutes.
"""

from __future__ import annotations

import threading
import time
from hashlib import md5, sha256
from itertools import count
from uuid import uuid4

from ..._value import Value
from ..events import NOTHING
from .clock import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Protocol

    class Queue(Protocol):
        """What an event source and a destination need of a queue. `arn` is what events say they come from."""

        arn: str
        poll_seconds: float
        """How long one `receive` may wait, in real seconds: who reads hears only then that it is to end."""

        def send(self, body: str, *, attributes: Mapping[str, Any] = ..., group: str | None = ...) -> str:
            """Put a message in; gives its id. `attributes` are in SQS's own shape."""

        def receive(self, most: int, *, wait_seconds: float = ...) -> list[Message]:
            """Up to `most` messages, which are then hidden; waits for the first one, in real seconds."""

        def delete(self, handles: Sequence[str]) -> None:
            """Remove messages that are through. A handle that counts no more is no error."""

        def change_visibility(self, handle: str, seconds: float) -> None:
            """Show a hidden message again in so many seconds; 0 at once."""


_DEDUPLICATION_SECONDS = 300.0


class Message(Value):
    """A message that was received: `system` has SQS's attributes, `attributes` the sender's, in SQS's shape."""

    id: str
    handle: str
    body: str
    md5: str
    system: Mapping[str, str] = NOTHING
    attributes: Mapping[str, Any] = NOTHING
    attributes_md5: str = ""


class _Kept:
    """A message in the queue, and when it can be seen."""

    def __init__(self, number: int, body: str, attributes: Mapping[str, Any], group: str | None, sent: float) -> None:
        self.id, self.number, self.body, self.attributes, self.group = f"{uuid4()}", number, body, attributes, group
        self.sent = self.visible = sent
        self.deduplication = ""
        self.received, self.first, self.handle = 0, 0.0, ""


class MemoryQueue:
    """A queue in memory. One that a message was received from `max_receive_count` times gives it to `dead_letters`."""

    poll_seconds = 0.1

    def __init__(
        self,
        name: str,
        *,
        region: str = "us-east-1",
        account: str = "123456789012",
        visibility_seconds: float = 30.0,
        dead_letters: MemoryQueue | None = None,
        max_receive_count: int = 3,
        clock: Clock | None = None,
    ) -> None:
        self.name, self.arn = name, f"arn:aws:sqs:{region}:{account}:{name}"
        self.fifo = name.endswith(".fifo")
        self.visibility_seconds, self.dead_letters = visibility_seconds, dead_letters
        self.max_receive_count = max_receive_count
        self.clock = clock or Clock()
        self._kept: list[_Kept] = []
        self._seen: dict[str, tuple[float, str]] = {}
        self._order = count(1)
        self._changed = threading.Condition()

    def send(
        self,
        body: str,
        *,
        attributes: Mapping[str, Any] = NOTHING,
        group: str | None = None,
        deduplication: str | None = None,
        delay_seconds: float = 0.0,
    ) -> str:
        """Put a message in; gives its id. Raises `ValueError` for a FIFO queue's message without a group."""
        if self.fifo and group is None:
            raise ValueError(f"A message to {self.name!r} needs a group: it is a FIFO queue.")
        with self._changed:
            key = deduplication or sha256(body.encode()).hexdigest()
            if self.fifo and (known := self._seen.get(key)) and self.clock.now() - known[0] < _DEDUPLICATION_SECONDS:
                return known[1]
            kept = _Kept(next(self._order), body, attributes, group, self.clock.now())
            kept.visible += delay_seconds
            kept.deduplication = key if self.fifo else ""
            self._seen |= {key: (kept.sent, kept.id)} if self.fifo else {}
            self._kept.append(kept)
            self._changed.notify_all()
            return kept.id

    def receive(self, most: int, *, wait_seconds: float = 0.0) -> list[Message]:
        """Up to `most` messages, which are then hidden; waits for the first one, in real seconds."""
        end = time.monotonic() + wait_seconds
        with self._changed:
            while True:
                now, left = self.clock.now(), end - time.monotonic()
                self._redrive(now)
                found = self._ready(now)[:most]
                if found or left <= 0:
                    return [self._give(kept, now) for kept in found]
                shown = [kept.visible - now for kept in self._kept if kept.visible > now]
                self.clock.wait(self._changed, min([left * self.clock.speed, *shown]))

    def delete(self, handles: Sequence[str]) -> None:
        """Remove messages that are through. A handle that counts no more is no error."""
        with self._changed:
            self._kept = [kept for kept in self._kept if not kept.handle or kept.handle not in handles]
            self._changed.notify_all()

    def change_visibility(self, handle: str, seconds: float) -> None:
        """Show a hidden message again in so many seconds; 0 at once."""
        with self._changed:
            for kept in self._kept:
                if kept.handle == handle:
                    kept.visible = self.clock.now() + seconds
            self._changed.notify_all()

    def __len__(self) -> int:
        """All that is in it, hidden messages too."""
        with self._changed:
            return len(self._kept)

    def wait_for(self, number: int, seconds: float) -> bool:
        """Wait until so many messages are in it, for so many real seconds at most; whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._kept) == number, seconds)

    def _ready(self, now: float) -> list[_Kept]:
        """What can be seen; of each group of a FIFO queue only what no hidden message of it stands before."""
        held: set[str | None] = set()
        ready = []
        for kept in self._kept:
            if kept.visible > now:
                held |= {kept.group} if self.fifo else set()
            elif kept.group not in held or not self.fifo:
                ready.append(kept)
        return ready

    def _redrive(self, now: float) -> None:
        if self.dead_letters is None:
            return
        dead = [kept for kept in self._kept if kept.received >= self.max_receive_count and kept.visible <= now]
        for kept in dead:
            self._kept.remove(kept)
            self.dead_letters.send(kept.body, attributes=kept.attributes, group=kept.group)
        if dead:
            self._changed.notify_all()

    def _give(self, kept: _Kept, now: float) -> Message:
        kept.received += 1
        kept.first = kept.first or now
        kept.handle, kept.visible = f"{uuid4()}", now + self.visibility_seconds
        system = {
            "ApproximateReceiveCount": f"{kept.received}",
            "SentTimestamp": f"{int(kept.sent * 1000)}",
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": f"{int(kept.first * 1000)}",
        }
        if self.fifo:
            system |= {
                "SequenceNumber": f"{18_849_496_460_467_696_128 + kept.number}",
                "MessageGroupId": str(kept.group),
                "MessageDeduplicationId": kept.deduplication,
            }
        digest = md5(kept.body.encode(), usedforsecurity=False).hexdigest()
        return Message(kept.id, kept.handle, kept.body, digest, system, kept.attributes)
