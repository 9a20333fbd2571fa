"""Whose request an event is, so that nobody is answered with what was made for another. Pure.

    who `AuthMiddleware` found the caller to be
    who API Gateway or a function URL did: the subject of a token, an authorizer's principal, an IAM identity
    else whoever shows the same credentials, in `Authorization` or `X-Api-Key`

The last is for functions that look at credentials themselves, and for callers who were recognised without a name.
Functions that know their callers by something else, such as a cookie, name it as a part of the key.
"""

from __future__ import annotations

from .http import header, mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .principal import Principal

_CREDENTIALS = ("authorization", "x-api-key")


def caller(event: Any, principal: Principal | None) -> list[Any] | None:
    """What tells a caller from others, to be hashed: it may be credentials. `None` where nothing does."""
    if principal is not None and principal.id:
        return [principal.kind, principal.id, principal.claims.get("iss")]
    found = _known_to_the_gateway(mapping(mapping(event).get("requestContext")))
    if found is not None:
        return found
    shown = [header(event, name) for name in _CREDENTIALS]
    return ["shown", *shown] if any(shown) else None


def _known_to_the_gateway(context: Mapping[str, Any]) -> list[Any] | None:
    authorizer = mapping(context.get("authorizer"))
    claims = mapping(mapping(authorizer.get("jwt")).get("claims")) or mapping(authorizer.get("claims"))
    if claims.get("sub"):
        return ["token", claims["sub"], claims.get("iss")]
    named = authorizer.get("principalId") or mapping(authorizer.get("lambda")).get("principalId")
    if named:
        return ["authorizer", named]
    arn = mapping(authorizer.get("iam")).get("userArn") or mapping(context.get("identity")).get("userArn")
    return ["iam", arn] if arn else None
