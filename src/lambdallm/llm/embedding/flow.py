"""Embeddings, whole: texts are sent in batches that their provider takes, each tried again on its own."""

from __future__ import annotations

from ..call import codec_named
from ..flow import NOW
from ..pipeline import embed_batch, embedding_wire
from ..result import Err, Ok
from ..types import EmbeddingRequest, HealthCheckResult
from .batches import batches, joined, limits_of, total_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..call import CallSettings
    from ..catalog.resolve import Target
    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result
    from ..types import Embeddings
    from .batches import Batch


def embed(
    request: EmbeddingRequest, target: Target, settings: CallSettings, batch_size: int | None = None
) -> Flow[Result[Embeddings, LLMError]]:
    """A vector for each text, in their order. The first batch that fails ends it; its error names the texts.

    Raises `InvalidRequestError` for no text, and `ConfigurationError` and its kin, before anything is sent.
    """
    begun = yield NOW
    answers: list[Embeddings] = []
    for batch in planned(request, target, batch_size):
        result = yield from embed_batch(batch.request, target, settings)
        if isinstance(result, Err):
            return Err(explained(result.error, batch, answers))
        answers.append(result.value)
    ended = yield NOW
    return Ok(joined(answers).replace(latency_ms=(ended.monotonic - begun.monotonic) * 1000))


def planned(request: EmbeddingRequest, target: Target, batch_size: int | None = None) -> list[Batch]:
    """The batches that a request is sent in."""
    most_texts: int | None = getattr(codec_named(embedding_wire(target)), "MOST_TEXTS", None)
    return batches(request, limits_of(target.facts, most_texts, batch_size))


def explained(error: LLMError, batch: Batch, done: list[Embeddings]) -> LLMError:
    """The error with the texts it is about, and what the batches before it used."""
    if batch.place:
        error.message = f"{error.message.rstrip('.')} ({batch.place} of {batch.total})."
    if error.usage is None and done:
        error.usage = total_usage(done)
    return error


def probe(target: Target, settings: CallSettings, timeout: float) -> Flow[HealthCheckResult]:
    """Whether one word gets a vector within `timeout` seconds. Raises what `embed` does before anything is sent."""
    begun = yield NOW
    ping = EmbeddingRequest(target.model.id, ("ping",))
    result = yield from embed_batch(ping, target, settings.replace(total=timeout, max_retries=0))
    ended = yield NOW
    milliseconds = (ended.monotonic - begun.monotonic) * 1000
    details: dict[str, object] = {"model": target.model.id}
    if isinstance(result, Err):
        return HealthCheckResult(False, target.provider.name, milliseconds, result.error, details)
    details["dimensions"] = len(result.value.vectors[0])
    return HealthCheckResult(True, target.provider.name, milliseconds, details=details)
