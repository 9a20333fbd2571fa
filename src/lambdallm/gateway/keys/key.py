"""The text of a key: `<prefix>-<user>.<number>.<secret>`; made and read, pure. Knows no store.

The middle two are the key's id. `user` is the owner's name in URL-safe base64, so that one read of one user finds the
record: Cognito can't search custom attributes. `secret` is 256 random bits and a tag of 32 bits, which tells a mistyped
key from a real one without a read, and with a pepper a guessed one too.

Only a hash of it is stored: HMAC-SHA-256 under the pepper. A slow hash (scrypt, PBKDF2) protects what people make up,
which can be guessed from its hash; 256 random bits can't, whoever holds the hash, and a slow hash would be paid for
with every request. The pepper, which is kept elsewhere than the records, makes hashes and records that somebody wrote
into the store worthless.
"""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Peppers = Sequence[bytes]

PREFIX = "sk-llm"
NUMBER_BYTES = 6
SECRET_BYTES = 32
_TAG_BYTES = 4
_SECRET_CHARACTERS = 48
MOST_CHARACTERS = 1024
"""Longer texts are no keys: the longest name, of 128 characters, makes a key of 760."""


class Shown(Value):
    """A key as somebody shows it, well formed, and perhaps real. Its `repr` does not show the secret."""

    id: str
    user: str
    secret: str

    def __repr__(self) -> str:
        return f"Shown({self.id!r})"


def key_id(user: str, number: bytes) -> str:
    """The id of a user's key."""
    return f"{encoded(user.encode())}.{encoded(number)}"


def user_of(id: str) -> str | None:
    """The user that a key's id names; `None` for what is no id."""
    name, dot, number = id.partition(".")
    try:
        user = _decoded(name).decode()
        ok = dot and user and key_id(user, _decoded(number)) == id and len(_decoded(number)) == NUMBER_BYTES
    except ValueError:
        return None
    return user if ok else None


def written(prefix: str, id: str, secret: bytes, peppers: Peppers) -> str:
    """The key, for its holder; tagged under the first pepper."""
    return f"{prefix}-{id}.{encoded(secret + _tag(id, secret, peppers[0]))}"


def read(text: str, prefix: str, peppers: Peppers) -> Shown | None:
    """What a text shows; `None` for what can't be a key of ours. Compares tags in constant time."""
    start = f"{prefix}-"
    if len(text) > MOST_CHARACTERS or not text.startswith(start) or not text.isascii():
        return None
    id, _, secret = text[len(start) :].rpartition(".")
    user = user_of(id)
    if user is None or len(secret) != _SECRET_CHARACTERS or not _is_tagged(id, secret, peppers):
        return None
    return Shown(id, user, secret)


def hashed(id: str, secret: str, pepper: bytes) -> str:
    """What is stored of a secret: 43 characters."""
    from hmac import digest

    return encoded(digest(pepper, f"{id}.{secret}".encode(), "sha256"))


def fits(shown: Shown, stored: str, peppers: Peppers) -> bool:
    """Whether the secret has the hash that is stored, under any pepper. Takes the same time wherever they differ."""
    from hmac import compare_digest

    found = False
    for pepper in peppers:
        found |= compare_digest(hashed(shown.id, shown.secret, pepper), stored)
    return found


def _is_tagged(id: str, secret: str, peppers: Peppers) -> bool:
    from hmac import compare_digest

    try:
        raw = _decoded(secret)
    except ValueError:
        return False
    found = False
    for pepper in peppers:
        found |= compare_digest(raw[SECRET_BYTES:], _tag(id, raw[:SECRET_BYTES], pepper))
    return found


def _tag(id: str, secret: bytes, pepper: bytes) -> bytes:
    from hmac import digest

    return digest(pepper, b"tag:" + id.encode() + b"." + secret, "sha256")[:_TAG_BYTES]


def encoded(data: bytes) -> str:
    """Bytes as URL-safe base64 without padding."""
    return b2a_base64(data, newline=False).rstrip(b"=").translate(_TO_URL).decode()


def _decoded(text: str) -> bytes:
    """The other way. Raises `ValueError`."""
    data = text.encode("ascii").translate(_FROM_URL)
    try:
        return a2b_base64(data + b"=" * (-len(data) % 4), strict_mode=True)
    except Error as error:
        raise ValueError(text) from error


_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/", b"+/!!")
