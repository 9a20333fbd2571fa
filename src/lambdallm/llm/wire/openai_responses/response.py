"""Whole answers of the Responses protocol, into a `Completion` of one choice whose parts are the items put out.

What the answer says beyond our fields (settings echoed, `service_tier`, `incomplete_details`, …) is in the
completion's metadata under `NAME`. Source: OpenAI, "The response object".
"""

from __future__ import annotations

import json

from ...errors import ProviderResponseError
from ...result import Err, Ok
from ...types import ChatMessage, Choice, Completion, ToolCall
from ..failures import error_facts, error_inside
from ..headers import request_id
from .fields import ending, leftovers, noted, read_usage, records, word
from .items import answer_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import FinishReason, Metadata, Part
    from ..openai_error import ErrorFacts

_ANSWER = frozenset(("id", "object", "model", "output", "output_text", "usage", "error", "status"))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. One that failed, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason}).", status, headers))
    if found := failure(answer):
        usage = read_usage(answer)
        return Err(found.error(found.status, request_id=request_id(headers), usage=usage))
    if not isinstance(answer, dict) or not (isinstance(answer.get("output"), list) or word(answer.get("status"))):
        return Err(_unreadable("The answer has no output.", status, headers))
    return Ok(_completion(answer))


def failure(answer: Any) -> ErrorFacts | None:
    """The error of an answer that failed; `None` for one that did not."""
    if found := error_inside(answer):
        return found
    if isinstance(answer, dict) and answer.get("status") == "failed":
        return error_facts({"code": "server_error", "message": "The provider's answer failed without saying why."})
    return None


def _completion(answer: dict[str, Any]) -> Completion:
    parts = tuple(part for item in records(answer.get("output")) for part in answer_parts(item))
    choice = Choice(ChatMessage("assistant", parts), *finish(answer, parts))
    return Completion(
        (choice,),
        usage=read_usage(answer),
        model=word(answer.get("model")) or None,
        id=word(answer.get("id")) or None,
        metadata=answer_notes(answer),
    )


def finish(answer: dict[str, Any], parts: Iterable[Part]) -> tuple[FinishReason | None, str | None]:
    """Why the answer ended, in our words and in the provider's."""
    calls = any(isinstance(part, ToolCall) for part in parts)
    return ending(answer.get("status"), answer.get("incomplete_details"), calls=calls)


def answer_notes(answer: dict[str, Any]) -> Metadata:
    """What an answer says beyond our fields."""
    return noted(leftovers(answer, _ANSWER))


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))
