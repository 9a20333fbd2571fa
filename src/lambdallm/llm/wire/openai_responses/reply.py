"""Whole answers of the Responses protocol, to a client: the response object with the request's settings echoed.

Where OpenAI's servers state a default for a setting that the request leaves out, so does this. Source: OpenAI, "The
response object".
"""

from __future__ import annotations

from ...errors import InvalidRequestError
from ...types import ProviderPart
from ..body import body_writer
from ..notes import form, own_fields
from .fields import NAME
from .output import CUT, ItemIds, output_items
from .request import echoed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import ChatRequest, Completion, FinishReason, Usage

_DEFAULTS: dict[str, Any] = {
    "background": False, "max_output_tokens": None, "max_tool_calls": None, "metadata": {}, "parallel_tool_calls": True,
    "previous_response_id": None, "prompt_cache_key": None, "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None, "service_tier": "default", "store": True, "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"}, "tool_choice": "auto", "tools": [], "top_logprobs": 0,
    "top_p": 1.0, "truncation": "disabled", "user": None,
}  # fmt: skip

_ECHOED_TOO = ("conversation", "prompt", "prompt_cache_options", "prompt_cache_retention", "context_management")
"""Settings that only an answer to a request with them has."""

_ENDINGS: dict[str | None, tuple[str, str | None]] = {
    "length": ("incomplete", "max_output_tokens"),
    "content_filter": ("incomplete", "content_filter"),
    "refusal": ("incomplete", "content_filter"),
    "pause": ("incomplete", None),
    "error": ("failed", None),
}
"""Status and reason of what did not simply end. What a model refused, another protocol's filter stopped."""

_AS_ASKED = ("instructions", "text", "tools", "tool_choice", "reasoning")
"""Settings that an answer states as the client said them, also where a provider states them in its own way."""

_CODES = (
    "server_error", "rate_limit_exceeded", "invalid_prompt", "data_residency_mismatch", "bio_policy",
    "misalignment_policy_violation", "vector_store_timeout", "invalid_image", "invalid_image_format",
    "invalid_base64_image", "invalid_image_url", "image_too_large", "image_too_small", "image_parse_error",
    "image_content_policy_violation", "invalid_image_mode", "image_file_too_large", "unsupported_image_media_type",
    "empty_image_file", "failed_to_download_image", "image_file_not_found",
)  # fmt: skip
"""The codes that the error of a response object may have."""

_CODE_OF = {"invalid_request_error": "invalid_prompt", "requests": "rate_limit_exceeded"}
"""The nearest of them to a type of error."""

_OWN_ENDINGS = ("completed", "incomplete", "failed", "in_progress", "queued", "cancelled")
_FAILED = {"code": "server_error", "message": "The model's answer ended with an error."}


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer to a client's request. Of several choices it holds the first: the protocol has but one."""
    reply = Reply(request, id=answer.id or id, model=answer.model or request.model, created=created)
    output = output_items(answer.message.parts, ItemIds(id))
    own = own_fields(answer.metadata, NAME)
    if output and output[-1]["type"] in CUT and ending(answer.finish_reason, None)[0] == "incomplete":
        output[-1]["status"] = "incomplete"
    ended = reply.ended(answer.finish_reason, answer.raw_finish_reason, output, answer.usage, own)
    return write(ended)


class Reply:
    """The response object of one answer, at its start and at its end."""

    def __init__(self, request: ChatRequest, *, id: str, model: str, created: int) -> None:
        self.model = model
        self._fields: dict[str, Any] = {
            "id": id, "object": "response", "created_at": created, "status": "in_progress", "error": None,
            "incomplete_details": None, "instructions": _instructions(request), "model": model, "output": [],
            **_settings(request), "usage": None,
        }  # fmt: skip

    def begun(self) -> dict[str, Any]:
        """The object before anything has come."""
        return self._fields

    def ended(
        self,
        reason: FinishReason | None,
        raw: str | None,
        output: list[dict[str, Any]],
        usage: Usage | None,
        own: dict[str, Any],
    ) -> dict[str, Any]:
        """The object with all that came. `own` is what an answer of this protocol's said beyond our fields."""
        status, why = ending(reason, raw)
        details = own.get("incomplete_details") or ({"reason": why} if why else None)
        told = {key: value for key, value in own.items() if key not in _AS_ASKED}
        end = {
            "status": status,
            "model": self.model,
            "error": _FAILED if status == "failed" else None,
            "incomplete_details": details if status == "incomplete" else None,
            "output": output,
            "usage": usage_object(usage),
        }
        return self._fields | told | end

    def failed(self, error: dict[str, Any], output: list[dict[str, Any]], usage: Usage | None) -> dict[str, Any]:
        """The object of an answer that an error ended."""
        code = error["code"] if error["code"] in _CODES else _CODE_OF.get(error["type"], "server_error")
        told = {"code": code, "message": error["message"]}
        end = {"status": "failed", "model": self.model, "error": told, "output": output, "usage": usage_object(usage)}
        return self._fields | end


def ending(reason: FinishReason | None, raw: str | None) -> tuple[str, str | None]:
    """The status, and why an answer is incomplete. A status of this protocol's is kept where the reason has none."""
    if reason in _ENDINGS:
        return _ENDINGS[reason]
    return (raw if reason == "other" and raw in _OWN_ENDINGS else "completed"), None


def usage_object(usage: Usage | None) -> dict[str, Any] | None:
    """Usage in this protocol's words."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _instructions(request: ChatRequest) -> str | None:
    told = [m.text for m in request.messages[:1] if form(m.metadata, NAME).get("field") == "instructions"]
    return told[0] if told else None


def _settings(request: ChatRequest) -> dict[str, Any]:
    """The settings of the request, with defaults for those it leaves out."""
    tools = tuple(t for t in request.tools if not isinstance(t, ProviderPart) or t.protocol in ("", NAME))
    given = echoed(request.replace(tools=tools))
    settings = {key: value if (found := given.get(key)) is None else found for key, value in _DEFAULTS.items()}
    for key in ("text", "reasoning"):
        if isinstance(settings[key], dict):
            settings[key] = _DEFAULTS[key] | settings[key]
    return settings | {key: given[key] for key in _ECHOED_TOO if given.get(key) is not None}


def write(body: Any) -> bytes:
    """JSON in UTF-8. A number without end, which some answers hold and JSON can't, becomes null."""
    try:
        return _write(body)
    except InvalidRequestError:
        return _write(_finite(body))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and value - value != 0:
        return None
    if hasattr(value, "keys"):
        return {key: _finite(value[key]) for key in value}
    return [_finite(item) for item in value] if isinstance(value, (list, tuple)) else value


_write = body_writer()
