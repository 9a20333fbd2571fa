"""Requests of Cohere's chat protocol, version 2: every setting of a `ChatRequest`, or an error that names the one.

Source: API reference, "Chat (v2)"; "Structured outputs", "Reasoning", "Tool use: usage patterns".
"""

from __future__ import annotations

from ...types import ProviderPart
from ..body import body_writer
from ..codec import Encoded, is_set, without_ignored
from ..notes import asked_fields, extra_of, left_out, own_fields
from .fields import PROTOCOL
from .messages import Conversation, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import ChatRequest, ResponseFormat, Thinking, ToolDefinition
    from ..codec import Facts

SETTINGS = {
    "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k", "seed": "seed",
    "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty",
}  # fmt: skip
"""Settings whose value is sent as it is, and their names in both versions of the protocol."""

_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}
"""Tokens to think with, where an effort is asked for; `max` is no limit."""


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body.

    Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take. A schema's
    name and strictness have no counterpart: the answer always matches the schema.
    """
    warnings: list[str] = []
    request = checked(request, facts, warnings)
    conversation = Conversation(facts, warnings)
    body: dict[str, Any] = {"model": request.model, "messages": conversation.encode(request.messages)}
    if conversation.documents:
        body["documents"] = conversation.documents
    body |= settings_of(request) | _tooling(request, warnings)
    if request.logprobs is not None:
        body["logprobs"] = _logprobs(request.logprobs, warnings)
    if request.response_format is not None:
        body |= response_format(request.response_format, facts, "json_schema")
    if request.thinking is not None and (thinking := _thinking(request.thinking, facts, warnings)):
        body["thinking"] = thinking
    return written(body, request, warnings)


def written(body: dict[str, Any], request: ChatRequest, warnings: list[str]) -> Encoded:
    """A body with `extra` merged; documents from both places are sent together."""
    extra = dict(extra_of(request, PROTOCOL, warnings))
    if isinstance(extra.get("documents"), (list, tuple)) and "documents" in body:
        extra["documents"] = [*extra["documents"], *body["documents"]]
    return Encoded(_as_bytes(body | extra), warnings=tuple(warnings))


def checked(request: ChatRequest, facts: Facts, warnings: list[str]) -> ChatRequest:
    """The request without what the model ignores. Raises for the first setting that can't be sent."""
    request = without_ignored(request, facts, warnings, "left out: the model ignores it")
    for name in facts.get("unsupported", ()):
        if is_set(request, name):
            raise unsupported(name, "this model does not take it")
    if request.n not in (None, 1):
        raise unsupported("n", "this protocol gives one answer a request")
    if request.parallel_tool_calls is False:
        raise unsupported("parallel_tool_calls", "this protocol has no setting for it")
    if request.user is not None:
        warnings.append("'user' left out: this protocol has no such setting")
    if request.prompt_cache is not None:
        from ..prompt_cache import without_controls

        without_controls(request, warnings)
    if request.tool_choice is not None and request.tool_choice.metadata:
        left_out(request.tool_choice.metadata, PROTOCOL, "tool_choice", warnings)
        names = asked_fields(request.tool_choice.metadata)
        warnings += [f"{name!r} of tool_choice left out: this protocol has no place for it" for name in names]
    return request


def settings_of(request: ChatRequest) -> dict[str, Any]:
    """The plain settings under the protocol's names."""
    body = {word: value for name, word in SETTINGS.items() if (value := getattr(request, name)) is not None}
    if request.stop:
        body["stop_sequences"] = list(request.stop)
    return body | ({"stream": True} if request.stream else {})


def _logprobs(alternatives: int, warnings: list[str]) -> bool:
    if alternatives:
        warnings.append(f"logprobs: {alternatives} alternatives left out: this protocol tells of chosen tokens only")
    return True


def response_format(wanted: ResponseFormat, facts: Facts, schema_name: str) -> dict[str, Any]:
    """JSON, and its schema under the name that this version has for it."""
    if wanted.type == "text":
        return {}
    form: dict[str, Any] = {"type": "json_object"}
    if wanted.type == "json_schema" and wanted.schema is not None:
        if not facts.get("json_schema", True):
            raise unsupported("response_format", "this model answers in JSON, but not after a schema")
        form[schema_name] = wanted.schema
    return {"response_format": form | own_fields(wanted.metadata, PROTOCOL) | asked_fields(wanted.metadata)}


def _thinking(asked: Thinking, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """On with a budget, or off; an effort becomes a budget."""
    added = own_fields(asked.metadata, PROTOCOL) | asked_fields(asked.metadata)
    off = not asked.enabled or asked.effort == "none"
    if not facts.get("thinking", True):
        if off:
            return {}
        raise unsupported("thinking", "this model can't think")
    if off:
        return {"type": "disabled"} | added
    budget = asked.budget_tokens
    if budget is None and asked.effort is not None:
        budget = facts.get("budgets", _BUDGETS).get(asked.effort)
        warnings.append(f"thinking.effort {asked.effort!r} became a budget of {budget or 'all'} tokens")
    return {"type": "enabled"} | ({"token_budget": budget} if budget is not None else {}) | added


def _tooling(request: ChatRequest, warnings: list[str]) -> dict[str, Any]:
    """The tools, whether calls match their schemas, and whether to call one."""
    choice, tools = request.tool_choice, request.tools
    body: dict[str, Any] = {}
    if choice is not None and choice.mode == "tool":
        tools = tuple(tool for tool in tools if not isinstance(tool, ProviderPart) and tool.name == choice.name)
        if not tools:
            raise unsupported("tool_choice", f"no tool is called {choice.name!r}")
        warnings.append(f"only the tool {choice.name!r} was offered: this protocol can't name the one to call")
    if tools:
        body["tools"] = [_tool(tool, warnings) for tool in tools]
    strict = {tool.strict for tool in tools if not isinstance(tool, ProviderPart)} - {None}
    if strict:
        body["strict_tools"] = True in strict
    if len(strict) > 1:
        warnings.append("every tool is strict: this protocol can't tell them apart")
    if choice is not None and choice.mode != "auto":
        body["tool_choice"] = "NONE" if choice.mode == "none" else "REQUIRED"
    return body


def _tool(tool: ToolDefinition | ProviderPart, warnings: list[str]) -> dict[str, Any]:
    if isinstance(tool, ProviderPart):
        return provider_tool(tool)
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    left_out(tool.metadata, PROTOCOL, f"the tool {tool.name!r}", warnings)
    asked = asked_fields(tool.metadata)
    if asked.pop("cache_control", None) is not None:
        warnings.append(f"'cache_control' of the tool {tool.name!r} left out: this protocol has no such setting")
    return {"type": "function", "function": function} | own_fields(tool.metadata, PROTOCOL) | asked


def provider_tool(tool: ProviderPart) -> dict[str, Any]:
    """A tool in the protocol's own words. Raises for another one's."""
    if tool.protocol not in ("", PROTOCOL):
        raise unsupported("tools", f"only {tool.protocol} has the tool {tool.type!r}")
    return {"type": tool.type, **tool.value}


_as_bytes = body_writer()
