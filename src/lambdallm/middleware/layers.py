"""The order of an invocation's layers, decided once: as calls to make, for handlers that block and those that await.

`around` knows which call comes next and what its outcome means, by the rules of `middleware.base`. It calls nothing
itself: the handler does, and awaits what it has to.
"""

from __future__ import annotations

from ..llm.result import Err, Ok
from .base import ShortCircuit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import Any

    from ..llm.result import Result
    from .base import Middleware

    Function = Callable[[Any, Any], Any]
    Calls = Generator[Callable[[], Any], Any, Result[Any, Exception]]


def around(layers: Sequence[Middleware], function: Function, event: Any, context: Any) -> Calls:
    """The calls of an invocation, one after another; each is answered with what it gave, or thrown what it raised."""
    entered: list[Middleware] = []
    try:
        for layer in layers:
            changed = yield _beginning(layer, event, context)
            event = event if changed is None else changed
            entered.append(layer)
        outcome: Result[Any, Exception] = Ok((yield lambda: function(event, context)))
    except Exception as raised:  # noqa: BLE001
        outcome = _raised(raised)
    for layer in reversed(entered):
        try:
            outcome = yield from _passed(layer, event, outcome, context)
        except Exception as raised:  # noqa: BLE001
            outcome = _raised(raised, instead_of=outcome)
    return outcome


def _beginning(layer: Middleware, event: Any, context: Any) -> Callable[[], Any]:
    return lambda: layer.before_invoke(event, context)


def _passed(layer: Middleware, event: Any, outcome: Result[Any, Exception], context: Any) -> Calls:
    """The outcome after one layer has seen it."""
    if isinstance(outcome, Ok):
        changed = yield lambda: layer.after_invoke(event, outcome.value, context)
    else:
        changed = yield lambda: layer.on_error(event, outcome.error, context)
    return outcome if changed is None else Ok(changed)


def _raised(error: Exception, instead_of: Result[Any, Exception] | None = None) -> Result[Any, Exception]:
    """What a call that raised means. An error raised in the place of another one has it for its cause."""
    if isinstance(error, ShortCircuit):
        return Ok(error.result)
    replaced = isinstance(instead_of, Err) and instead_of.error is not error
    if replaced and error.__cause__ is None and not error.__suppress_context__:
        error.__cause__ = instead_of.error  # type: ignore[union-attr]  # an Err, by the line above
    return Err(error)
