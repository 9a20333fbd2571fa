"""The gateway: one URL for a team, which speaks OpenAI's, Anthropic's and Gemini's protocols to clients of any of them.

One application of flows, hosted by Lambda (whole or streamed answers) or by an ASGI server.
"""

from __future__ import annotations

from .._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .app import Gateway
    from .body import Limits
    from .caller import Caller
    from .config import GatewayConfig, load_gateway
    from .http import GatewayError, GatewayRequest, Reply, StreamedReply
    from .routes import Route
    from .serving import CatalogModels

__all__ = [
    "Caller", "CatalogModels", "Gateway", "GatewayConfig", "GatewayError", "GatewayRequest", "Limits", "Reply", "Route",
    "StreamedReply", "load_gateway",
]  # fmt: skip

_HOMES = {
    "Caller": "caller",
    "CatalogModels": "serving",
    "Gateway": "app",
    "GatewayConfig": "config",
    "GatewayError": "http",
    "GatewayRequest": "http",
    "Limits": "body",
    "Reply": "http",
    "Route": "routes",
    "StreamedReply": "http",
    "load_gateway": "config",
}

__getattr__, __dir__ = door(__name__, _HOMES)
