"""What the type checker must say of embeddings; mypy checks this file, nothing runs it."""

from typing import assert_type

from lambdallm.llm.embedding import (
    AbstractEmbeddingAdapter,
    CohereEmbeddingAdapter,
    EmbeddingClientProtocol,
    OpenAIEmbeddingAdapter,
    sync,
)
from lambdallm.llm.errors import LLMError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import Embeddings, HealthCheckResult


async def awaiting(it: OpenAIEmbeddingAdapter) -> None:
    assert_type(await it.embed(["a"]), list[list[float]])
    assert_type(await it.embed_result(["a"], dimensions=8), Ok[Embeddings] | Err[LLMError])
    assert_type(await it.health_check(), HealthCheckResult)
    assert_type(it.get_models(), list[str])


def blocking(it: sync.OpenAIEmbeddingAdapter) -> None:
    assert_type(it.embed(["a"]), list[list[float]])
    assert_type(it.embed_result(["a"]), Ok[Embeddings] | Err[LLMError])


def adapters_keep_the_contract() -> None:
    client: EmbeddingClientProtocol = CohereEmbeddingAdapter()
    base: AbstractEmbeddingAdapter = CohereEmbeddingAdapter("embed-v4.0", input_type="query")
    assert client is not base
