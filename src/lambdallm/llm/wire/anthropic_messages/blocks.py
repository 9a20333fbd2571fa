"""Messages as Anthropic content: roles, turns and content blocks, written so that what was received goes back whole.

Source: Messages API reference, `messages` and `system`; "Extended thinking" (thinking blocks go back unchanged);
"Fine-grained tool streaming" (arguments that are no JSON go back as `INVALID_JSON`).

A part's `metadata` is merged into its block last: the fields named in `_FIELDS`, and whatever is under `MARK`, which is
also where the decoder keeps what it does not model. Anything else there is another protocol's and is left out with a
warning. A message's own `cache_control` goes to its last block.
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
from .response import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

    from ...types import ChatMessage, Part

    Block: TypeAlias = dict[str, Any]

_ROLES = {"system": "system", "developer": "system", "user": "user", "tool": "user", "assistant": "assistant"}

_FIELDS = frozenset(
    ("cache_control", "citations", "context", "title", "source", "transformations", "caller", "toolset_name")
)
"""What metadata may add to a block by name."""

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
        role, blocks = _ROLES[message.role], _message_blocks(message, index, warnings)
        if not blocks:
            continue
        if role == "system" and not (turns and (system_in_messages or _only_in_place(blocks))):
            if turns:
                warnings.append(f"messages[{index}]: a system message between turns was moved to the front.")
            system += blocks
        elif turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        else:
            turns.append({"role": role, "content": blocks})
    return system, turns


def _message_blocks(message: ChatMessage, index: int, warnings: list[str]) -> list[Block]:
    if message.name and message.role != "tool":
        warnings.append(f"messages[{index}].name: {message.name!r} was left out; the protocol has no names.")
    blocks = encode_parts(message.parts, warnings)
    if blocks and "cache_control" in message.metadata:
        blocks[-1].setdefault("cache_control", message.metadata["cache_control"])
    return blocks


def _only_in_place(blocks: list[Block]) -> bool:
    """Whether `system`, which holds nothing but text, has no room for these."""
    return any(block["type"] != "text" for block in blocks)


def encode_parts(parts: Iterable[Part], warnings: list[str]) -> list[Block]:
    """The parts as content blocks. Empty text is left out: the API sends it, and refuses it when it comes back."""
    blocks = (_ENCODERS[type(part)](part, warnings) for part in parts)
    return [block for block in blocks if block is not None]


def _merge(block: Block, metadata: Mapping[str, Any], warnings: list[str]) -> Block:
    for name, value in metadata.items():
        if name == MARK:
            block |= value
        elif name in _FIELDS:
            block[name] = value
        else:
            warnings.append(f"metadata.{name}: left out; the protocol has no such field in a {block['type']} block.")
    return block


def _text(part: TextPart, warnings: list[str]) -> Block | None:
    if not part.text and not part.citations:
        return None
    block: Block = {"type": "text", "text": part.text}
    if part.citations:
        block["citations"] = [dict(citation) for citation in part.citations]
    return _merge(block, part.metadata, warnings)


def _refusal(part: RefusalPart, _warnings: list[str]) -> Block | None:
    return {"type": "text", "text": part.text} if part.text else None


def _image(part: ImagePart, warnings: list[str]) -> Block:
    if part.detail not in (None, "auto"):
        warnings.append(f"image.detail: {part.detail!r} was left out; the protocol has no such setting.")
    return _merge({"type": "image"} | _source(_image_source(part), part.metadata), part.metadata, warnings)


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


def _document(part: DocumentPart, warnings: list[str]) -> Block:
    block: Block = {"type": "document"} | _source(_document_source(part), part.metadata)
    if part.name:
        block["title"] = part.name
    return _merge(block, part.metadata, warnings)


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


def _source(source: Block | None, metadata: Mapping[str, Any]) -> Block:
    if source is None and "source" not in metadata:
        raise UnsupportedParameterError("An image or document has no content.", fix="Give it data or a url.")
    return {"source": source}


def _audio(_part: AudioPart, _warnings: list[str]) -> Block:
    raise UnsupportedParameterError("Sound can't be sent in this protocol.", param="audio")


def _reasoning(part: ReasoningPart, warnings: list[str]) -> Block | None:
    """Thinking goes back with its proof. Without one, or with another protocol's, the API would refuse the request."""
    if part.encrypted is not None and not part.text and part.id is None:
        return _merge({"type": "redacted_thinking", "data": part.encrypted}, part.metadata, warnings)
    if part.signature and part.id is None:
        return _merge({"type": "thinking", "thinking": part.text, "signature": part.signature}, part.metadata, warnings)
    warnings.append("thinking: a thought without this protocol's signature was left out.")
    return None


def _tool_call(part: ToolCall, warnings: list[str]) -> Block:
    return _merge(
        {"type": "tool_use", "id": part.id, "name": part.name, "input": _tool_input(part)}, part.metadata, warnings
    )


def _tool_input(part: ToolCall) -> Mapping[str, Any]:
    """An object, as the API demands: anything else is wrapped for the model to see what it wrote."""
    if isinstance(part.arguments, dict):
        return part.arguments
    if part.arguments is None and not part.arguments_json:
        return {}
    return invalid_input(part.arguments_json if part.arguments is None else part.arguments)


def invalid_input(value: object) -> Block:
    """The form in which arguments that are no JSON object travel."""
    return {"INVALID_JSON": value}


def _tool_result(part: ToolResult, warnings: list[str]) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": part.call_id}
    content = part.content if isinstance(part.content, str) else encode_parts(part.content, warnings)
    if content:
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return _merge(block, part.metadata, warnings)


def _provider(part: ProviderPart, _warnings: list[str]) -> Block:
    return {"type": part.type} | dict(part.value)


_ENCODERS: dict[type, Callable[[Any, list[str]], Block | None]] = {
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
