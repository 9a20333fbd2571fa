"""Requests as clients of the OpenAI chat protocol send them, into ours: the inverse of `request`.

What a field of `ChatRequest` says goes there, also under the names that other providers gave it; everything else stays
in `extra` as it came. A null is an absent field. The switches for thinking are told apart in `form`, so that a provider
which has no word of its own declared gets the one that was used.

Sources: OpenAI, "Create chat completion"; OpenRouter, "Reasoning tokens"; DeepSeek, "Thinking mode"; Alibaba, "Deep
thinking"; vLLM, "Reasoning outputs"; Mistral, "Chat completion".
"""

from __future__ import annotations

from ...types import EMPTY, ChatRequest, ProviderPart, ResponseFormat, Thinking, ToolChoice, ToolDefinition
from ..openai_asked import invalid, items, need, parsed, path, take, wrong_kind, wrong_value
from ..openai_prompt_cache import read_prompt_cache
from .asked_messages import decode_messages, kept
from .fields import PROTOCOL, leftovers, noted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Record = dict[str, Any]

_SETTINGS = {
    "temperature": "number", "top_p": "number", "top_k": "integer", "seed": "integer", "presence_penalty": "number",
    "frequency_penalty": "number", "n": "integer", "user": "string", "parallel_tool_calls": "boolean",
    "max_tokens": "integer",
}  # fmt: skip
"""Settings that have the same name in a `ChatRequest`, and their kinds."""

_ALIASES = {"max_completion_tokens": "max_tokens", "random_seed": "seed"}
_MODES = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_EFFORTS = ("minimal", "low", "medium", "high", "xhigh", "max")
_FORMATS = {"text": "text", "json_object": "json"}


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for. Raises `InvalidRequestError` for what is malformed, in OpenAI's words."""
    fields = parsed(body)
    settings = _settings(fields)
    named = model or take(fields, "model", "string")
    if not named:
        raise invalid("You must provide a model parameter.", "model", "missing_required_parameter")
    asked = take(fields, "stream", "boolean") if stream is None else stream
    messages = decode_messages(fields)
    rest = leftovers(fields, ("model", "messages", "stream"))
    decoded = {name: value for name, decode in _STRUCTURED.items() if (value := decode(rest)) is not None}
    return ChatRequest(
        named, messages, stream=bool(asked), **settings, **decoded, extra=rest or EMPTY, dialect=PROTOCOL
    )


def _settings(fields: Record) -> Record:
    """The settings that are plain values, taken out of the fields."""
    for alias, name in _ALIASES.items():
        if (value := fields.pop(alias, None)) is not None:
            if fields.get(name) not in (None, value):
                both = f"Setting {name!r} and {alias!r} at the same time is not supported: {fields[name]!r}, {value!r}."
                raise invalid(both, alias, "invalid_parameter_combination")
            fields[name] = take({alias: value}, alias, _SETTINGS[name])
    found = {name: take(fields, name, kind) for name, kind in _SETTINGS.items()}
    for name in _SETTINGS:
        fields.pop(name, None)
    return {name: value for name, value in found.items() if value is not None}


def _tools(rest: Record) -> tuple[ToolDefinition | ProviderPart, ...] | None:
    tools = [_tool(tool, where) for tool, where in items(rest, "tools")]
    tools += [_function(tool, where, {}, kind="function") for tool, where in items(rest, "functions")]
    for name in ("tools", "functions"):
        rest.pop(name, None)
    return tuple(tools) or None


def _tool(tool: Record, where: str) -> ToolDefinition | ProviderPart:
    """A function of the client's; anything else is the provider's or a custom tool, and stays whole."""
    kind = take(tool, "type", "string", where) or "function"
    if kind != "function":
        return ProviderPart(kind, {key: value for key, value in tool.items() if key != "type"}, PROTOCOL)
    return _function(need(tool, "function", "object", where), path(where, "function"), tool)


def _function(function: Record, where: str, tool: Record, **form: Any) -> ToolDefinition:
    inner = leftovers(function, ("name", "description", "parameters", "strict"))
    outer = leftovers(tool, ("type", "function")) | ({"function": inner} if inner else {})
    return ToolDefinition(
        need(function, "name", "string", where),
        take(function, "description", "string", where) or "",
        take(function, "parameters", "object", where) or EMPTY,
        take(function, "strict", "boolean", where),
        kept(outer, (), **form),
    )


def _tool_choice(rest: Record) -> ToolChoice | None:
    for name in ("tool_choice", "function_call"):
        if (choice := rest.pop(name, None)) is not None:
            return _choice(choice, name)
    return None


def _choice(choice: Any, where: str) -> ToolChoice:
    if isinstance(choice, str):
        if choice not in _MODES:
            raise wrong_value(choice, tuple(_MODES), where)
        mode: Any = _MODES[choice]
        return ToolChoice(mode, metadata=EMPTY if mode == choice else noted({}, word=choice))
    if not isinstance(choice, dict):
        raise wrong_kind(choice, "one of a string or object", where)
    if where == "function_call":
        return ToolChoice("tool", need(choice, "name", "string", where))
    kind = take(choice, "type", "string", where) or "function"
    if kind == "function":
        function = need(choice, "function", "object", where)
        name = need(function, "name", "string", path(where, "function"))
        return ToolChoice("tool", name, noted(leftovers(choice, ("type", "function"))))
    return _other_choice(choice, kind)


def _other_choice(choice: Record, kind: str) -> ToolChoice:
    """A choice in a form of its own, kept whole: a custom tool by name, or some of the tools (`allowed_tools`)."""
    inner = choice.get(kind)
    inner = inner if isinstance(inner, dict) else {}
    if isinstance(name := inner.get("name"), str):
        return ToolChoice("tool", name, noted(choice))
    return ToolChoice("required" if inner.get("mode") == "required" else "auto", metadata=noted(choice))


