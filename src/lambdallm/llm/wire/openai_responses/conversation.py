"""The `input` of a client's request, into messages.

What the model put out in one turn (thoughts, text, calls, hosted tools' items) becomes one assistant's message,
and results of tools that stand together one tool's message, so that any protocol can say it; notes under `NAME` restore
the items. What `envelope` sealed is opened.
"""

from __future__ import annotations

import binascii

from ...types import (
    AudioPart,
    ChatMessage,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from ..notes import form
from ..openai_asked import wrong_value
from ..openai_prompt_cache import BREAKPOINT, mark_of
from ..prompt_cache import CACHE
from .envelope import opened
from .fields import BETWEEN_THOUGHTS, NAME, as_json, leftovers, noted, records, word
from .items import CALLS, TEXTS, message_parts, other, reasoning, thoughts, tool_call
from .malformed import needed, optional, wrong_kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...types import Part

_ROLES = ("user", "system", "developer", "assistant")
_RESULTS = ("function_call_output", "custom_tool_call_output")
_MESSAGE = frozenset(("type", "role", "content"))
_RESULT = frozenset(("type", "call_id", "output", "id", "status"))
_AUDIO_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "m4a": "audio/mp4", "flac": "audio/flac", "ogg": "audio/ogg"}
_BY_CLIENT = ("_output", "mcp_approval_response")
"""How the types of items end that the client answers a model's call with."""


class Conversation:
    """Reads the items of one request."""

    def __init__(self) -> None:
        self._messages: list[ChatMessage] = []
        self._role: Any = ""
        self._parts: list[Part] = []

    def read(self, given: Any) -> tuple[ChatMessage, ...]:
        """The messages of an input: one text, or items."""
        if isinstance(given, str):
            return (ChatMessage("user", given),)
        if given is None:
            return ()
        if not isinstance(given, list):
            raise wrong_kind("input", given, str, list)
        for place, item in enumerate(given):
            self._item(item, f"input[{place}]")
        self._turn("")
        return tuple(self._messages)

    def _turn(self, role: str) -> None:
        """Go on to parts of another role."""
        if role != self._role and self._parts:
            self._messages.append(ChatMessage(self._role, tuple(self._parts)))
            self._parts = []
        self._role = role

    def _add(self, role: str, *parts: Part) -> None:
        self._turn(role)
        self._parts += parts

    def _item(self, item: Any, where: str) -> None:
        if not isinstance(item, dict):
            raise wrong_kind(where, item, dict)
        kind = optional(item, "type", str, where=where)
        if kind == "message" or (kind is None and "role" in item):
            self._message(item, where)
        elif kind is None and "id" not in item:
            needed(item, "type", str, where=where)
        elif kind == "reasoning":
            self._reasoning(item)
        elif kind in CALLS:
            needed(item, "call_id", str, where=where)
            needed(item, "name", str, where=where)
            self._add("assistant", tool_call(item))
        elif kind in _RESULTS and item.get("call_id") is not None:
            self._add("tool", _result(item, where))
        else:
            by_client = (kind or "").endswith(_BY_CLIENT) and item.get("execution") != "server"
            self._add("tool" if by_client else "assistant", other(item | {"type": kind or "item_reference"}))

    def _message(self, item: dict[str, Any], where: str) -> None:
        role, content = needed(item, "role", str, where=where), needed(item, "content", str, list, where=where)
        if role not in _ROLES:
            raise wrong_value(role, _ROLES, f"{where}.role")
        parts = [] if isinstance(content, str) else given_parts(content, f"{where}.content")
        if role == "assistant":
            self._add("assistant", *message_parts(item))
            return
        self._turn("")
        rest = leftovers(item, _MESSAGE)
        metadata = noted({}, {"item": rest} if rest else {})
        said = content if isinstance(content, str) else tuple(parts)
        self._messages.append(ChatMessage(role, said, metadata=metadata))

    def _reasoning(self, item: dict[str, Any]) -> None:
        """A thought; one of another protocol's with its proof, or what was sealed for the parts before it."""
        found = opened(item.get("encrypted_content"))
        if found is None:
            self._add("assistant", reasoning(item))
            return
        part, again = found
        if isinstance(part, ReasoningPart):
            self._thought(part.replace(text=BETWEEN_THOUGHTS.join(thoughts(item.get("summary")))), again)
        elif isinstance(part, (ToolCall, TextPart)):
            self._turn("assistant")
            self._noted(part)
        else:
            self._add("assistant", part)

    def _thought(self, part: ReasoningPart, again: bool) -> None:
        """Another protocol's thought; one that comes `again` takes the place of the last, whose text it goes on."""
        self._turn("assistant")
        places = [place for place, known in enumerate(self._parts) if isinstance(known, ReasoningPart)]
        if again and places:
            before: Any = self._parts[places[-1]]
            self._parts[places[-1]] = part.replace(text=before.text + part.text)
        else:
            self._parts.append(part)

    def _noted(self, note: ToolCall | TextPart) -> None:
        """Put notes that came back on the call they belong to, or on the text before them."""
        for place in range(len(self._parts) - 1, -1, -1):
            part = self._parts[place]
            if isinstance(note, ToolCall) and isinstance(part, ToolCall) and part.id == note.id:
                self._parts[place] = part.replace(metadata={**part.metadata, **note.metadata})
                return
            if isinstance(note, TextPart) and isinstance(part, TextPart):
                metadata = {**part.metadata, **note.metadata}
                self._parts[place] = TextPart(part.text, (*part.citations, *note.citations), metadata)
                return


