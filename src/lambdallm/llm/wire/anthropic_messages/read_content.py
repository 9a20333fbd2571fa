"""Messages as a client sends them: roles, turns and content blocks into ours, so that `blocks` writes the same again.

What other protocols have words for becomes a part of its own: text, images, documents, thoughts, calls, results, and
the text of a search result. Everything else stays a `ProviderPart`. `cache_control` stands in metadata by that name;
all other fields without a place are kept under `MARK`, and what an answer of ours `carried` is restored. Results become
messages of role `tool`, with the name of the tool that was called.

Source: Messages API reference, "Create a Message", body parameters `messages` and `system`.
"""

from __future__ import annotations

from binascii import Error as NoBase64
from binascii import a2b_base64

from ...types import ChatMessage, DocumentPart, ImagePart, ReasoningPart, TextPart, ToolCall, ToolResult
from .blocks import SEARCH_RESULT
from .carried import FIELD, restored_call, restored_thought
from .expect import joined, malformed, objects, optional, required, shown
from .response import MARK, decode_part, rest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeAlias

    from ...types import Part, Role

    Block: TypeAlias = dict[str, Any]
    _Calls: TypeAlias = dict[str, ToolCall]

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_MESSAGE_FIELDS = frozenset(("role", "content"))

_NEEDED: dict[str, tuple[tuple[str, type], ...]] = {
    "text": (("text", str),),
    "image": (("source", dict),),
    "document": (("source", dict),),
    "search_result": (("source", str), ("title", str), ("content", list)),
    "thinking": (("thinking", str), ("signature", str)),
    "redacted_thinking": (("data", str),),
    "tool_use": (("id", str), ("name", str), ("input", dict)),
    "tool_result": (("tool_use_id", str),),
}
"""The fields that a block can't be without, by its type."""

_HOMES = {"tool_result": "user", "tool_use": "assistant", "thinking": "assistant", "redacted_thinking": "assistant"}
"""Whose message a block must stand in, and directly."""


def decode_messages(messages: list[Any], path: str) -> Iterator[ChatMessage]:
    """The turns. What stands at `path` is the list."""
    calls: _Calls = {}
    for message, place in objects(messages, path):
        role = _role(message, place)
        content = _content(message.get("content"), joined(place, "content"), role, calls)
        rest = dict(rest_of(message, _MESSAGE_FIELDS))
        for words in _runs(role, content):
            yield words.replace(metadata={MARK: rest}) if rest else words


def _role(message: Block, place: str) -> Role:
    word = required(message, "role", str, place)
    if word not in _ROLES:
        raise malformed(f"{place}.role", f"Input should be 'user', 'assistant' or 'system', not {shown(word)}")
    return _ROLES[word]


def _runs(role: Role, content: str | tuple[Part, ...]) -> Iterator[ChatMessage]:
    """One message, or several where results of tools stand beside the user's own words."""
    if isinstance(content, str) or not any(type(part) is ToolResult for part in content):
        yield ChatMessage(role, content)
        return
    run: list[Part] = []
    for part in content:
        if run and (type(part) is ToolResult) != (type(run[0]) is ToolResult):
            yield _run(role, run)
            run = []
        run.append(part)
    yield _run(role, run)


def _run(role: Role, parts: list[Part]) -> ChatMessage:
    return ChatMessage("tool" if type(parts[0]) is ToolResult else role, tuple(parts))


def _content(content: Any, path: str, home: str, calls: _Calls) -> str | tuple[Part, ...]:
    """A text, or the parts of a list of blocks, in a message of the role `home` or inside something else.

    `calls` gathers the calls so far, by the id that the client knows.
    """
    if content is None:
        raise malformed(path, "Field required")
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise malformed(path, f"Input should be a valid string or a valid list, not {shown(content)}")
    parts = (_part(block, place, home, calls) for block, place in objects(content, path))
    return tuple(part for part in parts if part is not None)


