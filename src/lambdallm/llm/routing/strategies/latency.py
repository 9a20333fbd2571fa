"""`LatencyOptimizedStrategy`: the historically fastest, with a look at the others now and then."""

from __future__ import annotations

from _thread import allocate_lock

from ...errors import InvalidRequestError, LLMContentFilterError, TokenLimitError
from ...forks import renewed_in_children
from ..plan import Plan
from .cascade import by_priority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..candidate import CandidateFacts
    from ..plan import Observation, RoutedCall

    Seen = dict[str, "_Latency"]

_OF_THE_REQUEST = (InvalidRequestError, LLMContentFilterError, TokenLimitError)


class LatencyOptimizedStrategy:
    """Ask the fastest first: by the time to the first token where a call streams, by the whole time where it does not.

    What was seen counts for half after `half_life_seconds`. What was never seen, or not for `stale_after_seconds`
    (`None`: five half-lives), comes after what was, by priority; in the share `explore` of the calls one of these,
    drawn at random, is asked first. A failure counts as an answer that took `failure_seconds`; an attempt that another
    was quicker than, as one that took at least as long. `random` gives numbers from 0 to 1.
    """

    name = "latency"

    def __init__(
        self,
        *,
        half_life_seconds: float = 300.0,
        stale_after_seconds: float | None = None,
        explore: float = 0.1,
        failure_seconds: float = 30.0,
        random: Callable[[], float] | None = None,
    ) -> None:
        self._half_life, self._explore, self._random = half_life_seconds, explore, random
        self._stale_after = 5 * half_life_seconds if stale_after_seconds is None else stale_after_seconds
        self._failure_ms = failure_seconds * 1000
        self._lock = allocate_lock()
        self._seen: tuple[Seen, Seen] = ({}, {})
        """By candidate: of whole answers, and of streams."""
        renewed_in_children(self)

    def renew(self) -> None:
        """Take a new lock; what was seen stays known."""
        self._lock = allocate_lock()

    def plan(self, call: RoutedCall, candidates: Sequence[CandidateFacts]) -> Plan:
        """The fastest first, or a candidate to explore before them."""
        seen, oldest = self._seen[call.stream], call.now - self._stale_after
        means: dict[str, float] = {}
        for one in candidates:
            latency = seen.get(one.name)
            if latency is not None and latency.at >= oldest:
                means[one.name] = latency.mean_ms
        known = [one for one in candidates if one.name in means]
        known.sort(key=lambda one: means[one.name])
        if len(known) == len(candidates):
            return Plan(known, lambda one: _reason(one, means))
        strange = by_priority([one for one in candidates if one.name not in means])
        explored = strange.pop(int(self._draw() * len(strange))) if known and self._draw() < self._explore else None
        order = [*known, *strange] if explored is None else [explored, *known, *strange]
        return Plan(order, lambda one: "It is explored." if one is explored else _reason(one, means))

    def observe(self, observation: Observation) -> None:
        """Remember how long it took. A failure that is the request's own says nothing of its candidate."""
        if isinstance(observation.error, _OF_THE_REQUEST):
            return
        taken = observation.latency_ms if observation.first_token_ms is None else observation.first_token_ms
        name, seen = observation.candidate.name, self._seen[observation.stream]
        with self._lock:
            known = seen.get(name)
            if observation.outcome == "failed":
                taken = max(taken, self._failure_ms)
            elif observation.outcome == "cancelled" and known is not None and taken <= known.mean_ms:
                return
            seen[name] = (
                _Latency(taken, 1.0, observation.now)
                if known is None
                else known.then(taken, observation.now, self._half_life)
            )

    def latencies_ms(self, *, stream: bool = False) -> dict[str, float]:
        """The means by candidate, in milliseconds, of whole answers or of first tokens."""
        return {name: latency.mean_ms for name, latency in dict(self._seen[stream]).items()}

    def _draw(self) -> float:
        if self._random is None:
            from random import random

            self._random = random
        return min(self._random(), 1 - 2**-53)


class _Latency:
    """A mean whose older samples count for less."""

    __slots__ = ("at", "mean_ms", "weight")

    def __init__(self, mean_ms: float, weight: float, at: float) -> None:
        self.mean_ms, self.weight, self.at = mean_ms, weight, at

    def then(self, sample_ms: float, now: float, half_life: float) -> _Latency:
        """The mean with one more sample."""
        left = self.weight * 0.5 ** (max(now - self.at, 0.0) / half_life)
        return _Latency((self.mean_ms * left + sample_ms) / (left + 1), left + 1, now)


def _reason(candidate: CandidateFacts, means: dict[str, float]) -> str:
    if candidate.name not in means:
        return "How fast it is is not known, or no longer."
    return f"It took {means[candidate.name]:.0f} ms on the average."
