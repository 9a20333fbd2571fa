"""Pydantic's models as output models. Pydantic itself is never imported here: who has a model has it."""

from __future__ import annotations

import json

from .type_kinds import is_pydantic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["is_pydantic", "model_schema", "model_value"]


def model_schema(cls: Any) -> dict[str, Any]:
    """The model's own schema, by its aliases, as pydantic writes it for input."""
    schema: dict[str, Any] = cls.model_json_schema()
    return schema


def model_value(value: Any, cls: Any) -> tuple[Any, list[str]]:
    """An instance and no problems, or nothing and the problems.

    The value goes through JSON again: strict models take a date's text from JSON alone.
    """
    try:
        return cls.model_validate_json(json.dumps(value)), []
    except ValueError as error:
        return None, _problems(error)


def _problems(error: Any) -> list[str]:
    """A `ValidationError` as problems with paths."""
    if not hasattr(error, "errors"):
        return [f"$: {error}"]
    return [f"{_path(each['loc'])}: {each['msg']}, got {each['input']!r:.60}" for each in error.errors()]


def _path(steps: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
