"""Whose turn it is: the strategy's order, those with an open circuit at its end, without those who may not be asked."""

from __future__ import annotations

from ..errors import ConfigurationError
from .decide import is_resting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .candidate import CandidateFacts
    from .decide import Decided
    from .fallback import Judgement


class Queue:
    """The candidates of one call in the order of their turns, each once. `passed_over` says why some get none."""

    def __init__(self, decided: Decided, judgement: Judgement, breakers: Mapping[str, Any]) -> None:
        self._judgement, self._breakers = judgement, breakers
        self._waiting = iter(decided.order)
        self._resting: Iterator[CandidateFacts] | None = None
        self._seen: set[str] = set()
        self.passed_over: dict[str, str] = {}
        self.rested: list[CandidateFacts] = []

    def next(self, number: int, now: float) -> list[CandidateFacts]:
        """The next `number` of them at most; those who rest are asked when nobody else is left."""
        turn: list[CandidateFacts] = []
        while len(turn) < number and not self._judgement.stopped:
            one = self._next_awake(now)
            if one is None and not turn:
                one = self._next_resting()
            if one is None:
                break
            if objection := self._judgement.objection(one):
                self.passed_over[one.name] = objection
            else:
                turn.append(one)
        return turn

    def _next_awake(self, now: float) -> CandidateFacts | None:
        for one in self._waiting:
            if one.name in self._seen:
                continue
            if one.name not in self._breakers:
                fix = "Return those that it was given."
                raise ConfigurationError(f"The strategy's plan names {one.name!r}, which is no candidate.", fix=fix)
            self._seen.add(one.name)
            if not is_resting(self._breakers[one.name], now):
                return one
            self.rested.append(one)
        return None

    def _next_resting(self) -> CandidateFacts | None:
        if self._resting is None:
            self._resting = iter(tuple(self.rested))
        return next(self._resting, None)
