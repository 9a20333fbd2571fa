"""OpenAI's embeddings protocol (`POST …/embeddings`), which llama.cpp, Azure, Mistral and others speak too.

A codec for one operation: it has `PATHS`, `encode_request`, `decode_response` and `decode_error`; nothing is streamed.
Source: OpenAI, "Embeddings: Create embeddings".
"""

from __future__ import annotations

import json

from ..errors import InvalidRequestError, ProviderResponseError
from ..result import Err, Ok
from ..types import Embeddings
from .body import body_writer
from .codec import Encoded
from .headers import request_id
from .openai_chat.fields import leftovers, read_usage, records
from .openai_error import decode_error, error_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LLMError
    from ..result import Result
    from ..types import EmbeddingRequest
    from .codec import Facts

PATHS = {"embed": "/embeddings"}

_as_bytes = body_writer()


def encode_request(request: EmbeddingRequest, _facts: Facts) -> Encoded:
    """The request's body. Raises `InvalidRequestError` for no text, or an empty one."""
    empty = next((place for place, text in enumerate(request.texts) if not text), None)
    if not request.texts or empty is not None:
        what = "No text was given" if empty is None else f"Text {empty} is empty"
        raise InvalidRequestError(f"{what}; there is nothing to embed.", fix="Leave empty texts out.", param="texts")
    settings = {"dimensions": request.dimensions, "user": request.user}
    given = {name: value for name, value in settings.items() if value is not None}
    return Encoded(_as_bytes({"model": request.model, "input": list(request.texts), **given, **request.extra}))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Embeddings, LLMError]:
    """The vectors, sorted as the texts were. An error object inside a 200 gives `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return _unreadable(f"The answer is no JSON ({reason})", status, headers)
    if found := error_inside(answer):
        return Err(found.error(found.status, request_id=request_id(headers)))
    rows = records(answer.get("data")) if isinstance(answer, dict) else []
    vectors = [_vector(row.get("embedding")) for row in _in_order(rows)]
    if not vectors or None in vectors:
        return _unreadable("The answer holds no vectors.", status, headers)
    found_vectors = tuple(vector for vector in vectors if vector is not None)
    metadata = leftovers(answer, ("object", "data", "model", "usage"))
    model = answer.get("model")
    named = model if isinstance(model, str) else None
    return Ok(Embeddings(found_vectors, read_usage(answer), named, metadata=metadata))


def _in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By `index` where every row has one; as they came otherwise."""
    places = [row.get("index") for row in rows]
    if any(type(place) is not int for place in places):
        return rows
    return sorted(rows, key=lambda row: row["index"])


def _vector(value: Any) -> tuple[float, ...] | None:
    """A vector sent as numbers, or as base64 of little-endian 32-bit floats."""
    if isinstance(value, list):
        return tuple(value) if value and all(type(number) in (int, float) for number in value) else None
    if not isinstance(value, str) or not value:
        return None
    from binascii import Error, a2b_base64
    from struct import error, unpack

    try:
        packed = a2b_base64(value)
        return unpack(f"<{len(packed) // 4}f", packed) or None
    except (Error, error, ValueError):
        return None


def _unreadable(message: str, status: int, headers: Headers) -> Err[LLMError]:
    return Err(ProviderResponseError(message, status=status, request_id=request_id(headers)))


__all__ = ["PATHS", "decode_error", "decode_response", "encode_request"]
