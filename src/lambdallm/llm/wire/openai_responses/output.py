"""Output items of the Responses protocol, from an answer's parts, whoever gave the answer.

This protocol's own parts become the items they came from. Another protocol's thoughts show as summaries; their proof,
and every part or note that no item here can hold, is sealed (`envelope`). An image that a model made is what
`image_generation_call` holds.
"""

from __future__ import annotations

from ...types import ImagePart, ProviderPart, ReasoningPart, RefusalPart, TextPart, ToolCall
from ..notes import form, own_fields
from .content import ANNOTATIONS, base64, cited
from .envelope import foreign, sealed
from .fields import NAME, word
from .messages import arguments_text, is_custom, is_own, reasoning_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ...types import Part

PREFIXES = {
    "message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc",
    "image_generation_call": "ig",
}  # fmt: skip


CUT = ("message", "function_call")
"""Items that say of themselves when they are cut short."""


class ItemIds:
    """Ids for the items of one answer: those they came with, else derived from the answer's and the item's place."""

    def __init__(self, id: str) -> None:
        self._base = id.removeprefix("resp_")
        self._used: set[str] = set()

    def id(self, kind: str, place: int, own: Any = None) -> str:
        """An id that no other item of the answer has."""
        id = word(own)
        if not id or id in self._used:
            id = f"{PREFIXES.get(kind, 'item')}_{self._base}_{place}"
        self._used.add(id)
        return id


def output_items(parts: Iterable[Part], ids: ItemIds) -> list[dict[str, Any]]:
    """The items of a whole answer."""
    items: list[dict[str, Any]] = []
    for group in grouped(parts):
        for item in _items(group):
            items.append(identified(item, ids, len(items)))
    return items


def identified(item: dict[str, Any], ids: ItemIds, place: int) -> dict[str, Any]:
    """An item with an id of its own, first as OpenAI has it."""
    kind = item["type"]
    if kind not in PREFIXES and "id" in item:
        return item
    return {"id": ids.id(kind, place, item.get("id"))} | {key: value for key, value in item.items() if key != "id"}


def grouped(parts: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts, those together that make up one message."""
    group: list[Part] = []
    for part in parts:
        if not (group and is_text(part) and is_text(group[-1]) and not begins(part, group[-1])):
            if group:
                yield group
            group = []
        group.append(part)
    if group:
        yield group


def is_text(part: Part) -> bool:
    """Whether a part is content of a message."""
    return isinstance(part, (TextPart, RefusalPart))


def begins(part: Any, before: Any) -> bool:
    """Whether a message's part begins another message than the one before it belongs to."""
    here, there = form(part.metadata, NAME), form(before.metadata, NAME)
    return here.get("at") == 0 or (here.get("item") or {}).get("id") != (there.get("item") or {}).get("id")


def _items(group: list[Part]) -> Iterator[dict[str, Any]]:
    part = group[0]
    if is_text(part):
        yield message_item(part, [text_content(text) for text in group])
        yield from (item for text in group for item in text_notes(text))
    elif isinstance(part, ToolCall):
        yield call_item(part)
        yield from call_notes(part)
    else:
        yield whole_item(part)


def message_item(first: Any, content: list[dict[str, Any]], status: str = "completed") -> dict[str, Any]:
    """A message with the fields it came with."""
    own = form(first.metadata, NAME).get("item") or {}
    return {"type": "message", "status": status, **own, "role": "assistant", "content": content}


def text_content(part: Any) -> dict[str, Any]:
    """A text or a refusal as content of a message."""
    own = own_fields(part.metadata, NAME)
    if isinstance(part, RefusalPart):
        return {"type": "refusal", "refusal": part.text, **own}
    noted = answer_annotations(part, part.text)
    return {"type": "output_text", "text": part.text, "annotations": noted, "logprobs": [], **own}


def answer_annotations(part: TextPart, text: str) -> list[dict[str, Any]]:
    """Citations as annotations. Another protocol's that names a page becomes a `url_citation` of the whole text."""
    found = cited(part, "", [])
    for citation in part.citations:
        url = citation.get("url")
        if citation.get("type") not in ANNOTATIONS and isinstance(url, str):
            title, end = word(citation.get("title")) or url, len(text)
            found.append({"type": "url_citation", "url": url, "title": title, "start_index": 0, "end_index": end})
    return found


def text_notes(part: Any) -> Iterator[dict[str, Any]]:
    """What a text says beyond an item, for its own protocol: sealed."""
    kept = foreign(part.metadata)
    others = tuple(c for c in getattr(part, "citations", ()) if c.get("type") not in ANNOTATIONS)
    if kept or others:
        yield seal_item(sealed(TextPart("", others, kept)))


def call_notes(call: ToolCall) -> Iterator[dict[str, Any]]:
    """What a call says beyond its item, for its own protocol: sealed."""
    if kept := foreign(call.metadata):
        yield seal_item(sealed(ToolCall(call.id, "", metadata=kept)))


def call_item(call: ToolCall, status: str = "completed") -> dict[str, Any]:
    """A call of a function or of a custom tool. A function called without arguments is called with `{}`."""
    own: Mapping[str, Any] = form(call.metadata, NAME).get("item") or {}
    beside = {**own, **own_fields(call.metadata, NAME)}
    if is_custom(call.metadata):
        said = {"type": "custom_tool_call", "call_id": call.id, "name": call.name, "input": call.arguments_json or ""}
        return said | beside
    text = arguments_text(call)
    said = {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": text if text.strip() else "{}"}
    return {"status": status} | said | beside


def whole_item(part: Part) -> dict[str, Any]:
    """The item of a part that is one by itself."""
    if isinstance(part, ReasoningPart):
        return thought_item(part)
    if isinstance(part, ProviderPart) and part.protocol in ("", NAME):
        return {"type": part.type, **part.value}
    if isinstance(part, ImagePart) and part.data is not None:
        return {"type": "image_generation_call", "status": "completed", "result": base64(part.data)}
    return seal_item(sealed(part))


def thought_item(part: ReasoningPart, *, again: bool = False) -> dict[str, Any]:
    """A thought. Another protocol's shows its text and seals the rest."""
    if is_own(part):
        return reasoning_item(part)
    summary = [{"type": "summary_text", "text": part.text}] if part.text else []
    return seal_item(sealed(part, without=("text",), again=again)) | {"summary": summary}


def seal_item(seal: str) -> dict[str, Any]:
    """A reasoning item that shows nothing."""
    return {"type": "reasoning", "summary": [], "encrypted_content": seal}
