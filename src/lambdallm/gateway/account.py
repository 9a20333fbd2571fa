"""A call's account: what is reserved for it before it is made, and settled after, however it ends.

It estimates; the meter decides and counts.
"""

from __future__ import annotations

from ..llm.flow import NOW
from ..llm.types import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.catalog.resolve import Target
    from ..llm.flow import Clock, Flow
    from ..llm.types import Completion
    from .app import Gateway
    from .caller import Caller
    from .serving import Served

_USUAL_OUTPUT = 1024
_MOST_OUTPUT = 4096
"""Of a model that may write more: what is reserved for an answer whose request sets no limit."""
_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


class Account:
    """What one call costs its caller. It is open until it is settled, and never where nobody counts."""

    def __init__(self, gateway: Gateway, served: Served, reservation: Any, begun: Clock, input_tokens: int) -> None:
        self._gateway, self._served, self._reservation = gateway, served, reservation
        self._begun, self._input_tokens = begun, input_tokens
        self.is_open = gateway.meter is not None

    def headers(self, protocol: str) -> tuple[tuple[str, str], ...]:
        """What the reservation has to say to the client: its limits, and what is left of them."""
        limits = getattr(self._reservation, "limits", ())
        if not limits:
            return ()
        from .usage.headers import limit_headers

        return limit_headers(limits, protocol, self._begun.wall)

    def settled(self, usage: Usage | None, cost_usd: float | None, status: int) -> Flow[None]:
        """Count the call, once: whoever settles first is right."""
        if not self.is_open or self._gateway.meter is None:
            return
        self.is_open = False
        milliseconds = ((yield NOW).monotonic - self._begun.monotonic) * 1000
        yield from self._gateway.meter.settle(
            self._reservation, usage, cost_usd, model=self._served.name, ok=status < 400, latency_ms=milliseconds,
            status=status,
        )  # fmt: skip

    def failed(self, error: Exception, status: int) -> Flow[None]:
        """Count a call that failed: what it used until then, nothing where it was refused."""
        usage, cost = getattr(error, "usage", None), getattr(error, "cost_usd", None)
        partial = getattr(error, "partial", None)
        if usage is None and partial is not None:
            usage, cost = self.counted(partial)
        yield from self.settled(Usage() if usage is None else usage, 0.0 if usage is None else cost, status)

    def owe(self, answer: Completion | None) -> None:
        """Leave a call that was cut off to be settled, with what had come of its answer; `None` before any had."""
        if self.is_open:
            usage, cost = (None, None) if answer is None else self.counted(answer)
            self._gateway.owed.append(self.settled(usage, cost, 499))

    def counted(self, answer: Completion) -> tuple[Usage, float | None]:
        """What an answer used, estimated where its provider has not said it."""
        if answer.usage is not None and answer.usage.output_tokens:
            return answer.usage, answer.cost_usd
        known = answer.usage or Usage(input_tokens=self._input_tokens)
        written = answer.text + (answer.thinking or "") + "".join(c.arguments_json or "" for c in answer.tool_calls)
        usage = known.replace(output_tokens=(len(written) + 3) // 4)
        return usage, cost_of_target(usage, self._served.target)


def cost_of_target(usage: Usage | None, target: Target | None) -> float | None:
    """What a usage costs at a target; `None` where either is unknown."""
    if target is None:
        return None
    from ..llm.pricing.cost import cost_of

    return cost_of(usage, target)


def opened(gateway: Gateway, caller: Caller, served: Served, value: dict[str, Any], size: int) -> Flow[Account]:
    """The account of a call whose body has `size` bytes. Raises the meter's `GatewayError` where nothing is left."""
    input_tokens = max(1, size // 4)
    begun = yield NOW
    if gateway.meter is None:
        return Account(gateway, served, None, begun, input_tokens)
    output = _most_output(value, served.target) * _answers(value)
    estimate = Usage(input_tokens=input_tokens, output_tokens=output)
    cost = cost_of_target(estimate, served.target)
    reservation = yield from gateway.meter.reserve(caller, served.name, estimate.total_tokens, cost)
    return Account(gateway, served, reservation, begun, input_tokens)


def _answers(value: dict[str, Any]) -> int:
    """How many answers are asked for at once."""
    several = value.get("n")
    return several if type(several) is int and several > 1 else 1


def _most_output(value: dict[str, Any], target: Target | None) -> int:
    """How many tokens an answer may have, by what is asked for, else by what the model can."""
    settings = value.get("generationConfig")
    gemini = settings.get("maxOutputTokens") if isinstance(settings, dict) else None
    for asked in (*(value.get(name) for name in _LIMITS), gemini):
        if type(asked) is int and asked >= 0:
            return asked
    if any(name in value for name in ("input", "prompt")) and "messages" not in value:
        return _USUAL_OUTPUT
    known = None if target is None else target.model.max_output_tokens
    return min(known or _USUAL_OUTPUT, _MOST_OUTPUT)
