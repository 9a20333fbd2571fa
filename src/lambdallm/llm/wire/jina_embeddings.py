"""Jina's embeddings (`POST …/embeddings`): OpenAI's shape, with a `task` and vectors of several types.

`extra` takes `embedding_type` (one of `float`, `base64`, `binary`, `ubinary`, or a list of them), `truncate`,
`late_chunking` and `normalized`. Models before v3 know no task: their entries declare `"ignored": ["input_type"]`.
Source: Jina AI, "Embeddings API".
"""

from __future__ import annotations

from ..errors import LLMError
from ..result import Ok
from ..types import Embeddings
from .codec import Encoded
from .embedding import as_bytes, asked, first_of, in_order, parsed, typed_vectors, unreadable
from .openai_chat.fields import leftovers, records
from .openai_embeddings import decode_error, model_in, usage_in
from .openai_embeddings import decode_response as _decode_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..result import Result
    from ..types import EmbeddingRequest
    from .codec import Facts

PATHS = {"embed": "/embeddings"}
MOST_TEXTS = 512

_TASKS = {
    "query": "retrieval.query", "document": "retrieval.passage", "classification": "classification",
    "clustering": "separation", "similarity": "text-matching",
}  # fmt: skip


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    said = asked(request, facts, input_types=_TASKS, dimensions="dimensions")
    task = {"task": said.input_type} if said.input_type else {}
    body = {"model": request.model, "input": list(said.texts), **task, **said.dimensions, **request.extra}
    return Encoded(as_bytes(body), warnings=said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, sorted as the texts were; by type where each row has several."""
    answer = parsed(body)
    rows = in_order(records(answer.get("data"))) if isinstance(answer, dict) else []
    if not rows or not isinstance(_types_in(rows[0]), dict):
        return _decode_plain(status, headers, body)
    by_type = typed_vectors(_columns([_types_in(row) for row in rows]))
    read = first_of(by_type)
    if read is None:
        return unreadable(status, headers)
    metadata = leftovers(answer, ("object", "data", "model", "usage"))
    return Ok(Embeddings(read, usage_in(answer), model_in(answer), metadata=metadata, by_type=by_type))


def _types_in(row: dict[str, Any]) -> Any:
    return row.get("embeddings", row.get("embedding"))


def _columns(rows: list[Any]) -> dict[str, list[Any]]:
    """One list for each type that the first row has, in place of one object for each row."""
    records = [row if isinstance(row, dict) else {} for row in rows]
    return {kind: [row.get(kind) for row in records] for kind in records[0]}


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
