"""Which requests a provider gets while it is rolled out: a share of them, always the same ones. Pure.

The share is decided by a key of the request (a user, a session), so whoever has met the new provider stays with it;
and where the share grows, nobody leaves it.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

KEYS = ("rollout_key", "user", "user_id", "session_id")
"""The fields of a request that its share is decided by, the first that is there; without any it is the messages."""


class Rollout(Value):
    """A provider's flags: off, or for so many `percent` of the requests. Others go to the provider `otherwise`.

    `key` names the field of the request that decides; `None` is the first of `KEYS`.
    """

    enabled: bool = True
    percent: float = 100.0
    key: str | None = None
    otherwise: str | None = None

    def admits(self, provider: str, event: Mapping[str, Any]) -> bool:
        """Whether the provider gets this request."""
        if not self.enabled or self.percent <= 0:
            return False
        return self.percent >= 100 or place(provider, self._deciding(event)) < self.percent

    def _deciding(self, event: Mapping[str, Any]) -> str:
        names = KEYS if self.key is None else (self.key,)
        found = next((event[name] for name in names if event.get(name) is not None), None)
        if found is not None:
            return str(found)
        import json

        return json.dumps(event.get("messages"), sort_keys=True, default=str)


def place(provider: str, key: str) -> float:
    """Where a key stands among all, from 0 up to 100: evenly spread, and apart for each provider."""
    from hashlib import sha256

    digest = sha256(f"{provider}\0{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:7], "big") / 2**56 * 100


def rollout_of(entry: Mapping[str, Any]) -> Rollout:
    """The flags in a provider's entry: `enabled`, and `rollout` with `percent`, `key` and `otherwise`."""
    return Rollout(enabled=entry.get("enabled", True), **entry.get("rollout") or {})


def chosen(name: str, entries: Mapping[str, Mapping[str, Any]], event: Mapping[str, Any]) -> str:
    """The provider that gets a request which names `name`: that one, or who gets it otherwise.

    Raises `ConfigurationError` where nobody does.
    """
    trail = [name]
    while not (flags := rollout_of(entries[trail[-1]])).admits(trail[-1], event):
        other = flags.otherwise
        if other is None or other in trail or other not in entries:
            fix = "Name another provider, or say in 'rollout' which one gets it 'otherwise'."
            raise ConfigurationError(f"The provider {trail[-1]!r} is not switched on for this request.", fix=fix)
        trail.append(other)
    return trail[-1]
