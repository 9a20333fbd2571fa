"""Python functions as tools that a model is told of: nothing here runs them."""

from __future__ import annotations

import inspect
from typing import get_type_hints

from ..llm.errors import ConfigurationError
from ..llm.structured.type_schema import type_schema
from ..llm.types import ToolDefinition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def tool_of(function: Callable[..., Any]) -> ToolDefinition:
    """A documented function as a tool: its name, the first paragraph of its docstring, its parameters by their types.

    Raises `ConfigurationError` for a parameter without a type, or one that JSON can't say.
    """
    hints = get_type_hints(function, include_extras=True)
    properties: dict[str, Any] = {}
    required = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name not in hints:
            fix = f"Write {name}: str, or whatever it is."
            raise ConfigurationError(f"The parameter {name!r} of {function.__name__!r} has no type.", fix=fix)
        properties[name] = type_schema(hints[name])
        if parameter.default is parameter.empty:
            required.append(name)
    schema = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    about = (inspect.getdoc(function) or "").partition("\n\n")[0]
    return ToolDefinition(function.__name__, about, schema)
