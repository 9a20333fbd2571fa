"""What has become of one routed call so far: who was asked, what came back, what all of it cost, and why."""

from __future__ import annotations

from ..errors import LLMError, StreamError, UnsupportedParameterError
from ..result import Err, Ok
from . import bill
from .capable import doing
from .decision import RoutedAttempt, RoutingDecision
from .leg import Leg, is_skip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    from ..errors import LambdaLLMError
    from ..result import Result
    from ..streaming.record import StreamRecord
    from ..types import Completion
    from .bill import Bill
    from .candidate import CandidateFacts
    from .decide import Decided
    from .queue import Queue

    E = TypeVar("E", bound=LambdaLLMError)


class RoutingRecord:
    """Kept by the flow of one call; a stream's reader asks it for the answer so far."""

    def __init__(self, strategy: str, candidates: Sequence[CandidateFacts]) -> None:
        self._strategy, self._candidates = strategy, candidates
        self._legs: dict[str, Leg] = {}
        self._winner: Leg | None = None
        self._alone: Leg | None = None
        self.decided: Decided | None = None
        self.queue: Queue | None = None
        self.kept: StreamRecord | None = None
        """The stream as a cache knows it, where there is one."""

    def begin(self, turn: Sequence[CandidateFacts]) -> list[Leg]:
        """The legs of those whose turn it is."""
        legs = [Leg(one) for one in turn]
        self._legs.update((leg.candidate.name, leg) for leg in legs)
        self._alone = legs[0] if len(legs) == 1 else None
        return legs

    def won(self, leg: Leg) -> None:
        """Note whose answer it is."""
        self._winner = leg

    @property
    def winner(self) -> Leg | None:
        """Whose answer it is; of a stream, as soon as its reader has been given any of it."""
        if self._winner is None and self._alone is not None and self._alone.first_token is not None:
            return self._alone
        return self._winner

    @property
    def opened(self) -> list[Leg]:
        """The legs that have opened a stream."""
        return [leg for leg in self._legs.values() if leg.stream is not None]

    def result(self) -> Result[Completion | None, LLMError]:
        """How the call has ended; of a stream's answer, only that it has come, since not everybody asks for the whole.

        Raises what is no `LLMError`: configuration, a passed deadline.
        """
        leg = self.winner
        if leg is not None and isinstance(leg.result, Ok):
            return Ok(self.completion() if leg.stream is None else None)
        return Err(self._broken(leg) if leg is not None else self._failure())

    def completion(self) -> Completion:
        """The answer, or what has come of it: the cache's, where that answers."""
        kept = self.kept
        if kept is not None and (kept.ready is not None or kept.cache is not None):
            return kept.completion()
        return self.routed_completion()

    def routed_completion(self) -> Completion:
        """The answer, or what has come of it, with the decision and with what all attempts used and cost."""
        from ..types import Completion

        leg = self.winner
        answer = None if leg is None else leg.answer
        if answer is None:
            return Completion((), routing=self.decision())
        spent = self._spent()
        return answer.replace(
            routing=self.decision(),
            usage=spent.usage,
            cost_usd=spent.cost_usd,
            attempts=answer.attempts + sum(self._attempts(other) for other in self._legs.values() if other is not leg),
        )

    def decision(self) -> RoutingDecision:
        """What was decided, and what became of each candidate."""
        leg = self.winner
        return RoutingDecision(self._strategy, leg.candidate.name if leg else None, tuple(self._told()))

    def _told(self) -> Iterator[RoutedAttempt]:
        decided, queue = self.decided, self.queue
        if decided is None or queue is None:
            return
        told: set[str] = set()
        for candidate in decided.order:
            if candidate.name not in told:
                told.add(candidate.name)
                yield self._attempt(candidate, decided, queue)
        for candidate in self._candidates:
            if candidate.name not in told:
                yield RoutedAttempt(candidate.name, "skipped", decided.exclusion(candidate))

    def _attempt(self, candidate: CandidateFacts, decided: Decided, queue: Queue) -> RoutedAttempt:
        name, reason = candidate.name, decided.reason(candidate)
        if any(one is candidate for one in queue.rested):
            reason = f"{reason} Its circuit was open, so it came last.".strip()
        leg = self._legs.get(name)
        if leg is None:
            passed_over = queue.passed_over.get(name)
            return RoutedAttempt(name, "skipped" if passed_over else "unused", passed_over or reason)
        spent = leg.bill(decided.call) or bill.Bill()
        return RoutedAttempt(
            name,
            leg.outcome(chosen=leg is self.winner),
            leg.passed_over or reason,
            _told_error(leg.error),
            leg.latency_ms,
            spent.usage,
            spent.cost_usd,
            spent.estimated,
        )

    def _spent(self) -> Bill:
        assert self.decided is not None
        call = self.decided.call
        bills = [spent for leg in self._legs.values() if (spent := leg.bill(call)) is not None]
        return bill.total(bills) if bills else bill.Bill()

    def _attempts(self, leg: Leg) -> int:
        if not leg.was_asked:
            return 0
        told = leg.error if isinstance(leg.error, LLMError) else leg.answer
        return 1 if told is None else told.attempts

    def _broken(self, leg: Leg) -> LLMError:
        """The error of a stream that broke off after its reader had been given some of it."""
        error = leg.error
        if not isinstance(error, LLMError):
            raise error or AssertionError("A stream that has neither failed nor ended has no result.")
        if not isinstance(error, StreamError):
            broken = StreamError(f"The stream broke off. {error.message}", provider=error.provider, model=error.model)
            broken.__cause__, broken.usage, broken.cost_usd = error, error.usage, error.cost_usd
            leg.result, error = Err(broken), broken
        if error.partial is None:
            error.partial = leg.answer
        told = self._counted(_copied(error))
        told.partial = self.completion()
        return told

    def _failure(self) -> LLMError:
        """The error of a call that nobody has answered: that of the last who was asked, with everybody's in words."""
        failures = [leg for leg in self._legs.values() if leg.error is not None]
        if not failures:
            return self._nobody()
        asked = [leg for leg in failures if not is_skip(leg.error)]
        refused = [leg for leg in failures if isinstance(leg.error, LLMError)]
        last = (asked or refused or failures)[-1].error
        assert last is not None
        told = _copied(last)
        if len(failures) > 1:
            each = " ".join(f"{leg.candidate.name}: {_sentence(leg.error)}" for leg in failures)
            told.message = f"None of {len(failures)} candidates answered. {each}"
        if not isinstance(told, LLMError):
            raise told
        return self._counted(told)

    def _nobody(self) -> LLMError:
        """The error of a call that nobody can take."""
        assert self.decided is not None
        each = " ".join(f"{name}: {reason}" for name, reason in self.decided.left_out.items())
        wanted = doing(self.decided.call.needs)
        message = f"No candidate can {wanted}. {each}" if wanted else f"The strategy asks no candidate. {each}"
        fix = "Add a candidate that can, or correct the facts of one."
        return self._counted(UnsupportedParameterError(message.strip(), fix=fix, sent=False, attempts=0))

    def _counted(self, error: LLMError) -> LLMError:
        spent = self._spent()
        error.usage, error.cost_usd = spent.usage, spent.cost_usd
        error.attempts = sum(self._attempts(leg) for leg in self._legs.values())
        error.routing = self.decision()
        return error


def _copied(error: E) -> E:
    """The same error once more, to be told something without telling whoever else holds it."""
    copied = type(error).__new__(type(error), *error.args)
    copied.__dict__.update(error.__dict__)
    copied.__cause__ = error.__cause__
    return copied


def _told_error(error: LambdaLLMError | None) -> str:
    return "" if error is None else f"{type(error).__name__}: {error.message}"


def _sentence(error: LambdaLLMError | None) -> str:
    told = _told_error(error)
    return told if told.endswith((".", "!", "?")) else f"{told}."