def _result(item: dict[str, Any], where: str) -> ToolResult:
    id, output = needed(item, "call_id", str, where=where), item.get("output")
    if isinstance(output, list):
        content: Any = tuple(given_parts(output, f"{where}.output"))
    else:
        content = output if isinstance(output, str) else "" if output is None else as_json(output)
    form: dict[str, Any] = {"item": {key: item[key] for key in ("id", "status") if item.get(key) is not None}}
    if item.get("type") == "custom_tool_call_output":
        form["kind"] = "custom"
    return ToolResult(id, content, metadata=noted(leftovers(item, _RESULT), form))


def given_parts(content: list[Any], where: str) -> list[Part]:
    """Content that a client gives, part by part."""
    return [_part(part, f"{where}[{place}]") for place, part in enumerate(content)]


def _part(part: Any, where: str) -> Part:
    if not isinstance(part, dict):
        raise wrong_kind(where, part, dict)
    mark = mark_of(part[BREAKPOINT]) if BREAKPOINT in part else None
    if mark is None:
        return _unmarked(part, where)
    read: Any = _unmarked({key: value for key, value in part.items() if key != BREAKPOINT}, where)
    if isinstance(read, ProviderPart):
        return other(part)
    notes = {**read.metadata.get(NAME, {}), "form": {**form(read.metadata, NAME), "mark": BREAKPOINT}}
    marked: Part = read.replace(metadata={**read.metadata, NAME: notes, CACHE: mark})
    return marked


def _unmarked(part: dict[str, Any], where: str) -> Part:
    """A part without a mark for the prompt cache, which any of them may carry."""
    kind: str = needed(part, "type", str, where=where)
    if kind in TEXTS:
        form = {} if kind == "input_text" else {"type": kind}
        rest = noted(leftovers(part, ("type", "text", "annotations")), form)
        return TextPart(needed(part, "text", str, where=where), tuple(records(part.get("annotations"))), rest)
    read = _GIVEN.get(kind)
    return other(part) if read is None else read(part, where)


def _image(part: dict[str, Any], where: str) -> Part:
    url, detail = optional(part, "image_url", str, where=where), optional(part, "detail", str, where=where)
    rest = noted(leftovers(part, ("type", "image_url", "detail")))
    if inside := _inside(url):
        return ImagePart(data=inside[1], media_type=inside[0], detail=detail, metadata=rest)
    return ImagePart(url, detail=detail, metadata=rest)


def _file(part: dict[str, Any], where: str) -> Part:
    """A document. Data in another form than a `data:` URL stays as it is."""
    url, id, name = (optional(part, key, str, where=where) for key in ("file_url", "file_id", "filename"))
    inside = _inside(optional(part, "file_data", str, where=where))
    read = ("type", "file_url", "file_id", "filename", *(("file_data",) if inside else ()))
    rest = noted(leftovers(part, read), {} if name else {"filename": None})
    kind, data = inside or (None, None)
    return DocumentPart(data, kind, url=url, file_id=id, name=name, metadata=rest)


def _audio(part: dict[str, Any], where: str) -> Part:
    sound = optional(part, "input_audio", dict, where=where) or {}
    data, kind = _bytes(word(sound.get("data"))), _AUDIO_TYPES.get(word(sound.get("format")))
    if data is None or kind is None or leftovers(sound, ("data", "format")):
        return other(part)
    return AudioPart(data, kind, noted(leftovers(part, ("type", "input_audio"))))


_GIVEN: dict[str, Callable[[dict[str, Any], str], Part]] = {
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


def _inside(url: str | None) -> tuple[str, bytes] | None:
    """The media type and bytes of a `data:` URL; `None` for what could not be written again as it was."""
    head, _, text = (url or "").partition(";base64,")
    kind = head.removeprefix("data:")
    data = _bytes(text) if head != kind and ";" not in kind else None
    return None if data is None else (kind, data)


def _bytes(text: str) -> bytes | None:
    """What base64 text holds; `None` where the same bytes would be written otherwise."""
    try:
        data = binascii.a2b_base64(text)
    except ValueError:
        return None
    return data if text and binascii.b2a_base64(data, newline=False).decode("ascii") == text else None
