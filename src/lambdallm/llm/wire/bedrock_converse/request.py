"""Requests of Converse: messages, tools, settings, and where each model wants what the protocol has no field for.

Source: Bedrock API reference, "Converse"; Bedrock user guide, "Inference request parameters and response fields for
foundation models" for what goes below `additionalModelRequestFields`.
"""

from __future__ import annotations

import json

from ...errors import UnsupportedParameterError
from ...types import ProviderPart
from ..body import body_writer, plain
from ..codec import Encoded
from ..notes import extra_of, own_fields
from .content import CACHE_MARKS, MARK, BlockEncoder, base64_text, provider_block, unplaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from typing import Any, TypeAlias

    from ...types import ChatMessage, ChatRequest, ResponseFormat, Thinking, ToolDefinition
    from ..codec import Facts
    from .content import Block

    Fields: TypeAlias = dict[str, Any]

_SETTINGS = (("max_tokens", "maxTokens"), ("temperature", "temperature"), ("top_p", "topP"), ("stop", "stopSequences"))
_WITHOUT_FIELD = ("top_k", "seed", "presence_penalty", "frequency_penalty", "n", "logprobs", "user")
_INSTRUCTING = ("system", "developer")
_NO_PARAMETERS = {"type": "object", "properties": {}}
_CHOICES = {"auto": "auto", "required": "any"}
_CACHE_FACTS = {"cache_mark": "cachePoint", "cache_ttls": {"5m": {}, "1h": {"mark": {"ttl": "1h"}}}}
_CACHE_PLACES = ("tools", "system", "messages")


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The body of a request ("Converse", request syntax). `extra` is laid over it last, object by object."""
    warnings: list[str] = []
    asked = _permitted(request, facts, warnings)
    body = merge(body_of(asked, facts, warnings), extra_of(request, MARK, warnings))
    return Encoded(as_json(body), warnings=tuple(warnings))


def _permitted(request: ChatRequest, facts: Facts, warnings: list[str]) -> ChatRequest:
    """The request without what the model ignores; an error for what it refuses."""
    for name in facts.get("unsupported", ()):
        if (value := getattr(request, name)) not in (None, ()):
            raise _unsupported(name, repr(value))
    ignored = [name for name in facts.get("ignored", ()) if getattr(request, name) not in (None, ())]
    warnings += [f"{name!r} was left out: this model ignores it" for name in ignored]
    return request.replace(**{name: request._defaults[name] for name in ignored}) if ignored else request


def body_of(request: ChatRequest, facts: Facts, warnings: list[str]) -> Fields:
    """The body as an object, without `extra`."""
    if request.prompt_cache is not None:
        from ..prompt_cache import with_prompt_cache

        request, _, _ = with_prompt_cache(request, request.prompt_cache, {**_CACHE_FACTS, **facts}, warnings)
    marks = facts.get("cache_places", _CACHE_PLACES)
    body: Fields = {"messages": _messages(request.messages, marks, warnings)}
    if system := _system(request.messages, marks, warnings):
        body["system"] = system
    if settings := _inference_config(request):
        body["inferenceConfig"] = settings
    if tools := _tool_config(request, marks, warnings):
        body["toolConfig"] = tools
    if request.response_format is not None:
        merge(body, _output_config(request.response_format, facts))
    if fields := _model_fields(request, facts):
        body["additionalModelRequestFields"] = fields
    _without_place(request, warnings)
    return body


def _without_place(request: ChatRequest, warnings: list[str]) -> None:
    """Warn of what is noted on settings: none of them has a field for it."""
    noted = {
        "tool_choice": request.tool_choice,
        "response_format": request.response_format,
        "thinking": request.thinking,
    }
    for name, setting in noted.items():
        if setting is not None and setting.metadata:
            unplaced(setting.metadata, name, warnings)


def _messages(messages: Iterable[ChatMessage], marks: Collection[str], warnings: list[str]) -> list[Block]:
    """Turns in alternation, as Converse wants them: neighbours of one role become one turn, tool results the user's."""
    turns: list[Block] = []
    encoder = BlockEncoder(warnings, marks="messages" in marks)
    for index, message in enumerate(messages):
        if message.role in _INSTRUCTING:
            continue
        role = "assistant" if message.role == "assistant" else "user"
        content = encoder.message(message, f"messages[{index}]")
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += content
        elif content:
            turns.append({"role": role, "content": content})
    return turns


def _system(messages: Iterable[ChatMessage], marks: Collection[str], warnings: list[str]) -> list[Block]:
    """The system's words, wherever in the conversation they stand."""
    encoder = BlockEncoder(warnings, marks="system" in marks)
    instructions = ((f"messages[{i}]", message) for i, message in enumerate(messages) if message.role in _INSTRUCTING)
    return [block for where, message in instructions for block in encoder.message(message, where)]


def _inference_config(request: ChatRequest) -> Fields:
    values = ((name, getattr(request, ours)) for ours, name in _SETTINGS)
    return {name: value for name, value in values if value is not None and value != ()}


def _tool_config(request: ChatRequest, marks: Collection[str], warnings: list[str]) -> Fields | None:
    """Tools and which to call. No tool at all is how to say `none`, unless earlier turns have calls."""
    choice = request.tool_choice
    if not request.tools or (choice is not None and choice.mode == "none" and not _has_calls(request.messages)):
        return None
    tools = ((f"tools[{index}]", tool) for index, tool in enumerate(request.tools))
    encoder = BlockEncoder(warnings, marks="tools" in marks)
    config: Fields = {"tools": [block for where, tool in tools for block in _tool(tool, where, encoder, warnings)]}
    if choice is None:
        return config
    if choice.mode == "none":
        raise _unsupported("tool_choice", "'none' after turns with tool calls")
    if choice.mode == "tool":
        return config | {"toolChoice": {"tool": {"name": choice.name}}}
    return config | {"toolChoice": {_CHOICES[choice.mode]: {}}}


