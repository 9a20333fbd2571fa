"""RS256: RSA signatures with SHA-256 as JSON Web Tokens want them, for the keys of Google service accounts.

It is ours because the core has no dependency, Python has no binding for OpenSSL's RSA, and an import of `cryptography`
costs a cold start more than the signature does. It signs and nothing else: no key is made here, nothing is decrypted,
no padding is checked. Python's `pow` takes a time that depends on the key; who can measure that runs beside the key.

- The key is read strictly: PEM of PKCS#8 (RFC 5958) or PKCS#1, DER with definite lengths only, and its parts must fit.
- Padding is EMSA-PKCS1-v1_5 (RFC 8017, section 9.2): it is deterministic, so no randomness can be wrong.
- The Chinese remainder theorem makes it four times faster (section 5.1.2); the result is checked with the public
  exponent before it leaves, so that a fault in a computation can't give the key away.

Held against `cryptography` in its tests.
"""

from __future__ import annotations

from binascii import a2b_base64
from hashlib import sha256

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA_ENCRYPTION = bytes.fromhex("2a864886f70d010101")
_LABELS = ("PRIVATE KEY", "RSA PRIVATE KEY")
_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_SMALLEST_BITS = 2048


class RsaKey(Value):
    """A private RSA key in the parts of PKCS#1: modulus, exponents, and what the remainder theorem needs."""

    n: int
    e: int
    d: int
    p: int
    q: int
    dp: int
    dq: int
    qinv: int

    def __repr__(self) -> str:
        return f"RsaKey({self.n.bit_length()} bits)"


def read_key(pem: str) -> RsaKey:
    """The key in a PEM text. Raises `ValueError` that says what is wrong and quotes nothing of the key."""
    label, der = _unarmoured(pem)
    version, *rest = _sequence(der)
    if label == "PRIVATE KEY":
        algorithm, octets = rest[:2] if len(rest) >= 2 else _malformed()
        if _first(_inner(algorithm, _SEQUENCE), _OID) != _RSA_ENCRYPTION:
            raise ValueError("the key is not an RSA key")
        version, *rest = _sequence(_inner(octets, _OCTETS))
    if _number(version) != 0 or len(rest) < 8:
        _malformed()
    return _checked(RsaKey(*(_number(part) for part in rest[:8])))


def sign(message: bytes, key: RsaKey) -> bytes:
    """The signature of a message. Raises `ValueError` when the key's parts don't fit together."""
    size = (key.n.bit_length() + 7) // 8
    digest = _SHA256_PREFIX + sha256(message).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest
    represented = int.from_bytes(padded, "big")
    of_p, of_q = pow(represented, key.dp, key.p), pow(represented, key.dq, key.q)
    signature = of_q + key.q * ((of_p - of_q) * key.qinv % key.p)
    if pow(signature, key.e, key.n) != represented:
        raise ValueError("the key's parts don't fit together")
    return signature.to_bytes(size, "big")


def _checked(key: RsaKey) -> RsaKey:
    if key.n.bit_length() < _SMALLEST_BITS:
        raise ValueError(f"the key has {key.n.bit_length()} bits; RS256 needs {_SMALLEST_BITS}")
    if key.p * key.q != key.n or key.e < 3:
        raise ValueError("the key's parts don't fit together")
    return key


def _unarmoured(pem: str) -> tuple[str, bytes]:
    """The label and the bytes of the first private key in a PEM text (RFC 7468)."""
    for label in _LABELS:
        _, begun, rest = pem.partition(f"-----BEGIN {label}-----")
        body, ended, _ = rest.partition(f"-----END {label}-----")
        if begun and ended:
            try:
                return label, a2b_base64("".join(body.split()), strict_mode=True)
            except ValueError:
                raise ValueError("the key is damaged: it is not base64") from None
    raise ValueError("there is no 'BEGIN PRIVATE KEY' block; encrypted keys and other formats are not read")


Element = tuple[int, bytes]


def _element(data: bytes) -> tuple[Element, bytes]:
    """The first DER element, its tag and content, and what follows it (X.690, section 8.1)."""
    if len(data) < 2:
        _malformed()
    tag, length, start = data[0], data[1], 2
    if length >= 0x80:
        start += length - 0x80
        length = int.from_bytes(data[2:start], "big")
    if data[1] == 0x80 or start > 6 or len(data) < start + length:
        _malformed()
    return (tag, data[start : start + length]), data[start + length :]


def _elements(data: bytes) -> list[Element]:
    found = []
    while data:
        element, data = _element(data)
        found.append(element)
    return found


def _sequence(data: bytes) -> list[Element]:
    return _elements(_inner(_element(data)[0], _SEQUENCE)) or _malformed()


def _first(data: bytes, tag: int) -> bytes:
    return _inner(_element(data)[0], tag)


def _inner(element: Element, tag: int) -> bytes:
    return element[1] if element[0] == tag else _malformed()


def _number(element: Element) -> int:
    return int.from_bytes(_inner(element, _INTEGER), "big", signed=True)


def _malformed() -> NoReturn:
    raise ValueError("the key is damaged: it is not DER of an RSA key")
