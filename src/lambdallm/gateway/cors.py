"""Which pages of the web may ask from a browser: none, unless the configuration names their origins.

Source: the Fetch standard, "CORS protocol". Credentials of a browser (cookies) are never let in: keys are headers.
"""

from __future__ import annotations

from .http import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .config.values import CorsSettings
    from .http import GatewayRequest

    Pairs = tuple[tuple[str, str], ...]

_METHODS = "GET, POST, PUT, PATCH, DELETE"
_READABLE = "x-request-id, retry-after, x-lambdallm-cost-usd, x-lambdallm-provider, x-lambdallm-warnings"


def allowed_origin(settings: CorsSettings, request: GatewayRequest) -> str:
    """The origin that the answer is to name, empty where its page may not read it."""
    origin = request.headers.get("origin") or ""
    if not origin or not settings.origins:
        return ""
    return "*" if "*" in settings.origins else origin if origin in settings.origins else ""


def preflight(settings: CorsSettings, request: GatewayRequest) -> Reply | None:
    """The answer to a browser that asks whether it may ask; `None` for any other request."""
    if request.method != "OPTIONS" or "access-control-request-method" not in request.headers:
        return None
    origin = allowed_origin(settings, request)
    if not origin:
        return None
    return Reply(
        204,
        (
            ("access-control-allow-methods", _METHODS),
            ("access-control-allow-headers", ", ".join(settings.headers)),
            ("access-control-max-age", str(settings.max_age_seconds)),
        ),
    )


def headers(settings: CorsSettings, request: GatewayRequest) -> Pairs:
    """What every answer to a page that may read it says."""
    if not settings.origins:
        return ()
    origin = allowed_origin(settings, request)
    varies = () if "*" in settings.origins else (("vary", "origin"),)
    if not origin:
        return varies
    return (("access-control-allow-origin", origin), ("access-control-expose-headers", _READABLE), *varies)
