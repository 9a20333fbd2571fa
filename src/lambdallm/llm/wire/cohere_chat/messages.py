"""Messages of Cohere's chat protocol, version 2: content, plans, calls, results and citations.

Source: API reference, "Chat (v2)", `messages`; "Tool use", "Citations", "Image inputs".
"""

from __future__ import annotations

import binascii

from ...errors import UnsupportedParameterError
from ...types import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)
from ..body import body_writer
from ..notes import asked_fields, form, left_out, own_fields
from .fields import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from ...types import ChatMessage, Part
    from ..codec import Facts
    from .fields import Record

_ROLES = {"developer": "system"}
_APART = (ToolCall, ToolResult)
_TOLD_BY_TEXT = "'is_error' of a tool's result left out: this protocol tells it by the text alone"
_LEFT_OUT_THINKING = "reasoning of earlier turns left out: this model takes none back"
_FOREIGN_CITATIONS = "citations left out: they are another protocol's"


class Conversation:
    """Writes the messages of one request in order; `documents` are those that stood in users' messages."""

    def __init__(self, facts: Facts, warnings: list[str]) -> None:
        self._facts, self._warnings = facts, warnings
        self.documents: list[Record] = []

    def encode(self, messages: Iterable[ChatMessage]) -> list[Record]:
        """All messages; one that holds several tools' results becomes one for each."""
        return [record for place, message in enumerate(messages) for record in self._encode(message, place)]

    def _encode(self, message: ChatMessage, place: int) -> Iterator[Record]:
        where = f"messages[{place}]"
        if message.name is not None and message.role != "tool":
            self._warn(f"{where}.name {message.name!r} left out: this protocol has no names")
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            yield self._result(result, where)
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if rest or not results:
            yield self._message(message, rest, where)

    def _message(self, message: ChatMessage, parts: Sequence[Part], where: str) -> Record:
        record: Record = {"role": _ROLES.get(message.role, message.role)}
        plans = [part for part in parts if _is_plan(part)]
        calls = [self._call(part) for part in parts if isinstance(part, ToolCall)]
        content = self._content([part for part in parts if not _is_plan(part)], where)
        if content or not (plans or calls):
            record["content"] = content
        if plans:
            record["tool_plan"] = "".join(plan.text for plan in plans if isinstance(plan, ReasoningPart))
        if calls:
            record["tool_calls"] = calls
        if citations := self._citations(parts):
            record["citations"] = citations
        return record | self._added(message, where)

    def _content(self, parts: Sequence[Part], where: str) -> Any:
        """A text where that says it all, else a list of blocks."""
        blocks = [block for part in parts if (block := self._block(part, where)) is not None]
        if not blocks:
            return ""
        only = blocks[0]
        return only["text"] if len(blocks) == 1 and only.keys() == {"type", "text"} else blocks

    def _block(self, part: Part, where: str) -> Record | None:
        """A part as a block of content; `None` for what goes elsewhere or nowhere."""
        if isinstance(part, _APART):
            return None
        if isinstance(part, ProviderPart):
            return self._provider(part, where)
        block = _BLOCKS[type(part)](self, part, where)
        added = self._added(part, where) if block is not None else {}
        added.pop("citations", None)
        return None if block is None else block | added

    def _text(self, part: TextPart | RefusalPart, _where: str) -> Record | None:
        return {"type": "text", "text": part.text} if part.text else None

    def _image(self, part: ImagePart, where: str) -> Record:
        url = part.url
        if part.data is not None:
            encoded = binascii.b2a_base64(part.data, newline=False).decode("ascii")
            url = f"data:{part.media_type or 'image/png'};base64,{encoded}"
        if url is None:
            raise unsupported(where, "the image has neither data nor a URL")
        return {"type": "image_url", "image_url": {"url": url} | ({"detail": part.detail} if part.detail else {})}

    def _thinking(self, part: ReasoningPart, _where: str) -> Record | None:
        if not part.text:
            self._warn("reasoning without text left out: this protocol has no form for it")
        elif not self._facts.get("thinking", True):
            self._warn(_LEFT_OUT_THINKING)
        else:
            return {"type": "thinking", "thinking": part.text}
        return None

    def _loose_document(self, part: DocumentPart, where: str) -> None:
        self.documents.append(document_of(part, where))
        left_out(part.metadata, PROTOCOL, where, self._warnings)

    def _audio(self, _part: AudioPart, where: str) -> None:
        raise unsupported(where, "this protocol has no sound")

    def _provider(self, part: ProviderPart, where: str) -> Record | None:
        if part.protocol not in ("", PROTOCOL):
            self._warn(f"{part.type!r} in {where} left out: only {part.protocol} has it")
            return None
        return {"type": part.type, **part.value}

    def _call(self, call: ToolCall) -> Record:
        """Its arguments as the text they came in, or as JSON; no text at all means none, as in `{}`."""
        text = (call.arguments_json or "").strip() or _as_json(call.arguments or {}).decode()
        function = {"name": call.name, "arguments": text}
        return {"id": call.id, "type": "function", "function": function} | self._added(call, f"the call {call.id!r}")

    def _result(self, result: ToolResult, where: str) -> Record:
        if result.is_error:
            self._warn(_TOLD_BY_TEXT)
        content: Any = result.content
        if not isinstance(content, str):
            content = [self._result_block(part, f"{where}.content") for part in content]
        return {"role": "tool", "tool_call_id": result.call_id, "content": content} | self._added(result, where)

    def _result_block(self, part: Part, where: str) -> Record:
        if isinstance(part, DocumentPart):
            left_out(part.metadata, PROTOCOL, where, self._warnings)
            return {"type": "document", "document": document_of(part, where)}
        if isinstance(part, (TextPart, RefusalPart)):
            return {"type": "text", "text": part.text} | self._added(part, where)
        if isinstance(part, ProviderPart) and part.protocol in ("", PROTOCOL):
            return {"type": part.type, **part.value}
        raise unsupported(where, "a tool's result can hold texts and documents here")

    def _citations(self, parts: Iterable[Part]) -> list[Record]:
        """What cites the message's parts. Another protocol's citations have no sources, and stay behind."""
        found = [dict(citation) for part in parts for citation in _citations_of(part)]
        kept = [citation for citation in found if isinstance(citation.get("sources"), list)]
        if len(kept) < len(found):
            self._warn(_FOREIGN_CITATIONS)
        return kept

    def _added(self, holder: Any, where: str) -> Record:
        """What metadata adds to a record."""
        left_out(holder.metadata, PROTOCOL, where, self._warnings)
        asked = asked_fields(holder.metadata)
        if asked.pop("cache_control", None) is not None:
            self._warn(f"'cache_control' of {where} left out: this protocol has no such setting")
        return own_fields(holder.metadata, PROTOCOL) | asked

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)


