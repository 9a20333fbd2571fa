"""Requests of the OpenAI chat protocol: every setting of a `ChatRequest`, or an error that names the one it can't take.

The facts that steer it are listed in `openai_chat`. Sources: OpenAI, "Create chat completion"; OpenRouter, "Reasoning
tokens"; DeepSeek, "Thinking mode"; Alibaba, "Deep thinking"; vLLM, "Reasoning outputs".
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import ProviderPart
from ..body import body_writer
from ..codec import Encoded
from .messages import encode_messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...types import ChatRequest, ResponseFormat, Thinking, ToolChoice, ToolDefinition
    from ..codec import Facts


_PLAIN = (
    "model", "parallel_tool_calls", "max_tokens", "temperature", "top_p", "top_k", "seed", "presence_penalty",
    "frequency_penalty", "n", "user",
)  # fmt: skip
"""Settings whose value is sent as it is, unless it is `None`."""

_BEYOND = ("top_k",)
"""Settings that the protocol itself does not have: only providers that declare them take them."""


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body.

    Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take, and
    `InvalidRequestError` for a value that JSON can't hold.
    """
    warnings: list[str] = []
    request = _without_ignored(request, facts, warnings)
    _refuse(request, facts)
    messages = encode_messages(request.messages, facts, warnings)
    body = {**_plain(request, facts), "messages": messages, **_structured(request, facts), **request.extra}
    return Encoded(_as_bytes(body), warnings=tuple(warnings))


def unsupported(param: str, why: str) -> UnsupportedParameterError:
    """The error for a parameter that can't be said."""
    return UnsupportedParameterError(f"{param!r} can't be sent: {why}.", param=param)


def _without_ignored(request: ChatRequest, facts: Facts, warnings: list[str]) -> ChatRequest:
    ignored = [name for name in facts.get("ignored", ()) if _is_set(request, name)]
    warnings += [f"{name!r} was left out: this provider ignores it" for name in ignored]
    return request.replace(**{name: request._defaults[name] for name in ignored}) if ignored else request


def _refuse(request: ChatRequest, facts: Facts) -> None:
    """Raise for the first setting that this provider does not take."""
    beyond = (name for name in _BEYOND if name not in facts.get("supports", ()))
    for name in (*facts.get("unsupported", ()), *beyond):
        if _is_set(request, name):
            raise unsupported(name, "this model does not take it")


def _is_set(request: ChatRequest, name: str) -> bool:
    default = request._defaults.get(name)
    return getattr(request, name, default) is not default


def _plain(request: ChatRequest, facts: Facts) -> dict[str, Any]:
    names: dict[str, str] = {"max_tokens": facts.get("max_tokens_param", "max_tokens"), **facts.get("param_names", {})}
    return {names.get(key, key): value for key in _PLAIN if (value := getattr(request, key)) is not None}


def _structured(request: ChatRequest, facts: Facts) -> dict[str, Any]:
    """The settings that take another form on the wire."""
    body: dict[str, Any] = {}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice)
    if request.stop:
        body[facts.get("param_names", {}).get("stop", "stop")] = list(request.stop)
    if request.logprobs is not None:
        body |= {"logprobs": True} | ({"top_logprobs": request.logprobs} if request.logprobs else {})
    if request.response_format is not None:
        body["response_format"] = _response_format(request.response_format, facts)
    if request.thinking is not None:
        body |= _thinking(request.thinking, facts)
    return body | (_stream(facts) if request.stream else {})


def _stream(facts: Facts) -> dict[str, Any]:
    usage = {"stream_options": {"include_usage": True}} if facts.get("stream_usage", True) else {}
    return {"stream": True} | usage


def _tool(tool: ToolDefinition | ProviderPart) -> dict[str, Any]:
    if isinstance(tool, ProviderPart):
        return {"type": tool.type, **tool.value}
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function, **tool.metadata}


