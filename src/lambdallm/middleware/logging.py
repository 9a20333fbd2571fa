"""`LoggingMiddleware`: one line of JSON for each invocation, without what was said unless you ask for it.

Where the line goes, and in which form, is `middleware.log_lines`' matter.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError, LLMContentFilterError, UnauthorizedError
from ..llm.flow import ENVIRONMENT, NOW, Tell
from .base import FlowMiddleware
from .correlation import HEADERS, correlation_id, trace_id
from .http import is_http, method, path
from .log_lines import LEVELS, plain, without_credentials, writer
from .streamed import followed, is_stream, response_of, status_of, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from ..llm.flow import Clock, Environ, Flow
    from ..llm.safety.filters import OutputFilter
    from .context import InvocationContext


class LoggingMiddleware(FlowMiddleware):
    """Logs the end of every invocation at INFO, of failed ones at ERROR, of refused ones (4xx) at WARNING.

        handler(middleware=[LoggingMiddleware()])
        {"level": "INFO", "message": "invocation completed", "request_id": "…", "duration_ms": 812.4, "model_calls": 1,
         "input_tokens": 211, "output_tokens": 64, "cost_usd": 0.00013, …}

    Without a `logger` the line goes to standard output, which Lambda keeps. A `logging.Logger` gets the line as its
    message, or the fields as `extra` where Lambda's own JSON format is on; Powertools' `Logger` gets the fields.
    `level` is the least that is logged: by default AWS_LAMBDA_LOG_LEVEL, else INFO. At DEBUG the beginning is too.

    `content` decides what is kept of event, result and an error's message: `False` nothing, `True` all but credentials
    in headers and cookies, `"redacted"` that after `filters`, by default those of secrets and of personal data.
    `fields` go into every line.

    `correlation_headers` are looked at for an id that the caller gave; what is found is `context.correlation_id`. A
    stream is logged when it has ended. List it first, so that it sees what the other middleware make of an event.
    """

    def __init__(
        self,
        logger: Any = None,
        *,
        level: str | None = None,
        content: bool | Literal["redacted"] = False,
        filters: Sequence[OutputFilter] | None = None,
        correlation_headers: Sequence[str] = HEADERS,
        fields: dict[str, Any] | None = None,
    ) -> None:
        if content not in (False, True, "redacted"):
            raise ConfigurationError(f"content is {content!r}.", fix="Use False, True or 'redacted'.")
        if level is not None and level.upper() not in LEVELS:
            raise ConfigurationError(f"level is {level!r}.", fix=f"Use one of {', '.join(LEVELS)}.")
        self.content, self.level, self.fields = content, level, dict(fields or {})
        self._write, self._filters = writer(logger), filters
        self._headers = tuple(correlation_headers)
        self._warm = False

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Note when it begins, and what it is called."""
        clock, environ = (yield NOW), (yield ENVIRONMENT)
        begun = _Begun(clock, environ, not self._warm and _starts_on_demand(environ))
        self._warm = True
        self.remember(context, begun)
        self._name(context, correlation_id(event, self._headers, environ))
        if self._logs("DEBUG", environ):
            yield Tell(lambda _: self._write_begun(event, context, begun), None)

    def ending(self, event: Any, result: Any, context: InvocationContext) -> Flow[Any]:
        """Log it; a stream when it has ended."""
        if not is_stream(result):
            yield from self._ended(event, context, result, None)
            return None
        pieces: list[str] = []
        told = {"status": status_of(response_of(result, context))}

        def ended(reason: BaseException | None) -> Flow[None]:
            error = reason if isinstance(reason, Exception) else None
            left = {"reader_left": True} if isinstance(reason, GeneratorExit) else {}
            yield from self._ended(event, context, "".join(pieces), error, **({} if error else told), **left)

        seen = (lambda piece: pieces.append(text_of(piece))) if self.content else None
        return followed(result, context.driver, ended, seen, awaits=getattr(context, "awaits", False))

    def failing(self, event: Any, error: Exception, context: InvocationContext) -> Flow[Any]:
        """Log it."""
        yield from self._ended(event, context, None, error)

    def record(self, event: Any, context: InvocationContext, result: Any, error: Exception | None) -> dict[str, Any]:
        """The fields of the last line that are known at the end. Override it to add some, or to leave some out."""
        status = _status(result, error)
        if status is None and error is None and is_http(event):
            status = 204 if result is None else 200
        told = {"status": status, **_used(context)}
        if error is not None:
            told["error_type"] = type(error).__name__
        return told

    def _ended(self, event: Any, context: Any, result: Any, error: Exception | None, **more: Any) -> Flow[None]:
        """Log the end, and what `more` is known. A line that can't be written is reported, and harms no invocation."""
        level = "INFO" if error is None else "WARNING" if (_status(None, error) or 500) < 500 else "ERROR"
        clock, environ = (yield NOW), (yield ENVIRONMENT)
        if not self._logs(level, environ):
            return
        begun: _Begun = self.recalled(context) or _Begun(clock, environ, False)

        def write(_: Any) -> None:
            told = self._known(event, context, begun)
            told["duration_ms"] = round((clock.monotonic - begun.clock.monotonic) * 1000, 3)
            told |= self.record(event, context, result, error)
            told |= {name: value for name, value in more.items() if value is not None}
            told |= self._said(event=event, result=result, error_message=None if error is None else str(error))
            self._log(level, "invocation completed" if error is None else "invocation failed", told, clock, environ)

        yield Tell(write, None)

    def _write_begun(self, event: Any, context: Any, begun: _Begun) -> None:
        told = self._known(event, context, begun) | self._said(event=event)
        self._log("DEBUG", "invocation started", told, begun.clock, begun.environ)

    def _known(self, event: Any, context: Any, begun: _Begun) -> dict[str, Any]:
        http = {"method": method(event), "path": path(event)} if is_http(event) else {}
        return {
            **self.fields,
            "request_id": getattr(context, "aws_request_id", None),
            "correlation_id": getattr(context, "correlation_id", None),
            "trace_id": trace_id(event, begun.environ),
            "function_name": getattr(context, "function_name", None),
            "function_version": getattr(context, "function_version", None),
            "cold_start": begun.cold,
            **http,
        }

    def _said(self, **said: Any) -> dict[str, Any]:
        """What was said, as far as it may be logged."""
        if not self.content:
            return {}
        kept = {name: without_credentials(plain(value)) for name, value in said.items() if value is not None}
        if self.content is True:
            return kept
        try:
            return self._redacted(kept)
        except LLMContentFilterError as blocked:
            return {"content_blocked_by": blocked.code}

    def _redacted(self, said: dict[str, Any]) -> dict[str, Any]:
        from ..llm.safety.channel import leaves
        from ..llm.safety.report import Report
        from ..llm.safety.screen import Screen

        if self._filters is None:
            from ..llm.safety import PersonalDataFilter, SecretsFilter

            self._filters = (SecretsFilter(), PersonalDataFilter())
        stages = Screen(self._filters, "output", Report()).stages["text"]
        return {name: leaves(stages, value) for name, value in said.items()}

    def _name(self, context: Any, found: str | None) -> None:
        context.correlation_id = found

    def _logs(self, level: str, environ: Environ) -> bool:
        least = (self.level or environ.get("AWS_LAMBDA_LOG_LEVEL") or "INFO").upper()
        return LEVELS[level] >= LEVELS.get(least, LEVELS["INFO"])

    def _log(self, level: str, message: str, fields: dict[str, Any], clock: Clock, environ: Environ) -> None:
        known = {name: value for name, value in fields.items() if value is not None}
        self._write(level, message, known, clock.wall, environ)


