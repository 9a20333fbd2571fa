"""Whole answers of the Gemini protocol, and what a part of an answer means, for streams and requests too.

Everything unmodelled is kept under `MARK` by the rules of `notes`: a part's further fields (`thoughtSignature` above
all) in its metadata, a candidate's (`groundingMetadata`, `citationMetadata`, `safetyRatings`, `logprobsResult` …) in
its choice's, the answer's (`promptFeedback`, `createTime` …) in the completion's. Parts of kinds that only Google has
(`executableCode`, `toolCall` …) are `ProviderPart`s that hold the whole part. A blocked prompt is an answer of no
parts with the finish reason "content_filter"; its `promptFeedback` says why.

Sources: Gemini API reference, `GenerateContentResponse`; "Thought signatures".
"""

from __future__ import annotations

import json

from ...errors import ProviderResponseError
from ...result import Err, Ok
from ...types import (
    EMPTY,
    AudioPart,
    ChatMessage,
    Choice,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
)
from ..headers import request_id
from ..notes import FORM
from .fields import MARK, base64_bytes, camelled, finish_reason, records, rest_of, usage_of, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import Metadata, Part

ANSWER_FIELDS = frozenset(("candidates", "usageMetadata", "modelVersion", "responseId"))
CANDIDATE_FIELDS = frozenset(("content", "finishReason", "index"))
_SAYS_SOMETHING = ANSWER_FIELDS | {"promptFeedback"}
_DATA = ("functionCall", "inlineData", "fileData", "functionResponse")
_BESIDE = frozenset(
    ("thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata", "mediaProcessing",
     "speechMetadata", "documentMetadata", "spreadsheetMetadata", "audioMetadata")
)  # fmt: skip
"""What may stand in a part beside its data."""


class CallIds:
    """Ids for the calls that come without one, which older models and Vertex send.

    The same call has the same id in every reading, and calls of two answers differ: results are matched by it.
    """

    def __init__(self, answer_id: str | None = None) -> None:
        self.answer_id = answer_id
        self._made = 0

    def next(self) -> str:
        """An id for the next call that has none."""
        self._made += 1
        return "_".join(filter(None, ("call", self.answer_id, str(self._made - 1))))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error object inside it, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason})"[:500], status, headers))
    if has_error(answer):
        from .error import decode_error

        return Err(decode_error(status, headers, body))
    if not isinstance(answer, dict) or not _SAYS_SOMETHING & answer.keys():
        return Err(_unreadable("The answer has no candidates.", status, headers))
    return Ok(_completion(answer))


def has_error(answer: Any) -> bool:
    """Whether an answer that claims success tells an error, in an object or in a list of one."""
    first = answer[0] if isinstance(answer, list) and answer else answer
    return isinstance(first, dict) and bool(first.get("error")) and "candidates" not in first


def is_blocked(answer: dict[str, Any]) -> bool:
    """Whether the prompt was blocked, so that no candidate comes."""
    feedback = answer.get("promptFeedback")
    return isinstance(feedback, dict) and bool(feedback.get("blockReason"))


def noted(fields: dict[str, Any], form: dict[str, Any] | None = None) -> Metadata:
    """Fields of this protocol's own and notes on their form, as metadata."""
    if form:
        fields = fields | {FORM: form}
    return {MARK: fields} if fields else EMPTY


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def _completion(answer: dict[str, Any]) -> Completion:
    id = word(answer.get("responseId"))
    ids = CallIds(id)
    choices = tuple(_choice(one, place, ids) for place, one in enumerate(records(answer.get("candidates"))))
    if not choices and is_blocked(answer):
        choices = (Choice(ChatMessage("assistant"), "content_filter"),)
    return Completion(
        choices,
        usage=usage_of(answer.get("usageMetadata")),
        model=word(answer.get("modelVersion")),
        id=id,
        metadata=noted(rest_of(answer, ANSWER_FIELDS)),
    )


