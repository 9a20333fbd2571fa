"""Requests of the Responses protocol, from a client, into a `ChatRequest`.

What no field holds is in `extra` (`store`, `previous_response_id`, `service_tier`, …), as it came. Sources: OpenAI,
"Create a model response"; the input types of its SDK.
"""

from __future__ import annotations

import json

from ...types import ChatMessage, ChatRequest, ProviderPart, ResponseFormat, Thinking, ToolChoice, ToolDefinition
from ..openai_asked import invalid, wrong_value
from ..openai_prompt_cache import read_prompt_cache
from .conversation import Conversation
from .fields import LOGPROBS, NAME, leftovers, noted, word
from .malformed import needed, optional, wrong_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 80
_MODES = ("auto", "none", "required")
_PLAIN: dict[str, tuple[str, tuple[type, ...]]] = {
    "max_output_tokens": ("max_tokens", (int,)), "temperature": ("temperature", (int, float)),
    "top_p": ("top_p", (int, float)), "parallel_tool_calls": ("parallel_tool_calls", (bool,)), "user": ("user", (str,)),
}  # fmt: skip
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_READ = frozenset(
    ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "include", "stream", *_PLAIN)
)
_FUNCTION = frozenset(("type", "name", "description", "parameters", "strict"))
_SCHEMA = frozenset(("type", "name", "description", "schema", "strict"))


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for. Raises `InvalidRequestError` whose `param` is the path to what is malformed."""
    asked = _object(body)
    extra = {key: value for key, value in asked.items() if key not in _READ and value is not None}
    settings = {
        ours: value for key, (ours, kinds) in _PLAIN.items() if (value := optional(asked, key, *kinds)) is not None
    }
    settings |= _tools(asked) | _text(asked, extra) | _thinking(asked, extra) | _logprobs(asked, extra)
    prompt_cache = read_prompt_cache(extra)
    streamed = optional(asked, "stream", bool) if stream is None else stream
    return ChatRequest(
        model=model or needed(asked, "model", str),
        messages=(*_instructions(asked), *Conversation().read(asked.get("input"))),
        prompt_cache=prompt_cache,
        stream=bool(streamed),
        extra=extra,
        dialect=NAME,
        **settings,
    )


def _object(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as reason:
        raise invalid(f"We could not parse the JSON body of your request: {str(reason)[:_SHOWN]}.", None) from None
    if not isinstance(asked, dict):
        raise invalid(f"The body of a request is a JSON object, but got {type(asked).__name__} instead.", None)
    return asked


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON value")


def _instructions(asked: dict[str, Any]) -> tuple[ChatMessage, ...]:
    text = optional(asked, "instructions", str)
    return () if text is None else (ChatMessage("system", text, metadata=noted({}, {"field": "instructions"})),)


def _tools(asked: dict[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if tools := optional(asked, "tools", list):
        settings["tools"] = tuple(_tool(tool, f"tools[{place}]") for place, tool in enumerate(tools))
    choice = optional(asked, "tool_choice", str, dict)
    if choice is not None:
        settings["tool_choice"] = _tool_choice(choice)
    return settings


def _tool(tool: Any, where: str) -> ToolDefinition | ProviderPart:
    if not isinstance(tool, dict):
        raise wrong_kind(where, tool, dict)
    kind: str = needed(tool, "type", str, where=where)
    if kind != "function":
        return ProviderPart(kind, {key: value for key, value in tool.items() if key != "type"}, NAME)
    return ToolDefinition(
        needed(tool, "name", str, where=where),
        optional(tool, "description", str, where=where) or "",
        optional(tool, "parameters", dict, where=where) or {},
        optional(tool, "strict", bool, where=where),
        noted(leftovers(tool, _FUNCTION)),
    )


def _tool_choice(choice: str | dict[str, Any]) -> ToolChoice:
    """A word, a function, or another form, which is noted whole: a custom or hosted tool, `allowed_tools`."""
    if isinstance(choice, str):
        if choice not in _MODES:
            raise wrong_value(choice, _MODES, "tool_choice")
        return ToolChoice(choice)  # type: ignore[arg-type]  # one of the modes
    kind: str = needed(choice, "type", str, where="tool_choice")
    if kind == "function":
        return ToolChoice("tool", needed(choice, "name", str, where="tool_choice"))
    if kind == "allowed_tools":
        return ToolChoice("required" if choice.get("mode") == "required" else "auto", metadata=noted(choice))
    name = word(choice.get("name"))
    if kind == "custom" and name:
        return ToolChoice("tool", name, noted(choice))
    return ToolChoice("required", metadata=noted(choice))


def _text(asked: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`text`: its format is ours, the rest (`verbosity`) stays."""
    text = optional(asked, "text", dict) or {}
    found = optional(text, "format", dict, where="text")
    form = _format(found) if found is not None else None
    rest = {key: value for key, value in text.items() if value is not None and (key != "format" or form is None)}
    if rest:
        extra["text"] = rest
    return {} if form is None else {"response_format": form}


def _format(form: dict[str, Any]) -> ResponseFormat | None:
    """The form of the answer; `None` for one that only this protocol knows."""
    kind = needed(form, "type", str, where="text.format")
    if kind == "json_schema":
        return ResponseFormat(
            "json_schema",
            needed(form, "schema", dict, where="text.format"),
            needed(form, "name", str, where="text.format"),
            optional(form, "description", str, where="text.format"),
            optional(form, "strict", bool, where="text.format"),
            noted(leftovers(form, _SCHEMA)),
        )
    rest = noted(leftovers(form, ("type",)))
    if kind == "json_object":
        return ResponseFormat("json", metadata=rest)
    return ResponseFormat("text", metadata=rest) if kind == "text" else None


def _thinking(asked: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`reasoning`, where it asks for thinking: by an effort, or by asking to be shown it. Else it stays as it is."""
    given = optional(asked, "reasoning", dict) or {}
    said = {key: value for key, value in given.items() if value is not None}
    effort = optional(given, "effort", str, where="reasoning")
    if effort is None and not ("summary" in said or "generate_summary" in said):
        if said:
            extra["reasoning"] = said
        return {}
    known = effort in _EFFORTS
    rest = {key: value for key, value in said.items() if key != "effort" or not known}
    on = effort != "none"
    level: Any = effort if known and on else None
    return {"thinking": Thinking(on, level, metadata={NAME: rest})}


def _logprobs(asked: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """`include`: log probabilities are ours, the rest stays. `top_logprobs` says how many beside the chosen token's."""
    include = optional(asked, "include", list) or []
    rest = [name for name in include if name != LOGPROBS]
    if rest:
        extra["include"] = rest
    if len(rest) == len(include):
        return {}
    extra.pop("top_logprobs", None)
    return {"logprobs": optional(asked, "top_logprobs", int) or 0}
