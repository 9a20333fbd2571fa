"""A client's turns as messages: parts in their places, calls and their results matched, carried thoughts restored.

Results without an id answer the first call of their function that has no result yet. A function's response is the
text of its one value under `output`, `result` or `error`, else its JSON; the encoder makes the same of it again.

Source: Gemini API reference, `Content`, `Part`; "Function calling".
"""

from __future__ import annotations

import json
from collections import deque

from ...types import (
    ChatMessage,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from .carried import carried, restored_notes, restored_thought
from .fields import MARK, rest_of
from .reading import flag, listed, malformed, mapping, record, text
from .response import CallIds, call_metadata, decode_inline_data, noted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import Part, Role

_ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "tool", "assistant": "assistant"}
_WIRE: dict[str, str] = {"user": "user", "assistant": "model", "tool": "user"}
_BESIDE = ("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata", "mediaProcessing",
           "speechMetadata", "documentMetadata", "spreadsheetMetadata", "audioMetadata")  # fmt: skip
_TEXT_KEYS = ("output", "result", "error")
_UNREAD = ("id", "name", "response", "parts")


class Turns:
    """Reads the turns of one request in their order."""

    def __init__(self) -> None:
        self._ids = CallIds()
        self._waiting: dict[str, deque[str]] = {}
        self._answered: set[str] = set()
        self._thoughts: dict[int, tuple[list[Part], int]] = {}

    def read(self, said: dict[str, Any]) -> tuple[ChatMessage, ...]:
        """The messages, the system instruction first; none where there are no contents."""
        contents = listed(said.get("contents"), "contents")
        turns = [self._turn(turn, f"contents[{place}]") for place, turn in enumerate(contents)]
        system = said.get("systemInstruction")
        first = [self._system(system)] if system is not None and turns else []
        parts = [(message, tuple(held)) for message, held in turns]
        return (*first, *(message.replace(content=held) for message, held in parts))

    def _system(self, system: Any) -> ChatMessage:
        where = "systemInstruction"
        if isinstance(system, str):
            return ChatMessage("system", (TextPart(system),))
        content = record(system, where)
        parts = tuple(self._parts(content, where))
        return ChatMessage("system", parts, metadata=noted(rest_of(content, ("parts",))))

    def _turn(self, turn: Any, where: str) -> tuple[ChatMessage, list[Part]]:
        """A message, and the list of its parts, from which a later turn may take its pieces of a thought."""
        content = record({"parts": [{"text": turn}]} if isinstance(turn, str) else turn, where)
        said = content.get("role") or "user"
        role = _ROLES.get(said) if isinstance(said, str) else None
        if role is None:
            raise malformed(f"{where}.role", said, "one of user and model")
        parts = self._parts(content, where)
        if role == "user" and parts and all(isinstance(part, ToolResult) for part in parts):
            role = "tool"
        own = rest_of(content, ("parts", "role")) | ({} if said == _WIRE[role] else {"role": said})
        return ChatMessage(role, metadata=noted(own)), parts

    def _parts(self, content: dict[str, Any], where: str) -> list[Part]:
        parts: list[Part] = []
        for place, part in enumerate(listed(content.get("parts"), f"{where}.parts")):
            at = f"{where}.parts[{place}]"
            self._part(record({"text": part} if isinstance(part, str) else part, at), at, parts)
        return parts

    def _part(self, part: dict[str, Any], where: str, parts: list[Part]) -> None:
        if "text" in part or not any(key not in _BESIDE for key in part):
            self._text(part, where, parts)
            return
        self._thoughts.clear()
        kind = next(key for key in part if key not in _BESIDE)
        read = _READERS.get(kind)
        parts.append(read(self, part, where) if read is not None else ProviderPart(kind, part, MARK))

    def _text(self, part: dict[str, Any], where: str, parts: list[Part]) -> None:
        said = text(part.get("text", ""), f"{where}.text")
        if "thought" in part and flag(part["thought"], f"{where}.thought"):
            self._thought(part, said, parts)
            return
        self._thoughts.clear()
        parts.append(TextPart(said, (), noted(rest_of(part, ("text", "thought")))))

    def _thought(self, part: dict[str, Any], said: str, parts: list[Part]) -> None:
        """A thought; one whose proof is carried takes the place of the pieces it was streamed in."""
        signature = part.get("thoughtSignature")
        if (found := carried(signature)) is not None:
            for held, pieces in self._thoughts.values():
                del held[-pieces:]
            self._thoughts.clear()
            parts.append(restored_thought(found, said))
            return
        rest = rest_of(part, ("text", "thought", "thoughtSignature"))
        proof = signature if isinstance(signature, str) and signature else None
        thought = ReasoningPart(said, proof, metadata={MARK: rest} if proof or rest else noted({}))
        parts.append(thought)
        if proof is None:
            _, pieces = self._thoughts.get(id(parts), (parts, 0))
            self._thoughts[id(parts)] = (parts, pieces + 1)
        else:
            self._thoughts.clear()

    def _call(self, part: dict[str, Any], where: str) -> ToolCall:
        at = f"{where}.functionCall"
        call = record(part["functionCall"], at)
        name = text(call.get("name"), f"{at}.name")
        sent = call.get("id")
        id = text(sent, f"{at}.id") if sent else self._ids.next()
        self._waiting.setdefault(name, deque()).append(id)
        found = carried(part.get("thoughtSignature"))
        if found is not None:
            part = rest_of(part, ("thoughtSignature",))
        own = call_metadata(part, call, has_id=bool(sent))
        arguments = mapping(call.get("args"), f"{at}.args")
        return ToolCall(id, name, arguments, None, {**own, **restored_notes(found or {})})

    def _result(self, part: dict[str, Any], where: str) -> ToolResult:
        at = f"{where}.functionResponse"
        said = record(part["functionResponse"], at)
        name = text(said.get("name", ""), f"{at}.name")
        sent = said.get("id")
        id = text(sent, f"{at}.id") if sent else self._awaited(name)
        self._answered.add(id)
        own = rest_of(part, ("functionResponse",))
        if inner := rest_of(said, _UNREAD):
            own["functionResponse"] = inner
        words, form, is_error = _response(said.get("response"), f"{at}.response")
        form |= {} if sent else {"no_id": True}
        media = self._parts({"parts": said.get("parts")}, at)
        content: str | tuple[Part, ...] = (TextPart(words), *media) if media else words
        return ToolResult(id, content, name or None, is_error, noted(own, form))

    def _awaited(self, name: str) -> str:
        """The id of the first call of a function that waits for its result."""
        waiting = self._waiting.get(name, deque())
        while waiting and waiting[0] in self._answered:
            waiting.popleft()
        return waiting[0] if waiting else f"call_{name}"

    def _file(self, part: dict[str, Any], where: str) -> Part:
        at = f"{where}.fileData"
        file = record(part["fileData"], at)
        url = text(file.get("fileUri"), f"{at}.fileUri")
        kind = text(file.get("mimeType", ""), f"{at}.mimeType")
        own = rest_of(part, ("fileData",))
        if inner := rest_of(file, ("fileUri", "mimeType")):
            own["fileData"] = inner
        if kind.startswith("image/"):
            return ImagePart(url, None, kind, None, noted(own))
        return DocumentPart(media_type=kind or None, url=url, metadata=noted(own, {} if kind else {"no_type": True}))

    def _inline(self, part: dict[str, Any], where: str) -> Part:
        at = f"{where}.inlineData"
        blob = record(part["inlineData"], at)
        text(blob.get("mimeType"), f"{at}.mimeType")
        found = decode_inline_data(part | {"inlineData": blob})
        if isinstance(found, ProviderPart):
            raise malformed(f"{at}.data", blob.get("data"), "base64")
        return found


_READERS: dict[str, Any] = {
    "functionCall": Turns._call,
    "functionResponse": Turns._result,
    "inlineData": Turns._inline,
    "fileData": Turns._file,
}


def _response(value: Any, where: str) -> tuple[str, dict[str, Any], bool]:
    """A function's response as text, how it was written, and whether it is an error."""
    said = mapping(value, where)
    if len(said) == 1:
        (key, only), *_ = said.items()
        if key in _TEXT_KEYS and isinstance(only, str):
            return only, {"key": key}, key == "error"
    return json.dumps(said, ensure_ascii=False), {}, False
