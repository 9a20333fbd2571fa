"""Gemini's embeddings: `batchEmbedContents`, or `embedContent` for one text, on AI Studio and on Vertex.

Two facts choose the form. `embed_one`: one text goes as the whole body (the method is `embedContent`, `most_texts` 1).
`embed_config`: settings stand under this name, as Vertex has them in `embedContentConfig`. `extra` is merged into the
settings of each text (`title`, `autoTruncate`). Models from `gemini-embedding-2` on want words before the text instead
of a task: `input_prefixes`. Source: Google, "Embeddings" and the method's reference.
"""

from __future__ import annotations

from ..errors import LLMError
from ..result import Err, Ok
from ..types import Embeddings
from .codec import Encoded
from .embedding import as_bytes, asked, parsed, token_usage, unreadable, unsupported, vectors
from .failures import error_inside
from .openai_chat.fields import leftovers, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..result import Result
    from ..types import EmbeddingRequest
    from .codec import Facts

PATHS = {"embed": "/models/{model}:batchEmbedContents"}
MOST_TEXTS = 100

TASKS = {
    "query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT", "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING", "similarity": "SEMANTIC_SIMILARITY",
}  # fmt: skip


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    said = asked(request, facts, input_types=TASKS, dimensions="outputDimensionality")
    task = {"taskType": said.input_type} if said.input_type else {}
    settings = task | dict(said.dimensions) | dict(request.extra)
    if settings and (name := facts.get("embed_config")):
        settings = {name: settings}
    items = [{"content": {"parts": [{"text": text}]}, **settings} for text in said.texts]
    return Encoded(as_bytes(_whole(request.model, items, facts)), warnings=said.warnings)


def _whole(model: str, items: list[dict[str, Any]], facts: Facts) -> dict[str, Any]:
    if not facts.get("embed_one"):
        name = model if model.startswith(("models/", "projects/", "publishers/")) else f"models/{model}"
        return {"requests": [{"model": name, **item} for item in items]}
    if len(items) > 1:
        raise unsupported("texts", "this model takes one text a request")
    return items[0]


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, in the order of the texts. Many answers of AI Studio tell no usage."""
    answer = parsed(body)
    if isinstance(answer, LLMError):
        return unreadable(status, headers, answer)
    if error_inside(answer):
        return Err(decode_error(status, headers, body))
    answer = answer if isinstance(answer, dict) else {}
    read = vectors([row.get("values") for row in _rows(answer)])
    if read is None:
        return unreadable(status, headers)
    usage = token_usage(answer.get("usageMetadata"), "promptTokenCount", "totalTokenCount")
    return Ok(Embeddings(read, usage, metadata=leftovers(answer, ("embeddings", "embedding", "usageMetadata"))))


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return records(answer.get("embeddings")) or records([answer.get("embedding")])


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx, or one that only claims to be: as everywhere in the Gemini protocol."""
    from .gemini.error import decode_error as decode

    return decode(status, headers, body)
