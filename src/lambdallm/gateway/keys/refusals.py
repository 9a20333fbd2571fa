"""What clients are told when their key does not let them in. Nothing here tells which part of a key is wrong."""

from __future__ import annotations

from ..http import GatewayError

_CHALLENGE = ("www-authenticate", 'Bearer realm="gateway"')


def missing() -> GatewayError:
    """No key was shown."""
    said = "No API key was sent. Send yours as `Authorization: Bearer <key>`, or in the header x-api-key."
    return GatewayError(401, said, type="authentication_error", code="missing_api_key", headers=(_CHALLENGE,))


def wrong() -> GatewayError:
    """The key is none: malformed, of nobody, or with a wrong secret."""
    said = "The API key is not valid. Check that all of it was copied, or ask for another one."
    return GatewayError(401, said, type="authentication_error", code="invalid_api_key", headers=(_CHALLENGE,))


_ENDED = {
    "revoked": (401, "The API key was revoked. Ask for another one.", "api_key_revoked"),
    "expired": (401, "The API key has expired. Ask for another one.", "api_key_expired"),
    "rotated": (401, "The API key was replaced by a newer one. Use that.", "api_key_rotated"),
    "disabled": (403, "The user whose API key this is has been disabled. Ask an administrator.", "user_disabled"),
}


def ended(why: str) -> GatewayError:
    """The key was right, and lets nobody in any more: `revoked`, `expired`, `rotated` or `disabled`."""
    status, said, code = _ENDED[why]
    kind = "authentication_error" if status == 401 else "permission_error"
    return GatewayError(status, said, type=kind, code=code, headers=(_CHALLENGE,) if status == 401 else ())


def too_many(wait_seconds: float) -> GatewayError:
    """Too many wrong keys came from there."""
    said = "Too many wrong API keys came from this address. Wait, and check the key."
    wait = ("retry-after", str(int(wait_seconds) + 1))
    return GatewayError(429, said, type="rate_limit_error", code="too_many_wrong_keys", headers=(wait,))


def unavailable() -> GatewayError:
    """Where the keys are kept does not answer."""
    said = "API keys can't be checked at the moment. Try again."
    return GatewayError(503, said, type="server_error", code="key_store_unavailable", headers=(("retry-after", "1"),))


def forbidden() -> GatewayError:
    """Only administrators may do this."""
    said = "This needs an administrator. Send the admin key, or sign the request as a principal that may."
    return GatewayError(403, said, type="permission_error", code="admin_only")
