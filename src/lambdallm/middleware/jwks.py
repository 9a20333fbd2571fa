"""Signatures of JSON Web Tokens and the keys they are checked with: HMAC, RSA, and JWK sets as data or at a URL.

RSA is ours for the reason `llm.auth.rs256` gives; checking has no secret, so that it needs no care for time. The
padding is made anew and compared as a whole, never taken apart: there is nothing in it to be lenient about.

Sources: RFC 7517 (JWK), RFC 7518, section 6.3 (RSA keys); RFC 8017, section 8.2.2 (RSASSA-PKCS1-v1_5 verification).
"""

from __future__ import annotations

import json

from .._value import Value
from ..llm.backends.errors import BackendError
from ..llm.errors import ConfigurationError
from ..llm.flow import Send
from ..llm.result import Err
from ..transport.types import HttpRequest, Timeouts
from .kept import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..llm.flow import Flow

MIN_SECRET_BYTES = 32
_SMALLEST_BITS = 2048
_KEPT_SECONDS = 3600.0
_MOST_BYTES = 1_000_000
_TIMEOUTS = Timeouts(connect=3.0, read=5.0, total=8.0)
_OF_THIS_MACHINE = tuple(f"http://{host}{end}" for host in ("127.0.0.1", "localhost") for end in ":/")
_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


class RsaPublicKey(Value):
    """A key that signatures are checked with. `id` is its `kid`, `""` where it has none."""

    n: int
    e: int
    id: str = ""


class JwksKeys:
    """The RSA keys of a JWK set given as data, or found at a URL. Raises `ConfigurationError` for what holds none."""

    def __init__(self, data: Mapping[str, Any] | None, url: str | None) -> None:
        if url is not None and not url.startswith(("https://", *_OF_THIS_MACHINE)):
            raise ConfigurationError(f"jwks_url is {url!r}.", fix="Keys are to be had over https:// only.")
        self._data = None if data is None else rsa_keys(data)
        self._fetched: Kept[list[RsaPublicKey]] = Kept(lambda: _fetched(str(url)), _KEPT_SECONDS)

    def named(self, key_id: str | None) -> Flow[list[RsaPublicKey]]:
        """The keys that may have signed: those of that id, all where none is named.

        For an unknown id a set at a URL is fetched again, at most every half minute. Raises `BackendError` where it
        can't be had, and none is in hand.
        """
        if self._data is not None:
            return _fitting(self._data, key_id)
        known = _fitting((yield from self._fetched.get()), key_id)
        return known or _fitting((yield from self._fetched.again()), key_id)


def _fitting(keys: list[RsaPublicKey], key_id: str | None) -> list[RsaPublicKey]:
    return [key for key in keys if key_id is None or key.id == key_id]


def rsa_keys(data: Any) -> list[RsaPublicKey]:
    """The RSA signing keys of a JWK set; others in it are left out. Raises `ConfigurationError` where none is left."""
    listed = data.get("keys") if hasattr(data, "get") else None
    keys = [key for one in (listed if isinstance(listed, list) else []) if (key := _rsa_key(one)) is not None]
    if not keys:
        fix = "Give the document that the issuer's jwks_uri holds."
        raise ConfigurationError("The JWK set has no RSA key of 2048 bits or more for signatures.", fix=fix)
    return keys


def _rsa_key(jwk: Any) -> RsaPublicKey | None:
    if not isinstance(jwk, dict) or jwk.get("kty") != "RSA":
        return None
    if jwk.get("alg", "RS256") != "RS256" or jwk.get("use", "sig") != "sig":
        return None
    n, e = _number(jwk.get("n")), _number(jwk.get("e"))
    if n.bit_length() < _SMALLEST_BITS or e < 3 or e % 2 == 0 or e >= n:
        return None
    return RsaPublicKey(n, e, str(jwk.get("kid", "")))


def _number(text: Any) -> int:
    """A number in base64url, 0 for what is none."""
    from base64 import urlsafe_b64decode

    try:
        return int.from_bytes(urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
    except (ValueError, TypeError):
        return 0


def _fetched(url: str) -> Flow[list[RsaPublicKey]]:
    reply = yield Send(HttpRequest("GET", url, (("Accept", "application/json"),)), _TIMEOUTS)
    if isinstance(reply, Err):
        raise BackendError(f"The keys at {url!r} can't be fetched: {reply.error.message}")
    response = reply.value
    try:
        if response.status != 200 or len(response.body) > _MOST_BYTES:
            raise ValueError(f"status {response.status}, {len(response.body)} bytes")
        return rsa_keys(json.loads(response.body))
    except (ValueError, RecursionError, ConfigurationError) as error:
        raise BackendError(f"The keys at {url!r} can't be used: {error}") from error


def hs256_fits(signed: bytes, signature: bytes, secret: bytes) -> bool:
    """Whether the holder of the secret signed it."""
    import hmac

    return hmac.compare_digest(hmac.digest(secret, signed, "sha256"), signature)


def rs256_fits(signed: bytes, signature: bytes, key: RsaPublicKey) -> bool:
    """Whether the holder of the private key signed it."""
    from hashlib import sha256

    size = (key.n.bit_length() + 7) // 8
    number = int.from_bytes(signature, "big")
    if len(signature) != size or number >= key.n:
        return False
    digest = _SHA256_PREFIX + sha256(signed).digest()
    expected = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    return pow(number, key.e, key.n).to_bytes(size, "big") == expected
