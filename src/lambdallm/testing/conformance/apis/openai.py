"""OpenAI's chat protocol, as OpenAI's and Mistral's SDKs tell it."""

from __future__ import annotations

from ..sdk import STATUS_ERRORS, Api, Sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..sdk import Path

USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("prompt_tokens",),),
    "output": (("completion_tokens",),),
    "cached": (("prompt_tokens_details", "cached_tokens"),),
    "reasoning": (("completion_tokens_details", "reasoning_tokens"),),
    "total": (("total_tokens",),),
}

OPENAI = Sdk(
    usage=USAGE,
    exceptions=STATUS_ERRORS,
    exception_from=(500, "InternalServerError"),
    exception="APIStatusError",
    stream_exception="APIError",
    first_identity=True,
    unseen_usage=("x_groq", "usage"),
    text_errors=True,
    errors_as_reasons=True,
)
_GROQ = OPENAI.replace(unseen_usage=())
_MISTRAL = Sdk(
    usage=USAGE | {"cached": (("prompt_tokens_details", "cached_tokens"), ("num_cached_tokens",)), "reasoning": ()},
    errors_as_reasons=True,
    exceptions={422: "HTTPValidationError"},
    exception="SDKError",
    stream_exception="SDKError",
    first_identity=True,
    text_errors=True,
)

_COMPLETIONS = OPENAI.replace(more=lambda _, stream: {"id": None} if stream else {})
"""Of a stream the recordings keep no id."""

APIS = {
    ("*", "chat"): Api("openai_chat", OPENAI),
    ("*", "openai_compat"): Api("openai_chat", OPENAI),
    ("*", "openai_chat"): Api("openai_chat", OPENAI),
    ("mistral", "chat"): Api("openai_chat", _MISTRAL),
    ("groq", "chat"): Api("openai_chat", _GROQ),
    ("*", "completions"): Api("openai_completions", _COMPLETIONS),
}
