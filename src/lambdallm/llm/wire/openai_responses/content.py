"""Content parts of the Responses protocol, from ours: what stands inside a message or a tool's result.

Source: OpenAI, "Create a model response: input"; "Images and vision"; "File inputs"; "Audio".
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from ...types import AudioPart, DocumentPart, ImagePart, ProviderPart, RefusalPart, TextPart
from ..notes import asked_fields, form, left_out, own_fields
from .fields import NAME, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ...types import Metadata, Part
    from ..codec import Facts

    Encoder = Callable[[Any, str, list[str]], dict[str, Any]]

_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mp4": "m4a"}
_CACHE = "cache_control"
"""A mark for the prompt cache, by the name that several protocols know; here only content that is given has a word."""

_BREAKPOINT = "prompt_cache_breakpoint"

ANNOTATIONS = ("url_citation", "file_citation", "container_file_citation", "file_path")
"""The types of citations that this protocol has."""


def encode_content(
    parts: Iterable[Part], where: str, warnings: list[str], *, by_model: bool, mark: str | None = None
) -> list[dict[str, Any]]:
    """The parts of one message, a model's (`by_model`) or anybody else's. `mark` is the provider's word for a mark."""
    encoders = _BY_MODEL if by_model else _GIVEN
    encoded = []
    for part in parts:
        if isinstance(part, ProviderPart) and part.protocol not in ("", NAME):
            warnings.append(f"{part.type!r} of {where} left out: only {part.protocol} has it")
            continue
        encoder = encoders.get(type(part))
        if encoder is None:
            raise unsupported(where, f"a part of kind {type(part).__name__} has no place in it")
        if not by_model and not isinstance(part, ProviderPart) and _CACHE in part.metadata:
            encoded.append(_marked(part, encoder, where, warnings, mark))
        else:
            encoded.append(encoder(part, where, warnings))
    return encoded


def mark_word(facts: Facts) -> str | None:
    """The provider's word for a mark, where it has the one that this protocol knows."""
    return _BREAKPOINT if facts.get("cache_mark") == _BREAKPOINT else None


def _marked(part: Any, encoder: Encoder, where: str, warnings: list[str], mark: str | None) -> dict[str, Any]:
    """A part with its mark in the provider's word, else in the one that the mark came in."""
    word = mark or form(part.metadata, NAME).get("mark")
    if word is None:
        return encoder(part, where, warnings)
    from ..openai_prompt_cache import breakpoint_of

    rest = {key: value for key, value in part.metadata.items() if key != _CACHE}
    marker = breakpoint_of(part.metadata[_CACHE], where, warnings)
    return {**encoder(part.replace(metadata=rest), where, warnings), word: marker}


def merged(metadata: Metadata, where: str, warnings: list[str]) -> dict[str, Any]:
    """What of a part's metadata is sent beside it."""
    if not metadata:
        return {}
    left_out(metadata, NAME, where, warnings)
    asked = asked_fields(metadata)
    if asked.pop(_CACHE, None) is not None:
        warnings.append(f"{_CACHE!r} of {where} left out: this protocol has no such marker")
    return asked | own_fields(metadata, NAME)


def unsupported(where: str, why: str) -> UnsupportedParameterError:
    """The error for what can't be said."""
    return UnsupportedParameterError(f"{where} can't be sent: {why}.", param=where)


def _input_text(part: TextPart, where: str, warnings: list[str]) -> dict[str, Any]:
    kind = form(part.metadata, NAME).get("type", "input_text")
    return {"type": kind, "text": part.text, **merged(part.metadata, where, warnings)}


def _output_text(part: TextPart, where: str, warnings: list[str]) -> dict[str, Any]:
    kind = form(part.metadata, NAME).get("type", "output_text")
    return {
        "type": kind,
        "text": part.text,
        "annotations": cited(part, where, warnings),
        **merged(part.metadata, where, warnings),
    }


def cited(part: TextPart, where: str, warnings: list[str]) -> list[dict[str, Any]]:
    """The citations that this protocol has; OpenAI's chat protocol puts the same ones one level deeper."""
    found = [_annotation(dict(citation)) for citation in part.citations]
    if lost := len([citation for citation in found if citation is None]):
        warnings.append(f"{lost} citations of {where} left out: this protocol has none of their kind")
    return [citation for citation in found if citation is not None]


def _annotation(citation: dict[str, Any]) -> dict[str, Any] | None:
    kind = citation.get("type")
    if kind not in ANNOTATIONS:
        return None
    inner = citation.get(kind)
    return {"type": kind, **inner} if isinstance(inner, dict) else citation


def _refusal(part: RefusalPart, where: str, warnings: list[str]) -> dict[str, Any]:
    return {"type": "refusal", "refusal": part.text, **merged(part.metadata, where, warnings)}


def _image(part: ImagePart, where: str, warnings: list[str]) -> dict[str, Any]:
    url = data_uri(part.data, part.media_type or "image/png") if part.data is not None else part.url
    beside = merged(part.metadata, where, warnings)
    if url is None and "file_id" not in beside:
        raise unsupported(where, "the image has neither data nor a URL")
    return {"type": "input_image", **said({"image_url": url, "detail": part.detail}), **beside}


def _audio(part: AudioPart, where: str, warnings: list[str]) -> dict[str, Any]:
    kind = _AUDIO_FORMATS.get(part.media_type, part.media_type.rpartition("/")[2])
    sound = {"data": base64(part.data), "format": kind}
    return {"type": "input_audio", "input_audio": sound, **merged(part.metadata, where, warnings)}


def _document(part: DocumentPart, where: str, warnings: list[str]) -> dict[str, Any]:
    beside = merged(part.metadata, where, warnings)
    if part.text is not None:
        return {"type": "input_text", "text": f"{part.name}\n\n{part.text}" if part.name else part.text, **beside}
    kind = part.media_type or "application/pdf"
    data = data_uri(part.data, kind) if part.data is not None else None
    file = said({"file_data": data, "file_url": part.url, "file_id": part.file_id, "filename": part.name})
    if not file and "file_data" not in beside:
        raise unsupported(where, "the document has neither data, text, a URL nor a file_id")
    if data is not None and part.name is None and "filename" not in form(part.metadata, NAME):
        file["filename"] = f"document.{kind.rpartition('/')[2]}"  # OpenAI takes no data without a name
    return {"type": "input_file", **file, **beside}


def _provider_part(part: ProviderPart, _where: str, _warnings: list[str]) -> dict[str, Any]:
    return {"type": part.type, **part.value}


_GIVEN: dict[type, Encoder] = {
    TextPart: _input_text,
    ImagePart: _image,
    AudioPart: _audio,
    DocumentPart: _document,
    ProviderPart: _provider_part,
}
_BY_MODEL: dict[type, Encoder] = _GIVEN | {TextPart: _output_text, RefusalPart: _refusal}


def base64(data: bytes) -> str:
    """Bytes as base64 text."""
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode("ascii")


def data_uri(data: bytes, media_type: str) -> str:
    """Bytes as a `data:` URL."""
    return f"data:{media_type};base64,{base64(data)}"
