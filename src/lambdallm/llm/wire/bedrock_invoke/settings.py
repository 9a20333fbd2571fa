"""Settings of a request, each where a vendor's body has it; what Bedrock itself is told, in headers.

Source: Bedrock API reference, "InvokeModel", URI request parameters and headers.
"""

from __future__ import annotations

import json

from ...errors import UnsupportedParameterError
from ..body import body_writer
from ..codec import Encoded
from ..notes import extra_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from typing import Any, TypeAlias

    from ....transport.types import Headers
    from ...types import ChatRequest
    from ..codec import Facts

    Fields: TypeAlias = dict[str, Any]

MARK = "bedrock_invoke"
"""This protocol's name, as `notes` wants it."""

_PARAMETERS = (
    "tools", "tool_choice", "parallel_tool_calls", "max_tokens", "temperature", "top_p", "top_k", "stop", "seed",
    "presence_penalty", "frequency_penalty", "n", "logprobs", "response_format", "thinking", "user",
)  # fmt: skip

_NOTHING: dict[str, Callable[[Any], bool]] = {
    "n": lambda number: bool(number == 1),
    "presence_penalty": lambda number: not number,
    "frequency_penalty": lambda number: not number,
    "tool_choice": lambda choice: choice.mode in ("auto", "none"),
    "parallel_tool_calls": lambda parallel: parallel is not False,
    "response_format": lambda form: form.type == "text",
    "thinking": lambda thinking: not thinking.enabled or thinking.effort == "none",
}
"""Asking for these is asking for what happens anyway."""

_HEADERS = (
    ("guardrailConfig", "guardrailIdentifier", "X-Amzn-Bedrock-GuardrailIdentifier"),
    ("guardrailConfig", "guardrailVersion", "X-Amzn-Bedrock-GuardrailVersion"),
    ("guardrailConfig", "trace", "X-Amzn-Bedrock-Trace"),
    ("performanceConfig", "latency", "X-Amzn-Bedrock-PerformanceConfig-Latency"),
    ("serviceTier", "type", "X-Amzn-Bedrock-Service-Tier"),
)
"""What Converse has in its body under these names, and this operation in headers."""

_IN_CAPITALS = ("X-Amzn-Bedrock-Trace",)
_METADATA = "requestMetadata"
_METADATA_HEADER = "X-Amzn-Bedrock-Request-Metadata"
_GUARDRAIL = "guardrailConfig"
_GUARDRAIL_FIELD = "amazon-bedrock-guardrailConfig"
_STREAM_MODES = {"sync": "SYNCHRONOUS", "async": "ASYNCHRONOUS"}


def settings_of(
    request: ChatRequest, facts: Facts, places: Mapping[str, str], warnings: list[str], *, taken: Collection[str] = ()
) -> Fields:
    """The settings asked for, each at its place (`inferenceConfig.topK`). Those in `taken` are the caller's to say.

    Raises `UnsupportedParameterError` naming the first one that has no place.
    """
    body: Fields = {}
    if request.prompt_cache is not None:
        from ..prompt_cache import without_controls

        without_controls(request, warnings)
    places = {**places, **facts.get("param_names", {})}
    for name in _PARAMETERS:
        value = getattr(request, name)
        if value is None or value == () or (name in _NOTHING and name not in taken and _NOTHING[name](value)):
            continue
        if name in facts.get("ignored", ()):
            warnings.append(f"{name!r} was left out: this model ignores it")
        elif name in facts.get("unsupported", ()) or (name not in places and name not in taken):
            raise unsupported(name, value)
        elif name not in taken:
            merge(body, placed(places[name], [*value] if name == "stop" else value))
    return body


def unsupported(name: str, value: object) -> UnsupportedParameterError:
    """The error for a parameter that the body has no word for."""
    return UnsupportedParameterError(f"{name}={value!r} can't be asked of this model in its own body.", param=name)


def encoded(body: Fields, request: ChatRequest, warnings: list[str]) -> Encoded:
    """The body with `extra` laid over it, object by object, and the headers that `extra` asks for."""
    extra, headers = extra_and_headers(request, MARK, warnings)
    return Encoded(as_json(merge(body, extra)), headers, tuple(warnings))


def extra_and_headers(request: ChatRequest, spoken: str, warnings: list[str]) -> tuple[Fields, Headers]:
    """What of `extra` is laid over a body in the words of the protocol `spoken`, and what goes in headers."""
    own = request.replace(dialect=None) if request.dialect == spoken else request
    return without_headers(extra_of(own, MARK, warnings))


def without_headers(extra: Mapping[str, Any]) -> tuple[Fields, Headers]:
    """`extra` less what goes in headers, and those headers."""
    rest = {key: dict(value) if isinstance(value, dict) else value for key, value in extra.items()}
    headers: list[tuple[str, str]] = []
    for group, name, header in _HEADERS:
        if isinstance(fields := rest.get(group), dict) and isinstance(value := fields.get(name), str):
            headers.append((header, value.upper() if header in _IN_CAPITALS else value))
            del fields[name]
    if _METADATA in rest:
        headers.append((_METADATA_HEADER, as_ascii(rest.pop(_METADATA))))
    if guardrail := rest.pop(_GUARDRAIL, None):
        merge(rest, {_GUARDRAIL_FIELD: _spelt(guardrail)})
    used = {group for group, _, _ in _HEADERS}
    return {key: value for key, value in rest.items() if value != {} or key not in used}, tuple(headers)


def _spelt(guardrail: Any) -> Any:
    """A guardrail's further settings, with the mode in this operation's words."""
    if not isinstance(guardrail, dict):
        return guardrail
    mode = guardrail.get("streamProcessingMode")
    return guardrail | ({"streamProcessingMode": _STREAM_MODES.get(mode, mode)} if mode else {})


def placed(path: str, value: Any) -> Fields:
    """An object with a value at a dotted path."""
    for name in reversed(path.split(".")):
        value = {name: value}
    fields: Fields = value
    return fields


def merge(body: Fields, over: Mapping[str, Any]) -> Fields:
    """Lay one object over another, in place: objects join, everything else is replaced."""
    for key, value in over.items():
        below = body.get(key)
        body[key] = merge(dict(below), value) if isinstance(below, dict) and isinstance(value, dict) else value
    return body


def as_ascii(value: Any) -> str:
    """A value as JSON that a header can carry."""
    return value if isinstance(value, str) else json.dumps(value)


as_json = body_writer()
