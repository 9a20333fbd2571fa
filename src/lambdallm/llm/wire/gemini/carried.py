"""Another protocol's proof of a thought, carried by a Gemini client inside `thoughtSignature`.

A client of this protocol sends signatures back as they came and looks into none of them. So a foreign thought's
signature, encrypted content, id and notes go out as base64 of `lambdallm:1:` and a JSON object, and are themselves
again in the next request. The same is done for what another protocol noted of a tool call. The thought's text is in it
too: a streamed thought comes back in pieces, and its proof is worth nothing without the whole.
"""

from __future__ import annotations

import json

from ...types import ReasoningPart
from ..notes import PROTOCOLS, own_fields
from .fields import MARK, base64_bytes, base64_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import Metadata

_MAGIC = b"lambdallm:1:"
_BEGINS = base64_text(_MAGIC)
"""Twelve bytes, so that every carrier begins with these sixteen letters."""


def carrier_of_thought(part: ReasoningPart, text: str) -> str | None:
    """What carries a thought's foreign proof and fields; `None` where this protocol signed it, or nobody did."""
    proof = {"signature": part.signature, "encrypted": part.encrypted, "id": part.id}
    said = {key: value for key, value in proof.items() if value is not None}
    notes = _noted(part.metadata)
    if MARK in part.metadata or not (said or any(own_fields(notes, name) for name in notes)):
        return None
    return _carrier(said | {"text": text, "metadata": notes})


def carrier_of_notes(metadata: Metadata) -> str | None:
    """What carries other protocols' notes on a tool call; `None` where there are none."""
    notes = _noted(metadata)
    return _carrier({"metadata": notes}) if notes and MARK not in notes else None


def _noted(metadata: Metadata) -> dict[str, Any]:
    return {name: metadata[name] for name in PROTOCOLS if isinstance(metadata.get(name), dict)}


def _carrier(said: dict[str, Any]) -> str | None:
    try:
        return base64_text(_MAGIC + json.dumps(said, separators=(",", ":")).encode())
    except (TypeError, ValueError, RecursionError):
        return None


def carried(signature: Any) -> dict[str, Any] | None:
    """What a signature carries; `None` for a real one, and for one that was tampered with."""
    if not isinstance(signature, str) or not signature.startswith(_BEGINS):
        return None
    try:
        said = json.loads(base64_bytes(signature)[len(_MAGIC) :])
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def restored_thought(said: dict[str, Any], text: str) -> ReasoningPart:
    """The thought that was carried."""
    words = {key: said[key] for key in ("signature", "encrypted", "id") if isinstance(said.get(key), str)}
    whole = said.get("text")
    return ReasoningPart(whole if isinstance(whole, str) else text, **words, metadata=restored_notes(said))


def restored_notes(said: dict[str, Any]) -> dict[str, Any]:
    """The notes that were carried: other protocols' alone."""
    metadata = said.get("metadata")
    notes = _noted(metadata) if isinstance(metadata, dict) else {}
    return {name: value for name, value in notes.items() if name != MARK}
