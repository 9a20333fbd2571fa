"""Ollama's embeddings (`POST …/api/embed`). Source: Ollama, "Generate embeddings".

Ollama shortens texts that are too long unless `extra` says `{"truncate": false}`; `extra` also takes `options` and
`keep_alive`. Models that tell queries from documents by words before the text declare `input_prefixes`.
"""

from __future__ import annotations

from ..errors import LLMError
from ..result import Err, Ok
from ..types import EMPTY, Embeddings, Usage
from .codec import Encoded
from .embedding import as_bytes, asked, parsed, unreadable, vectors
from .failures import decode_error, error_inside
from .headers import request_id
from .openai_chat.fields import count, leftovers
from .openai_embeddings import model_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..result import Result
    from ..types import EmbeddingRequest
    from .codec import Facts

PATHS = {"embed": "/api/embed"}
MOST_TEXTS = 512
"""Ollama has no limit of its own; beyond this many, one failure would cost too much work."""

_TIMES = ("total_duration", "load_duration", "prompt_eval_count")


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    said = asked(request, facts, input_types=EMPTY, dimensions="dimensions")
    body = {"model": request.model, "input": list(said.texts), **said.dimensions, **request.extra}
    return Encoded(as_bytes(body), warnings=said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, in the order of the texts; the one of `/api/embeddings`, which older servers have, too."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    if found := error_inside(answer):
        return Err(found.error(found.status, request_id=request_id(headers)))
    answer = answer if isinstance(answer, dict) else {}
    read = vectors(answer.get("embeddings") or [answer.get("embedding")])
    if read is None:
        return unreadable(status, headers)
    metadata = leftovers(answer, ("model", "embeddings", "embedding", "prompt_eval_count"))
    return Ok(Embeddings(read, _usage(answer), model_in(answer), metadata=metadata))


def _usage(answer: dict[str, Any]) -> Usage | None:
    native = {name: answer[name] for name in _TIMES if answer.get(name) is not None}
    return Usage(count(native.get("prompt_eval_count")), native=native) if "prompt_eval_count" in native else None


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
