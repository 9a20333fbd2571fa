"""What an answer of another protocol holds beyond this one's words, given to the client to send back with the message.

A message of this protocol is thoughts, then text, then calls. Where an answer's parts came in another order, or carry
another protocol's notes (a signature on a call, citations, a hosted tool's blocks), the order and the notes go in
`extra_content`, the place that Google has for thought signatures; a thought's own notes go in its detail. A client that
sends the message back as it came gives the next request the same parts; one that changed it gives what it says.
"""

from __future__ import annotations

from ...types import EMPTY, ProviderPart, ReasoningPart, RefusalPart, TextPart, ToolCall
from ..notes import PROTOCOLS
from .fields import PROTOCOL, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ...types import Metadata, Part

    Record = dict[str, Any]

_KEY = "lambdallm"
_PLACE = "extra_content"
_ORDER: dict[type, str] = {ReasoningPart: "thought", TextPart: "text", RefusalPart: "refusal", ToolCall: "call"}
_RANK = {kind: rank for rank, kind in enumerate(_ORDER.values())}
_BLOCK = "block"
_SAYS_NOTHING = ({"kind"}, {"kind", "length"})


def notes_to_carry(metadata: Metadata) -> Record:
    """The notes of other protocols, also empty ones: a name alone tells whose proof it is."""
    return {name: metadata[name] for name in PROTOCOLS if name in metadata and name != PROTOCOL}


def carry_notes(detail: Record, metadata: Metadata) -> Record:
    """A detail with its thought's notes; of this protocol's own the name alone, which tells whose proof it is."""
    own: Record = {PROTOCOL: {}} if PROTOCOL in metadata else {}
    return {**detail, _KEY: own | notes_to_carry(metadata)}


def carried_notes(detail: Record) -> Metadata | None:
    """The notes that a detail carries; `None` for one that we did not write."""
    found = detail.get(_KEY)
    if not isinstance(found, dict):
        return None
    own: Record = {PROTOCOL: {}} if PROTOCOL in found else {}
    return own | _checked(found)


def _checked(notes: Any) -> Record:
    if not isinstance(notes, dict):
        return {}
    return {name: kept for name in PROTOCOLS if name != PROTOCOL and isinstance(kept := notes.get(name), dict)}


def carry(parts: Sequence[Part]) -> Record:
    """The field that carries what a message of these parts can't say; nothing where it says it all."""
    told = [_told(part) for part in parts if type(part) in _ORDER or isinstance(part, ProviderPart)]
    ranks = [_RANK.get(record["kind"], -1) for record in told]
    if ranks == sorted(ranks) and all(record.keys() in _SAYS_NOTHING for record in told):
        return {}
    return {_PLACE: {_KEY: {"parts": told}}}


def _told(part: Part) -> Record:
    """A part as the list tells it: its kind, how much text it takes, what no field says."""
    if isinstance(part, ProviderPart):
        return {"kind": _BLOCK, "type": part.type, "value": part.value, "protocol": part.protocol}
    record: Record = {"kind": _ORDER[type(part)]}
    if isinstance(part, TextPart):
        record["length"] = len(part.text)
        record |= {"citations": part.citations} if part.citations and notes_to_carry(part.metadata) else {}
    if not isinstance(part, ReasoningPart) and (notes := notes_to_carry(part.metadata)):
        record["notes"] = notes
    return record


def without_carried(message: Record) -> tuple[Record, list[Record]]:
    """A client's message without the list of parts, and the list."""
    place = message.get(_PLACE)
    carried = place.get(_KEY) if isinstance(place, dict) else None
    if not isinstance(place, dict) or not isinstance(carried, dict):
        return message, []
    rest = {key: value for key, value in place.items() if key != _KEY}
    bare = {key: value for key, value in message.items() if key != _PLACE}
    return bare | ({_PLACE: rest} if rest else {}), records(carried.get("parts"))


def restored(parts: tuple[Part, ...], carried: list[Record]) -> tuple[Part, ...]:
    """The parts in the order that they had, with their notes; as they are where the list does not fit them."""
    if not carried or not _fits(parts, carried):
        return parts
    return tuple(_restore(parts, carried))


def _fits(parts: Sequence[Part], carried: Sequence[Record]) -> bool:
    """Whether the list tells of just these parts: neither more nor fewer, and texts of their length."""
    listed = [record for record in carried if record.get("kind") != _BLOCK]
    lengths = [_length(record) for record in listed if record.get("kind") == "text"]
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    others = sorted(_ORDER.get(type(part), "") for part in parts if not isinstance(part, TextPart))
    known = sorted(str(record.get("kind")) for record in listed if record.get("kind") != "text")
    return known == others and sum(lengths) == len(text)


def _length(record: Record) -> int:
    length = record.get("length")
    return length if type(length) is int and length > 0 else 0


def _block(record: Record) -> ProviderPart:
    value, protocol = record.get("value"), record.get("protocol")
    known = protocol if isinstance(protocol, str) and protocol in PROTOCOLS else PROTOCOL
    return ProviderPart(str(record.get("type")), value if isinstance(value, dict) else EMPTY, known)


def _restore(parts: Sequence[Part], carried: Sequence[Record]) -> Iterator[Part]:
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    rest = {kind: iter([part for part in parts if type(part) is cls]) for cls, kind in _ORDER.items()}
    start = 0
    for record in carried:
        kind, notes = str(record.get("kind")), _checked(record.get("notes"))
        if kind == _BLOCK:
            yield _block(record)
        elif kind == "text":
            end = start + _length(record)
            yield TextPart(text[start:end], tuple(records(record.get("citations"))), notes or EMPTY)
            start = end
        else:
            part: Any = next(rest[kind])
            yield part.replace(metadata={**part.metadata, **notes}) if notes else part
