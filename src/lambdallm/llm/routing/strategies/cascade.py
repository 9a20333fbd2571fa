"""`SequentialCascadeStrategy`: one after another, by priority."""

from __future__ import annotations

from operator import attrgetter

from ..plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..candidate import CandidateFacts
    from ..plan import Observation, RoutedCall


class SequentialCascadeStrategy:
    """Ask by priority, the lowest number first, and go on to the next where one fails."""

    name = "sequential"

    def plan(self, _call: RoutedCall, candidates: Sequence[CandidateFacts]) -> Plan:
        """Everyone by priority; among equals, in the order they were given."""
        return Plan(by_priority(candidates), priority_reason)

    def observe(self, observation: Observation) -> None:
        """Nothing: what happens changes no priority."""


def by_priority(candidates: Sequence[CandidateFacts]) -> list[CandidateFacts]:
    """The lowest priority first; among equals, in the order they were given."""
    return sorted(candidates, key=attrgetter("priority"))


def priority_reason(candidate: CandidateFacts) -> str:
    """Why a candidate stands where its priority puts it."""
    return f"Its priority is {candidate.priority:g}."
