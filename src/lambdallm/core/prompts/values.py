"""What a variable's value says in a prompt, and what a path finds in it.

Text stands as it is, an enum's member by its value, data (mappings, lists, dataclasses, values, pydantic models) as
JSON; anything else as `str` says it. Nothing here looks at an attribute that a class does not declare as a field.
"""

from __future__ import annotations

import json

from ...llm.errors import PromptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..template import Path


def text_of(value: Any, path: Path, label: str) -> str:
    """The text of a value. Raises `PromptError` for a part that is no text, and for what can't be said."""
    while hasattr(type(value), "__members__"):
        value = value.value
    if isinstance(value, str):
        return str(value)
    if (kind := part_kind(value)) is not None:
        if kind == "text":
            return str(value.text)
        fix = "Use it in a user's turn, and invoke the prompt rather than format it."
        raise PromptError(f"{label}: {shown(path)} is {kind}, which is no text.", fix=fix)
    try:
        return json.dumps(value, ensure_ascii=False, default=plain) if _is_data(value) else str(value)
    except Exception as reason:
        what = f"{label}: {shown(path)} is of type {type(value).__name__} and can't be put into words: {reason!r}."
        raise PromptError(what, fix="Pass text.") from reason


def _is_data(value: Any) -> bool:
    return isinstance(value, (dict, list, tuple, set, frozenset)) or fields_of(type(value)) is not None


def plain(value: Any) -> Any:
    """What JSON has no word for as what it has; by `str` where nothing is nearer. Raises `TypeError` for an image."""
    if hasattr(type(value), "__members__"):
        return value.value
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=str)
    if hasattr(type(value), "model_dump"):
        return value.model_dump(mode="json")
    if (kind := part_kind(value)) not in (None, "text"):
        raise TypeError(f"{kind} is no text")
    names = fields_of(type(value))
    return str(value) if names is None else {name: getattr(value, name) for name in names if hasattr(value, name)}


def as_json(value: Any) -> Any:
    """A value as JSON would give it back. Raises `TypeError` and `ValueError` for what JSON can't say."""
    return json.loads(json.dumps(value, default=plain))


def reached(path: Path, values: Mapping[str, Any], label: str) -> Any:
    """What a path leads to. Raises `PromptError` naming the step that leads nowhere."""
    value = values[path[0]]
    for at, step in enumerate(path[1:], 1):
        try:
            value = _step(value, step)
        except LookupError:
            has = _nearest(step, value)
            raise PromptError(f"{label}: {shown(path[:at])} has no {shown((step,))}.", fix=has) from None
    return value


def _step(value: Any, step: str | int) -> Any:
    """One step. Raises `LookupError` where there is none."""
    if isinstance(step, int):
        if isinstance(value, (list, tuple)):
            return value[step]
    elif isinstance(value, dict) or hasattr(type(value), "keys"):
        return value[step]
    elif step in (fields_of(type(value)) or ()) and hasattr(value, step):
        return getattr(value, step)
    raise LookupError(step)


def _nearest(step: str | int, value: Any) -> str:
    names = list(value) if hasattr(type(value), "keys") else list(fields_of(type(value)) or ())
    if isinstance(value, (list, tuple)):
        return f"It has {len(value)} items, counted from 0."
    if not names:
        return f"It is of type {type(value).__name__}, which has no parts; pass a mapping or a dataclass."
    from ...llm.catalog.definition import suggestion

    return suggestion(str(step), map(str, names))


def fields_of(cls: type) -> tuple[str, ...] | None:
    """The fields a class declares; `None` for a class that declares none in a way we know."""
    own: Any = getattr(cls, "_fields", None)
    if isinstance(own, tuple):
        return own
    for name in ("__pydantic_fields__", "__dataclass_fields__"):
        if isinstance(declared := getattr(cls, name, None), dict):
            return tuple(declared)
    return None


_PARTS = {
    "TextPart": "text", "ImagePart": "an image", "DocumentPart": "a document", "AudioPart": "a sound",
    "RefusalPart": "a refusal", "ReasoningPart": "reasoning", "ToolCall": "a tool call",
    "ToolResult": "a tool's result", "ProviderPart": "a provider's part",
}  # fmt: skip


def part_kind(value: Any) -> str | None:
    """What a part of a message is, in words; `None` for what is none."""
    from ...llm import types

    cls = type(value)
    return _PARTS.get(cls.__name__) if cls is getattr(types, cls.__name__, None) else None


def shown(path: Path) -> str:
    """A path as its template writes it, quoted."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return repr("".join(steps).removeprefix("."))
