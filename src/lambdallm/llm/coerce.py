"""What people pass for messages, tools and settings, as the values that a request is made of.

Beside our own values these are: a text for a user's message, and the dictionaries of OpenAI's chat API, which that
protocol's own decoder reads.
"""

from __future__ import annotations

import json

from .errors import ConfigurationError
from .types import ChatMessage, ProviderPart, ResponseFormat, Thinking, ToolChoice, ToolDefinition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

    from .types import ChatRequest, PromptCache

    Message: TypeAlias = ChatMessage | Mapping[str, Any]
    Messages: TypeAlias = str | Iterable[Message]
    Tool: TypeAlias = ToolDefinition | ProviderPart | Mapping[str, Any]


def messages_of(given: Messages) -> tuple[ChatMessage, ...]:
    """The messages of a conversation. Raises `ConfigurationError` for what is none."""
    if isinstance(given, str):
        return (ChatMessage("user", given),)
    return tuple(message if type(message) is ChatMessage else _message(message) for message in given)


def _message(given: Any) -> ChatMessage:
    if isinstance(given, ChatMessage):
        return given
    if not hasattr(given, "keys"):
        fix = "Give a ChatMessage, or a dict with 'role' and 'content'."
        raise ConfigurationError(f"{given!r} is no message.", fix=fix)
    return _read(messages=[dict(given)]).messages[0]


def tools_of(given: Iterable[Tool]) -> tuple[ToolDefinition | ProviderPart, ...]:
    """The tools of a request. Raises `ConfigurationError` for what is none."""
    return tuple(tool if isinstance(tool, (ToolDefinition, ProviderPart)) else _tool(tool) for tool in given)


def _tool(given: Any) -> ToolDefinition | ProviderPart:
    if not hasattr(given, "keys"):
        fix = "Give a ToolDefinition, or a dict of type 'function'."
        raise ConfigurationError(f"{given!r} is no tool.", fix=fix)
    return _read(tools=[dict(given)]).tools[0]


def thinking_of(given: Any) -> Thinking:
    """How much to think: `True`, `False`, an effort in words, a number of tokens."""
    if isinstance(given, Thinking):
        return given
    if isinstance(given, bool):
        return Thinking(given)
    if isinstance(given, int) and given > 0:
        return Thinking(budget_tokens=given)
    if given in _EFFORTS:
        return Thinking(given != "none", effort=given)
    fix = f"Use True, False, a number of tokens, or one of {', '.join(_EFFORTS)}."
    raise ConfigurationError(f"thinking is {given!r}.", fix=fix)


_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


def _tool_choice(given: Any) -> ToolChoice:
    if isinstance(given, ToolChoice):
        return given
    if given in ("auto", "none", "required"):
        return ToolChoice(given)
    if isinstance(given, str):
        return ToolChoice("tool", given)
    choice = _read(tool_choice=given).tool_choice
    assert choice is not None
    return choice


def _response_format(given: Any) -> ResponseFormat:
    """A `ResponseFormat`, `"json"`, OpenAI's dictionary, or a JSON Schema."""
    if isinstance(given, ResponseFormat):
        return given
    if given in ("text", "json"):
        return ResponseFormat(given)
    if isinstance(given, dict) and given.get("type") in ("text", "json_object", "json_schema"):
        form = _read(response_format=given).response_format
        assert form is not None
        return form
    from .structured.schema import json_schema

    return ResponseFormat("json_schema", json_schema(given))


def _stop(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _prompt_cache(given: Any) -> PromptCache | None:
    from .prompt_cache import prompt_cache_of

    return prompt_cache_of(given)


_SETTINGS: dict[str, Callable[[Any], Any]] = {
    "tools": tools_of,
    "thinking": thinking_of,
    "tool_choice": _tool_choice,
    "response_format": _response_format,
    "stop": _stop,
    "prompt_cache": _prompt_cache,
}


def options_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a call as the fields of a `ChatRequest`; those that are `None` are left out."""
    read = _SETTINGS
    return {k: read[k](value) if k in read else value for k, value in given.items() if value is not None}


def _read(**body: Any) -> ChatRequest:
    from .wire import openai_chat

    try:
        text = json.dumps({"model": "-", "messages": [{"role": "user", "content": "-"}], **body})
    except (TypeError, ValueError) as reason:
        raise ConfigurationError(f"{body!r} is no JSON: {reason}.", fix="Give plain values.") from None
    request: ChatRequest = openai_chat.decode_request(text.encode())
    return request
