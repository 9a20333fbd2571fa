"""The types of the documented clients, as a type checker sees them."""

from typing import assert_type

from lambdallm.llm import (
    AbstractLLMClient,
    AsyncStream,
    ChatMessage,
    Completion,
    HealthCheckResult,
    LLMClientProtocol,
    LLMError,
    Ok,
    OpenAIClient,
    StreamChunk,
    TokenCount,
    ToolDefinition,
)
from lambdallm.llm.clients import sync
from lambdallm.llm.result import Err
from lambdallm.llm.streaming.stream import AsyncChatStream, ChatStream


async def awaiting(client: OpenAIClient) -> None:
    """A client is what the protocol says, and a result is one of two things."""
    as_protocol: LLMClientProtocol = client
    as_base: AbstractLLMClient = client
    assert_type(as_base, AbstractLLMClient)
    assert_type(await client.complete("Hi"), Ok[Completion] | Err[LLMError])
    assert_type(await client.chat([ChatMessage("user", "Hi")], [ToolDefinition("f")]), Ok[Completion] | Err[LLMError])
    stream: AsyncStream[StreamChunk, LLMError] = client.stream_chat("Hi")
    assert_type(client.stream_chat("Hi"), AsyncChatStream)
    async for chunk in stream:
        assert_type(chunk, StreamChunk)
    assert_type(await as_protocol.health_check(), HealthCheckResult)
    assert_type(await client.count_tokens("Hi"), Ok[TokenCount] | Err[LLMError])


def blocking(client: sync.OpenAIClient) -> None:
    """The blocking twin gives the same without waiting."""
    result = client.complete("Hi")
    if isinstance(result, Ok):
        assert_type(result.value, Completion)
    else:
        assert_type(result.error, LLMError)
    assert_type(client.stream_chat("Hi"), ChatStream)
    for chunk in client.stream_chat("Hi"):
        assert_type(chunk, StreamChunk)
