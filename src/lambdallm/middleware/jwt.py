"""JSON Web Tokens: read strictly, the signature first, the claims after it. Pure, but for the keys' way here.

What is believed is decided here, never by the token: a verifier with a secret takes HS256 and nothing else, one with
public keys RS256 and nothing else. So `alg: none` is refused, and so is a public key passed off as a secret.

Sources: RFC 7515 (JWS), 7518 (algorithms), 7519 (claims), 8725 (best current practice).
"""

from __future__ import annotations

import json
from binascii import a2b_base64

from .._value import Value
from ..llm.errors import ConfigurationError, UnauthorizedError
from ..llm.flow import NOW
from .jwks import MIN_SECRET_BYTES, JwksKeys, hs256_fits, rs256_fits
from .kept import Kept, is_elsewhere, value_of
from .principal import Principal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..llm.flow import Flow

_MOST_CHARACTERS = 16_384
_KEPT_SECONDS = 300.0


class Token(Value):
    """A token taken apart; nothing in it is believed yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bytes
    signature: bytes


class Jwt:
    """Verifies bearer tokens: with a shared secret (HS256), or with the public keys of whoever issues them (RS256).

        Jwt(jwks_url="https://cognito-idp.eu-west-1.amazonaws.com/POOL/.well-known/jwks.json",
            issuer="https://cognito-idp.eu-west-1.amazonaws.com/POOL", audience="CLIENT")

    Give one of `secret` (32 bytes or more, `secret:…` where they are in Secrets Manager or SSM, or a function that
    returns them), `jwks` (a JWK set as data) and `jwks_url`, whose keys are kept for an hour and looked up again when a
    token names an unknown one. `issuer` and `audience` are what `iss` and `aud` must be, one or several to choose from;
    a token for an audience is refused where none is given. `required` claims must be there; `exp` and `nbf` are checked
    with `leeway_seconds` for clocks that differ. `subject` is the claim that names the caller. Raises
    `ConfigurationError` for settings that make no sense.
    """

    def __init__(
        self,
        *,
        secret: str | bytes | Callable[[], Any] | None = None,
        jwks: Mapping[str, Any] | None = None,
        jwks_url: str | None = None,
        issuer: str | Sequence[str] | None = None,
        audience: str | Sequence[str] | None = None,
        leeway_seconds: float = 30.0,
        required: Sequence[str] = ("exp",),
        subject: str = "sub",
    ) -> None:
        if sum(given is not None for given in (secret, jwks, jwks_url)) != 1:
            raise ConfigurationError("A Jwt needs one kind of key.", fix="Give secret, jwks or jwks_url.")
        self._keys = None if secret is not None else JwksKeys(jwks, jwks_url)
        self._secret: Kept[bytes] = Kept(lambda: _read_secret(secret), _KEPT_SECONDS)
        if secret is not None and not is_elsewhere(secret):
            _secret_bytes(secret)
        self.issuers, self.audiences = _several(issuer), _several(audience)
        self.leeway_seconds, self.required, self.subject = leeway_seconds, (*required, subject), subject

    @property
    def algorithm(self) -> str:
        """The one it takes."""
        return "HS256" if self._keys is None else "RS256"

    def verify(self, token: str) -> Flow[Principal | None]:
        """Whom the token names; `None` where it is no JWT. Raises `UnauthorizedError` for one that is refused."""
        if token.count(".") != 2:
            return None
        read = taken_apart(token)
        if read.header.get("alg") != self.algorithm or "crit" in read.header:
            raise UnauthorizedError("The token is signed in a way that is not accepted.")
        if not (yield from self._fits(read)):
            raise UnauthorizedError("The token's signature is wrong.")
        self._believe(read.claims, (yield NOW).wall)
        return Principal(str(read.claims[self.subject]), "jwt", read.claims)

    def _fits(self, token: Token) -> Flow[bool]:
        if self._keys is None:
            return hs256_fits(token.signed, token.signature, (yield from self._secret.get()))
        key_id = token.header.get("kid")
        keys = yield from self._keys.named(key_id if isinstance(key_id, str) else None)
        return any(rs256_fits(token.signed, token.signature, key) for key in keys)

    def _believe(self, claims: Mapping[str, Any], now: float) -> None:
        """Raises `UnauthorizedError` for claims that do not hold."""
        for name in self.required:
            if claims.get(name) in (None, ""):
                raise UnauthorizedError(f"The token has no {name!r}.")
        if isinstance(claims[self.subject], bool) or not isinstance(claims[self.subject], (str, int)):
            raise UnauthorizedError(f"The token's {self.subject!r} names nobody.")
        if "exp" in claims and now >= _date(claims, "exp") + self.leeway_seconds:
            raise UnauthorizedError("The token has expired.")
        if "nbf" in claims and now < _date(claims, "nbf") - self.leeway_seconds:
            raise UnauthorizedError("The token is not valid yet.")
        if self.issuers and claims.get("iss") not in self.issuers:
            raise UnauthorizedError("The token comes from another issuer.")
        audience = claims.get("aud")
        named = audience if isinstance(audience, list) else [] if audience is None else [audience]
        if (self.audiences or named) and not any(one in self.audiences for one in named):
            raise UnauthorizedError("The token is for another audience.")

    def __repr__(self) -> str:
        return f"Jwt({self.algorithm})"


def taken_apart(token: str) -> Token:
    """The three parts of a token. Raises `UnauthorizedError` for anything but base64url and JSON objects."""
    try:
        if len(token) > _MOST_CHARACTERS:
            raise ValueError("too long")
        first, second, third = token.split(".")
        header, claims = json.loads(_bytes(first)), json.loads(_bytes(second))
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise ValueError("no objects")
        return Token(header, claims, f"{first}.{second}".encode("ascii"), _bytes(third))
    except (ValueError, RecursionError):
        raise UnauthorizedError("The token can't be read.") from None


def _bytes(text: str) -> bytes:
    """What base64url without padding stands for (RFC 7515, appendix C). Raises `ValueError`."""
    if not all(mark.isascii() and (mark.isalnum() or mark in "-_") for mark in text):
        raise ValueError("not base64url")
    plain = text.replace("-", "+").replace("_", "/")
    return a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)


def _date(claims: Mapping[str, Any], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e12 < value < 1e12:
        raise UnauthorizedError(f"The token's {name!r} is no date.")
    return float(value)


def _several(given: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if given is None else (given,) if isinstance(given, str) else tuple(given)


def _read_secret(source: Any) -> Flow[bytes]:
    return _secret_bytes((yield from value_of(source, _KEPT_SECONDS)))


def _secret_bytes(secret: Any) -> bytes:
    data = secret.encode() if isinstance(secret, str) else secret
    if not isinstance(data, bytes) or len(data) < MIN_SECRET_BYTES:
        fix = f"Give {MIN_SECRET_BYTES} random bytes or more (RFC 7518, section 3.2)."
        raise ConfigurationError("The secret of HS256 is too short, or no text.", fix=fix)
    return data
