"""Earlier reasoning on its way back to a provider: where the facts say, else where it came in.

A signature or encrypted block is a proof that only its maker can check. It goes back as it came; to a provider of
another protocol the thought goes in text alone, and a warning says so. Sources: OpenRouter, "Preserving reasoning";
DeepSeek, "Thinking mode"; Mistral, "Reasoning".
"""

from __future__ import annotations

from ...types import ReasoningPart
from ..notes import form, left_out, own_fields, proved_elsewhere
from .fields import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...types import Part
    from ..codec import Facts
    from .messages import Toward

DETAILS = "reasoning_details"
_CHUNK = "thinking"
_LEFT_OUT = "reasoning of earlier turns was left out: this provider takes none back"
_UNPROVED = "the proof of earlier reasoning (signature, encrypted content) was left out: only its own provider reads it"


def place_reasoning(parts: Sequence[Part], toward: Toward) -> tuple[list[Part], dict[str, Any]]:
    """The parts that are content, and the fields that carry reasoning."""
    fields: dict[str, Any] = {}
    content: list[Part] = []
    for part in parts:
        if not isinstance(part, ReasoningPart):
            content.append(part)
            continue
        places = _places(part, toward.facts)
        if places == [_CHUNK]:
            content.append(part)
        else:
            _place(part, places, fields, toward)
    return content, {key: value for key, value in fields.items() if value}


def _place(part: ReasoningPart, places: Sequence[str], fields: dict[str, Any], toward: Toward) -> None:
    left_out(part.metadata, PROTOCOL, "reasoning", toward.warnings)
    for place in places:
        _put(fields, place, part)
    if not places:
        toward.warn(_LEFT_OUT)
    elif DETAILS not in places and _proof(part):
        toward.warn(_UNPROVED)


def _put(fields: dict[str, Any], place: str, part: ReasoningPart) -> None:
    if place == DETAILS:
        fields.setdefault(place, []).extend(own_details(part) or details_of(part))
    else:
        fields[place] = fields.get(place, "") + form(part.metadata, PROTOCOL).get("text", part.text)


def _places(part: ReasoningPart, facts: Facts) -> list[str]:
    """The fields it goes to. Where those are `reasoning_details`, what they can't prove goes as text."""
    noted = form(part.metadata, PROTOCOL)
    if "reasoning_field" not in facts:
        came_in = [noted["field"]] if noted.get("field") else []
        return came_in + ([DETAILS] if own_details(part) else [])
    declared: str | None = facts["reasoning_field"]
    if declared == DETAILS and not own_details(part) and not (_proof(part) and _is_ours(part)):
        return ["reasoning"]
    return [declared] if declared else []


def own_details(part: ReasoningPart) -> list[Any]:
    """The details that came in this protocol, which go back as they are."""
    kept = own_fields(part.metadata, PROTOCOL).get(DETAILS)
    return kept if isinstance(kept, list) else []


def _proof(part: ReasoningPart) -> bool:
    return part.signature is not None or part.encrypted is not None


def _is_ours(part: ReasoningPart) -> bool:
    return proved_elsewhere(part.metadata, PROTOCOL) is None


def details_of(part: ReasoningPart) -> list[dict[str, Any]]:
    """A thought in OpenRouter's shape: its text, a summary where it has an id, its encrypted block."""
    named = {"id": part.id} if part.id else {}
    signed = {"signature": part.signature} if part.signature else {}
    details: list[dict[str, Any]] = []
    if part.text or part.signature or part.encrypted is None:
        kind = "summary" if part.id and not part.signature else "text"
        details.append({"type": f"reasoning.{kind}", kind: part.text, **signed, **named})
    if part.encrypted is not None:
        details.append({"type": "reasoning.encrypted", "data": part.encrypted, **named})
    return details


def thinking_chunk(part: ReasoningPart, toward: Toward, where: str) -> dict[str, Any]:
    """Mistral's form: reasoning among the content."""
    ours = _is_ours(part)
    if _proof(part) and not (ours and part.encrypted is None):
        toward.warn(_UNPROVED)
    signature = {"signature": part.signature} if part.signature and ours else {}
    rest = {key: value for key, value in toward.fields(part.metadata, where).items() if key != DETAILS}
    return {"type": "thinking", "thinking": [{"type": "text", "text": part.text}], **signature, **rest}
