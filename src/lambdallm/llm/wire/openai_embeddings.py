"""OpenAI's embeddings protocol (`POST …/embeddings`), which llama.cpp, Azure, Mistral, OpenRouter and others speak too.

A codec for one operation: it has `PATHS`, `encode_request`, `decode_response` and `decode_error`; nothing is streamed.
Besides the facts of `embedding`, `encoding_format` says which form to ask vectors in; `base64` is a third of the bytes.
Where `input_types` are declared, they go under `input_type` (OpenRouter, NVIDIA). Sources: OpenAI, "Create embeddings";
Mistral, "Embeddings" (`output_dimension`, `output_dtype`).
"""

from __future__ import annotations

from ..errors import LLMError
from ..result import Err, Ok
from ..types import EMPTY, Embeddings
from .codec import Encoded
from .embedding import as_bytes, asked, in_order, parsed, refuse_packed_integers, unreadable, vectors
from .failures import decode_error, error_inside
from .headers import request_id
from .openai_chat.fields import count, leftovers, read_usage, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..result import Result
    from ..types import EmbeddingRequest, Usage
    from .codec import Facts

PATHS = {"embed": "/embeddings"}
MOST_TEXTS = 2048
"""OpenAI's limit; providers with a lower one declare `most_texts`."""

_READ = ("object", "data", "model", "usage")


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    refuse_packed_integers(request.extra)
    said = asked(request, facts, input_types=EMPTY, dimensions="dimensions", user=True)
    settings = {"input_type": said.input_type, "user": said.user, "encoding_format": facts.get("encoding_format")}
    given = {name: value for name, value in settings.items() if value is not None}
    body = {"model": request.model, "input": list(said.texts), **said.dimensions, **given, **request.extra}
    return Encoded(as_bytes(body), warnings=said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, sorted as the texts were. An error object inside a 200 gives `Err`."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    if found := error_inside(answer):
        return Err(found.error(found.status, request_id=request_id(headers)))
    rows = in_order(records(answer.get("data"))) if isinstance(answer, dict) else []
    read = vectors([row.get("embedding") for row in rows])
    if read is None:
        return unreadable(status, headers)
    return Ok(Embeddings(read, usage_in(answer), model_in(answer), metadata=leftovers(answer, _READ)))


def usage_in(answer: dict[str, Any]) -> Usage | None:
    """The answer's usage; of those that count only a total (Voyage), that is the input."""
    usage = read_usage(answer)
    if usage is None or usage.input_tokens:
        return usage
    return usage.replace(input_tokens=count(usage.native.get("total_tokens")))


def model_in(answer: dict[str, Any]) -> str | None:
    """The model that the answer names."""
    model = answer.get("model")
    return model if isinstance(model, str) else None


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request", "model_in", "usage_in"]
