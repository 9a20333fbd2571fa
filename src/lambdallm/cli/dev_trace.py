"""What one invocation did, gathered in its own process: calls to models, steps of chains, when each began and ended.

It is a guard of the invocation's context, so it hears of every call whoever makes it; chains tell it of their steps.
Times are in milliseconds since the function was called. It knows neither who asks for it nor how it is sent.
"""

from __future__ import annotations

import time
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.context import LambdaLLMContext
    from ..llm.errors import LLMError
    from ..llm.types import ChatRequest, Completion, Embeddings

    Shape = dict[str, Any]

_STEP: ContextVar[str] = ContextVar("step", default="")
"""The path of the step that is under way in this thread or task."""


class Trace:
    """Gathers while the function runs; `to_dict` is what has come until then, fit for JSON."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._calls: list[_Call | _Vectors] = []
        self._steps: list[_Step] = []
        self._open: dict[str, _Step] = {}
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
        self._calls.append(_Call(request, models, self.now_ms, self._open.get(_STEP.get())))
        self.on_change()

    def after_call(self, request: ChatRequest, outcome: Completion | LLMError) -> None:
        """A call has ended, which is found by its request."""
        for call in reversed(self._calls):
            if isinstance(call, _Call) and call.request is request and call.outcome is None:
                call.outcome, call.ended_ms = outcome, self.now_ms
                return

    def after_embeddings(self, outcome: Embeddings | LLMError) -> None:
        """Vectors have been asked for."""
        self._calls.append(_Vectors(outcome, self.now_ms, self._open.get(_STEP.get())))

    def step_began(self, path: str) -> None:
        """A step of a chain begins; steps within others have `/` in their paths."""
        step = _Step(path, self.now_ms, self._around(path))
        self._open[path] = step
        self._steps.append(step)
        _STEP.set(path)
        self.on_change()

    def step_ended(self, path: str) -> None:
        """A step of a chain has ended, well or not."""
        if (step := self._open.pop(path, None)) is not None:
            step.ended_ms = self.now_ms
            _STEP.set("" if step.parent is None else step.parent.path)

    def first_byte(self) -> None:
        """Something of the answer is on its way."""
        if self.first_byte_ms is None:
            self.first_byte_ms = self.now_ms

    def to_dict(self) -> Shape:
        """Calls with messages and answers, spans in the order they began, tokens and cost."""
        from .dev_messages import total

        calls = [call.to_dict() for call in self._calls]
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
        steps = [(step.way, step.span(now)) for step in self._steps]
        models = [(call.way, _model_span(told, now)) for call, told in zip(self._calls, calls, strict=True)]
        ordered = sorted((*steps, *models), key=lambda each: each[0])
        return [whole, *({**span, "depth": len(way)} for way, span in ordered)]

    def _around(self, path: str) -> _Step | None:
        """The innermost step under way that a path is in."""
        while path := path.rpartition("/")[0]:
            if path in self._open:
                return self._open[path]
        return None


class _Step:
    """A step of a chain. `way` is when it and each step around it began: what is sorted by it reads as a tree."""

    def __init__(self, path: str, begun_ms: float, parent: _Step | None) -> None:
        self.path, self.parent, self.begun_ms = path, parent, begun_ms
        self.ended_ms: float | None = None
        self.way: tuple[tuple[float, str], ...] = (*(parent.way if parent else ()), (begun_ms, path))

    def span(self, now: float) -> Shape:
        """It as a span, which is not over before `now` where it has not ended."""
        ended = now if self.ended_ms is None else self.ended_ms
        return {"name": f"step {self.path}", "kind": "step", "begun_ms": self.begun_ms, "ended_ms": ended}


class _Call:
    """One call: what was asked, in which step of a chain, and what came of it."""

    def __init__(self, request: ChatRequest, models: tuple[str, ...], begun_ms: float, step: _Step | None) -> None:
        self.request, self.models, self.begun_ms, self.step = request, models, begun_ms, step
        self.way = (*(step.way if step else ()), (begun_ms, ""))
        self.outcome: Completion | LLMError | None = None
        self.ended_ms: float | None = None

    def to_dict(self) -> Shape:
        from .dev_messages import as_call

        told = as_call(self.request, self.models, self.outcome, (self.begun_ms, self.ended_ms))
        return {**told, "step": self.step and self.step.path}


class _Vectors:
    """A request for vectors, which is told when it is over."""

    def __init__(self, outcome: Embeddings | LLMError, ended_ms: float, step: _Step | None) -> None:
        self.outcome, self.ended_ms, self.step = outcome, ended_ms, step
        self.begun_ms = round(max(0.0, ended_ms - (getattr(outcome, "latency_ms", None) or 0.0)), 2)
        self.way = (*(step.way if step else ()), (self.begun_ms, ""))

    def to_dict(self) -> Shape:
        from .dev_messages import as_vectors

        told = as_vectors(self.outcome, (self.begun_ms, self.ended_ms))
        return {**told, "step": self.step and self.step.path}


def _model_span(call: Shape, now: float) -> Shape:
    ended = now if call["ended_ms"] is None else call["ended_ms"]
    name = "/".join(part for part in (call["provider"], call["model"]) if part)
    return {"name": name, "kind": "model", "begun_ms": call["begun_ms"], "ended_ms": ended}
