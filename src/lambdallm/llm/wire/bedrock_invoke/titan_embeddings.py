"""Amazon Titan's text embeddings, versions 1 and 2: one text a call.

`extra` takes `normalize` and `embeddingTypes` (`float`, `binary`). Version 1 has one size of vector: its entry declares
`"dimensions_param": null`; Titan's multimodal model declares `embeddingConfig.outputEmbeddingLength`. Source: Bedrock
user guide, "Amazon Titan Embeddings Text".
"""

from __future__ import annotations

from ...errors import LLMError
from ...result import Ok
from ...types import EMPTY, Embeddings
from ..embedding import asked, parsed, unreadable, vector
from . import EMBED_PATHS as PATHS
from .embedding import described, encoded, one_text
from .errors import decode_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....transport.types import Headers
    from ...result import Result
    from ...types import EmbeddingRequest
    from ..codec import Encoded, Facts

MOST_TEXTS = 1


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, an empty one, or more than one."""
    said = asked(request, facts, input_types=EMPTY, dimensions="dimensions")
    return encoded({"inputText": one_text(said)}, said.dimensions, request, said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vector, and each type's where more than floats were asked for."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    answer = answer if isinstance(answer, dict) else {}
    by_type = _by_type(answer.get("embeddingsByType"))
    read = vector(answer.get("embedding")) or by_type.get("float") or next(iter(by_type.values()), None)
    if read is None:
        return unreadable(status, headers)
    typed = {kind: (one,) for kind, one in by_type.items()} if by_type.keys() - {"float"} else EMPTY
    return Ok(described(Embeddings((read,), by_type=typed), answer, headers, ("embedding", "embeddingsByType")))


def _by_type(value: Any) -> dict[str, tuple[float, ...]]:
    found = value.items() if isinstance(value, dict) else ()
    return {kind: one for kind, numbers in found if (one := vector(numbers)) is not None}


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
