"""Amazon Nova's multimodal embeddings, asked for texts: one text a call.

`input_type` is the model's `embeddingPurpose`; without one, texts are to be searched. `extra` is merged into
`singleEmbeddingParams` (`{"text": {"truncationMode": "NONE"}}`). Source: Amazon Nova user guide, "Complete embeddings
request and response schema".
"""

from __future__ import annotations

from ...errors import LLMError
from ...result import Ok
from ...types import Embeddings
from ..embedding import asked, parsed, unreadable, vectors
from . import EMBED_PATHS as PATHS
from .embedding import described, encoded, one_text, records
from .errors import decode_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...result import Result
    from ...types import EmbeddingRequest
    from ..codec import Encoded, Facts

MOST_TEXTS = 1

_PURPOSES = {
    "query": "GENERIC_RETRIEVAL", "document": "GENERIC_INDEX", "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}  # fmt: skip


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, an empty one, or more than one."""
    said = asked(request, facts, input_types=_PURPOSES, dimensions="embeddingDimension")
    text = {"truncationMode": "END", "value": one_text(said)}
    purpose = {"embeddingPurpose": said.input_type or _PURPOSES["document"]}
    body = {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {**purpose, "text": text}}
    return encoded(body, said.dimensions, request, said.warnings, below="singleEmbeddingParams")


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vector."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    answer = answer if isinstance(answer, dict) else {}
    read = vectors([row.get("embedding") for row in records(answer.get("embeddings"))])
    if read is None:
        return unreadable(status, headers)
    return Ok(described(Embeddings(read), answer, headers, ("embeddings",)))


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
