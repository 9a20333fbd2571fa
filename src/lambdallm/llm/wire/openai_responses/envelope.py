"""What another protocol's answer holds and no item of this one can, sealed into a reasoning item's encrypted content.

A client of this protocol sends an answer's items back as they came, encrypted content unread. So a thought's signature,
a hosted tool's block or a note on a call travels there and is taken out again when the conversation continues; with a
provider that speaks the other protocol it is then what it was. What a client sends is read with care: a seal that
can't be opened is an ordinary reasoning item.
"""

from __future__ import annotations

import binascii
import json

from ...types import AudioPart, DocumentPart, ImagePart, ProviderPart, ReasoningPart, TextPart, ToolCall
from ..body import plain
from ..notes import PROTOCOLS, own_fields
from .fields import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import Metadata, Part

_SEAL = "lambdallm.1."
_KINDS: dict[str, Any] = {
    kind.__name__: kind
    for kind in (TextPart, ImagePart, AudioPart, DocumentPart, ReasoningPart, ToolCall, ProviderPart)
}
_OBJECTS = ("metadata", "value")


def sealed(part: Part, *, without: tuple[str, ...] = (), again: bool = False) -> str:
    """A part as text: its kind and the fields that say something, `without` those that its item shows.

    `again`: it stands for a thought told before, of which more came when its item was already closed.
    """
    fields = {
        name: _written(getattr(part, name))
        for name in part._fields
        if name not in without and getattr(part, name) != part._defaults.get(name)
    }
    text = json.dumps([type(part).__name__, fields, again], separators=(",", ":"), default=plain)
    return _SEAL + binascii.b2a_base64(text.encode(), newline=False).decode("ascii")


def opened(text: Any) -> tuple[Part, bool] | None:
    """The part in a seal, and whether it comes again; `None` for any other text."""
    if not isinstance(text, str) or not text.startswith(_SEAL):
        return None
    try:
        kind, fields, again = json.loads(binascii.a2b_base64(text[len(_SEAL) :]))
        made: Part = _KINDS[kind](**{name: _read(name, value) for name, value in fields.items()})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return made, bool(again)


def foreign(metadata: Metadata) -> Metadata:
    """The notes of other protocols that say more than how a thing was written."""
    return {key: value for key, value in _notes(metadata).items() if own_fields(metadata, key)}


def _notes(metadata: Any) -> dict[str, Any]:
    """The notes of other protocols."""
    return {key: kept for key in PROTOCOLS if key != NAME and isinstance(kept := metadata.get(key), dict)}


def _written(value: Any) -> Any:
    """A field's value as JSON has it."""
    if isinstance(value, bytes):
        return binascii.b2a_base64(value, newline=False).decode("ascii")
    return list(value) if isinstance(value, tuple) else value


def _read(name: str, value: Any) -> Any:
    """A field's value; raises `TypeError` or `ValueError` for one of the wrong kind."""
    if name == "data":
        return binascii.a2b_base64(value)
    if name == "citations":
        return tuple(dict(citation) for citation in value)
    if not isinstance(value, dict if name in _OBJECTS else str):
        raise TypeError(name)
    return _notes(value) if name == "metadata" else value
