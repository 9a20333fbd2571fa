"""Several batches under way at a time, on an event loop. The flows are those of the sequential way."""

from __future__ import annotations

from ..pipeline import embed_batch
from ..result import Err, Ok
from .batches import joined
from .flow import explained, planned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..errors import LLMError
    from ..result import Result
    from ..types import EmbeddingRequest, Embeddings
    from .adapters import CatalogEmbeddingAdapter
    from .batches import Batch


async def embed_at_once(adapter: CatalogEmbeddingAdapter, request: EmbeddingRequest) -> Result[Embeddings, LLMError]:
    """A vector for each text, in their order. The first failure, by the order of texts, cancels what is under way."""
    import asyncio
    from time import monotonic

    begun, plan = monotonic(), planned(request, adapter.target, adapter.batch_size)
    free = asyncio.Semaphore(adapter.concurrency)

    async def one(batch: Batch) -> Result[Embeddings, LLMError]:
        async with free:
            return await adapter._driver.run(embed_batch(batch.request, adapter.target, adapter.settings))

    tasks = [asyncio.ensure_future(one(batch)) for batch in plan]
    answers: list[Embeddings] = []
    try:
        for batch, task in zip(plan, tasks, strict=True):
            result = await task
            if isinstance(result, Err):
                return Err(explained(result.error, batch, answers))
            answers.append(result.value)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return Ok(joined(answers).replace(latency_ms=(monotonic() - begun) * 1000))
