"""Content blocks of Converse and our parts, in both directions.

A block is an object with one key that names its kind. Blocks that no part stands for (`cachePoint`, `guardContent`,
`video`, `searchResult`, a server's tool calls and results, kinds yet to come) are a `ProviderPart` with that key as
its type and go back as they came.

Three kinds of metadata on a part change its block: `cachePoint` (true, or the block's fields) puts a cache marker
after it, and so does `cache_control`, the word for it in Anthropic's own protocol; `guardContent` (true, or a list of
qualifiers) wraps a text for a guardrail; a document takes `context`, `citations` and `content` as Converse names them.

Source: Bedrock API reference, "ContentBlock" and the pages it links to.
"""

from __future__ import annotations

import binascii
import re

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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    from ...types import Metadata, Part

    Block: TypeAlias = dict[str, Any]

SERVER_CALL = "server_tool_use"
"""The `type` of a call that the provider runs itself."""

_KINDS = frozenset(
    ("text", "json", "image", "document", "video", "audio", "toolUse", "toolResult", "guardContent", "cachePoint",
     "reasoningContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval", "systemTool", "toolSpec")
)  # fmt: skip
_CITATION_FIELDS = frozenset(("title", "source", "sourceContent", "location"))
_DOCUMENT_FIELDS = ("context", "citations")

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
    """The part that a block of an answer is; `None` for what is no block."""
    if not isinstance(block, dict) or not block:
        return None
    kind, value = next(iter(block.items()))
    part = _DECODERS[kind](value) if len(block) == 1 and kind in _DECODERS else None
    if part is not None:
        return part
    return ProviderPart(kind, value if len(block) == 1 and isinstance(value, dict) else block)


def _decode_text(value: Any) -> Part | None:
    return TextPart(value) if isinstance(value, str) else None


def _decode_call(value: Any) -> Part | None:
    if not isinstance(value, dict) or value.get("type") == SERVER_CALL:
        return None
    id, name = value.get("toolUseId"), value.get("name")
    if not isinstance(id, str) or not isinstance(name, str):
        return None
    rest = {key: item for key, item in value.items() if key not in ("toolUseId", "name", "input")}
    return ToolCall(id, name, value.get("input", {}), metadata=rest)


def _decode_reasoning(value: Any) -> Part | None:
    if not isinstance(value, dict) or len(value) != 1:
        return None
    encrypted, text = value.get("redactedContent"), value.get("reasoningText")
    if isinstance(encrypted, str):
        return ReasoningPart(encrypted=encrypted)
    if not isinstance(text, dict) or not isinstance(text.get("text"), str):
        return None
    signature = text.get("signature")
    return ReasoningPart(text["text"], signature if isinstance(signature, str) else None)


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
    return TextPart(text, tuple(citations)) if plain else TextPart(text, tuple(citations), {"content": content})


def _are_records(items: list[Any]) -> bool:
    return all(isinstance(item, dict) for item in items)


_DECODERS: dict[str, Callable[[Any], Part | None]] = {
    "text": _decode_text,
    "toolUse": _decode_call,
    "reasoningContent": _decode_reasoning,
    "citationsContent": _decode_citations,
}


class BlockEncoder:
    """Turns the parts of one request into blocks. It counts documents, since each needs a name."""

    def __init__(self) -> None:
        self._documents = 0

    def blocks(self, parts: Iterable[Part]) -> Iterator[Block]:
        """The blocks of parts, with cache markers where their metadata asks for them."""
        for part in parts:
            encode = getattr(self, _ENCODERS[type(part)])
            yield from encode(part)
            if not isinstance(part, ProviderPart) and (marker := cache_point(part.metadata)):
                yield marker

    def _text(self, part: TextPart) -> Iterator[Block]:
        """A text; an empty one is left out, since Bedrock refuses it."""
        content = part.metadata.get("content")
        if _is_ours(part):
            yield {"citationsContent": {"content": content or [{"text": part.text}], "citations": [*part.citations]}}
        elif not part.text:
            return
        elif guard := part.metadata.get("guardContent"):
            qualifiers = {"qualifiers": [*guard]} if isinstance(guard, (list, tuple)) else {}
            yield {"guardContent": {"text": {"text": part.text, **qualifiers}}}
        else:
            yield {"text": part.text}

    def _refusal(self, part: RefusalPart) -> Iterator[Block]:
        if part.text:
            yield {"text": part.text}

    def _image(self, part: ImagePart) -> Iterator[Block]:
        source, kind = _source(part, "image")
        yield {"image": {"format": _format("image", _IMAGE_FORMATS, kind, part.url), "source": source}}

    def _audio(self, part: AudioPart) -> Iterator[Block]:
        format = _format("audio", _AUDIO_FORMATS, part.media_type, None)
        yield {"audio": {"format": format, "source": {"bytes": base64_text(part.data)}}}

    def _document(self, part: DocumentPart) -> Iterator[Block]:
        """A document. Its name is made neutral, since the model reads it: letters, digits, spaces, `_-()[]`."""
        self._documents += 1
        name = _neutral(part.name or "") or f"Document {self._documents}"
        source, kind = _document_source(part)
        format = _format("document", _DOCUMENT_FORMATS, kind, part.url or part.name)
        more = {key: part.metadata[key] for key in _DOCUMENT_FIELDS if key in part.metadata}
        yield {"document": {"format": format, "name": name, "source": source, **more}}

    def _reasoning(self, part: ReasoningPart) -> Iterator[Block]:
        if part.text or part.signature is not None:
            signature = {"signature": part.signature} if part.signature is not None else {}
            yield {"reasoningContent": {"reasoningText": {"text": part.text, **signature}}}
        if part.encrypted is not None:
            yield {"reasoningContent": {"redactedContent": part.encrypted}}

    def _call(self, part: ToolCall) -> Iterator[Block]:
        """A call. Arguments that were no JSON go back inside an object, the only thing `input` may be."""
        broken = part.arguments is None and part.arguments_json
        arguments = {"INVALID_JSON": part.arguments_json} if broken else part.arguments
        yield {"toolUse": {"toolUseId": part.id, "name": part.name, "input": {} if arguments is None else arguments}}

    def _result(self, part: ToolResult) -> Iterator[Block]:
        parts = (TextPart(part.content),) if isinstance(part.content, str) else part.content
        status = {"status": "error"} if part.is_error else {}
        yield {"toolResult": {"toolUseId": part.call_id, "content": [*self.blocks(parts)], **status}}

    def _provider(self, part: ProviderPart) -> Iterator[Block]:
        yield provider_block(part)


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


def _is_ours(part: TextPart) -> bool:
    """Whether a text's citations are Converse's own; another protocol's can't be sent, only the text."""
    fit = all(isinstance(citation, dict) and _CITATION_FIELDS.issuperset(citation) for citation in part.citations)
    return fit and bool(part.citations or part.metadata.get("content"))


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
