"""What is kept of a request that is done once: who does it, until when that is believed, and its result. Pure."""

from __future__ import annotations

import json

from .._value import Value
from ..runtime.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, Protocol

    from ..llm.flow import Flow

    class IdempotencyStore(Protocol):
        """Where records are kept. All operations are flows, and raise `BackendError`."""

        gives_flows: Literal[True]

        def begin(self, key: str, record: Record) -> Flow[Record | None]:
            """Keep a record where there is none, or one that no longer counts; `None` if that was done.

            Otherwise the record that is there, and nothing is changed. Asked again by the same owner, it was done.
            """

        def finish(self, key: str, record: Record) -> Flow[bool]:
            """Put a completed record in the place of its owner's own; false where that is no longer there."""

        def release(self, key: str, owner: str) -> Flow[None]:
            """Forget an owner's own record; one that is another's, or gone, stays as it is."""


_BYTES, _RESPONSE = "\0bytes", "\0response"
"""Keys that no result has of its own."""


class Record(Value):
    """One request. Times are seconds since the epoch.

    `owner` is whoever runs it, once for each run; `payload` is the fingerprint of what was sent. `busy_until` says how
    long a run is believed to be under way, `None` of one that was completed; it is forgotten `until`. `result` is JSON.
    """

    owner: str
    payload: str
    until: float
    busy_until: float | None = None
    result: str = ""

    def counts(self, now: float) -> bool:
        """Whether it still stands in the way of another run."""
        return now < self.until and (self.busy_until is None or now < self.busy_until)


def fingerprint(value: Any) -> str:
    """What two equal values share: a hash of their JSON."""
    from hashlib import sha256

    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_shown)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def encoded(result: Any, headers: Mapping[str, str]) -> str:
    """A result as JSON, with the headers to send. Raises `TypeError` or `ValueError` for what is none."""
    told = {"result": getattr(result, "response", result), "headers": dict(headers)}
    return json.dumps(told, ensure_ascii=True, separators=(",", ":"), default=_shown)


def decoded(text: str) -> tuple[Any, dict[str, str]]:
    """The result and the headers again: values are objects now, responses and bytes are what they were."""
    told = json.loads(text, object_hook=_restored)
    return told["result"], told["headers"]


def _shown(value: Any) -> Any:
    """What JSON has no word for. Raises `TypeError`."""
    if isinstance(value, (bytes, bytearray)):
        from base64 import b64encode

        return {_BYTES: b64encode(value).decode()}
    if isinstance(value, Response):
        return {_RESPONSE: [value.body, value.status, dict(value.headers), list(value.cookies)]}
    if hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if hasattr(value, "items"):
        return dict(value.items())
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return _by_kind(value)


def _by_kind(value: Any) -> Any:
    """Ids, decimals and members of enums as responses have them."""
    if hasattr(type(value), "__members__"):
        return value.value
    kind = type(value).__name__
    if kind in ("UUID", "Decimal"):
        return str(value) if kind == "UUID" else float(value)
    raise TypeError(f"A {kind} can't be kept as JSON.")


def _restored(shape: dict[str, Any]) -> Any:
    if shape.keys() == {_BYTES}:
        from base64 import b64decode

        return b64decode(shape[_BYTES])
    if shape.keys() == {_RESPONSE}:
        body, status, headers, cookies = shape[_RESPONSE]
        return Response(body, status, headers, tuple(cookies))
    return shape
