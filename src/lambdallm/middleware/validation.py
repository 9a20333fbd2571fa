"""`ValidationMiddleware`: events and results have the form that was promised, or each problem is named with its
path."""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from ..runtime.response import Response
from .base import FlowMiddleware
from .errors import InvalidEventError, InvalidResultError
from .http import body_json, is_http
from .streamed import is_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.flow import Flow
    from .context import InvocationContext


class ValidationMiddleware(FlowMiddleware):
    """Checks what comes in and what goes out against a form: a JSON Schema, the shorthand, or a type.

        ValidationMiddleware({"text": str, "tone?": str})
        ValidationMiddleware(Order, result={"total": float})

    `body` is the form of an HTTP request's JSON body, and of any other event the whole of it; `event` is that of the
    whole event, whatever it is. What a `body` was read as stands in `context.validated`: an instance where it is a
    type. A problem ends the invocation with `InvalidEventError` (400), naming up to twenty with their paths.

    `result` is the form of what the function returns, of a finished response that of its body; what does not have it
    becomes `InvalidResultError` (500). Streams are not checked. Forms are as for structured output (see
    `lambdallm.llm.structured`): fields that they do not name are problems, unless a JSON Schema allows them.
    """

    def __init__(self, body: Any = None, *, event: Any = None, result: Any = None) -> None:
        if body is None and event is None and result is None:
            raise ConfigurationError("ValidationMiddleware has nothing to check.", fix="Give body, event or result.")
        self._forms = {"body": body, "event": event, "result": result}
        self._models: dict[str, Any] = {}

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Check the event. Raises `InvalidEventError`."""
        yield from ()
        if self._forms["event"] is not None:
            self._checked_event("event", event)
        if self._forms["body"] is not None:
            self._hand_over(context, self._checked_event("body", body_json(event) if is_http(event) else event))

    def ending(self, event: Any, result: Any, context: InvocationContext) -> Flow[Any]:
        """Check the result. Raises `InvalidResultError`."""
        yield from ()
        if self._forms["result"] is None or is_stream(result):
            return
        _, wrong = self._model("result").build(_plain(_content(result)))
        if wrong:
            raise InvalidResultError(f"The result does not fit: {'; '.join(wrong)}.", problems=wrong)

    def _hand_over(self, context: Any, made: Any) -> None:
        context.validated = made

    def _checked_event(self, what: str, value: Any) -> Any:
        made, wrong = self._model(what).build(value)
        if wrong:
            raise InvalidEventError(f"The {what} does not fit: {'; '.join(wrong)}.", problems=wrong)
        return made

    def _model(self, what: str) -> Any:
        """The form, read when it is first needed: types cost time that a cold start should not pay."""
        if what not in self._models:
            from ..llm.structured.output_model import output_model

            self._models[what] = output_model(self._forms[what])
        return self._models[what]


def _content(result: Any) -> Any:
    """What a result says: of a whole response its body, read as JSON where it is text that is JSON."""
    if isinstance(result, Response):
        body = result.body
    elif isinstance(result, dict) and "statusCode" in result:
        body = result.get("body")
    else:
        return result
    if not isinstance(body, str):
        return body
    import json

    try:
        return json.loads(body)
    except ValueError:
        return body


def _plain(value: Any) -> Any:
    """A result as its JSON will be. Raises `InvalidResultError` for what has none."""
    import json

    from .idempotency_record import encoded

    try:
        return json.loads(encoded(value, {}))["result"]
    except (TypeError, ValueError) as error:
        raise InvalidResultError(f"The result is no JSON: {error}") from error
