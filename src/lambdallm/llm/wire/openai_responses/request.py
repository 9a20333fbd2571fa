"""Requests of the Responses protocol: every setting of a `ChatRequest`, or an error that names the one it can't take.

The facts that steer it are listed in `openai_responses`. Sources: OpenAI, "Create a model response", "Migrate to the
Responses API", "Reasoning models"; OpenRouter, "Responses API".
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import ProviderPart, ReasoningPart, TextPart
from ..body import body_writer
from ..codec import Encoded, is_set, without_ignored
from ..notes import extra_of, form
from .content import mark_word, merged
from .fields import ENCRYPTED, LOGPROBS, NAME, said
from .messages import ItemWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...types import (
        ChatMessage,
        ChatRequest,
        PromptCache,
        ResponseFormat,
        Thinking,
        ToolChoice,
        ToolDefinition,
    )
    from ..codec import Facts

_PLAIN = {
    "model": "model", "parallel_tool_calls": "parallel_tool_calls", "max_tokens": "max_output_tokens",
    "temperature": "temperature", "top_p": "top_p", "user": "user",
}  # fmt: skip
"""Settings whose value is sent as it is, unless it is `None`."""

_BEYOND = ("stop", "seed", "n", "presence_penalty", "frequency_penalty", "top_k")
"""Settings that the protocol does not have: only providers that declare them take them."""

_NEUTRAL = {"n": 1, "presence_penalty": 0, "frequency_penalty": 0}
"""Asking for these is asking for what happens anyway."""

_ALL: Facts = {"supports": (*_BEYOND, "thinking.budget_tokens")}
"""What has no limits: for stating settings, not asking for them."""

_JOINED = ("text", "reasoning")
"""Objects that the request's own fields and `extra` fill together."""


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body.

    Raises `UnsupportedParameterError` naming the first parameter that the protocol or the model can't take, and
    `InvalidRequestError` for a value that JSON can't hold.
    """
    warnings: list[str] = []
    request = without_ignored(request, facts, warnings)
    _refuse(request, facts)
    extra = extra_of(request, NAME, warnings)
    if "store" in facts and "store" not in extra and request.dialect != NAME:
        extra = {**extra, "store": facts["store"]}
    kept: dict[str, Any] = {}
    if request.prompt_cache is not None:
        request, kept = _with_prompt_cache(request, request.prompt_cache, facts, warnings)
    body = _plain(request, facts) | _input(request, extra, facts, warnings) | _structured(request, facts, warnings)
    body |= kept
    if include := _include(request, extra, facts):
        body["include"] = include
    return Encoded(_as_bytes(_with_extra(body, extra)), warnings=tuple(warnings))


def echoed(request: ChatRequest) -> dict[str, Any]:
    """The settings of a request as an answer to it states them."""
    extra = extra_of(request, NAME, [])
    body = _plain(request, _ALL) | _structured(request, _ALL, [])
    if request.prompt_cache is not None:
        body |= _with_prompt_cache(request, request.prompt_cache.replace(resource=None), _ALL, [])[1]
    return _with_extra(body, extra)


def _with_prompt_cache(
    request: ChatRequest, cache: PromptCache, facts: Facts, warnings: list[str]
) -> tuple[ChatRequest, dict[str, Any]]:
    """The request with marks, and the fields that this protocol has for the rest: its key is a field everywhere."""
    from ..openai_prompt_cache import KEY, own_facts
    from ..prompt_cache import with_prompt_cache

    known = own_facts(facts) if request.dialect == NAME else facts
    own = {"cache_mark": mark_word(facts), "cache_key_header": None}
    return with_prompt_cache(request, cache, {"cache_key": KEY, **known, **own}, warnings)[:2]


def _unsupported(param: str, why: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(f"{param!r} can't be sent: {why}.", param=param)


def _refuse(request: ChatRequest, facts: Facts) -> None:
    """Raise for the first setting that this provider, or the protocol, does not take."""
    for name in facts.get("unsupported", ()):
        if is_set(request, name):
            raise _unsupported(name, "this model does not take it")
    for name in _BEYOND:
        if name not in facts.get("supports", ()) and is_set(request, name) and not _is_neutral(request, name):
            raise _unsupported(name, "the Responses protocol does not have it")


def _is_neutral(request: ChatRequest, name: str) -> bool:
    return name in _NEUTRAL and getattr(request, name) == _NEUTRAL[name]


def _plain(request: ChatRequest, facts: Facts) -> dict[str, Any]:
    names = _PLAIN | {name: name for name in _BEYOND if name in facts.get("supports", ())}
    names |= facts.get("param_names", {})
    body = {written: value for name, written in names.items() if (value := getattr(request, name)) not in (None, ())}
    return body | ({"stream": True} if request.stream else {})


def _input(request: ChatRequest, extra: Mapping[str, Any], facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """`instructions` and `input`. A request of this protocol's own is taken at its word on what is stored."""
    instructions, messages = _instructions(request.messages, facts)
    stored = request.dialect == NAME or extra.get("store") is not False
    items = ItemWriter(facts, warnings, stored=stored).items(messages)
    body: dict[str, Any] = {} if instructions is None else {"instructions": instructions}
    return body | ({"input": items} if items else {})


