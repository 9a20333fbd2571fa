"""A digest of what was asked: the same in every process, for what JSON can say."""

from __future__ import annotations

import json

from .._value import Value
from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def fingerprint(asked: object) -> str:
    """A digest of what was asked, the same in every process. Raises `ConfigurationError` for what is no JSON."""
    from hashlib import sha256

    try:
        text = json.dumps(asked, default=_said, sort_keys=True, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as reason:
        fix = "Ask with plain values."
        raise ConfigurationError(f"A request can't be kept in a checkpoint: {reason}.", fix=fix) from reason
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _said(value: Any) -> Any:
    """What JSON has no word for: our own values by name and what differs from their defaults, bytes by digest."""
    if isinstance(value, Value):
        defaults = value._defaults
        fields = {name: each for name in value._fields if (each := getattr(value, name)) != defaults.get(name, value)}
        return [type(value).__name__, fields]
    if isinstance(value, (bytes, bytearray, memoryview)):
        from hashlib import sha256

        return ["bytes", sha256(value).hexdigest()]
    return dict(value) if hasattr(value, "keys") else str(value)