_BLOCKS: dict[type, Callable[[Conversation, Any, str], Record | None]] = {
    TextPart: Conversation._text,
    RefusalPart: Conversation._text,
    ImagePart: Conversation._image,
    ReasoningPart: Conversation._thinking,
    DocumentPart: Conversation._loose_document,
    AudioPart: Conversation._audio,
}


def _is_plan(part: Part) -> bool:
    return isinstance(part, ReasoningPart) and form(part.metadata, PROTOCOL).get("field") == "tool_plan"


def _citations_of(part: Part) -> Sequence[Any]:
    if isinstance(part, TextPart):
        return part.citations
    noted = own_fields(part.metadata, PROTOCOL).get("citations") if isinstance(part, ReasoningPart) else None
    return noted if isinstance(noted, list) else ()


def document_of(part: DocumentPart, where: str) -> Record:
    """A document: its id and its data, which `metadata` may give whole as `data`."""
    own = own_fields(part.metadata, PROTOCOL) | asked_fields(part.metadata)
    id = {"id": part.file_id} if part.file_id else {}
    if "data" in own:
        return id | own
    title = {"title": part.name} if part.name else {}
    return id | {"data": {**title, "text": document_text(part, where)}} | own


def document_text(part: DocumentPart, where: str) -> str:
    """A document's text. Raises for one that is not text."""
    if part.text is not None:
        return part.text
    if part.data is not None and (part.media_type or "").startswith("text/"):
        return part.data.decode("utf-8", "replace")
    raise unsupported(where, "a document must be text here")


def unsupported(param: str, why: str) -> UnsupportedParameterError:
    """The error for what can't be said."""
    return UnsupportedParameterError(f"{param!r} can't be sent: {why}.", param=param)


_as_json = body_writer()
