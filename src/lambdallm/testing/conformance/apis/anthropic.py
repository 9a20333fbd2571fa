"""Anthropic's Messages API, as its SDK tells it."""

from __future__ import annotations

from ..sdk import STATUS_ERRORS, Api, Sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..sdk import Path

_ANTHROPIC_ERRORS = STATUS_ERRORS | {
    402: "PaymentRequiredError", 408: "RequestTimeoutError", 412: "PreconditionFailedError",
    413: "ContentTooLargeError", 431: "RequestHeaderFieldsTooLargeError", 499: "ClientClosedRequestError",
    501: "HTTPNotImplementedError", 503: "ServiceUnavailableError", 504: "GatewayTimeoutError", 529: "OverloadedError",
}  # fmt: skip

_ANTHROPIC_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("input_tokens",),),
    "output": (("output_tokens",),),
    "cached": (("cache_read_input_tokens",),),
    "cache_write": (("cache_creation_input_tokens",),),
    "reasoning": (("output_tokens_details", "thinking_tokens"),),
}

_ANTHROPIC = Sdk(
    usage=_ANTHROPIC_USAGE,
    exceptions=_ANTHROPIC_ERRORS,
    exception_from=(500, "InternalServerError"),
    exception="APIStatusError",
    stream_exception="APIStatusError",
    text_errors=True,
    redacted_block="redacted_thinking",
    no_text_is_no_arguments=True,
)

APIS = {
    ("*", "messages"): Api("anthropic_messages", _ANTHROPIC),
    ("*", "anthropic_messages"): Api("anthropic_messages", _ANTHROPIC),
    ("anthropic", "count_tokens"): Api("anthropic_count_tokens", _ANTHROPIC, "count_tokens"),
}
