"""Voyage's embeddings (`POST …/embeddings`): OpenAI's answers, requests in words of its own.

Voyage shortens texts that are too long unless `extra` says `{"truncation": false}`. Floats are asked for in base64, as
its SDK does; other types (`output_dtype`: `int8`, `uint8`, `binary`, `ubinary`) come as lists of integers. Source:
Voyage AI, "Text embeddings".
"""

from __future__ import annotations

from .codec import Encoded
from .embedding import as_bytes, asked, refuse_packed_integers
from .openai_embeddings import decode_error, decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..types import EmbeddingRequest
    from .codec import Facts

PATHS = {"embed": "/embeddings"}
MOST_TEXTS = 1000

_INPUT_TYPES = {"query": "query", "document": "document"}


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    refuse_packed_integers(request.extra)
    said = asked(request, facts, input_types=_INPUT_TYPES, dimensions="output_dimension")
    kind = {"input_type": said.input_type} if said.input_type else {}
    form = {} if request.extra.get("output_dtype") else {"encoding_format": "base64"}
    body = {"model": request.model, "input": list(said.texts), **kind, **form, **said.dimensions, **request.extra}
    return Encoded(as_bytes(body), warnings=said.warnings)


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
