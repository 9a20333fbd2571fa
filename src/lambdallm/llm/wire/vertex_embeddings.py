"""Vertex AI's embeddings of text models (`POST …:predict`).

`extra` goes into `parameters` (`autoTruncate`: without it, Vertex shortens texts that are too long), but `title` goes
into each instance. `gemini-embedding-001` takes one text a request there: its entry declares `most_texts`. Newer models
answer `embedContent` (`gemini_embeddings`), whose answers this codec reads as well. Source: Google Cloud, "Get text
embeddings".
"""

from __future__ import annotations

from ..errors import LLMError
from ..result import Ok
from ..types import Embeddings, Usage
from . import gemini_embeddings
from .codec import Encoded
from .embedding import as_bytes, asked, parsed, unreadable, vectors
from .gemini_embeddings import TASKS, decode_error
from .openai_chat.fields import count, leftovers, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..result import Result
    from ..types import EmbeddingRequest
    from .codec import Facts

PATHS = {"embed": "/models/{model}:predict"}
MOST_TEXTS = 250

_OF_EACH_TEXT = ("title",)


def encode_request(request: EmbeddingRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    said = asked(request, facts, input_types=TASKS, dimensions="outputDimensionality")
    own = {name: value for name, value in request.extra.items() if name in _OF_EACH_TEXT}
    task = {"task_type": said.input_type} if said.input_type else {}
    body: dict[str, Any] = {"instances": [{"content": text, **task, **own} for text in said.texts]}
    parameters = {k: v for k, v in {**said.dimensions, **request.extra}.items() if k not in own}
    if parameters:
        body["parameters"] = parameters
    return Encoded(as_bytes(body), warnings=said.warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, in the order of the texts; usage is what their statistics add up to."""
    answer = parsed(body)
    if not isinstance(answer, dict) or "predictions" not in answer:
        return gemini_embeddings.decode_response(status, headers, body)
    rows = [_record(row.get("embeddings")) for row in records(answer["predictions"])]
    read = vectors([row.get("values") for row in rows])
    if read is None:
        return unreadable(status, headers)
    metadata = leftovers(answer, ("predictions", "metadata"))
    return Ok(Embeddings(read, _usage(answer, rows), metadata=metadata))


def _usage(answer: dict[str, Any], rows: list[dict[str, Any]]) -> Usage | None:
    """The tokens of all texts; `None` where one has no count."""
    counts = [_record(row.get("statistics")).get("token_count") for row in rows]
    if any(type(number) not in (int, float) for number in counts):
        return None
    return Usage(sum(map(count, counts)), native=_record(answer.get("metadata")))


def _record(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


__all__ = ["MOST_TEXTS", "PATHS", "decode_error", "decode_response", "encode_request"]
