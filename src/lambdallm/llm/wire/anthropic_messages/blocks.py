"""Messages as Anthropic content: roles, turns and content blocks, written so that what was received goes back whole.

Source: Messages API reference, `messages` and `system`; "Extended thinking" (thinking blocks go back unchanged);
"Fine-grained tool streaming" (arguments that are no JSON go back as `INVALID_JSON`).

A part's `metadata` is merged into its block last, by the rules of `notes`: what a person asked for among `_FIELDS`, and
whatever is under this protocol's name. A message's own `cache_control` goes to its last block.
"""

from __future__ import annotations

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
from ..call_ids import fitting_id
from ..notes import asked_fields, form, left_out, own_fields, proved_elsewhere
from .response import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

    from ...types import ChatMessage, Metadata, Part

    Block: TypeAlias = dict[str, Any]

_ROLES = {"system": "system", "developer": "system", "user": "user", "tool": "user", "assistant": "assistant"}

_FIELDS = frozenset(
    ("cache_control", "citations", "context", "title", "source", "transformations", "caller", "toolset_name")
)
"""What a person may add to a block by name."""

SEARCH_RESULT = "search_result"
"""The type of a text that stands in a search result, and the note (`form`) on it that says so."""

_OWN_CITATION = "_location"
"""How the type of each of this protocol's citations ends."""

