"""Content blocks of Converse and our parts, in both directions.

A block is an object with one key that names its kind. Blocks that no part stands for (`cachePoint`, `guardContent`,
`video`, `searchResult`, a server's tool calls and results, kinds yet to come) are a `ProviderPart` with that key as
its type and go back as they came.

Three kinds of metadata that a person asks for change a part's block: `cachePoint` (true, or the block's fields) puts a
cache marker after it, and so does `cache_control`, the word for it in Anthropic's own protocol; `guardContent` (true,
or a list of qualifiers) wraps a text for a guardrail; a document takes `context`, `citations` and `content` as Converse
names them. Everything else follows the rules of `notes`, under `MARK`.

Source: Bedrock API reference, "ContentBlock" and the pages it links to.
"""

from __future__ import annotations

import binascii
import re

from ...errors import UnsupportedParameterError
from ...types import (
    EMPTY,
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
from ..notes import asked_fields, left_out, own_fields, proved_elsewhere

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    from ...types import ChatMessage, Metadata, Part

    Block: TypeAlias = dict[str, Any]

MARK = "bedrock_converse"
"""This protocol's name, for `notes`."""

SERVER_CALL = "server_tool_use"
"""The `type` of a call that the provider runs itself."""

_KINDS = frozenset(
    ("text", "json", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent", "cachePoint",
     "reasoningContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval", "systemTool", "toolSpec")
)  # fmt: skip
_CITATION_FIELDS = frozenset(("title", "source", "sourceContent", "location"))
_DOCUMENT_FIELDS = ("context", "citations")
_CALL_FIELDS = ("toolUseId", "name", "input", "type")

CACHE_MARKS = ("cachePoint", "cache_control")
_ASKED: dict[type, tuple[str, ...]] = {
    TextPart: ("guardContent",),
    ImagePart: ("bucketOwner",),
    DocumentPart: ("bucketOwner", "content", *_DOCUMENT_FIELDS),
}
"""What metadata may ask for by name, besides cache markers."""

_IMAGE_FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
_AUDIO_FORMATS = {
    "mpeg": "mp3", "mp3": "mp3", "wav": "wav", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "ogg": "ogg",
    "opus": "opus", "flac": "flac", "x-flac": "flac", "aac": "aac", "x-aac": "x-aac", "mp4": "mp4", "m4a": "m4a",
    "x-m4a": "m4a", "webm": "webm", "pcm": "pcm", "x-matroska": "mka",
}  # fmt: skip
_DOCUMENT_FORMATS = {
    "pdf": "pdf", "csv": "csv", "msword": "doc", "doc": "doc", "docx": "docx", "vnd.ms-excel": "xls", "xls": "xls",
    "xlsx": "xlsx", "html": "html", "htm": "html", "plain": "txt", "txt": "txt", "markdown": "md", "md": "md",
    "vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}  # fmt: skip

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_ ()\[\]-]")
_LONGEST_NAME = 200


def decode_block(block: Any) -> Part | None:
    """The part that a block of an answer is; `None` for what is no block. Members that are null are not there."""
    if isinstance(block, dict) and None in block.values():
        block = {kind: value for kind, value in block.items() if value is not None}
    if not isinstance(block, dict) or not block:
        return None
    kind, value = next(iter(block.items()))
    part = _DECODERS[kind](value) if len(block) == 1 and kind in _DECODERS else None
    if part is not None:
        return part
    return ProviderPart(kind, value if len(block) == 1 and isinstance(value, dict) else block, MARK)


def _decode_text(value: Any) -> Part | None:
    return TextPart(value) if isinstance(value, str) else None


def _decode_call(value: Any) -> Part | None:
    if not isinstance(value, dict) or value.get("type") == SERVER_CALL:
        return None
    id, name = value.get("toolUseId"), value.get("name")
    if not isinstance(id, str) or not isinstance(name, str):
        return None
    return ToolCall(id, name, value.get("input", {}), metadata=call_notes(value))


def call_notes(call: dict[str, Any]) -> Metadata:
    """A call's further fields. Its type is a note: Nova says `tool_use`, which a request may not."""
    rest: dict[str, Any] = {key: item for key, item in call.items() if key not in _CALL_FIELDS}
    if "type" in call:
        rest["form"] = {"type": call["type"]}
    return {MARK: rest} if rest else EMPTY


def _decode_reasoning(value: Any) -> Part | None:
    if not isinstance(value, dict) or len(value) != 1:
        return None
    encrypted, text = value.get("redactedContent"), value.get("reasoningText")
    if isinstance(encrypted, str):
        return ReasoningPart(encrypted=encrypted, metadata={MARK: {}})
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return None
    signature = text.get("signature")
    if not isinstance(signature, str):
        return ReasoningPart(text["text"])
    return ReasoningPart(text["text"], signature, metadata={MARK: {}})


def _decode_citations(value: Any) -> Part | None:
    """A text with its citations. Where it came in several pieces, `content` keeps them."""
    content = value.get("content") if isinstance(value, dict) else None
    citations = value.get("citations", []) if isinstance(value, dict) else None
    if not isinstance(content, list) or not _are_records(content) or not isinstance(citations, list):
        return None
    texts = [item.get("text") for item in content]
    if not all(isinstance(text, str) for text in texts) or not _are_records(citations):
        return None
    text = "".join(texts)
    plain = citations and content == [{"text": text}]
    return TextPart(text, tuple(citations), EMPTY if plain else {MARK: {"content": content}})


def _are_records(items: list[Any]) -> bool:
    return all(isinstance(item, dict) for item in items)


_DECODERS: dict[str, Callable[[Any], Part | None]] = {
    "text": _decode_text,
    "toolUse": _decode_call,
    "reasoningContent": _decode_reasoning,
    "citationsContent": _decode_citations,
}


class BlockEncoder:
    """Turns the parts of one request into blocks. It counts documents, since each needs a name.

    `marks`: the model takes cache markers here.
    """

    def __init__(self, warnings: list[str], *, marks: bool = True) -> None:
        self._warnings, self._marks = warnings, marks
        self._documents = 0

    def message(self, message: ChatMessage, where: str) -> list[Block]:
        """The blocks of a message. Its own cache marker comes after the last."""
        if message.name and message.role != "tool":
            self._warnings.append(f"{where}.name: {message.name!r} was left out; Converse has no names.")
        blocks = [*self.blocks(message.parts, where)]
        if message.metadata:
            unplaced(message.metadata, where, self._warnings, CACHE_MARKS)
            if blocks and "cachePoint" not in blocks[-1]:
                blocks += self.mark(message.metadata, where)
        return blocks

    def blocks(self, parts: Iterable[Part], where: str) -> Iterator[Block]:
        """The blocks of parts, with cache markers where their metadata asks for them."""
        for part in parts:
            encode = getattr(self, _ENCODERS[type(part)])
            yield from encode(part, where)
            if not isinstance(part, ProviderPart) and part.metadata:
                unplaced(part.metadata, where, self._warnings, (*CACHE_MARKS, *_ASKED.get(type(part), ())))
                yield from self.mark(part.metadata, where)

    def mark(self, metadata: Metadata, where: str) -> Iterator[Block]:
        """The cache marker that metadata asks for, where the model takes one."""
        if marker := cache_point(metadata):
            if self._marks:
                yield marker
            else:
                self._warnings.append(f"the cache marker of {where} left out: this model takes none there")

    def _text(self, part: TextPart, where: str) -> Iterator[Block]:
        """A text; an empty one is left out, since Bedrock refuses it."""
        content = own_fields(part.metadata, MARK).get("content")
        ours = all(isinstance(found, dict) and _CITATION_FIELDS.issuperset(found) for found in part.citations)
        if part.citations and not ours:
            self._warnings.append(f"{len(part.citations)} citations of {where} left out: another protocol made them")
        if ours and (part.citations or content):
            yield {"citationsContent": {"content": content or [{"text": part.text}], "citations": [*part.citations]}}
        elif not part.text:
            return
        elif guard := part.metadata.get("guardContent"):
            qualifiers = {"qualifiers": [*guard]} if isinstance(guard, (list, tuple)) else {}
            yield {"guardContent": {"text": {"text": part.text, **qualifiers}}}
        else:
            yield {"text": part.text}

    def _refusal(self, part: RefusalPart, _where: str) -> Iterator[Block]:
        if part.text:
            yield {"text": part.text}

    def _image(self, part: ImagePart, _where: str) -> Iterator[Block]:
        source, kind = _source(part, "image")
        format = _format("image", _IMAGE_FORMATS, kind, part.url)
        yield {"image": {"format": format, "source": source, **own_fields(part.metadata, MARK)}}

    def _audio(self, part: AudioPart, _where: str) -> Iterator[Block]:
        format = _format("audio", _AUDIO_FORMATS, part.media_type, None)
        yield {"audio": {"format": format, "source": {"bytes": base64_text(part.data)}}}

    def _document(self, part: DocumentPart, _where: str) -> Iterator[Block]:
        """A document. Its name is made neutral, since the model reads it: letters, digits, spaces, `_-()[]`."""
        self._documents += 1
        name = _neutral(part.name or "") or f"Document {self._documents}"
        source, kind = _document_source(part)
        format = _format("document", _DOCUMENT_FORMATS, kind, part.url or part.name)
        more = {key: part.metadata[key] for key in _DOCUMENT_FIELDS if key in part.metadata}
        more |= own_fields(part.metadata, MARK)
        yield {"document": {"format": format, "name": name, "source": source, **more}}

    def _reasoning(self, part: ReasoningPart, where: str) -> Iterator[Block]:
        """A thought, but for one whose proof is another protocol's: the model can't verify it."""
        other = proved_elsewhere(part.metadata, MARK)
        if other is not None and (part.signature or part.encrypted):
            self._warnings.append(f"thinking of {where} left out: its proof is of {other}")
            return
        if part.text or part.signature is not None:
            signature = {"signature": part.signature} if part.signature is not None else {}
            yield {"reasoningContent": {"reasoningText": {"text": part.text, **signature}}}
        if part.encrypted is not None:
            yield {"reasoningContent": {"redactedContent": part.encrypted}}

    def _call(self, part: ToolCall, _where: str) -> Iterator[Block]:
        """A call. Arguments that were no JSON go back inside an object, the only thing `input` may be."""
        broken = part.arguments is None and part.arguments_json
        arguments = {"INVALID_JSON": part.arguments_json} if broken else part.arguments
        call = {"toolUseId": _id(part.id), "name": part.name, "input": {} if arguments is None else arguments}
        yield {"toolUse": call | own_fields(part.metadata, MARK)}

    def _result(self, part: ToolResult, where: str) -> Iterator[Block]:
        parts = (TextPart(part.content),) if isinstance(part.content, str) else part.content
        result = {"toolUseId": _id(part.call_id), "content": [*self.blocks(parts, where)]}
        if part.is_error:
            result["status"] = "error"
        yield {"toolResult": result | own_fields(part.metadata, MARK)}

    def _provider(self, part: ProviderPart, where: str) -> Iterator[Block]:
        if part.protocol in ("", MARK):
            yield provider_block(part)
        else:
            self._warnings.append(f"{part.type!r} of {where} left out: only {part.protocol} has it")


def _id(id: str) -> str:
    """An id of a call as "ToolUseBlock" allows it: other protocols' may have other letters, or more."""
    return fitting_id(id, longest=64, also=".:")


_ENCODERS: dict[type, str] = {
    TextPart: "_text",
    RefusalPart: "_refusal",
    ImagePart: "_image",
    AudioPart: "_audio",
    DocumentPart: "_document",
    ReasoningPart: "_reasoning",
    ToolCall: "_call",
    ToolResult: "_result",
    ProviderPart: "_provider",
}


def provider_block(part: ProviderPart) -> Block:
    """The block of a part that only its provider understands.

    One of another protocol has no place here: Converse writes its kinds in camel case, without a `type` inside.
    """
    if part.type in part.value:
        return dict(part.value)
    if part.type not in _KINDS and ("_" in part.type or part.value.get("type") == part.type):
        raise UnsupportedParameterError(
            f"A block of type {part.type!r} belongs to another protocol than Converse.",
            fix="Leave it out of the messages, or go on with the provider it came from.",
            param="messages",
        )
    return {part.type: part.value}


def cache_point(metadata: Metadata) -> Block | None:
    """The cache marker that metadata asks for."""
    marker = metadata.get("cachePoint")
    if marker:
        return {"cachePoint": {"type": "default", **(marker if isinstance(marker, dict) else {})}}
    control = metadata.get("cache_control")
    if not control:
        return None
    ttl = control.get("ttl") if isinstance(control, dict) else None
    return {"cachePoint": {"type": "default", **({"ttl": ttl} if ttl else {})}}


def unplaced(metadata: Metadata, where: str, warnings: list[str], known: tuple[str, ...] = ()) -> None:
    """Warn of what metadata holds and Converse has no place for: another protocol's, or asked for in other words."""
    left_out(metadata, MARK, where, warnings)
    strange = (name for name in asked_fields(metadata) if name not in known)
    warnings.extend(f"{name!r} of {where} left out: Converse has no such field" for name in strange)


def _source(part: ImagePart | DocumentPart, what: str) -> tuple[Block, str | None]:
    """Where the bytes are, and their media type."""
    if part.data is not None:
        return {"bytes": base64_text(part.data)}, part.media_type
    url = part.url or ""
    if url.startswith("s3://"):
        owner = part.metadata.get("bucketOwner")
        return {"s3Location": {"uri": url, **({"bucketOwner": owner} if owner else {})}}, part.media_type
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return {"bytes": data}, part.media_type or head[5:-7]
    raise UnsupportedParameterError(
        f"Bedrock does not fetch {url[:80]!r}, given as the URL of a part of kind {what!r}.",
        fix="Give its bytes as `data`, or an s3:// URL.",
        param=f"messages.{what}.url",
    )


def _document_source(part: DocumentPart) -> tuple[Block, str | None]:
    content = part.metadata.get("content")
    if content is not None:
        return {"content": content}, part.media_type or "text/plain"
    if part.text is not None and part.data is None:
        return {"text": part.text}, part.media_type or "text/plain"
    if part.file_id is not None:
        raise UnsupportedParameterError(
            f"Bedrock has no files by id, as {part.file_id!r} is.",
            fix="Give the document's bytes as `data`, or an s3:// URL.",
            param="messages.document.file_id",
        )
    return _source(part, "document")


def _format(what: str, formats: dict[str, str], media_type: str | None, name: str | None) -> str:
    """Bedrock's word for a media type, or for the ending of a name where no type is given."""
    kind = (media_type or "").partition(";")[0].rpartition("/")[2].strip().lower()
    ending = (name or "").rpartition(".")[2].lower() if not kind else ""
    found = formats.get(kind or ending)
    if found is None:
        raise UnsupportedParameterError(
            f"Bedrock takes no {what} of type {media_type or name!r}.",
            fix=f"Give a `media_type` it takes: {', '.join(sorted(set(formats.values())))}.",
            param=f"messages.{what}.media_type",
        )
    return found


def _neutral(name: str) -> str:
    """A name in the letters that Bedrock allows, without runs of spaces; empty where nothing readable is left."""
    clean = " ".join(_NOT_IN_NAMES.sub("-", name).split())[:_LONGEST_NAME].strip()
    return clean if any(letter.isalnum() for letter in clean) else ""


def base64_text(data: bytes) -> str:
    """Bytes as JSON carries them."""
    return binascii.b2a_base64(data, newline=False).decode()


def joined_base64(pieces: list[str]) -> str:
    """One text for bytes that were encoded piece by piece."""
    if len(pieces) == 1:
        return pieces[0]
    try:
        return base64_text(b"".join(binascii.a2b_base64(piece) for piece in pieces))
    except ValueError:
        return "".join(pieces)
