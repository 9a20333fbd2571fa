"""Requests of Cohere's chat, version 1: the last message, the history before it, tools and what they answered.

Sources: Bedrock user guide, "Cohere Command R and Command R+ models"; Cohere, "Chat" (version 1) and "Multi-step tool
use": after results `message` is empty, and the calls stand in the history.
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import ProviderPart, ToolCall, ToolResult
from .prompts import moved_to_the_front, text_of
from .settings import encoded, settings_of, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...types import ChatMessage, ChatRequest, Metadata, ToolDefinition
    from ..codec import Encoded, Facts

    Turn = dict[str, Any]

_PLACES = {
    "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k", "stop": "stop_sequences",
    "seed": "seed", "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
}  # fmt: skip

_ROLES = {"user": "USER", "assistant": "CHATBOT"}
_TYPES = {
    "string": "str", "number": "float", "integer": "int", "boolean": "bool", "array": "List", "object": "Dict",
}  # fmt: skip
_DEFINED = ("type", "description")


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    warnings: list[str] = []
    settings = settings_of(request, facts, _PLACES, warnings, taken=("tools",))
    body = _conversation(request.messages, warnings) | settings
    if request.tools and (request.tool_choice is None or request.tool_choice.mode == "auto"):
        body["tools"] = [_tool(tool, f"tools[{n}]", warnings) for n, tool in enumerate(request.tools)]
    return encoded(body, request, warnings)


def _conversation(messages: Iterable[ChatMessage], warnings: list[str]) -> Turn:
    """`message` and what goes with it: `preamble`, `chat_history`, `tool_results`."""
    turns: list[Turn] = []
    preamble: list[str] = []
    calls: dict[str, ToolCall] = {}
    for place, message in enumerate(messages):
        where = f"messages[{place}]"
        if message.role in ("system", "developer"):
            preamble.append(text_of(message, where, warnings))
            warnings += [moved_to_the_front(where)] if turns else []
        else:
            turns += _turns(message, where, calls, warnings)
    last = turns.pop() if turns else {"role": "USER", "message": ""}
    if last["role"] == "CHATBOT":
        raise UnsupportedParameterError(
            "This model begins each answer itself.", fix="End the messages with a user's.", param="messages"
        )
    said: Turn = {key: value for key, value in last.items() if key != "role"}
    said = {"message": "", **said} | ({"chat_history": turns} if turns else {})
    return said | ({"preamble": "\n\n".join(preamble)} if preamble else {})


def _turns(message: ChatMessage, where: str, calls: dict[str, ToolCall], warnings: list[str]) -> list[Turn]:
    """A message's turns: results of tools, then what was said with or without calls."""
    turns: list[Turn] = []
    parts = message.parts
    if results := [part for part in parts if isinstance(part, ToolResult)]:
        turns.append({"role": "TOOL", "tool_results": [_result(part, where, calls, warnings) for part in results]})
    asked = [part for part in parts if isinstance(part, ToolCall)]
    calls.update((call.id, call) for call in asked)
    rest = tuple(part for part in parts if not isinstance(part, (ToolCall, ToolResult)))
    if rest or asked:
        text = text_of(message.replace(content=rest), where, warnings)
        said = {"tool_calls": [_call(call) for call in asked]} if asked else {}
        turns.append({"role": _ROLES.get(message.role, "USER"), "message": text, **said})
    return turns


def _call(call: ToolCall) -> Turn:
    return {"name": call.name, "parameters": call.arguments if isinstance(call.arguments, dict) else {}}


def _result(result: ToolResult, where: str, calls: dict[str, ToolCall], warnings: list[str]) -> Turn:
    """A result with the call it answers, which version 1 repeats in place of an id."""
    call = calls.get(result.call_id) or ToolCall(result.call_id, result.name or "", {})
    if result.is_error:
        warnings.append(f"'is_error' of {where} left out: this protocol tells it by the text alone")
    content = result.content
    text = content if isinstance(content, str) else _joined(content, where, warnings)
    return {"call": _call(call), "outputs": [{"text": text}]}


def _joined(content: Any, where: str, warnings: list[str]) -> str:
    from ...types import ChatMessage

    return text_of(ChatMessage("user", content), where, warnings)


def _tool(tool: ToolDefinition | ProviderPart, where: str, warnings: list[str]) -> Turn:
    if isinstance(tool, ProviderPart):
        raise unsupported("tools", tool.type)
    for name in ("strict", "metadata"):
        if getattr(tool, name):
            warnings.append(f"{name!r} of {where} left out: this protocol has no such field")
    properties = tool.parameters.get("properties") or {}
    required = tool.parameters.get("required") or ()
    definitions = {
        name: _definition(schema, name in required, f"{where}.{name}", warnings) for name, schema in properties.items()
    }
    return {"name": tool.name, "description": tool.description, "parameter_definitions": definitions}


def _definition(schema: Metadata, required: bool, where: str, warnings: list[str]) -> Turn:
    """A parameter: its type in Python's words, what it is for, and whether it must be given."""
    if lost := [key for key in schema if key not in _DEFINED]:
        warnings.append(f"{', '.join(map(repr, lost))} of {where} left out: a parameter's definition can't hold it")
    kind = schema.get("type")
    description = {"description": schema["description"]} if schema.get("description") else {}
    return {"type": _TYPES.get(kind if isinstance(kind, str) else "", "str"), **description, "required": required}