_IMAGE_MARKS = (
    (b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"),
)  # fmt: skip


def encode_messages(
    messages: Iterable[ChatMessage], warnings: list[str], *, system_in_messages: bool
) -> tuple[list[Block], list[Block]]:
    """The `system` blocks and the turns.

    System and developer messages before the first turn become `system`. A later one stays in its place where the
    model takes that, or where only that place can hold it (a `ProviderPart`); elsewhere it moves to `system`, with a
    warning. Neighbouring turns of one role are one turn, which is how the API reads them; tool results are the
    user's. Turns without content are left out, since the API refuses them and they say nothing.
    """
    system: list[Block] = []
    turns: list[Block] = []
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        role, blocks = _ROLES[message.role], _message_blocks(message, where, warnings)
        if not blocks:
            continue
        if role == "system" and not (turns and (system_in_messages or _only_in_place(blocks))):
            if turns:
                warnings.append(f"{where}: a system message between turns was moved to the front.")
            system += blocks
            continue
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
        if message.metadata:
            turns[-1] |= own_fields(message.metadata, MARK)
    return system, turns


def _message_blocks(message: ChatMessage, where: str, warnings: list[str]) -> list[Block]:
    if message.name and message.role != "tool":
        warnings.append(f"{where}.name: {message.name!r} was left out; the protocol has no names.")
    blocks = encode_parts(message.parts, where, warnings)
    if message.metadata:
        left_out(message.metadata, MARK, where, warnings)
        for name, value in asked_fields(message.metadata).items():
            if blocks and name == "cache_control":
                blocks[-1].setdefault(name, value)
            else:
                warnings.append(f"{name!r} of {where} left out: a message has no such field")
    return blocks


def _only_in_place(blocks: list[Block]) -> bool:
    """Whether `system`, which holds nothing but text, has no room for these."""
    return any(block["type"] != "text" for block in blocks)


def encode_part(part: Part, where: str, warnings: list[str]) -> Block | None:
    """The part as a content block; `None` for one that says nothing or can't be sent."""
    return _ENCODERS[type(part)](part, where, warnings)


def encode_parts(parts: Iterable[Part], where: str, warnings: list[str]) -> list[Block]:
    """The parts as content blocks. Empty text is left out: the API sends it, and refuses it when it comes back."""
    blocks = (encode_part(part, where, warnings) for part in parts)
    return [block for block in blocks if block is not None]


def noted(metadata: Metadata, where: str, warnings: list[str]) -> Block:
    """What metadata adds to an object of the request: all that was asked for, and this protocol's own."""
    if not metadata:
        return {}
    left_out(metadata, MARK, where, warnings)
    return asked_fields(metadata) | own_fields(metadata, MARK)


def _merge(block: Block, metadata: Metadata, where: str, warnings: list[str]) -> Block:
    if not metadata:
        return block
    left_out(metadata, MARK, where, warnings)
    for name, value in asked_fields(metadata).items():
        if name in _FIELDS:
            block[name] = value
        else:
            warnings.append(f"{name!r} of {where} left out: a {block['type']!r} block has no such field")
    return block | own_fields(metadata, MARK)


def _text(part: TextPart, where: str, warnings: list[str]) -> Block | None:
    if part.metadata and form(part.metadata, MARK).get("type") == SEARCH_RESULT:
        return _merge({"type": SEARCH_RESULT}, part.metadata, where, warnings)
    citations = own_citations(part)
    if lost := len(part.citations) - len(citations):
        warnings.append(f"{lost} citations of {where} left out: another protocol made them")
    if not part.text and not citations:
        return None
    block: Block = {"type": "text", "text": part.text}
    if citations:
        block["citations"] = citations
    return _merge(block, part.metadata, where, warnings)


def own_citations(part: TextPart) -> list[Block]:
    """The citations that this protocol can carry."""
    return [dict(found) for found in part.citations if str(found.get("type")).endswith(_OWN_CITATION)]


def _refusal(part: RefusalPart, where: str, warnings: list[str]) -> Block | None:
    return _merge({"type": "text", "text": part.text}, part.metadata, where, warnings) if part.text else None


def _image(part: ImagePart, where: str, warnings: list[str]) -> Block:
    if part.detail not in (None, "auto"):
        warnings.append(f"image.detail: {part.detail!r} of {where} was left out; the protocol has no such setting.")
    return _merge(
        {"type": "image"} | _source(_image_source(part), part.metadata, where), part.metadata, where, warnings
    )


def _image_source(part: ImagePart) -> Block | None:
    if part.data is not None:
        return _base64(part.data, part.media_type or _image_type(part.data))
    return _url_source(part.url) if part.url else None


def _image_type(data: bytes) -> str:
    kind = next((kind for mark, kind in _IMAGE_MARKS if data.startswith(mark)), None)
    if kind is None:
        raise UnsupportedParameterError(
            "The image's type is not known from its bytes.", fix="Give the part a media_type.", param="media_type"
        )
    return kind


def _document(part: DocumentPart, where: str, warnings: list[str]) -> Block:
    block: Block = {"type": "document"} | _source(_document_source(part), part.metadata, where)
    if part.name:
        block["title"] = part.name
    return _merge(block, part.metadata, where, warnings)


def _document_source(part: DocumentPart) -> Block | None:
    if part.file_id is not None:
        return {"type": "file", "file_id": part.file_id}
    if part.text is not None:
        return _plain_text(part.text)
    if part.data is not None:
        return _document_data(part.data, part.media_type)
    return _url_source(part.url) if part.url else None


def _document_data(data: bytes, media_type: str | None) -> Block:
    """PDF as it is and text as text, the two forms the API reads."""
    kind = media_type or ("application/pdf" if data.startswith(b"%PDF") else "text/plain")
    if kind == "application/pdf":
        return _base64(data, kind)
    if kind.startswith("text/"):
        return _plain_text(data.decode("utf-8", "replace"))
    raise UnsupportedParameterError(
        f"A document of type {kind!r} can't be sent.", fix="Send it as PDF or as text.", param="media_type"
    )


def _plain_text(text: str) -> Block:
    return {"type": "text", "media_type": "text/plain", "data": text}


def _base64(data: bytes, media_type: str) -> Block:
    from binascii import b2a_base64

    return {"type": "base64", "media_type": media_type, "data": b2a_base64(data, newline=False).decode()}


def _url_source(url: str) -> Block:
    """A `url` source; a `data:` URL is taken apart, which the API would not do."""
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return {"type": "base64", "media_type": head[5:-7].partition(";")[0], "data": data}
    return {"type": "url", "url": url}


def _source(source: Block | None, metadata: Metadata, where: str) -> Block:
    if source is None and "source" not in metadata and "source" not in own_fields(metadata, MARK):
        said = f"An image or document of {where} has no content that this protocol can send."
        raise UnsupportedParameterError(said, fix="Give it data or a url.", param=where)
    return {"source": source}


def _audio(_part: AudioPart, _where: str, _warnings: list[str]) -> Block:
    raise UnsupportedParameterError("Sound can't be sent in this protocol.", param="audio")


def _reasoning(part: ReasoningPart, where: str, warnings: list[str]) -> Block | None:
    """Thinking goes back with its proof. Without one, or with another protocol's, the API would refuse the request."""
    other = proved_elsewhere(part.metadata, MARK)
    if other is None and part.id is None:
        if part.encrypted is not None and not part.text:
            return _merge({"type": "redacted_thinking", "data": part.encrypted}, part.metadata, where, warnings)
        if part.signature:
            block: Block = {"type": "thinking", "thinking": part.text, "signature": part.signature}
            return _merge(block, part.metadata, where, warnings)
    why = f"its proof is of {other}" if other and (part.signature or part.encrypted) else "it has no signature"
    warnings.append(f"thinking of {where} left out: {why}")
    return None


def _tool_call(part: ToolCall, where: str, warnings: list[str]) -> Block:
    block: Block = {"type": "tool_use", "id": fitting_id(part.id), "name": part.name, "input": tool_input(part)}
    return _merge(block, part.metadata, where, warnings)


def tool_input(part: ToolCall) -> Mapping[str, Any]:
    """An object, as the API demands: anything else is wrapped for the model to see what it wrote."""
    if isinstance(part.arguments, dict):
        return part.arguments
    if part.arguments is None and (part.arguments_json or "").strip() in ("", "null"):
        return {}
    return invalid_input(part.arguments_json if part.arguments is None else part.arguments)


def invalid_input(value: object) -> Block:
    """The form in which arguments that are no JSON object travel."""
    return {"INVALID_JSON": value}


def _tool_result(part: ToolResult, where: str, warnings: list[str]) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": fitting_id(part.call_id)}
    content = part.content if isinstance(part.content, str) else encode_parts(part.content, where, warnings)
    if content:
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return _merge(block, part.metadata, where, warnings)


def _provider(part: ProviderPart, where: str, warnings: list[str]) -> Block | None:
    if part.protocol in ("", MARK):
        return {"type": part.type} | dict(part.value)
    warnings.append(f"{part.type!r} of {where} left out: only {part.protocol} has it")
    return None


_ENCODERS: dict[type, Callable[[Any, str, list[str]], Block | None]] = {
    TextPart: _text,
    RefusalPart: _refusal,
    ImagePart: _image,
    AudioPart: _audio,
    DocumentPart: _document,
    ReasoningPart: _reasoning,
    ToolCall: _tool_call,
    ToolResult: _tool_result,
    ProviderPart: _provider,
}
