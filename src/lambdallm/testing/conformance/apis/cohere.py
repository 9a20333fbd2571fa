"""Cohere's chat APIs, as its SDK tells them: a plan apart from thinking, citations by number, errors without a type."""

from __future__ import annotations

from lambdallm.llm.types import ReasoningPart, TextPart
from lambdallm.llm.wire.cohere_chat.fields import PROTOCOL
from lambdallm.llm.wire.notes import form, own_fields

from ..sdk import Api, Sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambdallm.llm.types import Completion

    from ..sdk import Path

_ERRORS = {
    400: "BadRequestError", 401: "UnauthorizedError", 403: "ForbiddenError", 404: "NotFoundError",
    422: "UnprocessableEntityError", 429: "TooManyRequestsError", 498: "InvalidTokenError",
    499: "ClientClosedRequestError", 500: "InternalServerError", 501: "NotImplementedError",
    503: "ServiceUnavailableError", 504: "GatewayTimeoutError",
}  # fmt: skip

_TOKENS: dict[str, tuple[Path, ...]] = {
    "input": (("tokens", "input_tokens"),),
    "output": (("tokens", "output_tokens"),),
}


def _more(completion: Completion, _stream: bool) -> dict[str, Any]:
    """The plan, the thinking without it, and how many citations there are; each where it is."""
    thoughts = [part for part in completion.message.parts if isinstance(part, ReasoningPart)]
    planned = [form(part.metadata, PROTOCOL).get("field") == "tool_plan" for part in thoughts]
    plan = "".join(part.text for part, is_plan in zip(thoughts, planned, strict=True) if is_plan)
    thinking = "".join(part.text for part, is_plan in zip(thoughts, planned, strict=True) if not is_plan)
    cited = sum(len(part.citations) for part in completion.message.parts if isinstance(part, TextPart))
    cited += sum(len(own_fields(part.metadata, PROTOCOL).get("citations", ())) for part in thoughts)
    return {"tool_plan": plan or None, "thinking": thinking or None, "citations": cited or None}


def _more_v1(completion: Completion, stream: bool) -> dict[str, Any]:
    calls = [{"id": None, "name": call.name, "arguments": call.arguments} for call in completion.tool_calls]
    return {"tool_calls": calls} | ({"joined_text": completion.text} if stream else {})


_V2 = Sdk(
    usage=_TOKENS | {"cached": (("cached_tokens",),)},
    exceptions=_ERRORS,
    exception="ApiError",
    text_errors=True,
    text_exception="ApiError",
    errors_as_reasons=True,
    more=_more,
)
_V1 = Sdk(
    usage=_TOKENS,
    uncounted=("meta",),
    exceptions=_ERRORS,
    exception="ApiError",
    text_errors=True,
    text_exception="ApiError",
    errors_as_reasons=True,
    more=_more_v1,
)

APIS = {
    ("cohere", "chat_v2"): Api("cohere_chat", _V2),
    ("cohere", "chat_v1"): Api("cohere_chat_v1", _V1),
}