def _has_calls(messages: Iterable[ChatMessage]) -> bool:
    return any(message.tool_calls or message.role == "tool" for message in messages)


def _tool(
    tool: ToolDefinition | ProviderPart, where: str, encoder: BlockEncoder, warnings: list[str]
) -> Iterator[Block]:
    if isinstance(tool, ProviderPart):
        yield _provider_tool(tool, where)
        return
    description = {"description": tool.description} if tool.description else {}
    strict = {"strict": tool.strict} if tool.strict is not None else {}
    schema = {"json": tool.parameters or _NO_PARAMETERS}
    spec = {"name": tool.name, **description, "inputSchema": schema, **strict}
    yield {"toolSpec": spec | own_fields(tool.metadata, MARK)}
    if tool.metadata:
        unplaced(tool.metadata, where, warnings, CACHE_MARKS)
        yield from encoder.mark(tool.metadata, where)


def _provider_tool(tool: ProviderPart, where: str) -> Block:
    if tool.protocol not in ("", MARK):
        raise UnsupportedParameterError(
            f"{where} is {tool.type!r}, a hosted tool that only {tool.protocol} has.",
            fix="Leave the tool out, or choose a provider that has it.",
            param=where,
        )
    return provider_block(tool)


def _output_config(wanted: ResponseFormat, facts: Facts) -> Fields:
    """The answer's form ("OutputConfig"): the schema travels as text."""
    if wanted.type == "text":
        return {}
    if wanted.type == "json" or wanted.schema is None or not facts.get("json_schema"):
        raise _unsupported("response_format", repr(wanted.type))
    description = {"description": wanted.description} if wanted.description else {}
    schema = {"schema": as_json(wanted.schema).decode(), "name": wanted.name, **description}
    return {"outputConfig": {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}}


def _model_fields(request: ChatRequest, facts: Facts) -> Fields:
    """What the model takes and Converse has no field for, placed as the facts say."""
    fields: Fields = {}
    for name in _WITHOUT_FIELD:
        value = getattr(request, name)
        if value is None or (name == "n" and value == 1):
            continue
        if not isinstance(path := facts.get(f"{name}_field"), str):
            raise _unsupported(name, repr(value))
        merge(fields, _at(path, value))
    if request.parallel_tool_calls is False and request.tools:
        if (single := facts.get("single_tool_calls")) is None:
            raise _unsupported("parallel_tool_calls", "False")
        merge(fields, single)
    return merge(fields, _thinking(request.thinking, facts.get("thinking")))


def _at(path: str, value: Any) -> Fields:
    for name in reversed(path.split(".")):
        value = {name: value}
    fields: Fields = value
    return fields


def _thinking(wanted: Thinking | None, template: Any) -> Fields:
    """The model's own way to ask for thinking. A model without one does not think, so turning it off needs no word."""
    if wanted is None:
        return {}
    known: Mapping[str, Any] = template or {}
    if not wanted.enabled or wanted.effort == "none":
        off = known.get("disabled", {})
        if off is None:
            raise _unsupported("thinking", "turned off")
        return dict(off)
    if not known.get("enabled"):
        raise _unsupported("thinking", "turned on")
    values = _amounts(wanted, known)
    filled: Fields = _filled(known["enabled"], values) or {}
    return filled


def _amounts(wanted: Thinking, known: Mapping[str, Any]) -> dict[str, Any]:
    """How much to think, in what the model's template has a place for."""
    template = json.dumps(known["enabled"])
    takes_budget, takes_effort = '"{budget_tokens}"' in template, '"{effort}"' in template
    budgets = known.get("budgets", {})
    budget = wanted.budget_tokens if wanted.budget_tokens is not None else budgets.get(wanted.effort or "default")
    if wanted.budget_tokens is not None and not takes_budget:
        raise _unsupported("thinking.budget_tokens", repr(wanted.budget_tokens))
    if wanted.effort is not None and not takes_effort and not (takes_budget and budget is not None):
        raise _unsupported("thinking.effort", repr(wanted.effort))
    effort = known.get("efforts", {}).get(wanted.effort or "default", wanted.effort)
    return {"{budget_tokens}": budget, "{effort}": effort}


def _filled(template: Any, values: dict[str, Any]) -> Any:
    """The template with its values; what has none is left out, with the objects that were only about it."""
    if isinstance(template, str):
        return values.get(template, template)
    if not isinstance(template, dict):
        return template
    filled = {key: value for key, item in template.items() if (value := _filled(item, values)) is not None}
    return filled if filled or not template else None


def merge(body: Fields, over: Mapping[str, Any]) -> Fields:
    """Lay one object over another, in place: objects join, everything else is replaced."""
    for key, value in over.items():
        below = body.get(key)
        body[key] = merge(dict(below), value) if isinstance(below, dict) and isinstance(value, dict) else value
    return body


def _unsupported(parameter: str, value: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(f"Converse can't express {parameter} ({value}) for this model.", param=parameter)


def _plain(value: Any) -> Any:
    """Bytes as base64, as in every AWS JSON protocol."""
    return base64_text(bytes(value)) if isinstance(value, (bytes, bytearray)) else plain(value)


as_json = body_writer(_plain)
