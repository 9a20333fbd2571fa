"""Pydantic's models and dataclasses as output models. Who has one has pydantic: it costs nobody else anything."""

from __future__ import annotations

import json

from ..errors import ConfigurationError
from .type_kinds import is_pydantic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["is_pydantic", "model_schema", "model_value"]


def model_schema(cls: Any) -> dict[str, Any]:
    """The model's own schema, by its aliases, as pydantic writes it for input.

    Raises `ConfigurationError` where pydantic can't: a name that is not defined, a field that JSON has no word for.
    """
    try:
        schema: dict[str, Any] = _ways(cls)[0]()
    except (RuntimeError, NameError) as error:
        words = str(error).partition("\n")[0].rstrip(".")
        fix = "Correct the model, or give a JSON Schema instead."
        raise ConfigurationError(f"The schema of {cls.__name__!r} can't be made: {words}.", fix=fix) from error
    return schema


def _ways(cls: Any) -> tuple[Callable[[], Any], Callable[[str], Any]]:
    """How its schema is made, and how JSON is read as it: a model says both itself."""
    if hasattr(cls, "model_json_schema"):
        return cls.model_json_schema, cls.model_validate_json
    from pydantic import TypeAdapter

    adapter = TypeAdapter(cls)
    return adapter.json_schema, adapter.validate_json


def model_value(value: Any, cls: Any) -> tuple[Any, list[str]]:
    """An instance and no problems, or nothing and the problems.

    The value goes through JSON again: strict models take a date's text from JSON alone.
    """
    try:
        return _ways(cls)[1](json.dumps(value)), []
    except ValueError as error:
        return None, _problems(error)


def _problems(error: Any) -> list[str]:
    """A `ValidationError` as problems with paths."""
    if not hasattr(error, "errors"):
        return [f"$: {error}"]
    return [f"{_path(each['loc'])}: {each['msg']}, got {each['input']!r:.60}" for each in error.errors()]


def _path(steps: tuple[str | int, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
