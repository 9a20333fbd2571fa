"""Cohere's embeddings (`POST …/embed`, versions 1 and 2): vectors by type.

`embed-v3` and later need an input type; without one, texts are documents. `extra` takes `embedding_types` (`float`,
`int8`, `uint8`, `binary`, `ubinary`, `base64`), `truncate` (`NONE`, `START`, `END`), `max_tokens`. Answers of version 1
that were asked for no type are a plain list. Source: Cohere, "Embed API".
"""

from __future__ import annotations

from ..errors import LLMError
from ..result import Ok
from ..types import Embeddings
from .codec import Encoded
from .cohere_error import decode_error
from .embedding import as_bytes, asked, first_of, parsed, token_usage, typed_vectors, unreadable, vectors
from .openai_chat.fields import leftovers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..result import Result
    from ..types import EmbeddingRequest, Usage
    from .codec import Facts

PATHS = {"embed": "/embed"}
MOST_TEXTS = 96

_INPUT_TYPES = {
    "query": "search_query", "document": "search_document", "classification": "classification",
    "clustering": "clustering",
}  # fmt: skip


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    said = asked(request, facts, input_types=_INPUT_TYPES, dimensions="output_dimension")
    settings = {"input_type": said.input_type or _INPUT_TYPES["document"], "embedding_types": ["float"]}
    body = {"model": request.model, "texts": list(said.texts), **settings, **said.dimensions, **request.extra}
    return Encoded(as_bytes(body), warnings=said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, in the order of the texts, and each type's where several were asked for."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    answer = answer if isinstance(answer, dict) else {}
    by_type = typed_vectors(answer.get("embeddings"))
    read = first_of(by_type) or vectors(answer.get("embeddings"))
    if read is None:
        return unreadable(status, headers)
    usage = _usage(answer.get("meta"))
    read_already = ("texts", "embeddings", "response_type", *(("meta",) if usage else ()))
    return Ok(Embeddings(read, usage, metadata=leftovers(answer, read_already), by_type=by_type))


def _usage(meta: Any) -> Usage | None:
    """What was billed, with the whole record beside it."""
    billed = token_usage(meta.get("billed_units"), "input_tokens") if isinstance(meta, dict) else None
    return None if billed is None else billed.replace(native=meta)


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
