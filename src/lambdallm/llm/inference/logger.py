"""`InferenceLogger`: one line of JSON for each call to a model, without what was said unless you ask for it.

    client = OpenAIClient(listeners=[InferenceLogger(slow_ms=10_000)])

It listens to notices and knows no client. Field names are those of OpenTelemetry's semantic conventions for generative
AI where these have one (1.42, status: development), and begin with `lambdallm.` where not. No key, header or URL is in
a notice, so none gets here.
"""

from __future__ import annotations

import json

from ..errors import ConfigurationError, LLMContentFilterError
from ..notices import CallFailed, CallStarted
from ..types import ChatMessage
from .content import input_fields, output_fields
from .facts import answered_fields, asked_fields, failed_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, Protocol

    from ..notices import CallCompleted, Notice
    from ..safety.filters import OutputFilter
    from ..types import ChatRequest, Completion

    class Writable(Protocol):
        """A text stream, such as `sys.stderr`."""

        def write(self, text: str, /) -> object:
            """Take text."""
            ...


LOGGER = "lambdallm.inference"


class InferenceLogger:
    """Writes a line for each call that has ended: to Python's logger `lambdallm.inference`, or to `sink`.

    `sink` is a function of the line, or anything with `write`. On the logger a completed call is at level INFO, a slow
    or failed one at WARNING.

    `content` decides what is kept of what was said: `False` nothing, not even an error's message; `True` everything;
    `"redacted"` everything after `filters`, by default those of secrets and of personal data.

    Of the calls that went well and took less than `slow_ms`, the share `sample` (0 to 1) is logged, by a draw from
    `draw`; slow and failed ones always are. Raises `ConfigurationError` for settings out of their range.
    """

    def __init__(
        self,
        sink: Callable[[str], object] | Writable | None = None,
        *,
        content: bool | Literal["redacted"] = False,
        filters: Sequence[OutputFilter] | None = None,
        sample: float = 1.0,
        slow_ms: float | None = None,
        draw: Callable[[], float] | None = None,
    ) -> None:
        if content not in (False, True, "redacted"):
            raise ConfigurationError(f"content is {content!r}.", fix="Use False, True or 'redacted'.")
        if not 0 <= sample <= 1:
            raise ConfigurationError(f"sample is {sample!r}.", fix="Give a share from 0 to 1.")
        self.content, self.sample, self.slow_ms = content, sample, slow_ms
        self._write: Callable[[str], object] | None = _writer(sink)
        self._filters, self._draw = filters, draw or _random

    def __call__(self, notice: Notice) -> None:
        """Hear of a call; its end is what is written."""
        if isinstance(notice, CallStarted):
            return
        slow = self.slow_ms is not None and notice.latency_ms >= self.slow_ms
        notable = slow or isinstance(notice, CallFailed)
        if notable or self.sample >= 1 or self._draw() < self.sample:
            self._log(json.dumps(self.record(notice), ensure_ascii=False, default=str), notable)

    def _log(self, line: str, notable: bool) -> None:
        if self._write is not None:
            self._write(line)
            return
        from logging import INFO, WARNING, getLogger

        getLogger(LOGGER).log(WARNING if notable else INFO, "%s", line)

    def record(self, notice: CallCompleted | CallFailed) -> dict[str, Any]:
        """The fields of a line; those that are unknown are left out. Override it to add some, or to take some away."""
        call, answer = notice.call, notice.completion
        told = asked_fields(call) | {"lambdallm.duration_ms": round(notice.latency_ms, 3)}
        if answer is not None:
            told |= answered_fields(answer)
        if isinstance(notice, CallFailed):
            told |= failed_fields(notice)
        if self.content:
            told |= self._said(notice)
        return {name: value for name, value in told.items() if value is not None and value != ()}

    def _said(self, notice: CallCompleted | CallFailed) -> dict[str, Any]:
        """What was said, and an error's message, which may repeat it."""
        request, answer = notice.call.request, notice.completion
        error = str(notice.error) if isinstance(notice, CallFailed) and notice.error is not None else None
        if self.content == "redacted":
            try:
                request, answer, error = self._redacted(request, answer, error)
            except LLMContentFilterError as blocked:
                return {"lambdallm.content_blocked_by": blocked.code}
        told = input_fields(request) if request is not None else {}
        told |= output_fields(answer) if answer is not None else {}
        return told | {"error.message": error}

    def _redacted(
        self, request: ChatRequest | None, answer: Completion | None, error: str | None
    ) -> tuple[ChatRequest | None, Completion | None, str | None]:
        from ..safety.report import Report
        from ..safety.screen import Screen

        screen = Screen(self._default_filters(), "output", Report())
        if request is not None:
            request = request.replace(messages=screen.messages(request.messages))
        if answer is not None:
            answer = screen.completion(answer)
        return request, answer, None if error is None else screen.message(ChatMessage("user", error)).text

    def _default_filters(self) -> Sequence[OutputFilter]:
        if self._filters is None:
            from ..safety import PersonalDataFilter, SecretsFilter

            self._filters = (SecretsFilter(), PersonalDataFilter())
        return self._filters


def _writer(sink: Any) -> Callable[[str], object] | None:
    if sink is None:
        return None
    if hasattr(sink, "write"):
        return lambda line: sink.write(f"{line}\n")
    if not callable(sink):
        raise ConfigurationError(f"sink is {sink!r}.", fix="Give a function of a line, or something with `write`.")
    take: Callable[[str], object] = sink
    return take


def _random() -> float:
    from random import random

    return random()
