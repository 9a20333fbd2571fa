"""`Answer`: what asking a model within an invocation gives, to flows that go on with it."""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.types import Completion


class Answer(Value):
    """What a model answered.

    `value` is the text, or the data or instance where a shape was asked for. `completion` is the answer it was read
    from; its `usage`, `cost_usd`, `attempts` and `latency_ms` count all tries that led to it, other models' too.
    `truncated` says that the function's time ended it, and `replayed` that a checkpoint had it: nothing was paid now.
    """

    value: Any
    completion: Completion
    truncated: bool = False
    replayed: bool = False
