"""Embeddings, as each vendor's SDK tells them."""

from __future__ import annotations

from ..sdk import STATUS_ERRORS, Api, Sdk, at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..sdk import Path

_OPENAI_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("prompt_tokens",),), "output": (("completion_tokens",),), "total": (("total_tokens",),),
}  # fmt: skip


_BILLED = ("input_tokens", "output_tokens", "search_units", "classifications")


def _hidden(_native: dict[str, Any]) -> None:
    """The SDK keeps the provider's record to itself."""
    return


def _merged(native: dict[str, Any]) -> dict[str, Any]:
    """Cohere's SDK sends texts to version 1 in batches and adds the records up: its sum knows these counts alone."""
    if at(native, ("api_version", "version")) != "1":
        return native
    billed = {name: at(native, ("billed_units", name)) for name in _BILLED}
    return {"api_version": native["api_version"], "billed_units": billed, "warnings": native.get("warnings") or []}


_OPENAI = Sdk(
    usage=_OPENAI_USAGE, exceptions=STATUS_ERRORS, exception_from=(500, "InternalServerError"),
    exception="APIStatusError", text_errors=True,
)  # fmt: skip
_MISTRAL = Sdk(
    usage=_OPENAI_USAGE, exceptions={422: "HTTPValidationError"}, exception="SDKError", text_errors=True,
)  # fmt: skip
_VOYAGE = Sdk(
    usage={"input": (("total_tokens",),), "total": (("total_tokens",),)},
    shown_usage=_hidden,
    identified=False,
    exceptions={
        400: "InvalidRequestError", 401: "AuthenticationError", 422: "MalformedRequestError", 429: "RateLimitError",
        500: "ServerError", 502: "ServiceUnavailableError", 503: "ServiceUnavailableError",
        504: "ServiceUnavailableError",
    },
    exception="APIError",
    text_errors=True,
)  # fmt: skip
_JINA = Sdk(usage={"input": (("prompt_tokens",), ("total_tokens",)), "total": (("total_tokens",),)})
_COHERE = Sdk(
    usage={"input": (("billed_units", "input_tokens"),)},
    uncounted=("meta",),
    shown_usage=_merged,
    identified=False,
    exceptions={
        400: "BadRequestError", 401: "UnauthorizedError", 403: "ForbiddenError", 404: "NotFoundError",
        422: "UnprocessableEntityError", 429: "TooManyRequestsError", 498: "InvalidTokenError",
        499: "ClientClosedRequestError", 500: "InternalServerError", 501: "NotImplementedError",
        503: "ServiceUnavailableError", 504: "GatewayTimeoutError",
    },
    exception="ApiError",
    text_errors=True,
    text_exception="ApiError",
)  # fmt: skip
_OLLAMA = Sdk(
    usage={"input": (("prompt_eval_count",),)}, shown_usage=_hidden, exception="ResponseError", text_errors=True
)
_GOOGLE = Sdk(
    usage={"input": (("promptTokenCount",),), "total": (("totalTokenCount",),)},
    identified=False, exception="ClientError", exception_from=(500, "ServerError"), text_errors=True,
)  # fmt: skip

APIS = {
    ("*", "embeddings"): Api("openai_embeddings", _OPENAI, "embeddings"),
    ("mistral", "embeddings"): Api("openai_embeddings", _MISTRAL, "embeddings"),
    ("voyage", "embeddings"): Api("voyage_embeddings", _VOYAGE, "embeddings"),
    ("jina", "embeddings"): Api("jina_embeddings", _JINA, "embeddings"),
    ("cohere", "embeddings"): Api("cohere_embeddings", _COHERE, "embeddings"),
    ("ollama", "embeddings"): Api("ollama_embeddings", _OLLAMA, "embeddings"),
    ("gemini", "embeddings"): Api("gemini_embeddings", _GOOGLE, "embeddings"),
    ("vertex", "embeddings"): Api("vertex_embeddings", _GOOGLE, "embeddings"),
}
