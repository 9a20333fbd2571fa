"""A chat request as the body of an Anthropic Messages call.

Source: Messages API reference, "Create a Message"; "Adaptive thinking" and "Effort"; "Structured outputs".
The facts read here are listed in `anthropic_messages`.
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import ProviderPart
from ..body import body_writer
from ..codec import Encoded
from ..notes import extra_of
from .blocks import encode_messages, noted
from .response import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ....transport.types import Headers
    from ...types import ChatRequest, PromptCache, ResponseFormat, Thinking, ToolChoice, ToolDefinition
    from ..codec import Facts

_VERSION = "2023-06-01"
_MAX_TOKENS = 4096
_THINKING_TYPES = ("enabled", "adaptive", "disabled")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")

_SMALLEST_BUDGET = 1024
_BUDGETS = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 49152}
"""Tokens to think with, where effort is asked of a model that knows only budgets."""

_SETTINGS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "stop": "stop_sequences"}
_WITHOUT_FIELD = ("seed", "n", "logprobs", "presence_penalty", "frequency_penalty")
_PARAMETERS = (
    *_SETTINGS, *_WITHOUT_FIELD, "tools", "tool_choice", "parallel_tool_calls", "max_tokens", "response_format",
    "thinking", "user",
)  # fmt: skip
_NEUTRAL = {"n": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""Asking for these is asking for what happens anyway."""

_CHOICES = {"auto": "auto", "none": "none", "required": "any", "tool": "tool"}
_CACHE_FACTS = {"cache_mark": "cache_control", "cache_ttls": {"5m": {}, "1h": {"mark": {"ttl": "1h"}}}}
_MERGED = ("metadata", "output_config")
"""Objects that the request's own fields and `extra` fill together."""


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body and the protocol's headers.

    Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take. A
    schema's name and `strict=False` have no counterpart: the answer always matches the schema.
    """
    warnings: list[str] = []
    body, headers = request_body(request, facts, warnings)
    return Encoded(as_json(body), headers, tuple(warnings))


def request_body(request: ChatRequest, facts: Facts, warnings: list[str]) -> tuple[dict[str, Any], Headers]:
    """The body as a value, and the headers."""
    kept: dict[str, Any] = {}
    if request.prompt_cache is not None:
        request, kept = _with_prompt_cache(request, request.prompt_cache, facts, warnings)
    asked = _asked(request, facts, warnings)
    extra = extra_of(request, MARK, warnings)
    system, turns = encode_messages(
        request.messages, warnings, system_in_messages=bool(facts.get("system_in_messages"))
    )
    body: dict[str, Any] = {"messages": turns}
    if system:
        body["system"] = _system(system)
    body |= _limits(asked, facts, warnings) | kept
    body |= {_SETTINGS[name]: value for name, value in asked.items() if name in _SETTINGS}
    body |= _tooling(asked, warnings)
    if "user" in asked:
        body["metadata"] = {"user_id": asked["user"]}
    if request.stream and facts.get("stream_in_body", True):
        body["stream"] = True
    headers = _identity(request.model, extra, facts, body)
    return _with_extra(body, extra), headers


def _with_prompt_cache(
    request: ChatRequest, cache: PromptCache, facts: Facts, warnings: list[str]
) -> tuple[ChatRequest, dict[str, Any]]:
    """The request with marks. The one mark that a client of this protocol puts on all of it goes on as it came."""
    whole = cache.breakpoints == ("messages",) and cache.resource is None
    if whole and request.dialect == MARK and facts.get("cache_automatic", True):
        return request, {"cache_control": {"type": "ephemeral", **({"ttl": cache.ttl} if cache.ttl else {})}}
    from ..prompt_cache import with_prompt_cache

    return with_prompt_cache(request, cache, {**_CACHE_FACTS, **facts}, warnings)[:2]


def _asked(request: ChatRequest, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """The parameters that were given, less those the model ignores."""
    given = {name: getattr(request, name) for name in _PARAMETERS}
    given = {k: v for k, v in given.items() if v is not None and v != () and (k not in _NEUTRAL or v != _NEUTRAL[k])}
    ignored, refused = facts.get("ignored", ()), (*_WITHOUT_FIELD, *facts.get("unsupported", ()))
    for name in list(given):
        if name in ignored:
            warnings.append(f"{name}: {given.pop(name)!r} was left out; the model ignores it.")
        elif name in refused:
            raise _unsupported(name, given[name])
    return given


def _unsupported(name: str, value: object) -> UnsupportedParameterError:
    return UnsupportedParameterError(f"{name}={value!r} can't be asked of this model.", param=name)


def _system(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A string where that says it all."""
    only = blocks[0]
    return only["text"] if len(blocks) == 1 and only.keys() == {"type", "text"} else blocks


