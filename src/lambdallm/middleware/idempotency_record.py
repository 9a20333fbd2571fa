"""What is kept of a request that is done once: who does it, until when that is believed, and its result. Pure."""

from __future__ import annotations

import json

from .._value import Value
from ..runtime.response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
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


_BYTES, _RESPONSE, _STREAM = "\0bytes", "\0response", "\0stream"
"""Keys that no result has of its own."""


class KeptResponse(Response):
    """A streamed answer that was kept: its pieces as `body`, the rest as the function's `StreamingResponse` had it.

    `ending` is what its last event said.
    """

    format: str | None = None
    notice: str | None = None
    accounts: bool = True
    ending: Mapping[str, Any] | None = None


class KeptPieces:
    """Such an answer as a stream."""

    def __init__(self, response: KeptResponse) -> None:
        self.response = response
        self._pieces: Iterator[Any] = iter(response.body)

    def __iter__(self) -> KeptPieces:
        return self

    def __next__(self) -> Any:
        return next(self._pieces)


def kept_response(response: Any, pieces: list[Any], ending: Mapping[str, Any] | None) -> KeptResponse:
    """What is kept of a stream that went out by this response, where one is known."""
    kept = KeptResponse(pieces, ending=ending)
    own = {name for name in kept._fields if name not in ("body", "ending") and hasattr(response, name)}
    return kept.replace(**{name: getattr(response, name) for name in own})


def kept_piece(piece: Any) -> Any:
    """A piece as it is now: a function may go on with the same object. What is no JSON is refused at the end."""
    if isinstance(piece, (str, bytes)):
        return piece
    try:
        return json.loads(json.dumps(piece, default=_shown))
    except (TypeError, ValueError):
        return piece


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
    """The result and the headers again: values are objects now, responses, streams and bytes are what they were."""
    told = json.loads(text, object_hook=_restored)
    return told["result"], told["headers"]


def _shown(value: Any) -> Any:
    """What JSON has no word for. Raises `TypeError`."""
    if isinstance(value, (bytes, bytearray)):
        from base64 import b64encode

        return {_BYTES: b64encode(value).decode()}
    if isinstance(value, KeptResponse):
        return {_STREAM: {name: _listed(getattr(value, name)) for name in value._fields}}
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


def _listed(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else value


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
    if shape.keys() == {_STREAM}:
        kept = shape[_STREAM]
        return KeptPieces(KeptResponse(**{**kept, "cookies": tuple(kept["cookies"])}))
    return shape
