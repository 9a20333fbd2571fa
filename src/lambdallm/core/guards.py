"""Guards: who is told of every call to a model before it is made, and of how it ended.

    class Budget:
        def before_call(self, request, models):
            if spent() > limit:
                raise BudgetExceededError("…")

        def after_call(self, request, outcome):
            settle(outcome.cost_usd)

    context.guards.append(Budget())

A guard may have `after_embeddings(outcome)` too, which hears of each request for vectors when it is over.

Every call to one model is told once, however often it is retried: the first of `models` is asked now, the others stand
behind it. Both methods get the same request object. Whoever heard of a call's beginning hears of its end, also where
another guard refuses it; either may return a flow, which is performed.
"""

from __future__ import annotations

from ..llm.errors import LambdaLLMError, LLMError, ProviderConnectionError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol

    from ..llm.flow import Flow
    from ..llm.types import ChatRequest, Completion

    class CallGuard(Protocol):
        """Hears of the calls of an invocation."""

        def before_call(self, request: ChatRequest, models: tuple[str, ...]) -> Flow[None] | None:
            """A call is about to be made. Raise a `LambdaLLMError` to refuse it."""

        def after_call(self, request: ChatRequest, outcome: Completion | LLMError) -> Flow[None] | None:
            """How it ended: `usage` and `cost_usd` are those of all tries; an error that is not `sent` cost nothing."""


def ask_guards(
    guards: Sequence[CallGuard], request: ChatRequest, models: tuple[str, ...], told: list[CallGuard]
) -> Flow[None]:
    """Tell the guards that a call begins; those that let it pass are added to `told`. Raises what one of them does."""
    for guard in guards:
        yield from performed(guard.before_call(request, models))
        told.append(guard)


def tell_guards(told: Sequence[CallGuard], request: ChatRequest, outcome: Completion | LLMError) -> Flow[None]:
    """Tell the guards how a call ended, the last one first, all of them; then raise the first error one raised."""
    failed: Exception | None = None
    for guard in reversed(told):
        try:
            yield from performed(guard.after_call(request, outcome))
        except Exception as error:  # noqa: BLE001  # raised when everybody knows
            failed = failed or error
    if failed is not None:
        raise failed


def performed(outcome: Any) -> Flow[Any]:
    """What a function gave, or what the flow gives that it returned."""
    if hasattr(outcome, "send") and hasattr(outcome, "throw"):
        return (yield from outcome)
    return outcome


def as_failure(reason: BaseException, partial: Callable[[], Completion | None]) -> Completion | LLMError:
    """How a call ended that something else than its own result ended: refused, without time, or left by its reader."""
    if isinstance(reason, LLMError):
        return reason
    if isinstance(reason, LambdaLLMError):
        refused = LLMError(reason.message, fix=reason.fix, sent=False)
        refused.__cause__ = reason
        return refused
    if isinstance(reason, Exception):
        return LLMError(f"The call failed: {reason!r}")
    return partial() or ProviderConnectionError("The call was cancelled.", retryable=False)
