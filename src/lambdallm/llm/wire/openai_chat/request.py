"""Requests of the OpenAI chat protocol: every setting of a `ChatRequest`, or an error that names the one it can't take.

The facts that steer it are listed in `openai_chat`. Sources: OpenAI, "Create chat completion"; OpenRouter, "Reasoning
tokens"; DeepSeek, "Thinking mode"; Alibaba, "Deep thinking"; vLLM, "Reasoning outputs".
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import ProviderPart
from ..body import body_writer
from ..codec import Encoded, is_set, without_ignored
from ..notes import extra_of, form, own_fields
from .fields import PROTOCOL
from .messages import Toward, encode_messages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ....transport.types import Headers
    from ...types import ChatRequest, PromptCache, ResponseFormat, Thinking, ToolChoice, ToolDefinition
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
    request = without_ignored(request, facts, warnings)
    _refuse(request, facts)
    kept: dict[str, Any] = {}
    headers: Headers = ()
    if request.prompt_cache is not None:
        request, kept, headers = _with_prompt_cache(request, request.prompt_cache, facts, warnings)
    toward = Toward(facts, warnings)
    messages = encode_messages(request.messages, toward)
    body = {**_plain(request, facts), "messages": messages, **_structured(request, toward), **kept}
    return Encoded(_as_bytes(_with_extra(body, request, toward)), headers, tuple(warnings))


def _with_prompt_cache(
    request: ChatRequest, cache: PromptCache, facts: Facts, warnings: list[str]
) -> tuple[ChatRequest, dict[str, Any], Headers]:
    from ..openai_prompt_cache import own_facts
    from ..prompt_cache import with_prompt_cache

    known = own_facts(facts) if request.dialect == PROTOCOL else facts
    return with_prompt_cache(request, cache, known, warnings)


def _with_extra(body: dict[str, Any], request: ChatRequest, toward: Toward) -> dict[str, Any]:
    """The body with what no field of a request holds; options of the stream join those that we ask for.

    A client's `include_usage` is ours to keep: a provider that has no such option tells usage unasked.
    """
    extra = extra_of(request, PROTOCOL, toward.warnings)
    options, asked = body.get("stream_options"), extra.get("stream_options")
    body |= extra
    if isinstance(asked, dict) and request.stream:
        rest = {key: value for key, value in asked.items() if key != "include_usage"}
        body["stream_options"] = {**rest, **(options or {})}
        if not body["stream_options"]:
            del body["stream_options"]
    return body


def unsupported(param: str, why: str) -> UnsupportedParameterError:
    """The error for a parameter that can't be said."""
    return UnsupportedParameterError(f"{param!r} can't be sent: {why}.", param=param)


def _refuse(request: ChatRequest, facts: Facts) -> None:
    """Raise for the first setting that this provider does not take."""
    beyond = (name for name in _BEYOND if name not in facts.get("supports", ()))
    for name in (*facts.get("unsupported", ()), *beyond):
        if is_set(request, name):
            raise unsupported(name, "this model does not take it")


def _plain(request: ChatRequest, facts: Facts) -> dict[str, Any]:
    names: dict[str, str] = {"max_tokens": facts.get("max_tokens_param", "max_tokens"), **facts.get("param_names", {})}
    return {names.get(key, key): value for key in _PLAIN if (value := getattr(request, key)) is not None}


def _structured(request: ChatRequest, toward: Toward) -> dict[str, Any]:
    """The settings that take another form on the wire."""
    body: dict[str, Any] = {}
    facts = toward.facts
    if request.tools:
        body["tools"] = [_tool(tool, toward, f"tools[{place}]") for place, tool in enumerate(request.tools)]
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice, toward)
    if request.stop:
        body[facts.get("param_names", {}).get("stop", "stop")] = list(request.stop)
    if request.logprobs is not None:
        body |= {"logprobs": True} | ({"top_logprobs": request.logprobs} if request.logprobs else {})
    if request.response_format is not None:
        body["response_format"] = _response_format(request.response_format, toward)
    if request.thinking is not None:
        body |= _thinking(request.thinking, toward)
    return body | (_stream(facts) if request.stream else {})


def _stream(facts: Facts) -> dict[str, Any]:
    usage = {"stream_options": {"include_usage": True}} if facts.get("stream_usage", True) else {}
    return {"stream": True} | usage


def _tool(tool: ToolDefinition | ProviderPart, toward: Toward, where: str) -> dict[str, Any]:
    if isinstance(tool, ProviderPart):
        if tool.protocol not in ("", PROTOCOL):
            raise unsupported(where, f"{tool.type!r} is a tool of {tool.protocol} alone")
        return {"type": tool.type, **tool.value}
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    if tool.strict is not None:
        function["strict"] = tool.strict
    return toward.joined({"type": "function", "function": function}, tool.metadata, where)