class _Begun:
    """What the beginning leaves for the end."""

    def __init__(self, clock: Clock, environ: Environ, cold: bool) -> None:
        self.clock, self.environ, self.cold = clock, environ, cold


def _starts_on_demand(environ: Environ) -> bool:
    """Whether the first invocation waited for the environment to start: provisioned ones started before it."""
    return environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") in ("on-demand", "snap-start")


def _status(result: Any, error: Exception | None) -> Any:
    """The HTTP status, as far as it is decided: that of an error by what it says itself."""
    if error is None:
        return status_of(result)
    status = getattr(error, "http_status", 401 if isinstance(error, UnauthorizedError) else None)
    return status if isinstance(status, int) else None


def _used(context: Any) -> dict[str, Any]:
    """What the models were asked for, and what for."""
    answers = tuple(context.completions)
    told: dict[str, Any] = {"model_calls": len(answers)}
    if not answers:
        return told
    usages = [answer.usage for answer in answers if answer.usage is not None]
    told["models"] = sorted({answer.model for answer in answers if answer.model})
    told["input_tokens"] = sum(usage.input_tokens for usage in usages)
    told["output_tokens"] = sum(usage.output_tokens for usage in usages)
    told["cost_usd"] = round(context.total_cost, 9)
    told["unpriced_calls"] = sum(answer.cost_usd is None for answer in answers) or None
    return told
