"""What the codecs of embeddings on Bedrock share: no codec itself."""

from __future__ import annotations

from ...errors import InvalidRequestError
from ...types import EMPTY
from ..codec import Encoded
from ..openai_chat.fields import leftovers, records
from .metrics import METRICS, counts_in, metrics_in, usage_of
from .settings import as_json, merge, placed, without_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from ....transport.types import Headers
    from ...types import EmbeddingRequest, Embeddings
    from ..embedding import Asked

_COUNT = "inputTextTokenCount"


def one_text(said: Asked) -> str:
    """The only text. Raises `InvalidRequestError` for more than one."""
    return few_texts(said, 1)[0]


def few_texts(said: Asked, most: int) -> list[str]:
    """The texts. Raises `InvalidRequestError` for more than a call may hold."""
    if len(said.texts) > most:
        fix = f"Send {most} in a call."
        raise InvalidRequestError(f"{len(said.texts)} texts, where a call holds {most}.", fix=fix, param="texts")
    return [*said.texts]


def encoded(
    body: dict[str, Any],
    dimensions: Mapping[str, int],
    request: EmbeddingRequest,
    warnings: tuple[str, ...],
    *,
    below: str = "",
) -> Encoded:
    """The body with the size asked for (its name may be a dotted path) and `extra` laid over it, or `below` in it."""
    extra, headers = without_headers(request.extra)
    over: dict[str, Any] = {}
    for name, size in dimensions.items():
        merge(over, placed(name, size))
    merge(over, extra)
    return Encoded(as_json(merge(body, {below: over} if below else over)), headers, warnings)


def described(answer: Embeddings, record: dict[str, Any], headers: Headers, read: Collection[str]) -> Embeddings:
    """The answer with its usage, by its own count or by Bedrock's headers, and all that nothing here reads."""
    metrics = metrics_in(headers)
    metadata = leftovers(record, (*read, _COUNT)) | ({METRICS: metrics} if metrics else {})
    return answer.replace(usage=usage_of(counts_in(record, (_COUNT,)), metrics), metadata=metadata or EMPTY)


__all__ = ["described", "encoded", "few_texts", "one_text", "records"]
