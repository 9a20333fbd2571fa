"""The types of configured clients, as a type checker sees them: entering a module says which kind its client is."""

from typing import assert_type

from lambdallm.llm import (
    AbstractLLMClient,
    BlockingLLMClientProtocol,
    ClientConfig,
    Completion,
    LLMClientProtocol,
    LLMConfig,
    LLMError,
    LLMModule,
    LLMRouter,
    Ok,
    SecureLLMClient,
    StructuredExtractor,
    create_llm_client,
)
from lambdallm.llm.clients import sync
from lambdallm.llm.result import Err
from lambdallm.llm.routing import sync as routing
from lambdallm.llm.safety import sync as safety
from lambdallm.llm.streaming.stream import AsyncChatStream, ChatStream
from lambdallm.llm.structured import sync as structured


async def awaiting(router: LLMRouter) -> None:
    """What awaits."""
    async with LLMModule.configure(ClientConfig(provider="openai", model="gpt-4o")) as llm:
        assert_type(llm.client, LLMClientProtocol)
        assert_type(await llm.client.complete("Hi"), Ok[Completion] | Err[LLMError])
    async with create_llm_client("openai/gpt-4o") as client:
        assert_type(client, AbstractLLMClient)
        assert_type(client.stream_chat("Hi"), AsyncChatStream)
    secured: LLMClientProtocol = SecureLLMClient(SecureLLMClient(router))
    StructuredExtractor(secured)


def blocking(router: routing.LLMRouter) -> None:
    """What blocks."""
    with LLMModule.configure(routing=LLMConfig()) as llm:
        assert_type(llm.client, BlockingLLMClientProtocol)
    with create_llm_client("openai/gpt-4o", blocking=True) as client:
        assert_type(client, sync.AbstractLLMClient)
        assert_type(client.stream_chat("Hi"), ChatStream)
    each: list[BlockingLLMClientProtocol] = [client, router, safety.SecureLLMClient(router)]
    structured.StructuredExtractor(each[0])
    safety.SecureLLMClient(create_llm_client("openai/gpt-4o"))  # type: ignore[arg-type]  # it awaits
