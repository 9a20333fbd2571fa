"""Cohere's embeddings on Bedrock, Embed v3 and v4: the body of Cohere's own, without the model.

Both need an input type; without one, texts are documents. `extra` takes `embedding_types`, `truncate`, `max_tokens`,
and what is no text (`images`, `inputs`). Answers that were asked for no type are a plain list (v3) or floats (v4).
Sources: Bedrock user guide, "Cohere Embed v3" and "Cohere Embed v4".
"""

from __future__ import annotations

from ...errors import LLMError
from ...result import Ok
from ...types import EMPTY, Embeddings
from ..embedding import asked, first_of, parsed, typed_vectors, unreadable, vectors
from . import EMBED_PATHS as PATHS
from .embedding import described, encoded, few_texts
from .errors import decode_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...result import Result
    from ...types import EmbeddingRequest
    from ..codec import Encoded, Facts

MOST_TEXTS = 96

_INPUT_TYPES = {
    "query": "search_query", "document": "search_document", "classification": "classification",
    "clustering": "clustering",
}  # fmt: skip
_READ = ("embeddings", "texts", "response_type")


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, an empty one, or too many."""
    said = asked(request, facts, input_types=_INPUT_TYPES, dimensions="output_dimension")
    body = {"texts": few_texts(said, MOST_TEXTS), "input_type": said.input_type or _INPUT_TYPES["document"]}
    return encoded(body, said.dimensions, request, said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, in the order of the texts, and each type's where more than floats were asked for."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    answer = answer if isinstance(answer, dict) else {}
    by_type = typed_vectors(answer.get("embeddings"))
    read = first_of(by_type) or vectors(answer.get("embeddings"))
    if read is None:
        return unreadable(status, headers)
    return Ok(
        described(Embeddings(read, by_type=by_type if by_type.keys() - {"float"} else EMPTY), answer, headers, _READ)
    )


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