def _instructions(messages: tuple[ChatMessage, ...], facts: Facts) -> tuple[str | None, tuple[ChatMessage, ...]]:
    """What goes to `instructions`, and the rest: where the provider wants it there, or it came from there."""
    count = 0
    for message in messages:
        noted = form(message.metadata, NAME).get("field") == "instructions"
        wanted = facts.get("instructions") and message.role in ("system", "developer") and not noted
        if not (noted or (wanted and all(isinstance(part, TextPart) for part in message.parts))):
            break
        count += 1
    if not count:
        return None, messages
    return "\n\n".join(message.text for message in messages[:count]), messages[count:]


def _structured(request: ChatRequest, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """The settings that take another form on the wire."""
    body: dict[str, Any] = {}
    if request.tools:
        loose = None if request.dialect == NAME else False
        body["tools"] = [_tool(tool, loose, warnings) for tool in request.tools]
    if request.tool_choice is not None:
        body["tool_choice"] = _tool_choice(request.tool_choice, warnings)
    if request.response_format is not None:
        body["text"] = {"format": _format(request.response_format, facts, warnings)}
    if request.thinking is not None:
        body["reasoning"] = _reasoning(request.thinking, facts, warnings)
    if request.logprobs:
        body["top_logprobs"] = request.logprobs
    return body


def _tool(tool: ToolDefinition | ProviderPart, loose: bool | None, warnings: list[str]) -> dict[str, Any]:
    """A tool. `loose` is `strict` where the tool says nothing: left out, it would mean `true` to OpenAI, which then
    rewrites the schema so that every optional field must be given."""
    if isinstance(tool, ProviderPart):
        if tool.protocol not in ("", NAME):
            raise _unsupported("tools", f"{tool.type!r} is a tool of {tool.protocol}")
        return {"type": tool.type, **tool.value}
    parameters = tool.parameters or {"type": "object", "properties": {}}
    strict = loose if tool.strict is None else tool.strict
    said_of_it = said({"description": tool.description or None, "strict": strict})
    beside = merged(tool.metadata, f"tool {tool.name!r}", warnings)
    return {"type": "function", "name": tool.name, "parameters": parameters, **said_of_it, **beside}


def _tool_choice(choice: ToolChoice, warnings: list[str]) -> Any:
    """A word, a function's name, or the form that `metadata` gives whole (`allowed_tools`, a hosted tool)."""
    beside = merged(choice.metadata, "'tool_choice'", warnings)
    if choice.mode == "tool":
        return {"type": "function", "name": choice.name, **beside}
    return beside or choice.mode


def _format(asked: ResponseFormat, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    beside = merged(asked.metadata, "'response_format'", warnings)
    if asked.type != "json_schema":
        return {"type": "json_object" if asked.type == "json" else "text", **beside}
    if not facts.get("json_schema", True):
        raise _unsupported("response_format", "this model answers in JSON, but not after a schema")
    schema = {
        "name": asked.name,
        "description": asked.description,
        "schema": asked.schema or {},
        "strict": asked.strict,
    }
    return {"type": "json_schema", **said(schema), **beside}


def _reasoning(thinking: Thinking, facts: Facts, warnings: list[str]) -> dict[str, Any]:
    """`reasoning`: turned off is the effort `none`; thinking without a word on how much is `medium`."""
    beside = merged(thinking.metadata, "'thinking'", warnings)
    body: dict[str, Any] = {}
    if thinking.budget_tokens is not None:
        if "thinking.budget_tokens" not in facts.get("supports", ()):
            raise _unsupported("thinking.budget_tokens", "this model takes an effort, not a budget")
        body["max_tokens"] = thinking.budget_tokens
    effort = thinking.effort if thinking.enabled else "none"
    silent = thinking.budget_tokens is not None or NAME in thinking.metadata
    if effort is not None or not silent:
        body["effort"] = _effort(effort or "medium", facts)
    if "summary" in facts and thinking.enabled and NAME not in thinking.metadata:
        body["summary"] = facts["summary"]
    return body | beside


def _effort(effort: str, facts: Facts) -> str:
    """The effort in the provider's word."""
    efforts: Mapping[str, str] | None = facts.get("efforts")
    if efforts is None:
        return effort
    if effort not in efforts:
        raise _unsupported("thinking.effort", f"{effort!r} is none of {', '.join(efforts)}")
    return efforts[effort]


def _include(request: ChatRequest, extra: Mapping[str, Any], facts: Facts) -> list[str]:
    """What is asked for beside the answer: log probabilities, and proof of thoughts that nobody stores."""
    given = extra.get("include")
    include = [name for name in given if isinstance(name, str)] if isinstance(given, (list, tuple)) else []
    if request.logprobs is not None and LOGPROBS not in include:
        include.append(LOGPROBS)
    if ENCRYPTED not in include and _wants_proof(request, extra, facts):
        include.append(ENCRYPTED)
    return include


def _wants_proof(request: ChatRequest, extra: Mapping[str, Any], facts: Facts) -> bool:
    """Whether to ask for encrypted reasoning: as declared, else where nothing is stored and the model thinks."""
    if request.dialect == NAME:
        return False
    declared = facts.get("encrypted_reasoning")
    if declared is not None or extra.get("store") is not False:
        return bool(declared)
    return _thinks(request.thinking) or any(
        isinstance(part, ReasoningPart) and part.encrypted for message in request.messages for part in message.parts
    )


def _thinks(thinking: Thinking | None) -> bool:
    return thinking is not None and thinking.enabled and thinking.effort != "none"


def _with_extra(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    added = {key: value for key, value in extra.items() if key != "include" or "include" not in body}
    for key in _JOINED:
        if isinstance(body.get(key), dict) and isinstance(added.get(key), dict):
            added[key] = body[key] | added[key]
    return body | added


_as_bytes = body_writer()
