"""Tools of version 1: parameters are a flat table of Python types, where ours are a JSON Schema.

Source: API v1 reference, "Chat (v1)", `tools`; "Parameter types in tool use (v1)".
"""

from __future__ import annotations

from ...types import ProviderPart
from ..cohere_chat.fields import PROTOCOL
from ..cohere_chat.request import provider_tool
from ..notes import asked_fields, left_out, own_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...types import ToolDefinition

_TYPES = {
    "string": "str", "integer": "int", "number": "float", "boolean": "bool", "array": "List", "object": "Dict",
}  # fmt: skip
_SAID = ("type", "description", "title")
_HIDDEN = ("cache_control",)


def encode_tool(tool: ToolDefinition | ProviderPart, warnings: list[str]) -> dict[str, Any]:
    """A tool: its name, its words, and each parameter's type, description and whether it is required."""
    if isinstance(tool, ProviderPart):
        record = provider_tool(tool)
        return {key: value for key, value in record.items() if key != "type" or "type" in tool.value}
    where = f"the tool {tool.name!r}"
    if tool.strict:
        warnings.append(f"'strict' of {where} left out: this protocol has no such setting")
    left_out(tool.metadata, PROTOCOL, where, warnings)
    asked = asked_fields(tool.metadata)
    warnings.extend(
        f"{name!r} of {where} left out: this protocol has no such setting" for name in _HIDDEN if name in asked
    )
    added = own_fields(tool.metadata, PROTOCOL) | {key: value for key, value in asked.items() if key not in _HIDDEN}
    record = {"name": tool.name, "description": tool.description}
    if definitions := _definitions(tool, where, warnings):
        record["parameter_definitions"] = definitions
    return record | added


def _definitions(tool: ToolDefinition, where: str, warnings: list[str]) -> dict[str, Any]:
    properties: Any = tool.parameters.get("properties")
    required = tool.parameters.get("required")
    required = required if isinstance(required, (list, tuple)) else ()
    if not hasattr(properties, "items"):
        return {}
    return {
        name: _definition(schema if hasattr(schema, "get") else {}, name in required, f"{name!r} of {where}", warnings)
        for name, schema in properties.items()
    }


def _definition(schema: Mapping[str, Any], required: bool, where: str, warnings: list[str]) -> dict[str, Any]:
    lost = sorted(key for key in schema if key not in _SAID and (key, schema.get("type")) != ("items", "array"))
    if lost:
        warnings.append(f"{', '.join(map(repr, lost))} of the parameter {where} left out: this protocol has types only")
    definition = {"type": _python_type(schema), "required": required}
    return definition | ({"description": schema["description"]} if schema.get("description") else {})


def _python_type(schema: Mapping[str, Any]) -> str:
    """The Python type of a JSON Schema's, with that of its items."""
    kind, items = schema.get("type"), schema.get("items")
    if isinstance(kind, (list, tuple)):
        kind = next((one for one in kind if one != "null"), None)
    named = _TYPES.get(kind, "str") if isinstance(kind, str) else "str"
    of = items.get("type") if named == "List" and isinstance(items, dict) else None
    return f"List[{_TYPES.get(of, 'str')}]" if isinstance(of, str) else named
