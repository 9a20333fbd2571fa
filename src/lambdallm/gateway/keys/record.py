"""What is stored of a key: a compact, sealed line of text, at most 2,048 characters, which is what Cognito keeps.

The seal is an HMAC of the record and its owner under the pepper. Users can change their own custom attributes where an
app client lets them: a record they wrote, or moved from another user, is none.
"""

from __future__ import annotations

import json

from ..._value import Value
from ...runtime.events import NOTHING
from ..caller import Caller
from .key import encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from .key import Peppers

    Status = Literal["active", "expired", "revoked"]

MOST_CHARACTERS = 2048
"""The longest record: of an attribute in Cognito ("Quotas in Amazon Cognito")."""
_SEAL_CHARACTERS = 22


class KeyRecord(Value):
    """A key without its secret. Times are whole seconds since the epoch; limits are `None` where there is none.

    After a rotation `old_hash` is that of the secret before, which is good until `old_until`.
    """

    id: str
    user: str
    hash: str
    created_at: int
    name: str = ""
    models: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    daily_budget_usd: float | None = None
    monthly_budget_usd: float | None = None
    labels: Mapping[str, str] = NOTHING
    expires_at: int | None = None
    revoked_at: int | None = None
    old_hash: str = ""
    old_until: int | None = None

    def status(self, now: float) -> Status:
        """Whether it lets anybody in."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"

    def caller(self) -> Caller:
        """Who asks with it."""
        shared = {name: getattr(self, name) for name in Caller._fields if name in self._fields}
        return Caller(key_id=self.id, **shared)

    def told(self, now: float) -> dict[str, Any]:
        """All but hashes, for those who manage keys."""
        fields = {name: getattr(self, name) for name in self._fields if name not in ("hash", "old_hash", "old_until")}
        fields |= {"models": list(self.models), "labels": dict(self.labels), "status": self.status(now)}
        overlap = self.old_until if self.old_until is not None and self.old_until > now else None
        return {"object": "gateway.key", **fields, "old_secret_until": overlap}


_SHORT = {
    "id": "i", "hash": "h", "created_at": "c", "name": "n", "models": "m", "requests_per_minute": "r",
    "tokens_per_minute": "t", "daily_budget_usd": "d", "monthly_budget_usd": "o", "labels": "l", "expires_at": "e",
    "revoked_at": "x", "old_hash": "p", "old_until": "u",
}  # fmt: skip
"""What fields are called in the store. A letter is never given to another field."""


def encode(record: KeyRecord, peppers: Peppers) -> str:
    """The record as it is stored, sealed under the first pepper."""
    defaults = KeyRecord._defaults
    given = {
        short: getattr(record, name) for name, short in _SHORT.items() if getattr(record, name) != defaults.get(name)
    }
    if record.labels:
        given["l"] = dict(record.labels)
    text = json.dumps(given, separators=(",", ":"), ensure_ascii=False)
    return _seal(text, record.user, peppers[0]) + text


def decode(text: str, user: str, peppers: Peppers) -> KeyRecord | None:
    """The record of a user's; `None` for what is none of ours, or was changed by others."""
    seal, body = text[:_SEAL_CHARACTERS], text[_SEAL_CHARACTERS:]
    if not _is_sealed(seal, body, user, peppers):
        return None
    try:
        given = json.loads(body)
        fields = {name: given[short] for name, short in _SHORT.items() if short in given}
        fields["models"] = tuple(fields.get("models", ()))
        return KeyRecord(user=user, **fields)
    except (ValueError, TypeError, AttributeError):
        return None


def _is_sealed(seal: str, body: str, user: str, peppers: Peppers) -> bool:
    from hmac import compare_digest

    return seal.isascii() and any(compare_digest(seal, _seal(body, user, one)) for one in peppers)


def _seal(body: str, user: str, pepper: bytes) -> str:
    from hmac import digest

    said = json.dumps(["record", user, body], ensure_ascii=True).encode()
    return encoded(digest(pepper, said, "sha256")[:16])
