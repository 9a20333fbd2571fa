"""Whole answers and errors of Ollama. `/api/chat` and `/api/generate` differ only in where the message is.

Source: `docs/api.md`, "Response"; `api/types.go`, `ChatResponse` and `Metrics`; "Errors".
"""

from __future__ import annotations

import json

from ...errors import LLMModelNotFoundError, ProviderResponseError, error_for
from ...result import Err, Ok
from ...types import EMPTY, ChatMessage, Choice, Completion, ReasoningPart, TextPart, ToolCall, Usage
from .. import failures
from ..failures import error_inside
from ..headers import request_id
from ..notes import FORM
from .messages import MADE_ID, PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import FinishReason, Metadata, Part
    from ..openai_error import ErrorFacts

    Record: TypeAlias = dict[str, Any]

METRICS = (
    "prompt_eval_count", "eval_count", "total_duration", "load_duration", "prompt_eval_duration", "eval_duration",
)  # fmt: skip
"""The numbers of an answer, in tokens and nanoseconds; together they are the usage's `native`."""

CHAT_FIELDS = frozenset(("model", "message", "done", "done_reason", "error", *METRICS))
"""The fields of an answer that have a place of their own."""

MESSAGE_FIELDS = frozenset(("role", "content", "thinking", "tool_calls"))

_FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}

_WORDS = (("exceeds the context length", "context_length_exceeded"), ("exceed context size", "context_length_exceeded"))
"""What the server says in words alone, and the word that classifies it."""


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error inside it, or bytes that are no answer, give `Err`."""
    return decode_answer(status, headers, body, chat_message, CHAT_FIELDS)


def decode_answer(
    status: int, headers: Headers, body: bytes, message_of: Callable[[Record], Record | None], known: frozenset[str]
) -> Result[Completion, LLMError]:
    """A whole answer, its message found by `message_of`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason}).", status, headers))
    if (found := error_inside(answer)) is not None:
        return Err(classified(found).error(None, request_id=request_id(headers)))
    message = message_of(answer) if isinstance(answer, dict) else None
    if message is None:
        return Err(_unreadable("The answer holds no message.", status, headers))
    return Ok(_completion(answer, message, known))


def chat_message(answer: Record) -> Record | None:
    """The message of a chat answer."""
    message = answer.get("message")
    return message if isinstance(message, dict) else None


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def _completion(answer: Record, message: Record, known: frozenset[str]) -> Completion:
    said = ChatMessage("assistant", tuple(_parts(message)), metadata=noted(leftovers(message, MESSAGE_FIELDS)))
    finish = finish_reason(answer.get("done_reason"), done=bool(answer.get("done")), calls=bool(said.tool_calls))
    return Completion(
        (Choice(said, *finish),),
        usage=read_usage(answer),
        model=text_of(answer, "model") or None,
        metadata=leftovers(answer, known) or EMPTY,
    )


def _parts(message: Record) -> Iterator[Part]:
    if thinking := text_of(message, "thinking"):
        yield ReasoningPart(thinking)
    if text := text_of(message, "content"):
        yield TextPart(text)
    for place, record in enumerate(records(message.get("tool_calls"))):
        yield _call(record, place)


def _call(record: Record, place: int) -> ToolCall:
    id, name, arguments, metadata = call_facts(record, place)
    if isinstance(arguments, str):
        return ToolCall.from_json(id, name, arguments, metadata)
    return ToolCall(id, name, {} if arguments is None else arguments, None, metadata)


def call_facts(record: Record, place: int) -> tuple[str, str, Any, Metadata]:
    """Id, name, arguments and notes of a call. One without an id gets one, since its result must name it."""
    function = record.get("function")
    function = function if isinstance(function, dict) else {}
    own = leftovers(record, ("id", "type", "function"))
    if inner := leftovers(function, ("name", "arguments")):
        own["function"] = inner
    id = text_of(record, "id")
    if not id:
        own[FORM] = {MADE_ID: True}
    return id or f"call_{place}", text_of(function, "name"), function.get("arguments"), noted(own)


def noted(own: Record) -> Metadata:
    """Fields of this protocol as metadata."""
    return {PROTOCOL: own} if own else EMPTY


def finish_reason(word: Any, *, done: bool, calls: bool) -> tuple[FinishReason | None, str | None]:
    """The reason in our words and in the server's, which says `stop` for calls too, and in old versions nothing."""
    raw = word if isinstance(word, str) and word else None
    if not done and raw is None:
        return None, None
    reason = _FINISH_REASONS.get(raw or "stop", "other")
    return "tool_calls" if calls and reason == "stop" else reason, raw


def read_usage(answer: Record) -> Usage | None:
    """Tokens. A prompt that is in the cache whole is not counted by old versions."""
    native = {name: value for name in METRICS if (value := answer.get(name)) is not None}
    if "eval_count" not in native and "prompt_eval_count" not in native:
        return None
    return Usage(_count(native.get("prompt_eval_count")), _count(native.get("eval_count")), native=native)


def _count(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0


def leftovers(record: Record, known: Any) -> Record:
    """The fields that nothing here reads, without those that say nothing."""
    return {key: value for key, value in record.items() if key not in known and value is not None}


def text_of(record: Record, name: str) -> str:
    """A field's text; of anything else, none."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def records(value: Any) -> list[Record]:
    """The objects in a list; nothing from what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx. A model that is not there yet is an error that says how to get it."""
    error = failures.decode_error(status, headers, body)
    if word := _word(error.message):
        kind = error_for(status, error.message, type=word)
        kind.type, kind.request_id, kind.retry_after = error.type, error.request_id, error.retry_after
        return kind
    if isinstance(error, LLMModelNotFoundError):
        error.fix = _fix(error.message) or error.fix
    return error


def classified(facts: ErrorFacts) -> ErrorFacts:
    """Facts with the word that tells their kind, where the message alone tells it."""
    facts.words = _word(facts.message) or facts.words
    return facts


def _word(message: str) -> str | None:
    lower = message.lower()
    return next((word for mark, word in _WORDS if mark in lower), None)


def _fix(message: str) -> str:
    """What to do, where the message names a model in quotes."""
    for quote in "'\"":
        name = message.partition(quote)[2].partition(quote)[0]
        if name and "not found" in message:
            return f"Run: ollama pull {name}."
    return "Check that the endpoint is an Ollama server." if "page not found" in message else ""
