"""The types of streams, as a type checker sees them."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator
from typing import assert_type

from lambdallm.llm import Completion, LLMError, Ok, OpenAIClient, StreamChunk
from lambdallm.llm.clients import sync as clients
from lambdallm.llm.result import Err
from lambdallm.llm.streaming import (
    AbstractStreamingAdapter,
    AsyncChatStream,
    ChatStream,
    ParallelStreamAggregator,
    SourceChunk,
    SSEStreamAdapter,
    StreamingResponse,
    sync,
    to_sse,
)


class Acme(AbstractStreamingAdapter):
    """One method makes an adapter."""

    framing = "ndjson"

    def decode(self, data: bytes, event: str) -> Iterable[StreamChunk]:
        yield StreamChunk(data.decode())


async def awaiting(client: OpenAIClient, body: AsyncIterator[bytes]) -> None:
    """What awaits gives what awaits."""
    response = StreamingResponse(client.stream_chat("Hi"))
    async for chunk in response:
        assert_type(chunk, StreamChunk)
    assert_type(response.total_tokens, int | None)
    assert_type(await response.collect(), Ok[Completion] | Err[LLMError])
    assert_type(SSEStreamAdapter("gemini").adapt(body), AsyncChatStream)
    assert_type(Acme().adapt(body), AsyncChatStream)
    assert_type(to_sse(client.stream_chat("Hi")), AsyncGenerator[bytes, None])
    async with ParallelStreamAggregator({"a": client.stream_chat("Hi")}, mode="first") as merged:
        async for item in merged:
            assert_type(item, SourceChunk)
    assert_type(merged.responses["a"], StreamingResponse)
    assert_type(merged.completions, dict[str, Completion])


def blocking(client: clients.OpenAIClient, body: Iterator[bytes]) -> None:
    """What blocks gives what blocks."""
    response = sync.StreamingResponse(client.stream_chat("Hi"))
    for chunk in response:
        assert_type(chunk, StreamChunk)
    assert_type(response.collect(), Ok[Completion] | Err[LLMError])
    assert_type(SSEStreamAdapter("gemini").adapt(body), ChatStream)
    assert_type(Acme().adapt(b"whole"), ChatStream)
    assert_type(to_sse(client.stream_chat("Hi"), "gemini"), Generator[bytes, None, None])
    with sync.ParallelStreamAggregator([client.stream_chat("Hi")]) as merged:
        for item in merged:
            assert_type(item, SourceChunk)
    assert_type(merged.responses["0"], sync.StreamingResponse)
