"""What one invocation did, gathered in its own process: calls to models, steps of chains, when each began and ended.

It is a guard of the invocation's context, so it hears of every call whoever makes it; chains tell it of their steps.
Times are in milliseconds since the function was called. It knows neither who asks for it nor how it is sent.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.context import LambdaLLMContext
    from ..llm.errors import LLMError
    from ..llm.types import ChatRequest, Completion

    Shape = dict[str, Any]


class Trace:
    """Gathers while the function runs; `to_dict` is what has come until then, fit for JSON."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._calls: list[_Call] = []
        self._steps: list[Shape] = []
        self._open: dict[str, Shape] = {}
        self.first_byte_ms: float | None = None
        self.context: LambdaLLMContext | None = None
        """Knows what was spent beside calls to chat models, such as for vectors."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when a call or a step begins: it may take long, or for ever."""

    @property
    def now_ms(self) -> float:
        """Milliseconds since the function was called."""
        return round((time.perf_counter() - self._begun) * 1000, 2)

    def before_call(self, request: ChatRequest, models: tuple[str, ...]) -> None:
        """A call to a model begins."""
        self._calls.append(_Call(request, models, self.now_ms))
        self.on_change()

    def after_call(self, request: ChatRequest, outcome: Completion | LLMError) -> None:
        """A call has ended, which is found by its request."""
        for call in reversed(self._calls):
            if call.request is request and call.outcome is None:
                call.outcome, call.ended_ms = outcome, self.now_ms
                return

    def step_began(self, path: str) -> None:
        """A step of a chain begins; steps within others have `/` in their paths."""
        span: Shape = {"name": f"step {path}", "kind": "step", "begun_ms": self.now_ms, "ended_ms": None}
        self._open[path] = {**span, "depth": 1 + path.count("/")}
        self._steps.append(self._open[path])
        self.on_change()

    def step_ended(self, path: str) -> None:
        """A step of a chain has ended, well or not."""
        if (span := self._open.pop(path, None)) is not None:
            span["ended_ms"] = self.now_ms

    def first_byte(self) -> None:
        """Something of the answer is on its way."""
        if self.first_byte_ms is None:
            self.first_byte_ms = self.now_ms

    def to_dict(self) -> Shape:
        """Calls with messages and answers, spans in the order they began, tokens and cost."""
        from .dev_messages import as_call, total

        calls = [as_call(call.request, call.models, call.outcome, call.times) for call in self._calls]
        return {
            "calls": calls,
            "spans": self._spans(calls),
            "tokens_in": total(call["tokens_in"] for call in calls),
            "tokens_out": total(call["tokens_out"] for call in calls),
            "cost_usd": self._cost(calls),
            "duration_ms": self.now_ms,
            "first_byte_ms": self.first_byte_ms,
        }

    def _cost(self, calls: list[Shape]) -> float | None:
        if self.context is None:
            from .dev_messages import total

            return total(call["cost_usd"] for call in calls)
        return None if self.context.unpriced_calls else self.context.total_cost

    def _spans(self, calls: list[Shape]) -> list[Shape]:
        now = self.now_ms
        whole: Shape = {"name": "invocation", "kind": "invoke", "begun_ms": 0.0, "ended_ms": now, "depth": 0}
        steps = [{**step, "ended_ms": now if step["ended_ms"] is None else step["ended_ms"]} for step in self._steps]
        models = [_model_span(call, steps, now) for call in calls]
        return [whole, *sorted((*steps, *models), key=lambda span: (span["begun_ms"], span["depth"]))]


class _Call:
    """One call: what was asked, and what came of it."""

    def __init__(self, request: ChatRequest, models: tuple[str, ...], begun_ms: float) -> None:
        self.request, self.models, self.begun_ms = request, models, begun_ms
        self.outcome: Completion | LLMError | None = None
        self.ended_ms: float | None = None

    @property
    def times(self) -> tuple[float, float | None]:
        return self.begun_ms, self.ended_ms


def _model_span(call: Shape, steps: list[Shape], now: float) -> Shape:
    """A call as a span: below the innermost step that it happened in, as far as times tell."""
    begun, ended = call["begun_ms"], now if call["ended_ms"] is None else call["ended_ms"]
    around = [step["depth"] for step in steps if step["begun_ms"] <= begun and ended <= step["ended_ms"]]
    name = "/".join(part for part in (call["provider"], call["model"]) if part)
    return {"name": name, "kind": "model", "begun_ms": begun, "ended_ms": ended, "depth": max(around, default=0) + 1}
