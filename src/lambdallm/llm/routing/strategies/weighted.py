"""`WeightedStrategy`: calls shared out by weight, at random or always the same for the same key."""

from __future__ import annotations

from math import log

from ..plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..candidate import CandidateFacts
    from ..plan import Observation, RoutedCall

_NEVER = 1e-300
"""The rate of a weight of 0: its turn comes after all others'."""


class WeightedStrategy:
    """Ask each candidate first in as many calls as its weight says, and where it fails share its calls out alike.

    `sticky` names an option of the call, such as `"user"`: calls with the same value of it have the same order, and
    when a candidate is added or removed only its own share moves. A weight of 0 is asked when all others have failed.
    `random` gives numbers from 0 up to 1, without it.
    """

    name = "weighted"

    def __init__(self, *, sticky: str | None = None, random: Callable[[], float] | None = None) -> None:
        self._sticky, self._random = sticky, random

    def plan(self, call: RoutedCall, candidates: Sequence[CandidateFacts]) -> Plan:
        """Everyone, drawn without replacement."""
        key = None if self._sticky is None else call.options.get(self._sticky)
        turns = self._drawn(candidates) if key is None else _hashed(str(key), candidates)
        return Plan([candidates[at] for at in sorted(range(len(turns)), key=turns.__getitem__)], self._reason)

    def _drawn(self, candidates: Sequence[CandidateFacts]) -> list[float]:
        """Exponential draws at rates of the weights: each is the least with its weight's share of probability."""
        if self._random is None:
            from random import random

            self._random = random
        draw = self._random
        return [-log(1.0 - draw()) / (one.weight or _NEVER) for one in candidates]

    def _reason(self, candidate: CandidateFacts) -> str:
        drawn = f" drawn for the call's {self._sticky!r}" if self._sticky else ""
        return f"Its weight is {candidate.weight:g}{drawn}."

    def observe(self, observation: Observation) -> None:
        """Nothing: weights are given."""


def _hashed(key: str, candidates: Sequence[CandidateFacts]) -> list[float]:
    """The same as draws that are made of the key and the names, so that they are the same every time."""
    from hashlib import blake2b

    turns = []
    for one in candidates:
        digest = blake2b(f"{len(key)}:{key}{one.name}".encode(), digest_size=8).digest()
        turns.append(-log((int.from_bytes(digest, "big") + 1) / 2.0**64) / (one.weight or _NEVER))
    return turns
