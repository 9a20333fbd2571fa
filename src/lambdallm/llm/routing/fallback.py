"""Who may be asked after whom has failed with what: a table by class of error, and the judgement of one call."""

from __future__ import annotations

from ..catalog.definition import suggestion
from ..errors import (
    ConfigurationError,
    InvalidRequestError,
    LambdaLLMError,
    LLMContentFilterError,
    LLMError,
    TokenLimitError,
    UnsupportedParameterError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal, TypeAlias

    from .candidate import CandidateFacts

    Step = Literal["next", "larger", "elsewhere", "stop"]
    Fallback: TypeAlias = Mapping[type[LambdaLLMError], Step]

STEPS = ("next", "larger", "elsewhere", "stop")
"""The next candidate, one with a larger context window, one of another provider, none."""

FALLBACK: Fallback = {
    LLMError: "next",
    TokenLimitError: "larger",
    LLMContentFilterError: "elsewhere",
    InvalidRequestError: "stop",
    UnsupportedParameterError: "next",
    ConfigurationError: "next",
    LambdaLLMError: "stop",
}
"""The nearest class that an error is of decides: a rate limit is an `LLMError`, a passed deadline only the root."""


def fallback_of(given: Mapping[type[LambdaLLMError] | str, str] | None) -> Fallback:
    """The table with what is given over it; classes may be named. Raises `ConfigurationError` for unknown words."""
    table = dict(FALLBACK)
    for kind, step in (given or {}).items():
        if step not in STEPS:
            raise ConfigurationError(f"The fallback for {kind!r} is {step!r}.", fix=suggestion(str(step), STEPS))
        table[_class(kind)] = step  # type: ignore[assignment]  # one of STEPS, by the lines above
    return table


def _class(kind: type[LambdaLLMError] | str) -> type[LambdaLLMError]:
    if isinstance(kind, type) and issubclass(kind, LambdaLLMError):
        return kind
    from .. import errors

    known = [name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)]
    if str(kind) not in known:
        raise ConfigurationError(f"{kind!r} is no class of error.", fix=suggestion(str(kind), known))
    found: type[LambdaLLMError] = getattr(errors, str(kind))
    return found


def step_after(error: LambdaLLMError, table: Fallback) -> Step:
    """What follows an error, by the nearest of its classes."""
    return next((table[kind] for kind in type(error).__mro__ if kind in table), "stop")


class Judgement:
    """What the failures of one call so far say about the candidates that are left."""

    __slots__ = ("_barred", "_larger_than", "_table", "stopped")

    def __init__(self, table: Fallback) -> None:
        self._table = table
        self._barred: dict[str, str] = {}
        self._larger_than: int | None = None
        self.stopped = False

    def hear(self, candidate: CandidateFacts, error: LambdaLLMError) -> None:
        """Take a candidate's failure into account."""
        step = step_after(error, self._table)
        if step == "stop":
            self.stopped = True
        elif step == "elsewhere":
            self._barred[candidate.provider] = (
                f"{candidate.name!r}, of the same provider, failed with {type(error).__name__}."
            )
        elif step == "larger":
            self._larger_than = max(self._larger_than or 0, candidate.context_window or 0)

    def objection(self, candidate: CandidateFacts) -> str:
        """Why the candidate is not to be asked any more; empty where nothing speaks against it."""
        if candidate.provider in self._barred:
            return self._barred[candidate.provider]
        window, least = candidate.context_window, self._larger_than
        if least is None or (window is not None and window > least):
            return ""
        known = "unknown" if window is None else f"{window} tokens"
        wanted = f"{least} tokens" if least else "that which was too small"
        return f"A larger context window than {wanted} is needed; its own is {known}."
