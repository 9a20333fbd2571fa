"""What whole answers and streams of both versions of Cohere's protocol have in common: usage, reasons, leftovers.

Everything here reads values of any type: a provider's JSON promises nothing.
"""

from __future__ import annotations

from ...types import EMPTY, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any, TypeAlias

    from ...types import FinishReason, Metadata

    Record: TypeAlias = dict[str, Any]

PROTOCOL = "cohere"
"""The name under which `metadata` holds what only this protocol says, in both of its versions."""

FINISH_REASONS: dict[str, FinishReason] = {
    "COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "ERROR_LIMIT": "length",
    "TOOL_CALL": "tool_calls", "ERROR_TOXIC": "content_filter", "ERROR": "error", "TIMEOUT": "error",
}  # fmt: skip


def finish_reason(word: Any, *, calls: bool = False) -> tuple[FinishReason | None, str | None]:
    """The reason in our words and in the provider's own; version 1 says `COMPLETE` for calls too."""
    if not isinstance(word, str) or not word:
        return None, None
    reason = FINISH_REASONS.get(word.upper(), "other")
    return "tool_calls" if calls and reason == "stop" else reason, word


def read_usage(native: Any, counted: Any = None) -> Usage | None:
    """The tokens that the model saw and made; `counted` says so in old answers.

    What is billed is less, and all that some answers tell.
    """
    if not isinstance(native, dict) or not native:
        return None
    tokens, billed = _record(native.get("tokens")), _record(native.get("billed_units"))
    counted = _record(counted)
    if not (tokens or billed or counted):
        return None
    given = (tokens.get("input_tokens"), counted.get("prompt_tokens"), billed.get("input_tokens"))
    made = (tokens.get("output_tokens"), counted.get("response_tokens"), billed.get("output_tokens"))
    return Usage(
        _first(given), _first(made), _count(native.get("cached_tokens")),
        reasoning_tokens=_count(tokens.get("reasoning_tokens")), native=native, billed=_billed(billed),
    )  # fmt: skip


def _billed(units: dict[str, Any]) -> tuple[int, int] | None:
    """The tokens that are charged, where the answer says so."""
    if not any(name in units for name in ("input_tokens", "output_tokens")):
        return None
    return _count(units.get("input_tokens")), _count(units.get("output_tokens"))


def _first(values: tuple[Any, ...]) -> int:
    return _count(next((value for value in values if value is not None), None))


def _count(value: Any) -> int:
    """A number of tokens, whole or written as a float; 0 for what is none."""
    if type(value) is int and value > 0:
        return value
    return int(value) if type(value) is float and 0 < value < 1e15 else 0


def _record(value: Any) -> Record:
    return value if isinstance(value, dict) else {}


def inner(record: Any, *path: str) -> Record:
    """The object at a path of keys; an empty one where it leads nowhere."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record if isinstance(record, dict) else {}


def leftovers(record: Record, known: Collection[str]) -> Record:
    """The fields that nothing here reads, without those that say nothing."""
    return {key: value for key, value in record.items() if key not in known and value is not None}


def noted(own: Record) -> Metadata:
    """Fields of this protocol as metadata."""
    return {PROTOCOL: own} if own else EMPTY


def records(value: Any) -> list[Record]:
    """The objects in a list; nothing from what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(record: Record, name: str) -> str:
    """A field's text; of anything else, none."""
    value = record.get(name)
    return value if isinstance(value, str) else ""
