"""The long way of an event in OpenAI's streams of choices, chat's and completions': parse it, then take it apart."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from ...errors import StreamError
from ...types import StreamChunk
from ..failures import error_facts, error_inside, stream_error
from ..sse import SseDecoder
from .fields import as_json, read_usage, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import LLMError

_SHOWN = 80


class ChoiceEvents(ABC):
    """What both decoders do with an event; a subclass knows its choices and how an answer ends."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._sse = SseDecoder(bare_json=True)
        self._told: dict[str, Any] = {}

    def _is_over(self) -> bool:
        return self.done or self.error is not None

    def _payload(self, name: str, payload: bytes, chunks: list[StreamChunk], *, cut: bool = False) -> None:
        """One event of whatever content; one that the bytes ended in may be cut short, and is then none."""
        text = payload.decode("utf-8", "replace").strip()
        if text == "[DONE]":
            self._finish(chunks, "" if self._any_finished() else "The stream ended without a finish reason.")
        elif text:
            try:
                self._event(name, json.loads(text), chunks)
            except (ValueError, RecursionError):
                if not cut:
                    self._fail(f"The stream is malformed: {text[:_SHOWN]!r} can't be read as JSON.")

    def _event(self, name: str, event: Any, chunks: list[StreamChunk]) -> None:
        found = error_facts(event) if name == "error" else error_inside(event)
        if found is not None:
            self.error = stream_error(found, usage=read_usage(event) if isinstance(event, dict) else None)
            return
        choices = (event.get("choices") or []) if isinstance(event, dict) else None
        if not isinstance(choices, list):
            self._fail(f"The stream is malformed: {as_json(event)[:_SHOWN]!r} is no event of this protocol.")
            return
        self._metadata(event, chunks)
        for choice in records(choices):
            self._choice(choice, chunks)
        if (usage := read_usage(event)) is not None:
            chunks.append(StreamChunk(usage=usage))

    def _tell(self, fields: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Tell each field of the answer once, and again when it changes."""
        if news := {key: value for key, value in fields.items() if self._told.get(key) != value}:
            self._told |= news
            chunks.append(StreamChunk(metadata=news))

    def _fail(self, message: str) -> None:
        self.error = StreamError(message)

    @abstractmethod
    def _any_finished(self) -> bool:
        """Whether a finish reason has come."""

    @abstractmethod
    def _metadata(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Take what an event says of the answer."""

    @abstractmethod
    def _choice(self, choice: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Take what an event says of one choice."""

    @abstractmethod
    def _finish(self, chunks: list[StreamChunk], problem: str) -> None:
        """Take the end, as it should be or not."""
