"""The nearest of a few thousand vectors, by cosine, with the standard library alone.

An eighth of a vector is compared first: with what the rest can add at most (the product of the rests' lengths, by
Cauchy and Schwarz), nearly all that are not near enough are told apart by it, and none that is near is missed.
Measured on Python 3.11: 2 ms for 1,000 vectors of 384 numbers and 6 ms for 1,000 of 1,536, where comparing them whole
takes 15 and 62.
"""

from __future__ import annotations

from _thread import allocate_lock
from array import array
from math import hypot, sqrt
from operator import mul

from ..forks import renewed_in_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class UnitVector:
    """A vector of length 1 in 32-bit numbers, its beginning apart."""

    __slots__ = ("head", "numbers", "rest")

    def __init__(self, numbers: Sequence[float]) -> None:
        length = hypot(*numbers)
        self.numbers = array("f", [number / length for number in numbers] if length else ())
        self.head = self.numbers[: len(numbers) // 8]
        self.rest = sqrt(max(0.0, 1.0 - _dot(self.head, self.head)))

    def cosine(self, other: UnitVector, at_least: float) -> float | None:
        """How near another one is; `None` where that is less than `at_least`, or they can't be compared."""
        if len(self.numbers) != len(other.numbers) or not self.numbers:
            return None
        if _dot(self.head, other.head) + self.rest * other.rest < at_least - _ROUNDING:
            return None
        cosine = min(round(_dot(self.numbers, other.numbers), 6), 1.0)
        return cosine if cosine >= at_least else None


_ROUNDING = 1e-5
"""More than 32-bit numbers lose in a sum."""


def _dot(one: Iterable[float], other: Iterable[float]) -> float:
    total: float = sum(map(mul, one, other))
    return total


class Nearest:
    """Vectors by key, in scopes that are searched apart; the least recently found of all make room.

    Safe to share between threads; a search goes on while others add.
    """

    def __init__(self, max_entries: int) -> None:
        self.max_entries = max_entries
        self._held: dict[tuple[str, str], UnitVector] = {}
        self._by_scope: dict[str, dict[str, UnitVector]] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)

    def renew(self) -> None:
        """Start over: a thread of the parent may have been half-way through a change."""
        self._lock = allocate_lock()
        self._held, self._by_scope = {}, {}

    def add(self, scope: str, key: str, vector: UnitVector) -> None:
        """Know a vector from now on."""
        with self._lock:
            self._drop(scope, key)
            self._held[scope, key] = vector
            self._by_scope.setdefault(scope, {})[key] = vector
            while len(self._held) > self.max_entries:
                self._drop(*next(iter(self._held)))

    def remove(self, scope: str, key: str) -> None:
        """Forget a vector; one that is not there is fine."""
        with self._lock:
            self._drop(scope, key)

    def find(self, scope: str, vector: UnitVector, threshold: float) -> tuple[str, float] | None:
        """The key of the nearest vector of a scope and its cosine, where that is at least `threshold`."""
        with self._lock:
            known = list(self._by_scope.get(scope, {}).items())
        best: tuple[str, float] | None = None
        for key, other in known:
            cosine = vector.cosine(other, threshold)
            if cosine is not None and (best is None or cosine > best[1]):
                best, threshold = (key, cosine), cosine
        if best is not None:
            self._touch(scope, best[0])
        return best

    def __len__(self) -> int:
        return len(self._held)

    def _touch(self, scope: str, key: str) -> None:
        with self._lock:
            vector = self._held.pop((scope, key), None)
            if vector is not None:
                self._held[scope, key] = vector

    def _drop(self, scope: str, key: str) -> None:
        if self._held.pop((scope, key), None) is not None:
            del self._by_scope[scope][key]
            if not self._by_scope[scope]:
                del self._by_scope[scope]