def _choice(candidate: dict[str, Any], place: int, ids: CallIds) -> Choice:
    parts = tuple(part for record in parts_of(candidate) if (part := decode_part(record, ids)) is not None)
    called = any(type(part) is ToolCall for part in parts)
    index = candidate.get("index")
    return Choice(
        ChatMessage("assistant", parts),
        *finish_reason(candidate.get("finishReason"), called=called),
        index if type(index) is int else place,
        noted(rest_of(candidate, CANDIDATE_FIELDS)),
    )


def parts_of(candidate: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of a candidate; a filtered one has none."""
    content = candidate.get("content")
    return records(content.get("parts")) if isinstance(content, dict) else []


def decode_part(part: dict[str, Any], ids: CallIds) -> Part | None:
    """A part of an answer; `None` for empty text with nothing beside it."""
    kind = next(_kinds(part), "text")
    if kind == "functionCall" and isinstance(part[kind], dict):
        return _call(part, part[kind], ids)
    if kind == "inlineData" and isinstance(part[kind], dict) and not part.get("thought"):
        return decode_inline_data(part)
    return decode_text(part) if kind == "text" else ProviderPart(kind, part, MARK)


def _kinds(part: dict[str, Any]) -> Iterator[str]:
    """The name of a part's data: one that is known, else the first that is not known to stand beside."""
    for kind in _DATA:
        if part.get(kind) is not None:
            yield kind
    if not isinstance(part.get("text"), str):
        yield from (key for key, value in part.items() if key not in _BESIDE and value is not None)


def decode_text(part: dict[str, Any]) -> Part | None:
    """Text, or a thought; its signature stands beside it."""
    text = part.get("text")
    said = text if isinstance(text, str) else ""
    if part.get("thought") is True:
        return _thought(part, said)
    rest = rest_of(part, ("text", "thought"))
    return TextPart(said, (), noted(rest)) if said or rest else None


def _thought(part: dict[str, Any], said: str) -> ReasoningPart | None:
    signature = word(part.get("thoughtSignature"))
    rest = rest_of(part, ("text", "thought", "thoughtSignature"))
    if not (said or signature or rest):
        return None
    return ReasoningPart(said, signature, metadata={MARK: rest} if signature or rest else EMPTY)


def _call(part: dict[str, Any], call: dict[str, Any], ids: CallIds) -> ToolCall:
    id, args = word(call.get("id")), call.get("args")
    return ToolCall(
        id or ids.next(),
        word(call.get("name")) or "",
        {} if args is None else args,
        None,
        call_metadata(part, call, has_id=id is not None),
    )


def call_metadata(part: dict[str, Any], call: dict[str, Any], *, has_id: bool) -> Metadata:
    """What stands in and beside a call that has no field of ours."""
    fields = rest_of(part, ("functionCall",))
    if inner := rest_of(call, ("id", "name", "args", "partialArgs", "willContinue")):
        fields["functionCall"] = inner
    form = {} if has_id else {"no_id": True}
    return noted(fields, form if call.get("args") is not None else form | {"no_args": True})


def decode_inline_data(part: dict[str, Any]) -> Part:
    """Bytes by their media type: an image, sound, or a document (video too). What is no base64 stays as it came."""
    blob = camelled(part["inlineData"])
    kind, data = word(blob.get("mimeType")) or "", blob.get("data")
    try:
        content = base64_bytes(data) if isinstance(data, str) else None
    except ValueError:
        content = None
    if content is None:
        return ProviderPart("inlineData", part, MARK)
    fields = rest_of(part, ("inlineData",))
    if inner := rest_of(blob, ("mimeType", "data")):
        fields["inlineData"] = inner
    if kind.startswith("image/"):
        return ImagePart(None, content, kind, None, noted(fields))
    if kind.startswith("audio/"):
        return AudioPart(content, kind, noted(fields))
    return DocumentPart(content, kind or None, metadata=noted(fields))