def _limits(asked: Mapping[str, Any], facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """`max_tokens`, `thinking` and `output_config`, which depend on one another."""
    body: dict[str, Any] = {"max_tokens": asked.get("max_tokens") or facts.get("max_output_tokens") or _MAX_TOKENS}
    output: dict[str, Any] = {}
    if "thinking" in asked:
        thinking, effort = _thinking(asked["thinking"], asked.get("max_tokens"), facts, warnings)
        if thinking:
            body["thinking"] = thinking
        if effort:
            output["effort"] = effort
        budget = thinking.get("budget_tokens", 0)
        if "max_tokens" not in asked and budget >= body["max_tokens"]:
            body["max_tokens"] = budget + _MAX_TOKENS
    if "response_format" in asked and (form := _format(asked["response_format"], facts, warnings)):
        output["format"] = form
    if output:
        body["output_config"] = output
    return body


def _thinking(
    asked: Thinking, max_tokens: int | None, facts: Facts, warnings: list[str]
) -> tuple[dict[str, Any], str | None]:
    """The `thinking` object and the level of effort.

    A budget means `enabled`, anything else `adaptive`. A model that knows only the other form gets its nearest
    equivalent: effort becomes a budget, a budget becomes effort, with a warning.
    """
    types, extra = facts.get("thinking", _THINKING_TYPES), noted(asked.metadata, "thinking", warnings)
    if not asked.enabled or asked.effort == "none":
        return _no_thinking(asked, types, extra, warnings), None
    effort = _effort(asked.effort, facts, warnings)
    budget = asked.budget_tokens
    if "enabled" in types and (budget is not None or "adaptive" not in types):
        if budget is None:
            budget = _budget(asked.effort or "medium", max_tokens)
            effort = effort if "effort" in facts else None
        return {"type": "enabled", "budget_tokens": budget} | extra, effort
    if "adaptive" not in types:
        raise _unsupported("thinking", asked)
    if budget is not None:
        effort = effort or _nearest_effort(budget, facts)
        warnings.append(f"thinking.budget_tokens: {budget} became effort {effort!r}; the model takes no budget.")
    return {"type": "adaptive"} | extra, effort


def _no_thinking(asked: Thinking, types: tuple[str, ...], extra: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    """`disabled`, or the least there is; nothing for a model that never thinks; an error for one that always does."""
    if "disabled" in types:
        return {"type": "disabled"} | extra
    if "between_tools" in types:
        warnings.append("thinking: turned off but between calls of tools; the model's thinking has no other off.")
        return {"type": "between_tools"} | extra
    if types:
        raise _unsupported("thinking", asked)
    return {}


def _effort(word: str | None, facts: Facts, warnings: list[str]) -> str | None:
    levels = facts.get("effort", _EFFORTS)
    if word == "minimal" and word not in levels and levels:
        warnings.append(f"thinking.effort: 'minimal' became {levels[0]!r}, the model's least.")
        return str(levels[0])
    if word is not None and word not in levels and levels:
        raise _unsupported("thinking.effort", word)
    return word if levels else None


def _budget(effort: str, max_tokens: int | None) -> int:
    """Tokens to think with that leave at least half of `max_tokens` for the answer."""
    budget = _BUDGETS[effort]
    return budget if max_tokens is None else max(_SMALLEST_BUDGET, min(budget, max_tokens // 2))


def _nearest_effort(budget: int, facts: Facts) -> str | None:
    levels = [level for level in facts.get("effort", _EFFORTS) if level in _BUDGETS]
    return min(levels, key=lambda level: abs(_BUDGETS[level] - budget), default=None)


def _format(asked: ResponseFormat, facts: Facts, warnings: list[str]) -> dict[str, Any] | None:
    if asked.type == "text":
        return None
    if asked.type != "json_schema" or asked.schema is None or not facts.get("json_schema"):
        raise _unsupported("response_format", asked.type)
    schema = dict(asked.schema)
    if asked.description:
        schema.setdefault("description", asked.description)
    return {"type": "json_schema", "schema": schema} | noted(asked.metadata, "response_format", warnings)


def _tooling(asked: Mapping[str, Any], warnings: list[str]) -> dict[str, Any]:
    """`tools` and `tool_choice`, which also says whether calls may be parallel."""
    body: dict[str, Any] = {}
    if "tools" in asked:
        body["tools"] = [_tool(tool, f"tools[{i}]", warnings) for i, tool in enumerate(asked["tools"])]
    choice: ToolChoice | None = asked.get("tool_choice")
    parallel: bool | None = asked.get("parallel_tool_calls")
    if choice is not None:
        body["tool_choice"] = _choice(choice, parallel, warnings)
    elif parallel is False and "tools" in asked:
        body["tool_choice"] = {"type": "auto", "disable_parallel_tool_use": True}
    return body


def _tool(tool: ToolDefinition | ProviderPart, where: str, warnings: list[str]) -> dict[str, Any]:
    if isinstance(tool, ProviderPart):
        return _provider_tool(tool, where)
    block: dict[str, Any] = {"name": tool.name}
    if tool.description:
        block["description"] = tool.description
    block["input_schema"] = {"type": "object"} | dict(tool.parameters)
    if tool.strict is not None:
        block["strict"] = tool.strict
    return block | noted(tool.metadata, where, warnings)


def _provider_tool(tool: ProviderPart, where: str) -> dict[str, Any]:
    if tool.protocol not in ("", MARK):
        raise UnsupportedParameterError(
            f"{where} is {tool.type!r}, a hosted tool that only {tool.protocol} has.",
            fix="Leave the tool out, or choose a provider that has it.",
            param=where,
        )
    return {"type": tool.type} | dict(tool.value)


def _choice(choice: ToolChoice, parallel: bool | None, warnings: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"type": _CHOICES[choice.mode]}
    if choice.mode == "tool":
        body["name"] = choice.name
    if parallel is not None and choice.mode != "none":
        body["disable_parallel_tool_use"] = not parallel
    return body | noted(choice.metadata, "tool_choice", warnings)


def _identity(model: str, extra: Mapping[str, Any], facts: Facts, body: dict[str, Any]) -> Headers:
    """Model, version and beta features: put into the body or returned as headers, as the endpoint wants them."""
    version = facts.get("anthropic_version", _VERSION)
    betas = list(dict.fromkeys((*facts.get("anthropic_beta", ()), *_words(extra.get("anthropic_beta")))))
    headers = []
    if facts.get("model_in_body", True):
        body["model"] = model
        headers.append(("anthropic-version", version))
    else:
        body["anthropic_version"] = version
    if betas and facts.get("beta_in_body"):
        body["anthropic_beta"] = betas
    elif betas:
        headers.append(("anthropic-beta", ",".join(betas)))
    return tuple(headers)


def _words(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _with_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    added = {key: value for key, value in extra.items() if key != "anthropic_beta"}
    for key in _MERGED:
        if isinstance(body.get(key), dict) and isinstance(added.get(key), dict):
            added[key] = body[key] | added[key]
    return body | added


as_json = body_writer()
"""A body of this protocol as bytes."""
