"""Token counts of the Gemini protocol: `models.countTokens`, of AI Studio and of Vertex AI.

One fact, besides those of `gemini`: `count_body` is `"request"` (the default: the whole request under
`generateContentRequest`, as AI Studio counts instructions and tools) or `"plain"` (its fields alone, as Vertex does).

Sources: Gemini API reference, "Counting tokens"; Vertex AI REST reference, `CountTokensRequest`.
"""

from __future__ import annotations

import json

from ..errors import ProviderResponseError
from ..result import Err, Ok
from ..types import TokenCount
from .body import body_writer
from .codec import Encoded
from .gemini import decode_error
from .gemini.fields import count, rest_of
from .gemini.request import body_of
from .gemini.response import has_error, noted
from .headers import request_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...transport.types import Headers
    from ..errors import LLMError
    from ..result import Result
    from ..types import ChatRequest
    from .codec import Facts

PATHS = {"count_tokens": "/models/{model}:countTokens"}

_COUNTED = ("contents", "systemInstruction", "tools", "generationConfig")
"""What Vertex counts; `toolConfig` and the like add no tokens."""

_READ = ("totalTokens", "cachedContentTokenCount")


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The body that asks how many tokens a request has. Raises as `gemini.encode_request` does."""
    warnings: list[str] = []
    body = body_of(request, facts, warnings)
    if facts.get("count_body", "request") == "plain":
        body = {name: body[name] for name in _COUNTED if name in body}
    else:
        body = {"generateContentRequest": {"model": _model(request.model), **body}}
    return Encoded(_as_bytes(body), warnings=tuple(warnings))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[TokenCount, LLMError]:
    """The count. An error object inside a 200, or an answer without a count, gives `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        answer = None
    if has_error(answer):
        return Err(decode_error(status, headers, body))
    total = answer.get("totalTokens") if isinstance(answer, dict) else None
    if type(total) is not int:
        message = "The answer holds no count of tokens."
        return Err(ProviderResponseError(message, status=status, request_id=request_id(headers)))
    cached = count(answer.get("cachedContentTokenCount"))
    return Ok(TokenCount(total, cached, metadata=noted(rest_of(answer, _READ))))


def _model(name: str) -> str:
    return name if "/" in name else f"models/{name}"


_as_bytes = body_writer()

__all__ = ["PATHS", "decode_error", "decode_response", "encode_request"]