def _tool_choice(choice: ToolChoice, toward: Toward) -> Any:
    """A word, a function's name, or the form that `metadata` gives whole (`allowed_tools`, a custom tool)."""
    fields = toward.fields(choice.metadata, "tool_choice")
    if choice.mode == "tool" and "type" not in fields:
        return {"type": "function", "function": {"name": choice.name}, **fields}
    return fields or form(choice.metadata, PROTOCOL).get("word", choice.mode)


def _response_format(asked: ResponseFormat, toward: Toward) -> dict[str, Any]:
    where = "response_format"
    if asked.type != "json_schema":
        return toward.joined({"type": "json_object" if asked.type == "json" else "text"}, asked.metadata, where)
    if not toward.facts.get("json_schema", True):
        raise unsupported(where, "this model answers in JSON, but not after a schema")
    schema = {"name": asked.name, "description": asked.description, "schema": asked.schema, "strict": asked.strict}
    return toward.joined({"type": "json_schema", "json_schema": _said(schema)}, asked.metadata, where)


def _thinking(thinking: Thinking, toward: Toward) -> dict[str, Any]:
    """What asks for thinking, by the parameter that the provider has for it, else by the one it came as."""
    came_as = form(thinking.metadata, PROTOCOL).get("param")
    param = toward.facts.get("thinking_param", came_as or "reasoning_effort")
    way = _THINKING.get(param)
    if way is None:
        raise unsupported("thinking", "this model has no setting for it")
    if came_as not in (None, param):
        thinking = _translated(thinking, toward)
    return way(thinking, toward, came_as == param)


def _translated(thinking: Thinking, toward: Toward) -> Thinking:
    """Without the fields that only the parameter it came as has."""
    lost = own_fields(thinking.metadata, PROTOCOL)
    if lost:
        toward.warn(f"{', '.join(map(repr, lost))} of thinking left out: this provider has another parameter for it")
    return thinking.replace(metadata={key: value for key, value in thinking.metadata.items() if key != PROTOCOL})


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


def _by_effort(thinking: Thinking, toward: Toward, _as_it_came: bool) -> dict[str, Any]:
    _only(thinking, "effort")
    usual = toward.facts.get("efforts", {}).get("medium", "medium")
    effort = {"reasoning_effort": _effort(thinking, toward.facts) or usual}
    return toward.joined(effort, thinking.metadata, "thinking")


def _by_reasoning(thinking: Thinking, toward: Toward, _as_it_came: bool) -> dict[str, Any]:
    said = {"effort": _effort(thinking, toward.facts), "max_tokens": thinking.budget_tokens}
    if thinking.enabled and said == {"effort": None, "max_tokens": None}:
        said = {"enabled": True}
    return {"reasoning": toward.joined(_said(said), thinking.metadata, "thinking")}


def _by_switch(thinking: Thinking, toward: Toward, as_it_came: bool) -> dict[str, Any]:
    """DeepSeek's and Z.ai's `thinking`; an effort goes beside it, a budget only to who was asked with one."""
    _only(thinking, "effort", *(("budget_tokens",) if as_it_came else ()))
    effort = _effort(thinking, toward.facts) if thinking.enabled else None
    switch = {"type": "enabled" if thinking.enabled else "disabled", "budget_tokens": thinking.budget_tokens}
    asked = {"thinking": toward.joined(_said(switch), thinking.metadata, "thinking")}
    return asked | ({"reasoning_effort": effort} if effort else {})


def _by_flag(thinking: Thinking, toward: Toward, as_it_came: bool) -> dict[str, Any]:
    """Alibaba's `enable_thinking`."""
    _only(thinking, "budget_tokens", *(("effort",) if as_it_came else ()))
    effort = thinking.effort if thinking.enabled else None
    said = {"enable_thinking": thinking.enabled, "thinking_budget": thinking.budget_tokens, "reasoning_effort": effort}
    return toward.joined(_said(said), thinking.metadata, "thinking")


def _by_template(thinking: Thinking, toward: Toward, as_it_came: bool) -> dict[str, Any]:
    """vLLM's switch in the arguments of the chat template."""
    _only(thinking, *(("effort",) if as_it_came else ()))
    effort = {"reasoning_effort": thinking.effort} if thinking.effort and thinking.enabled else {}
    switch = toward.joined({"enable_thinking": thinking.enabled}, thinking.metadata, "thinking")
    return {"chat_template_kwargs": switch} | effort


_THINKING: dict[str | None, Callable[[Thinking, Toward, bool], dict[str, Any]]] = {
    "reasoning_effort": _by_effort,
    "reasoning": _by_reasoning,
    "thinking": _by_switch,
    "enable_thinking": _by_flag,
    "chat_template_kwargs": _by_template,
}


def _said(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value is not None}


_as_bytes = body_writer()
