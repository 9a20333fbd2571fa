"""Items of the Responses protocol, into parts: what a model puts out, and what of it comes back in a request.

A message's content becomes text and refusals, a reasoning item one thought, a function or custom tool call a
`ToolCall`; any other item is a `ProviderPart`, whole and in its place. The notes under `NAME` let `messages` write the
same items again: `form["item"]` holds the item's own fields (`id`, `status`, `phase`), `form["at"]` a content part's
place in its message.

Sources: OpenAI, "The response object" and "Create a model response: input"; DeepSeek and xAI, "Responses".
"""

from __future__ import annotations

from ...types import ProviderPart, ReasoningPart, RefusalPart, TextPart, ToolCall
from .fields import BETWEEN_THOUGHTS, NAME, as_json, leftovers, noted, records, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...types import Metadata, Part

TEXTS = ("output_text", "input_text", "text")
_MESSAGE = frozenset(("type", "role", "content"))
_TEXT = frozenset(("type", "text", "annotations"))
_REASONING = frozenset(("type", "id", "summary", "content", "encrypted_content"))
_CALL = frozenset(("type", "call_id", "name", "arguments", "input", "id", "status"))
_ITEM = ("id", "status")

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Items that ask the client to call a tool, and the field that holds what to call it with."""


def answer_parts(item: dict[str, Any]) -> list[Part]:
    """The parts of one item of an answer."""
    kind = word(item.get("type"))
    if kind == "message":
        return message_parts(item)
    if kind == "reasoning":
        return [reasoning(item)]
    return [tool_call(item)] if kind in CALLS else [other(item)]


def message_parts(item: dict[str, Any]) -> list[Part]:
    """An assistant's message, part by part. Text in place of a list is one part."""
    content = item.get("content")
    if isinstance(content, str):
        return [TextPart(content, metadata=noted({}, message_form(item, 0) | {"plain": True}))]
    return [content_part(part, item, place) for place, part in enumerate(records(content))]


def content_part(part: dict[str, Any], item: dict[str, Any], place: int) -> Part:
    """One part of an assistant's message."""
    kind, form = word(part.get("type")), message_form(item, place)
    if kind in TEXTS:
        form = form if kind == "output_text" else form | {"type": kind}
        citations = tuple(records(part.get("annotations")))
        return TextPart(word(part.get("text")), citations, noted(leftovers(part, _TEXT), form))
    if kind == "refusal":
        return RefusalPart(word(part.get("refusal")), noted(leftovers(part, ("type", "refusal")), form))
    return other(part)


def message_form(item: Mapping[str, Any], place: int) -> dict[str, Any]:
    """Notes that tell which message a part belongs to, and where in it."""
    return {"item": leftovers(item, _MESSAGE), "at": place}


def reasoning(item: dict[str, Any]) -> ReasoningPart:
    """A thought: its summaries, then its contents, as one text.

    Where the text alone could not tell the item again (several summaries, contents), they are noted as they came.
    """
    summary, content = thoughts(item.get("summary")), thoughts(item.get("content"))
    form: dict[str, Any] = {}
    if len(summary) > 1 or content:
        form = {key: item[key] for key in ("summary", "content") if isinstance(item.get(key), list)}
    encrypted, id = item.get("encrypted_content"), item.get("id")
    return ReasoningPart(
        BETWEEN_THOUGHTS.join(summary + content),
        encrypted=encrypted if isinstance(encrypted, str) else None,
        id=id if isinstance(id, str) else None,
        metadata={NAME: {**leftovers(item, _REASONING), **({"form": form} if form else {})}},
    )


def thoughts(pieces: Any) -> list[str]:
    """The texts of a reasoning item's `summary` or `content`."""
    return [text for piece in records(pieces) if (text := word(piece.get("text")))]


def tool_call(item: dict[str, Any]) -> ToolCall:
    """A call of a function, or of a custom tool, whose input is any text."""
    kind = word(item.get("type"))
    given = item.get(CALLS[kind])
    id, name, metadata = call_id(item), word(item.get("name")), call_notes(item)
    if given is None or isinstance(given, str):
        return ToolCall.from_json(id, name, given or "", metadata)
    return ToolCall(id, name, given, as_json(given), metadata)


def call_id(item: Mapping[str, Any]) -> str:
    """The id that the call's result must name."""
    return word(item.get("call_id")) or word(item.get("id"))


def call_notes(item: Mapping[str, Any]) -> Metadata:
    """What else a call's item says."""
    form: dict[str, Any] = {"item": {key: item[key] for key in _ITEM if item.get(key) is not None}}
    if item.get("type") == "custom_tool_call":
        form["kind"] = "custom"
    return noted(leftovers(item, _CALL), form)


def other(item: Mapping[str, Any]) -> ProviderPart:
    """An item or a content part of a kind that only this protocol knows, kept whole."""
    kind = word(item.get("type"))
    return ProviderPart(kind or "unknown", {key: value for key, value in item.items() if key != "type"}, NAME)
