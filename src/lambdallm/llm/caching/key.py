"""What a cached answer is found by: a digest of everything that changes the answer, and of nothing that does not.

It counts the provider, the endpoint where it is not the provider's own, the wire protocol, the model, the messages,
tools, settings, `extra`, and a namespace that keeps tenants apart. It does not count how a call is made (streamed or
not, time limits, retries, keys, headers), who made it (`user`), or what only makes it cheaper (prompt cache markers).
A field that `ChatRequest` gains later counts until it is named here: a needless miss is cheaper than a wrong answer.

Two requests that say the same have the same key: text is one text part, `0` is `0.0`, and the order of a mapping's keys
does not count. The one exception are the `properties` of a JSON Schema: models write the fields of an object in the
order that the schema gives them, and a verdict written after its reasons is another verdict.
"""

from __future__ import annotations

import json

from ..._value import Value
from ..call import url_of
from ..errors import ConfigurationError
from ..flow import ENVIRONMENT
from ..types import ChatMessage, ChatRequest, ProviderPart, ResponseFormat, ToolCall, ToolDefinition

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..catalog.resolve import Target
    from ..flow import Flow

VERSION = "v1"
"""Goes up whenever the same request would get another key, or the same key mean another request."""

_NEVER_COUNTS = ("model", "stream", "user", "prompt_cache")
"""The model is counted by its own name, which the catalog's is and a caller's need not be; of a prompt cache only a
`resource` counts, as its content is part of the question."""
_COUNTED = tuple(name for name in ChatRequest._fields if name not in _NEVER_COUNTS)
_CACHE_MARKS = ("cache_control", "cachePoint")


class CacheQuery(Value):
    """A request as a cache is asked for it, and the `key` made of all that; another one can't be given."""

    request: ChatRequest
    provider: str
    endpoint: str = ""
    wire: str = ""
    namespace: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        self._set("key", cache_key(self.request, **self.where))

    @property
    def where(self) -> dict[str, str]:
        """What the key was made of beside the request."""
        return {name: getattr(self, name) for name in ("provider", "endpoint", "wire", "namespace")}


def queried(
    request: ChatRequest, target: Target, *, base_url: str | None = None, wire: str | None = None, namespace: str = ""
) -> Flow[CacheQuery]:
    """The query for a request to a target; `base_url` and `wire` are those of the call's settings.

    Whose key pays does not count: give callers that may not share answers a `namespace` each.
    Raises `ConfigurationError` for a request that holds what is no JSON, and for an endpoint with unknown variables.
    """
    environ = yield ENVIRONMENT
    own = target.provider.endpoint.rstrip("/")
    endpoint = url_of(target, "", base_url, environ)
    named = request if request.model == target.model.id else request.replace(model=target.model.id)
    elsewhere = "" if endpoint == own else endpoint
    return CacheQuery(named, target.provider.name, elsewhere, wire or target.wire, namespace)


def cache_key(request: ChatRequest, *, provider: str, endpoint: str = "", wire: str = "", namespace: str = "") -> str:
    """The key of a request: the version and a SHA-256. Raises `ConfigurationError` for what is no JSON."""
    from hashlib import sha256

    counted = {name: _number(value) for name in _COUNTED if (value := getattr(request, name)) not in (None, (), {})}
    if request.prompt_cache is not None and request.prompt_cache.resource is not None:
        counted["prompt_cache"] = request.prompt_cache.resource
    whole = [VERSION, namespace, provider, endpoint, wire, request.model, counted]
    try:
        text = _ENCODER.encode(whole)
    except (TypeError, ValueError, RecursionError) as reason:
        raise ConfigurationError(f"A request can't be looked up in a cache: {reason}.", fix=_FIX) from None
    return f"{VERSION}:{sha256(text.encode()).hexdigest()}"


_FIX = "Use plain values with text as keys, or call without the cache."


def _number(value: Any) -> Any:
    """A setting, `1.0` being `1`."""
    return int(value) if type(value) is float and value.is_integer() else value


def _plain(value: Any) -> Any:
    """What JSON has no word for: our own values by name and fields, bytes by digest, mappings of any kind."""
    if isinstance(value, Value):
        return [type(value).__name__, _fields(value)]
    if isinstance(value, (bytes, bytearray, memoryview)):
        from hashlib import sha256

        return ["bytes", sha256(value).hexdigest()]
    if hasattr(value, "keys"):
        return dict(value)
    raise ConfigurationError(f"{value!r} can't be part of a request that is cached.", fix=_FIX)


def _fields(value: Value) -> dict[str, Any]:
    """The fields that say something, in the one form that all ways of saying it have."""
    defaults = value._defaults
    fields = {n: v for n in value._fields if (v := getattr(value, n)) != defaults.get(n, value)}
    if "metadata" in fields:
        fields["metadata"] = {k: v for k, v in fields["metadata"].items() if k not in _CACHE_MARKS}
        if not fields["metadata"]:
            del fields["metadata"]
    normal = _NORMAL.get(type(value))
    return fields if normal is None else normal(value, fields)


def _message(message: ChatMessage, fields: dict[str, Any]) -> dict[str, Any]:
    """A message by its parts, those left out that are only cache markers."""
    parts = [p for p in message.parts if not (type(p) is ProviderPart and p.type in _CACHE_MARKS)]
    return {**fields, "content": parts}


def _call(call: ToolCall, fields: dict[str, Any]) -> dict[str, Any]:
    """A call by its arguments' value where they have one, however their text is spaced."""
    if call.arguments is not None:
        fields.pop("arguments_json", None)
    return fields


def _tool(tool: ToolDefinition, fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "parameters": _schema(tool.parameters)}


def _format(form: ResponseFormat, fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "schema": _schema(form.schema)}


def _schema(schema: Any) -> Any:
    """A JSON Schema, the order of its properties kept: as pairs, which are not sorted."""
    if isinstance(schema, (list, tuple)):
        return [_schema(item) for item in schema]
    if not hasattr(schema, "items"):
        return schema
    return {name: _pairs(inner) if name == "properties" else _schema(inner) for name, inner in schema.items()}


def _pairs(properties: Mapping[str, Any]) -> Any:
    if not hasattr(properties, "items"):
        return properties
    return [[name, _schema(inner)] for name, inner in properties.items()]


_NORMAL: dict[type[Value], Any] = {
    ChatMessage: _message,
    ToolCall: _call,
    ToolDefinition: _tool,
    ResponseFormat: _format,
}
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_plain)
