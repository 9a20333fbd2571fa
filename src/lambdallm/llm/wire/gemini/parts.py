"""Parts of ours as parts of Gemini content.

What a decoder noted of a part goes back beside its data: `thoughtSignature` above all. A thought or a call that another
protocol signed goes without its signature, with a warning.

Sources: Gemini API reference, `Part`, `FunctionCall`, `FunctionResponse`; "Thought signatures"; "Multimodal function
responses"; "File input methods".
"""

from __future__ import annotations

import json

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
from ..notes import asked_fields, form, left_out, own_fields, proved_elsewhere
from .fields import MARK, base64_text, camel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...types import Metadata, Part
    from ..codec import Facts

_BESIDE = frozenset(
    ("thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata", "mediaProcessing", "speechMetadata",
     "documentMetadata", "spreadsheetMetadata", "audioMetadata")
)  # fmt: skip
"""What a person may ask for beside a part's data, by name."""

_TYPES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
    "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown",
    "html": "text/html", "csv": "text/csv", "json": "application/json", "mp3": "audio/mpeg", "wav": "audio/wav",
    "flac": "audio/flac", "ogg": "audio/ogg", "m4a": "audio/mp4", "mp4": "video/mp4", "mov": "video/quicktime",
    "webm": "video/webm", "mpeg": "video/mpeg",
}  # fmt: skip
_IMAGE_MARKS = (
    (b"\x89PNG\r\n", "image/png"), (b"\xff\xd8\xff", "image/jpeg"), (b"GIF8", "image/gif"), (b"RIFF", "image/webp"),
)  # fmt: skip
_GOOGLE_STORES = ("gs://", "files/", "https://generativelanguage.googleapis.com/", "https://www.youtube.com/",
                  "https://youtu.be/")  # fmt: skip
_RESOLUTIONS = {"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH"}
_NAMELESS = "names of documents were left out: the protocol has none"


class Context:
    """What encoding one request's parts needs to know: facts, warnings, and the calls made so far, by id.

    `exact` keeps what says nothing, such as empty text: the request came in this protocol.
    """

    def __init__(self, facts: Facts, warnings: list[str], *, exact: bool = False) -> None:
        self.facts, self.warnings, self.exact = facts, warnings, exact
        self.calls: dict[str, ToolCall] = {}
        self._said: set[str] = set()

    def warn(self, warning: str) -> None:
        """Record a warning once."""
        if warning not in self._said:
            self._said.add(warning)
            self.warnings.append(warning)


def encode_part(part: Part, context: Context, where: str) -> list[dict[str, Any]]:
    """The parts that a part of ours becomes: mostly one, none where it says nothing."""
    if isinstance(part, ToolResult):
        return _tool_result(part, context, where)
    body = _ENCODERS[type(part)](part, context, where)
    if body is None:
        return []
    return [body if isinstance(part, ProviderPart) else with_fields(body, part.metadata, context, where)]


def with_fields(body: dict[str, Any], metadata: Metadata, context: Context, where: str) -> dict[str, Any]:
    """A part with the fields of this protocol's own and those that a person asked for."""
    if not metadata:
        return body
    for key, value in own_fields(metadata, MARK).items():
        known = body.get(key)
        body[key] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
    for key, value in asked_fields(metadata).items():
        if camel(key) in _BESIDE:
            body[camel(key)] = value
        else:
            context.warn(f"{key!r} of {where} left out: the protocol has no such field")
    left_out(metadata, MARK, where, context.warnings)
    return body


def _text(part: TextPart, context: Context, _where: str) -> dict[str, Any] | None:
    if not (part.text or context.exact or own_fields(part.metadata, MARK)):
        return None
    return {"text": part.text}


def _refusal(part: RefusalPart, _context: Context, _where: str) -> dict[str, Any] | None:
    return {"text": part.text} if part.text else None


def _image(part: ImagePart, context: Context, where: str) -> dict[str, Any]:
    if part.data is not None:
        body = inline_data(part.data, part.media_type or _image_type(part.data, where))
    else:
        body = _linked(part.url, part.media_type, context, where)
    if part.detail in _RESOLUTIONS and context.facts.get("media_resolution"):
        body["mediaResolution"] = {"level": _RESOLUTIONS[part.detail]}
    elif part.detail not in (None, "auto"):
        context.warn(f"'detail' of {where} left out: the model has no such setting")
    return body


def _image_type(data: bytes, where: str) -> str:
    kind = next((kind for mark, kind in _IMAGE_MARKS if data.startswith(mark)), None)
    if kind is None:
        raise UnsupportedParameterError(
            f"{where} can't be sent: the image's type is not known from its bytes.",
            fix="Give the part a media_type.",
            param=where,
        )
    return kind


def _audio(part: AudioPart, _context: Context, _where: str) -> dict[str, Any]:
    return inline_data(part.data, part.media_type)


def _document(part: DocumentPart, context: Context, where: str) -> dict[str, Any]:
    if part.text is not None:
        return {"text": f"{part.name}\n\n{part.text}" if part.name else part.text}
    if part.name:
        context.warn(_NAMELESS)
    if part.data is not None:
        kind = part.media_type or ("application/pdf" if part.data.startswith(b"%PDF") else "text/plain")
        return inline_data(part.data, kind)
    return _linked(part.file_id or part.url, part.media_type, context, where)