def _stop(rest: Record) -> tuple[str, ...] | None:
    stop = rest.pop("stop", None)
    words = [stop] if isinstance(stop, str) else stop
    if words is None:
        return None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise wrong_kind(stop, "one of a string or array of strings", "stop")
    return tuple(words)


def _logprobs(rest: Record) -> int | None:
    """How many alternatives for each token, 0 for its own alone. Some providers want the number at once."""
    asked = rest.get("logprobs")
    if asked is None:
        return None
    if type(asked) not in (bool, int):
        raise wrong_kind(asked, "a boolean", "logprobs")
    top = take(rest, "top_logprobs", "integer")
    del rest["logprobs"]
    if asked is False:
        return None
    rest.pop("top_logprobs", None)
    return (top or 0) if asked is True else int(asked)


def _response_format(rest: Record) -> ResponseFormat | None:
    """The form of the answer; one that only its provider knows (a grammar) stays in `extra`."""
    where = "response_format"
    form = take(rest, where, "object")
    if form is None:
        return None
    kind: Any = need(form, "type", "string", where)
    if kind in _FORMATS:
        del rest[where]
        known: Any = _FORMATS[kind]
        return ResponseFormat(known, metadata=noted(leftovers(form, ("type",))))
    return _json_schema(rest.pop(where)) if kind == "json_schema" else None


def _json_schema(form: Record) -> ResponseFormat:
    where = "response_format.json_schema"
    asked = need(form, "json_schema", "object", "response_format")
    inner = leftovers(asked, ("name", "description", "schema", "strict"))
    return ResponseFormat(
        "json_schema",
        take(asked, "schema", "object", where),
        take(asked, "name", "string", where) or "answer",
        take(asked, "description", "string", where),
        take(asked, "strict", "boolean", where),
        noted(leftovers(form, ("type", "json_schema")) | ({"json_schema": inner} if inner else {})),
    )


def _thinking(rest: Record) -> Thinking | None:
    """What asks for thinking, by the first of the parameters that says something; the others stay in `extra`."""
    return next((asked for decode in _SWITCHES if (asked := decode(rest)) is not None), None)


def _by_switch(rest: Record) -> Thinking | None:
    """DeepSeek's, Z.ai's and Anthropic's `thinking`, with an effort beside it."""
    switch = rest.get("thinking")
    if not isinstance(switch, dict) or switch.get("type") not in ("enabled", "disabled"):
        return None
    del rest["thinking"]
    enabled = switch["type"] == "enabled"
    budget = take(switch, "budget_tokens", "integer", "thinking")
    effort = _effort_beside(rest) if enabled else None
    return Thinking(enabled, effort, budget, noted(leftovers(switch, ("type", "budget_tokens")), param="thinking"))


def _by_reasoning(rest: Record) -> Thinking | None:
    """OpenRouter's `reasoning`."""
    asked = rest.get("reasoning")
    if not isinstance(asked, dict):
        return None
    effort: Any = asked.get("effort")
    budget = take(asked, "max_tokens", "integer", "reasoning")
    if effort not in (None, "none", *_EFFORTS):
        return None
    del rest["reasoning"]
    enabled = effort != "none" and asked.get("enabled") is not False
    said_apart = ("enabled",) if enabled and effort is None and budget is None else ()
    metadata = noted(leftovers(asked, ("effort", "max_tokens", *said_apart)), param="reasoning")
    return Thinking(enabled, effort if enabled else None, budget, metadata)


def _by_flag(rest: Record) -> Thinking | None:
    """Alibaba's `enable_thinking`."""
    if not isinstance(rest.get("enable_thinking"), bool):
        return None
    budget = take(rest, "thinking_budget", "integer")
    enabled = rest.pop("enable_thinking")
    rest.pop("thinking_budget", None)
    return Thinking(enabled, _effort_beside(rest) if enabled else None, budget, noted({}, param="enable_thinking"))


def _by_template(rest: Record) -> Thinking | None:
    """vLLM's switch in the arguments of the chat template."""
    arguments = rest.get("chat_template_kwargs")
    if not isinstance(arguments, dict) or not isinstance(arguments.get("enable_thinking"), bool):
        return None
    del rest["chat_template_kwargs"]
    enabled = arguments["enable_thinking"]
    metadata = noted(leftovers(arguments, ("enable_thinking",)), param="chat_template_kwargs")
    return Thinking(enabled, _effort_beside(rest) if enabled else None, metadata=metadata)


def _by_effort(rest: Record) -> Thinking | None:
    if rest.get("reasoning_effort") == "none":
        del rest["reasoning_effort"]
        return Thinking(enabled=False, metadata=noted({}, param="reasoning_effort"))
    effort = _effort_beside(rest)
    return None if effort is None else Thinking(effort=effort, metadata=noted({}, param="reasoning_effort"))


def _effort_beside(rest: Record) -> Any:
    """The effort that `reasoning_effort` names, taken; a word that we do not know stays."""
    return rest.pop("reasoning_effort") if rest.get("reasoning_effort") in _EFFORTS else None


_SWITCHES = (_by_switch, _by_reasoning, _by_flag, _by_template, _by_effort)

_STRUCTURED: dict[str, Callable[[Record], Any]] = {
    "tools": _tools,
    "tool_choice": _tool_choice,
    "stop": _stop,
    "logprobs": _logprobs,
    "response_format": _response_format,
    "thinking": _thinking,
    "prompt_cache": read_prompt_cache,
}
