"""What a store of state is: journals under keys, their entries numbered from 1 without gaps.

A session is a journal of what was said, a checkpoint one of what was done. Nothing is changed in place, so nothing is
lost by two writers: who appends says which entry was the last one they knew, and only one of them is right.

Every operation is a flow, for both drivers. All raise `BackendError` where the store does not answer or refuses.
"""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, Protocol

    from ..llm.flow import Flow

    class StateStore(Protocol):
        """A store of journals."""

        gives_flows: Literal[True]

        def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
            """The entries numbered above `after`, in order; none where there is no journal, or its time has passed."""

        def append(
            self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None
        ) -> Flow[None]:
            """Add entries numbered `after + 1` and on: all of them or none. The journal is kept for `ttl_seconds` more.

            It need take no more than `MOST_AT_ONCE` entries: `ValueError` says so.

            Raises `ConditionFailed` where the last entry's number is not `after`: somebody else was there, or the
            journal is gone.
            """

        def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
            """Put one entry, numbered `through`, in the place of all up to it. Later ones stay.

            Raises `ConditionFailed` where there is no entry of that number any more.
            """

        def remove(self, key: str) -> Flow[None]:
            """Forget a journal; one that is not there is fine."""


MOST_AT_ONCE = 90
"""How many entries every store takes in one append: what fits a transaction of DynamoDB's."""


class Entry(Value):
    """One entry of a journal."""

    number: int
    data: bytes


_SHOWN = 20


def shown(key: str) -> str:
    """A journal's key as errors and logs name it: its beginning, as an id opens its session."""
    return key if len(key) <= _SHOWN else f"{key[:_SHOWN]}…"
