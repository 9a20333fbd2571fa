"""Which path is whose: the endpoints as data, each imported by the first request to it.

A pattern's `{name}` stands for one segment of the path, `{name...}` for the rest of it; Gemini's `{model}:{action}` are
told apart by the last colon. Further endpoints are added to `ROUTES`.
"""

from __future__ import annotations

from .._value import Value
from .http import GatewayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..llm.flow import Flow
    from .app import Gateway
    from .caller import Caller
    from .http import GatewayRequest, Reply, StreamedReply

    Endpoint = Callable[[Gateway, GatewayRequest, Caller], Flow[Reply | StreamedReply]]


class Route(Value):
    """An endpoint: a function, or where in this package it is (`"endpoints.chat:answer"`).

    `protocol` words its errors, `""` where the request's headers tell. One that is `public` needs no key.
    """

    method: str
    pattern: str
    endpoint: Endpoint | str
    protocol: str = ""
    public: bool = False

    def function(self) -> Endpoint:
        """The endpoint's function."""
        if not isinstance(self.endpoint, str):
            return self.endpoint
        module, _, name = self.endpoint.partition(":")
        found: Any = __import__(f"{__package__}.{module}", fromlist=[name])
        function: Endpoint = getattr(found, name)
        return function


_CHAT = "endpoints.chat:answer"
_EMBED = "endpoints.embeddings:gemini"
_GEMINI = {
    "generateContent": _CHAT, "streamGenerateContent": _CHAT, "countTokens": "endpoints.tokens:gemini",
    "embedContent": _EMBED, "batchEmbedContents": _EMBED,
}  # fmt: skip
_LISTED, _ONE = "endpoints.models:listed", "endpoints.models:one"

ROUTES: list[Route] = [
    Route("POST", "/v1/chat/completions", _CHAT, "openai_chat"),
    Route("POST", "/v1/messages", _CHAT, "anthropic_messages"),
    Route("POST", "/v1/responses", _CHAT, "openai_responses"),
    Route("POST", "/v1/embeddings", "endpoints.embeddings:openai", "openai_chat"),
    Route("POST", "/v1/completions", _CHAT, "openai_completions"),
    Route("POST", "/v1/messages/count_tokens", "endpoints.tokens:anthropic", "anthropic_messages"),
    *(
        Route("POST", f"/{version}/models/{{model}}:{action}", endpoint, "gemini")
        for version in ("v1beta", "v1")
        for action, endpoint in _GEMINI.items()
    ),
    Route("GET", "/v1/models", _LISTED),
    Route("GET", "/v1/models/{model...}", _ONE),
    Route("GET", "/v1beta/models", _LISTED, "gemini"),
    Route("GET", "/v1beta/models/{model...}", _ONE, "gemini"),
    Route("GET", "/usage", "usage.endpoint:usage"),
    Route("GET", "/health", "endpoints.health:health", public=True),
    Route("GET", "/ready", "endpoints.health:ready", public=True),
]


def found(routes: Sequence[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a request and the places of its pattern. Raises `GatewayError` 404, and 405 for another method."""
    asked = "GET" if method == "HEAD" else method
    allowed = []
    for route in routes:
        if (params := _params(route.pattern, path)) is None:
            continue
        if route.method == asked:
            return route, params
        allowed.append(route.method)
    if allowed:
        methods = ", ".join(sorted(set(allowed)))
        message = f"{path[:200]!r} does not take {method[:20]}. Use {methods}."
        raise GatewayError(405, message, code="method_not_allowed", headers=(("allow", methods),))
    message = f"There is no {path[:200]!r} here. See the list of endpoints in the gateway's documentation."
    raise GatewayError(404, message, code="unknown_url")


def _params(pattern: str, path: str) -> dict[str, str] | None:
    """The places of a pattern in a path; `None` where it is another's."""
    head, brace, rest = pattern.partition("{")
    if not brace:
        return {} if path == pattern else None
    if not path.startswith(head):
        return None
    name, _, tail = rest.partition("}")
    value = path[len(head) :]
    if name.endswith("..."):
        return {name[:-3]: _unquoted(value)} if value else None
    if not value.endswith(tail) or (tail and len(value) == len(tail)):
        return None
    value = value.removesuffix(tail)
    if not value or (not tail.startswith(":") and "/" in value):
        return None
    return {name: _unquoted(value)} | ({"action": tail[1:]} if tail.startswith(":") else {})


def _unquoted(text: str) -> str:
    if "%" not in text:
        return text
    from urllib.parse import unquote

    return unquote(text)
