"""`Middleware`: override what you need of three moments around a handler's function."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Middleware:
    """Runs around every invocation of a handler that lists it.

    Before the function they run in the order they are listed, after it in the opposite order.
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
