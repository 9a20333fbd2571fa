"""Which codec reads which API, and in which words its vendor's SDK tells the outcome. One row makes an API known."""

from __future__ import annotations

from lambdallm._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    Path: TypeAlias = tuple[str, ...]


_NONE: Any = type(type.__dict__)({})


class Sdk(Value):
    """How one vendor's SDK tells things.

    `usage` says where its record has each number, place after place; `usage_fields`, where given, are all that its
    type knows. Exceptions are named by status, else by `exception_from` for what lies at or above a status, else
    `exception`; with `exceptions_by_type` the error's own type is the exception. `redacted_block` is the name of a
    thinking block without text, `cited_block` that of a text with citations (`cited_piece` that of each citation in a
    stream), and `not_in_streams` are blocks that streams don't list. With `no_text_is_no_arguments` a call without any
    JSON text shows `{}`, else `null`. An answer is `identified` when it carries id and model; in a stream with
    `first_identity` the SDK keeps those of the first event (Azure's are empty), where we keep the last that say
    something.
    """

    usage: Mapping[str, tuple[Path, ...]]
    usage_fields: tuple[str, ...] = ()
    exceptions: Mapping[int, str] = _NONE
    exception_from: tuple[int, str] = (600, "")
    exception: str | None = None
    exceptions_by_type: bool = False
    stream_exception: str | None = None
    redacted_block: str = ""
    cited_block: str = ""
    cited_piece: str = ""
    not_in_streams: tuple[str, ...] = ()
    no_text_is_no_arguments: bool = False
    identified: bool = True
    first_identity: bool = False


class Api(Value):
    """One API: the codec module in `lambdallm.llm.wire` that speaks it, and the SDK that judged it."""

    codec: str
    sdk: Sdk


_STATUS_ERRORS = {
    400: "BadRequestError", 401: "AuthenticationError", 403: "PermissionDeniedError", 404: "NotFoundError",
    409: "ConflictError", 422: "UnprocessableEntityError", 429: "RateLimitError",
}  # fmt: skip
_ANTHROPIC_ERRORS = _STATUS_ERRORS | {
    402: "PaymentRequiredError", 408: "RequestTimeoutError", 412: "PreconditionFailedError",
    413: "ContentTooLargeError", 431: "RequestHeaderFieldsTooLargeError", 499: "ClientClosedRequestError",
}  # fmt: skip

_OPENAI_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("prompt_tokens",),),
    "output": (("completion_tokens",),),
    "cached": (("prompt_tokens_details", "cached_tokens"),),
    "reasoning": (("completion_tokens_details", "reasoning_tokens"),),
    "total": (("total_tokens",),),
}
_ANTHROPIC_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("input_tokens",),),
    "output": (("output_tokens",),),
    "cached": (("cache_read_input_tokens",),),
    "cache_write": (("cache_creation_input_tokens",),),
    "reasoning": (("output_tokens_details", "thinking_tokens"),),
}
_CONVERSE_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("inputTokens",),),
    "output": (("outputTokens",),),
    "cached": (("cacheReadInputTokens",),),
    "cache_write": (("cacheWriteInputTokens",),),
    "total": (("totalTokens",),),
}

_OPENAI = Sdk(
    usage=_OPENAI_USAGE,
    exceptions=_STATUS_ERRORS,
    exception_from=(500, "InternalServerError"),
    exception="APIStatusError",
    stream_exception="APIError",
    first_identity=True,
)
_MISTRAL = Sdk(
    usage=_OPENAI_USAGE | {"cached": (("prompt_tokens_details", "cached_tokens"), ("num_cached_tokens",))},
    exceptions={422: "HTTPValidationError"},
    exception="SDKError",
    stream_exception="SDKError",
    first_identity=True,
)
_ANTHROPIC = Sdk(
    usage=_ANTHROPIC_USAGE,
    exceptions=_ANTHROPIC_ERRORS,
    exception_from=(500, "InternalServerError"),
    exception="APIStatusError",
    stream_exception="APIStatusError",
    redacted_block="redacted_thinking",
    no_text_is_no_arguments=True,
)
_BOTOCORE = Sdk(
    usage=_CONVERSE_USAGE,
    usage_fields=(*(path[0] for (path,) in _CONVERSE_USAGE.values()), "cacheDetails"),
    exceptions_by_type=True,
    cited_block="citationsContent",
    cited_piece="citation",
    not_in_streams=("toolUse",),
    identified=False,
)

APIS: dict[tuple[str, str], Api] = {
    ("*", "chat"): Api("openai_chat", _OPENAI),
    ("*", "openai_compat"): Api("openai_chat", _OPENAI),
    ("*", "openai_chat"): Api("openai_chat", _OPENAI),
    ("*", "messages"): Api("anthropic_messages", _ANTHROPIC),
    ("*", "anthropic_messages"): Api("anthropic_messages", _ANTHROPIC),
    ("*", "converse"): Api("bedrock_converse", _BOTOCORE),
    ("mistral", "chat"): Api("openai_chat", _MISTRAL),
    ("ollama", "chat"): Api("ollama_chat", Sdk(usage={})),
}
"""By provider and API. A row for `*` serves every provider that has none of its own."""


def find(provider: str, api: str) -> Api | None:
    """The row for an API, `None` when there is none."""
    return APIS.get((provider, api)) or APIS.get(("*", api))


def at(record: Any, path: Path) -> Any:
    """What lies at a path of keys; `None` where it leads nowhere."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    return record
