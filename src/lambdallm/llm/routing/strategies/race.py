"""`ParallelRaceStrategy`: several at once, the first to answer wins."""

from __future__ import annotations

from ...errors import ConfigurationError
from ..plan import Plan
from .cascade import by_priority, priority_reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..candidate import CandidateFacts
    from ..plan import Observation, RoutedCall


class ParallelRaceStrategy:
    """Ask the first `contestants` by priority at once (`None`: everyone), and take the first answer.

    The others are cancelled, and what they cost is counted: as they say, or estimated from the request. With
    `stagger_seconds`, each starts that much after the one before, or as soon as all before it have failed. Where all
    contestants fail, the next as many are asked.
    """

    name = "race"

    def __init__(self, *, contestants: int | None = None, stagger_seconds: float = 0.0) -> None:
        if contestants is not None and contestants < 1:
            raise ConfigurationError(
                f"contestants is {contestants!r}.", fix="Use a whole number of at least 1, or None."
            )
        if stagger_seconds < 0:
            raise ConfigurationError(f"stagger_seconds is {stagger_seconds!r}.", fix="Use 0 or more.")
        self._contestants, self._stagger_seconds = contestants, stagger_seconds

    def plan(self, _call: RoutedCall, candidates: Sequence[CandidateFacts]) -> Plan:
        """Everyone by priority, so many at once."""
        at_once = self._contestants or len(candidates)
        return Plan(by_priority(candidates), priority_reason, at_once, self._stagger_seconds)

    def observe(self, observation: Observation) -> None:
        """Nothing: every race is run anew."""