def inline_data(data: bytes, media_type: str) -> dict[str, Any]:
    """Bytes as a part."""
    return {"inlineData": {"mimeType": media_type, "data": base64_text(data)}}


def _linked(url: str | None, media_type: str | None, context: Context, where: str) -> dict[str, Any]:
    """A file by its address; a `data:` URL is taken apart, which the API would not do."""
    if not url:
        raise UnsupportedParameterError(f"{where} can't be sent: it has neither data nor an address.", param=where)
    head, comma, data = url.partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return {"inlineData": {"mimeType": media_type or head[5:-7].partition(";")[0], "data": data}}
    if not context.facts.get("file_urls", True) and not url.startswith(_GOOGLE_STORES):
        raise UnsupportedParameterError(
            f"{where} can't be sent: the model reads no files from {url[:80]!r}.", fix="Send its data.", param=where
        )
    kind = media_type or _TYPES.get(url.partition("?")[0].rpartition(".")[2].lower())
    return {"fileData": ({"mimeType": kind} if kind else {}) | {"fileUri": url}}


def _reasoning(part: ReasoningPart, context: Context, where: str) -> dict[str, Any] | None:
    """A thought with its signature, unless another protocol signed it: Google would refuse that."""
    other = proved_elsewhere(part.metadata, MARK)
    signature = None if other else part.signature
    if part.encrypted is not None or (other and part.signature):
        context.warn(f"the proof of {where} left out: only {other or 'another protocol'} can read it")
    if not (part.text or signature or own_fields(part.metadata, MARK)):
        return None
    body: dict[str, Any] = {"text": part.text, "thought": True}
    return body | {"thoughtSignature": signature} if signature else body


def _tool_call(call: ToolCall, context: Context, _where: str) -> dict[str, Any]:
    context.calls[call.id] = call
    noted = form(call.metadata, MARK)
    said: dict[str, Any] = {} if noted.get("no_id") or not call.id else {"id": call.id}
    said["name"] = call.name
    if not (noted.get("no_args") and not call.arguments):
        said["args"] = call_args(call)
    return {"functionCall": said}


def call_args(call: ToolCall) -> Any:
    """A call's arguments as an object, which the API demands; what is none is wrapped for the model to see."""
    if hasattr(call.arguments, "keys"):
        return call.arguments
    if call.arguments is None and not (call.arguments_json or "").strip():
        return {}
    return {"INVALID_JSON": call.arguments_json if call.arguments is None else call.arguments}


def _tool_result(result: ToolResult, context: Context, where: str) -> list[dict[str, Any]]:
    """A function's response: it must name its function, which the call tells where the result doesn't."""
    call = context.calls.get(result.call_id)
    name = result.name or (call.name if call is not None else None)
    if not name:
        raise UnsupportedParameterError(
            f"{where} can't be sent: the protocol wants the tool's name, and no call has the id {result.call_id!r}.",
            fix="Give the result its tool's name, or send the call before it.",
            param=where,
        )
    hidden = form(result.metadata if call is None else call.metadata, MARK).get("no_id")
    said: dict[str, Any] = {} if hidden or not result.call_id else {"id": result.call_id}
    media, after = _media(result, context, where)
    said |= {"name": name, "response": _response(result)} | ({"parts": media} if media else {})
    return [with_fields({"functionResponse": said}, result.metadata, context, where), *after]


def _media(result: ToolResult, context: Context, where: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What of a result is no text, inside it or, for a model that takes none there, after it."""
    parts = [part for part in (() if isinstance(result.content, str) else result.content) if not _is_text(part)]
    encoded = [body for part in parts for body in encode_part(part, context, f"{where}.content")]
    if context.facts.get("tool_result_parts", True) or not encoded:
        return encoded, []
    context.warn("images and documents of tools' results were put after them: the model takes none inside")
    return [], encoded


def _is_text(part: Part) -> bool:
    return isinstance(part, (TextPart, RefusalPart))


def _response(result: ToolResult) -> Any:
    """A result's text as an object: as it came, else its own JSON, else under `output` or `error`."""
    text = result.content
    if not isinstance(text, str):
        text = "".join(part.text for part in text if isinstance(part, (TextPart, RefusalPart)))
    noted = form(result.metadata, MARK).get("key")
    if isinstance(noted, str):
        return {noted: text}
    if result.is_error:
        return {"error": text}
    found = _object(text)
    return {"output": text} if found is None else found


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; `None` for any other text, and for what only Python calls JSON (`NaN`)."""
    if text[:1] != "{":
        return None
    try:
        found = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _provider(part: ProviderPart, context: Context, where: str) -> dict[str, Any] | None:
    if part.protocol not in ("", MARK):
        context.warn(f"{part.type!r} of {where} left out: only {part.protocol} has it")
        return None
    return dict(part.value) if part.type in part.value else {part.type: dict(part.value)}


_ENCODERS: dict[type, Callable[[Any, Context, str], dict[str, Any] | None]] = {
    TextPart: _text,
    RefusalPart: _refusal,
    ImagePart: _image,
    AudioPart: _audio,
    DocumentPart: _document,
    ReasoningPart: _reasoning,
    ToolCall: _tool_call,
    ProviderPart: _provider,
}