def _part(block: Block, path: str, home: str, calls: _Calls) -> Part | None:
    """A block, with its cache marker by the name that other protocols know too."""
    kind = required(block, "type", str, path)
    if _HOMES.get(kind, home) != home:
        raise malformed(f"{path}.type", f"{kind!r} blocks can only be in {_HOMES[kind]!r} messages, not in {home!r}")
    if kind not in _NEEDED:
        return decode_part(block)
    for name, wanted in _NEEDED[kind]:
        required(block, name, wanted, path)
    marker = optional(block, "cache_control", dict, path)
    rest = {name: value for name, value in block.items() if name != "cache_control"}
    part: Any = _DECODERS.get(kind, _plain)(rest, path, calls)
    if marker is None or part is None:
        return part  # type: ignore[no-any-return] # what the decoders give
    return part.replace(metadata={**part.metadata, "cache_control": marker})  # type: ignore[no-any-return] # as above


def _plain(block: Block, path: str, calls: _Calls) -> Part | None:
    """Blocks that answers have too."""
    citations = optional(block, "citations", list, path) or []
    for _ in objects(citations, joined(path, "citations")):
        pass
    carried = block.pop(FIELD, None)
    part = decode_part(block)
    if isinstance(part, ReasoningPart):
        return restored_thought(part)
    if isinstance(part, ToolCall):
        called = restored_call(part, carried)
        calls[part.id] = called
        return called
    return part


def _image(block: Block, path: str, _calls: _Calls) -> ImagePart:
    source, place = block["source"], joined(path, "source")
    kind = required(source, "type", str, place)
    if kind == "base64":
        data, media_type = _bytes(source, place)
        return ImagePart(data=data, media_type=media_type, metadata=_rest(block, "source"))
    if kind == "url":
        return ImagePart(url=required(source, "url", str, place), metadata=_rest(block, "source"))
    return ImagePart(metadata=_rest(block))


def _document(block: Block, path: str, _calls: _Calls) -> DocumentPart:
    source, place = block["source"], joined(path, "source")
    kind = required(source, "type", str, place)
    title, rest = optional(block, "title", str, path) or None, _rest(block, "source", "title")
    if kind == "base64":
        data, media_type = _bytes(source, place)
        return DocumentPart(data=data, media_type=media_type, name=title, metadata=rest)
    if kind == "text":
        return DocumentPart(text=required(source, "data", str, place), name=title, metadata=rest)
    if kind == "url":
        return DocumentPart(url=required(source, "url", str, place), name=title, metadata=rest)
    if kind == "file":
        return DocumentPart(file_id=required(source, "file_id", str, place), name=title, metadata=rest)
    return DocumentPart(text=_text_of(source.get("content")) or None, name=title, metadata=_rest(block, "title"))


def _bytes(source: Block, path: str) -> tuple[bytes, str]:
    media_type = required(source, "media_type", str, path)
    try:
        return a2b_base64(required(source, "data", str, path)), media_type
    except (NoBase64, ValueError):
        raise malformed(f"{path}.data", f"Invalid base64 data: {shown(source['data'])}") from None


def _text_of(content: Any) -> str:
    """The text of a list of blocks, for protocols that know only that."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = (block.get("text") for block in blocks if isinstance(block, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def _search_result(block: Block, path: str, _calls: _Calls) -> TextPart:
    """Its text, for other protocols; the block itself goes back as it came."""
    for _ in objects(block["content"], joined(path, "content")):
        pass
    kept = {name: value for name, value in block.items() if value is not None and name != "type"}
    return TextPart(_text_of(block["content"]), metadata={MARK: {**kept, "form": {"type": SEARCH_RESULT}}})


def _tool_result(block: Block, path: str, calls: _Calls) -> ToolResult:
    content = block.get("content")
    said = "" if content is None else _content(content, joined(path, "content"), "tool_result", calls)
    failed = bool(optional(block, "is_error", bool, path))
    call = calls.get(block["tool_use_id"]) or ToolCall(block["tool_use_id"], "")
    rest = _rest(block, "tool_use_id", "content", "is_error")
    return ToolResult(call.id, said, call.name or None, failed, rest)


def _rest(block: Block, *known: str) -> dict[str, Any]:
    """The fields of a block without a place in its part, as metadata."""
    rest = rest_of(block, frozenset(("type", *known)))
    return {MARK: dict(rest)} if rest else {}


_DECODERS: dict[str, Callable[[Block, str, _Calls], Part | None]] = {
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "tool_result": _tool_result,
}


def decode_system(system: Any, path: str) -> Iterator[ChatMessage]:
    """The words before the first turn: none, a text, or blocks."""
    if system is not None and (content := _content(system, path, "system", {})):
        yield ChatMessage("system", content)
