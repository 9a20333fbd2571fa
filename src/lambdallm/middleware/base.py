"""`Middleware`: override what you need of three moments around a handler's function.

    handler(middleware=[Outer(), Inner()])

    Outer.before_invoke → Inner.before_invoke → the function → Inner.after_invoke → Outer.after_invoke

- A layer is entered when its `before_invoke` returns. Of a layer that was entered, `after_invoke` or `on_error` is
  called, once: the first with a result, the other with an error, whichever reaches it from inside. A layer that raises
  is not called again: it knows.
- What `before_invoke` returns is the event that goes on, `None` keeps the one there was. Raise to refuse it. Raise
  `ShortCircuit(result)` to answer in the function's place: no further layer is entered, and those outside see it as any
  other result.
- What `after_invoke` returns is the result that goes on, `None` keeps it. An error raised there goes on as one.
- What `on_error` returns is a result: the layers outside see it in `after_invoke`. `None` lets the error go on; one
  that it raises goes on in its place.

Errors with an `http_status` decide the status of the response to an HTTP event, and bring headers of their own (see
`middleware.errors`); what a layer puts into `context.response_headers` is sent with whatever response there will be.
Exceptions that are no `Exception`
(cancellation, exit) end the invocation without a word to anybody.

The three methods may be `async def` in handlers that are. Whoever needs I/O in both kinds writes it once, as flows: see
`FlowMiddleware`. What happens in which order is decided in `middleware.layers`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.flow import Flow
    from .context import InvocationContext


class ShortCircuit(Exception):
    """Ends an invocation with a result, without its function: raise it in `before_invoke`.

    raise ShortCircuit({"statusCode": 204})
    """

    def __init__(self, result: Any = None) -> None:
        super().__init__("A middleware answered in the function's place.")
        self.result = result


class Middleware:
    """Runs around every invocation of a handler that lists it. One instance serves all invocations of an environment.

    Before the function they run in the order they are listed, after it in the opposite order; the module says the rest.
    """

    def before_invoke(self, event: Any, context: Any) -> Any:
        """Look at the event, or replace it: what is returned goes on, `None` keeps the event. Raise to refuse it."""
        return event

    def after_invoke(self, event: Any, result: Any, context: Any) -> Any:
        """Look at the result, or replace it: what is returned goes on, `None` keeps the result."""
        return result

    def on_error(self, event: Any, error: Exception, context: Any) -> Any:
        """Look at an error. What is returned answers in its place; `None` lets it go on."""
        return None


class FlowMiddleware(Middleware):
    """Middleware that does its I/O as flows, for `def` and `async def` handlers alike.

    Override `beginning`, `ending` and `failing`, which mean what the three methods mean. They are run by the driver of
    the invocation: one that blocks gives their value, one that awaits a coroutine, which an `async def` handler awaits.
    """

    def before_invoke(self, event: Any, context: InvocationContext) -> Any:
        """Run `beginning`."""
        return context.driver.run(self.beginning(event, context))

    def after_invoke(self, event: Any, result: Any, context: InvocationContext) -> Any:
        """Run `ending`."""
        return context.driver.run(self.ending(event, result, context))

    def on_error(self, event: Any, error: Exception, context: InvocationContext) -> Any:
        """Run `failing`."""
        return context.driver.run(self.failing(event, error, context))

    def remember(self, context: InvocationContext, value: Any) -> None:
        """Keep something of this invocation for its end: an instance serves several invocations at a time."""
        setattr(context, f"_of_{type(self).__name__}_{id(self)}", value)

    def recalled(self, context: InvocationContext) -> Any:
        """What was remembered, `None` where nothing was."""
        return vars(context).get(f"_of_{type(self).__name__}_{id(self)}")

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """What `before_invoke` does, as a flow."""
        yield from ()
        return None

    def ending(self, event: Any, result: Any, context: InvocationContext) -> Flow[Any]:
        """What `after_invoke` does, as a flow."""
        yield from ()
        return None

    def failing(self, event: Any, error: Exception, context: InvocationContext) -> Flow[Any]:
        """What `on_error` does, as a flow."""
        yield from ()
        return None
