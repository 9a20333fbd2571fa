"""Requests to Ollama: every setting of a `ChatRequest`, or an error that names the one it can't take.

Source: `docs/api.md`, "Generate a chat completion"; `api/types.go`, `ChatRequest`, `Options` and `ThinkValue`.
"""

from __future__ import annotations

from ...types import ProviderPart
from ..body import body_writer
from ..codec import Encoded, is_set, without_ignored
from ..notes import extra_of
from .messages import PROTOCOL, encode_messages, lost, merged, unsupported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import ChatRequest, ResponseFormat, Thinking, ToolDefinition
    from ..codec import Facts

_OPTIONS = {
    "max_tokens": "num_predict", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "seed": "seed",
    "presence_penalty": "presence_penalty", "frequency_penalty": "frequency_penalty",
}  # fmt: skip

_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "max", "max": "max"}

_SAID_IN_A_WORD = ("response_format", "thinking", "tool_choice")
"""Settings whose form here has no room for fields beside them."""


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body.

    Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take. A schema's
    name and strictness have no counterpart: the answer always matches the schema.
    """
    warnings: list[str] = []
    request = checked(request, facts, warnings)
    body: dict[str, Any] = {"model": request.model, "messages": encode_messages(request.messages, facts, warnings)}
    if request.tools and _offers_tools(request, warnings):
        body["tools"] = [_tool(tool, warnings) for tool in request.tools]
    return written(body, request, facts, warnings)


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
    for name in _SAID_IN_A_WORD:
        lost(getattr(request, name), name, warnings)
    return request


def written(body: dict[str, Any], request: ChatRequest, facts: Facts, warnings: list[str]) -> Encoded:
    """A body with the settings that all of Ollama's calls share. `stream` is said always: it is on by default."""
    extra = dict(extra_of(request, PROTOCOL, warnings))
    options = {**facts.get("options", {}), **_options(request), **(extra.pop("options", None) or {})}
    body["stream"] = request.stream
    if request.response_format is not None:
        body |= _format(request.response_format)
    if request.thinking is not None:
        body["think"] = _think(request.thinking, facts, warnings)
    if request.logprobs is not None:
        body |= {"logprobs": True} | ({"top_logprobs": request.logprobs} if request.logprobs else {})
    if options:
        body["options"] = options
    return Encoded(_as_bytes(body | extra), warnings=tuple(warnings))


def _options(request: ChatRequest) -> dict[str, Any]:
    options = {word: value for name, word in _OPTIONS.items() if (value := getattr(request, name)) is not None}
    return options | ({"stop": list(request.stop)} if request.stop else {})


def _format(wanted: ResponseFormat) -> dict[str, Any]:
    if wanted.type == "text":
        return {}
    return {"format": "json" if wanted.type == "json" or wanted.schema is None else wanted.schema}


def _think(thinking: Thinking, facts: Facts, warnings: list[str]) -> bool | str:
    """On, off, or a level."""
    if thinking.budget_tokens is not None:
        raise unsupported("thinking.budget_tokens", "this protocol can't limit thinking by tokens")
    effort = thinking.effort
    if effort is None or effort == "none" or not thinking.enabled:
        return thinking.enabled and effort != "none"
    word: str | bool = facts.get("efforts", _EFFORTS).get(effort, True)
    if word != effort:
        warnings.append(f"thinking.effort {effort!r} became {word!r}, the nearest that the model knows")
    return word


def _offers_tools(request: ChatRequest, warnings: list[str]) -> bool:
    """Whether to send the tools. A choice can't be sent; not to call any is not to offer any."""
    choice = request.tool_choice
    if choice is None or choice.mode == "auto":
        return True
    if choice.mode != "none":
        raise unsupported("tool_choice", "this protocol can't require a call")
    warnings.append("the tools were left out: that is how this protocol is told to call none")
    return False


def _tool(tool: ToolDefinition | ProviderPart, warnings: list[str]) -> dict[str, Any]:
    if isinstance(tool, ProviderPart):
        if tool.protocol not in ("", PROTOCOL):
            raise unsupported("tools", f"only {tool.protocol} has the tool {tool.type!r}")
        return {"type": tool.type, **tool.value}
    if tool.strict:
        warnings.append(f"'strict' of the tool {tool.name!r} left out: this protocol has no such setting")
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function} | merged(tool, f"the tool {tool.name!r}", warnings)


_as_bytes = body_writer()
