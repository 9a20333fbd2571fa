"""Reasoning on a client's assistant messages, into parts.

A client sends back what an answer gave it: text under one of three names, and `reasoning_details` in OpenRouter's
shape. Details that `answer` wrote are taken apart into the thoughts that they were, each with its proof and the name of
its protocol (`carried`); all others are this protocol's own, and stay in the notes as they came. Source: OpenRouter,
"Preserving reasoning".
"""

from __future__ import annotations

from ...types import ReasoningPart
from ..openai_asked import take
from .carried import carried_notes
from .fields import REASONING_FIELDS, noted, reasoning_text, records
from .response import name
from .thoughts import DETAILS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Details = list[dict[str, Any]]


def decode_reasoning(message: dict[str, Any], where: str) -> list[ReasoningPart]:
    """A message's thoughts."""
    text, field = reasoning_text(message)
    take(message, DETAILS, "array", where)
    details = records(message.get(DETAILS))
    ours = [detail for detail in details if carried_notes(detail) is not None]
    if ours:
        others = [detail for detail in details if carried_notes(detail) is None]
        return [*(_own("", "", others) if others else ()), *map(_thought, _grouped(ours))]
    return _own(text, field, details) if text or details else []


def untold(message: dict[str, Any]) -> set[str]:
    """The fields for reasoning that no thought tells: empty text, which some want back, or other text under a name."""
    text, _ = reasoning_text(message)
    return {field for field in REASONING_FIELDS if field in message and not (text and message[field] == text)}


def _own(text: str, field: str, details: Details) -> list[ReasoningPart]:
    """This protocol's thought. Where its details tell another text than the field, both are kept."""
    told = "".join(_words(detail) for detail in details)
    form = {"field": field, **({"text": text} if told not in ("", text) else {})} if field else {}
    return [ReasoningPart(told or text, metadata=noted({DETAILS: details} if details else {}, **form))]


def _words(detail: dict[str, Any]) -> str:
    return name(detail.get("text")) or name(detail.get("summary")) or ""


def _grouped(details: Details) -> list[Details]:
    """The details of each thought: neighbours of one id, as a summary and its encrypted block are."""
    groups: list[Details] = []
    for detail in details:
        id = detail.get("id")
        if groups and id is not None and groups[-1][-1].get("id") == id:
            groups[-1].append(detail)
        else:
            groups.append([detail])
    return groups


def _thought(details: Details) -> ReasoningPart:
    def last(key: str) -> str | None:
        return next((value for d in reversed(details) if (value := name(d.get(key))) is not None), None)

    text = "".join(_words(detail) for detail in details)
    return ReasoningPart(text, last("signature"), last("data"), last("id"), carried_notes(details[0]) or {})
