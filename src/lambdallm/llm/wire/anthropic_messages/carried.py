"""What another protocol gave an answer, for the client to send back with it: proofs of thoughts, notes on calls.

Clients look into no signature and send it back as it came, so another protocol's proof travels inside one (or inside
the data of a redacted thought): base64 of `lambdallm:1:` and a JSON object. What was noted on a call, and an id that
had to change, stand in a field of the call, which the official clients send back too; one that drops it loses them.
"""

from __future__ import annotations

import json
from binascii import a2b_base64, b2a_base64

from ..call_ids import fitting_id
from ..notes import PROTOCOLS
from .response import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import Metadata, ReasoningPart, ToolCall, ToolCallDelta

FIELD = "lambdallm"
"""The field of a call that carries what is another protocol's."""

_MAGIC = b"lambdallm:1:"
_BEGINS = b2a_base64(_MAGIC, newline=False).decode()
_WORDS = ("signature", "encrypted", "id")


def proof_of(part: ReasoningPart) -> str:
    """What proves a thought, empty where nothing does: this protocol's own proof, or another's in a carrier."""
    said = {name: value for name in _WORDS if (value := getattr(part, name)) is not None}
    notes = _others(part.metadata)
    if said and notes and MARK not in part.metadata:
        try:
            text = json.dumps(said | {"metadata": notes}, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            return part.signature or part.encrypted or ""
        return b2a_base64(_MAGIC + text.encode(), newline=False).decode()
    return part.signature or part.encrypted or ""


def restored_thought(part: ReasoningPart) -> ReasoningPart:
    """A thought with the proof that its signature or its data carries; itself, where that is its own."""
    said = _carried(part.signature or part.encrypted or "")
    if said is None:
        return part
    words = {name: value if isinstance(value := said.get(name), str) else None for name in _WORDS}
    return part.replace(**words, metadata=_checked(said.get("metadata")))


def _carried(proof: str) -> dict[str, Any] | None:
    if not proof.startswith(_BEGINS):
        return None
    try:
        said = json.loads(a2b_base64(proof)[len(_MAGIC) :])
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def call_field(call: ToolCall | ToolCallDelta) -> dict[str, Any]:
    """The field that carries what a call's block can't say; nothing where it says it all."""
    said: dict[str, Any] = {}
    if call.id and fitting_id(call.id) != call.id:
        said["id"] = call.id
    if notes := _others(call.metadata):
        said["metadata"] = notes
    return {FIELD: said} if said else {}


def restored_call(call: ToolCall, said: Any) -> ToolCall:
    """A call with what its field carried."""
    if not isinstance(said, dict):
        return call
    id = said.get("id")
    kept = id if isinstance(id, str) and fitting_id(id) == call.id else call.id
    return call.replace(id=kept, metadata={**call.metadata, **_checked(said.get("metadata"))})


def _others(metadata: Metadata) -> dict[str, Any]:
    """Other protocols' notes, also empty ones: a name alone tells whose a proof is."""
    return {name: metadata[name] for name in PROTOCOLS if name != MARK and isinstance(metadata.get(name), dict)}


def _checked(notes: Any) -> dict[str, Any]:
    return _others(notes) if isinstance(notes, dict) else {}
