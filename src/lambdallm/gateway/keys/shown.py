"""Where clients show their key: in the header that their protocol has for it, Google's also in the query."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..http import GatewayRequest

HEADERS = ("x-api-key", "x-goog-api-key", "api-key")
"""Besides `Authorization: Bearer`: of Anthropic's clients, Google's and Azure's."""


def shown_key(request: GatewayRequest) -> str:
    """The key in a request; empty where there is none. A bearer token goes first, a query last."""
    kind, _, token = (request.headers.get("authorization") or "").strip().partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    for name in HEADERS:
        value = (request.headers.get(name) or "").strip()
        if value:
            return value
    if request.query_pairs and request.path.startswith("/v1beta/"):
        return request.query.get("key", "")
    return ""