def _tool_choice(choice: ToolChoice) -> Any:
    """A word, a function's name, or the form that `metadata` gives whole (`allowed_tools`)."""
    if choice.mode == "tool":
        return {"type": "function", "function": {"name": choice.name}, **choice.metadata}
    return dict(choice.metadata) or choice.mode


def _response_format(form: ResponseFormat, facts: Facts) -> dict[str, Any]:
    if form.type != "json_schema":
        return {"type": "json_object" if form.type == "json" else "text", **form.metadata}
    if not facts.get("json_schema", True):
        raise unsupported("response_format", "this model answers in JSON, but not after a schema")
    schema = {"name": form.name, "description": form.description, "schema": form.schema, "strict": form.strict}
    return {"type": "json_schema", "json_schema": _said(schema), **form.metadata}


def _thinking(thinking: Thinking, facts: Facts) -> dict[str, Any]:
    """What asks for thinking, by the parameter that the provider has for it."""
    way = _THINKING.get(facts.get("thinking_param", "reasoning_effort"))
    if way is None:
        raise unsupported("thinking", "this model has no setting for it")
    return way(thinking, facts)


def _effort(thinking: Thinking, facts: Facts) -> str | None:
    """The effort in the provider's word; turned off is the effort `none`."""
    effort = thinking.effort if thinking.enabled else "none"
    efforts: Mapping[str, str] | None = facts.get("efforts")
    if effort is None or efforts is None:
        return effort
    if effort not in efforts:
        raise unsupported("thinking.effort", f"{effort!r} is none of {', '.join(efforts)}")
    return efforts[effort]


def _only(thinking: Thinking, *taken: str) -> None:
    """Raise for a property of `Thinking` that the provider's parameter can't express."""
    for name in ("effort", "budget_tokens"):
        if name not in taken and getattr(thinking, name) is not None:
            raise unsupported(f"thinking.{name}", "this model's setting for thinking can't express it")


def _by_effort(thinking: Thinking, facts: Facts) -> dict[str, Any]:
    _only(thinking, "effort")
    return {"reasoning_effort": _effort(thinking, facts) or "medium", **thinking.metadata}


def _by_reasoning(thinking: Thinking, facts: Facts) -> dict[str, Any]:
    if thinking.enabled and thinking.effort is None and thinking.budget_tokens is None:
        return {"reasoning": {"enabled": True, **thinking.metadata}}
    said = {"effort": _effort(thinking, facts), "max_tokens": thinking.budget_tokens}
    return {"reasoning": {**_said(said), **thinking.metadata}}


def _by_switch(thinking: Thinking, facts: Facts) -> dict[str, Any]:
    """DeepSeek's and Z.ai's `thinking`; an effort goes beside it."""
    _only(thinking, "effort")
    effort = _effort(thinking, facts) if thinking.enabled else None
    switch = {"type": "enabled" if thinking.enabled else "disabled", **thinking.metadata}
    return {"thinking": switch} | ({"reasoning_effort": effort} if effort else {})


def _by_flag(thinking: Thinking, facts: Facts) -> dict[str, Any]:
    _only(thinking, "budget_tokens")
    budget = {"thinking_budget": thinking.budget_tokens} if thinking.budget_tokens is not None else {}
    return {"enable_thinking": thinking.enabled, **budget, **thinking.metadata}


def _by_template(thinking: Thinking, facts: Facts) -> dict[str, Any]:
    _only(thinking)
    return {"chat_template_kwargs": {"enable_thinking": thinking.enabled, **thinking.metadata}}


_THINKING: dict[str | None, Callable[[Thinking, Facts], dict[str, Any]]] = {
    "reasoning_effort": _by_effort,
    "reasoning": _by_reasoning,
    "thinking": _by_switch,
    "enable_thinking": _by_flag,
    "chat_template_kwargs": _by_template,
}


def _said(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}


_as_bytes = body_writer()
