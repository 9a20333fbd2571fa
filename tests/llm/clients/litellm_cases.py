"""Runs in an environment with LiteLLM and without pytest: prints what came of calls through the bridge."""

import asyncio
import json
import sys

from lambdallm import AsyncWireClient, WireClient
from lambdallm.llm.clients.named import OpenAIClient
from lambdallm.llm.di import create_llm_client
from lambdallm.llm.types import ToolDefinition

CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}


def client(**options):
    return WireClient("litellm/gpt-4o", max_retries=0, **options)


def mocked(response, **options):
    return client().chat("Hi", extra={"mock_response": response}, **options)


def told(result):
    if result.is_err():
        error = result.error
        return {"error": type(error).__name__, "status": error.status, "code": error.code, "message": error.message}
    answer = result.value
    return {"text": answer.text, "finish": answer.finish_reason, "provider": answer.provider, "model": answer.model}


def streamed():
    with client().stream("Hi", extra={"mock_response": "Hello world"}) as stream:
        pieces = [chunk.delta for chunk in stream if chunk.delta]
        answer = stream.completion
    return {"pieces": pieces, "finish": answer.finish_reason, "output_tokens": answer.usage.output_tokens}


async def awaited():
    its = AsyncWireClient("litellm/gpt-4o", max_retries=0)
    whole = await its.chat("Hi", extra={"mock_response": "Hello"})
    stream = its.stream("Hi", extra={"mock_response": "Hello world"})
    return {"text": whole.unwrap().text, "pieces": [chunk.delta async for chunk in stream if chunk.delta]}


def called():
    tool = ToolDefinition("weather", parameters={"type": "object", "properties": {"city": {"type": "string"}}})
    (call,) = client().chat("Hi", tools=(tool,), extra={"mock_tool_calls": [CALL]}).unwrap().tool_calls
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def embedded():
    found = client().embed(["a"], model="litellm/text-embedding-3-small", extra={"mock_response": [0.5, 0.25]})
    return found.unwrap().vectors


def real(url):
    """A call that LiteLLM makes over the network, to a server on loopback, with our key and our endpoint."""
    answer = client(api_key="mine", base_url=url, timeout=5).chat("Hi", temperature=0.5)
    return told(answer)


def by_name():
    its = create_llm_client("litellm/gpt-4o", blocking=True, max_retries=0)
    return told(its.complete("Hi", extra={"mock_response": "Hello"}))


def main(url):
    assert OpenAIClient
    print(json.dumps({
        "whole": told(mocked("Hello")),
        "streamed": streamed(),
        "awaited": asyncio.run(awaited()),
        "called": called(),
        "embedded": embedded(),
        "real": real(url),
        "by_name": by_name(),
        "limited": told(mocked("litellm.RateLimitError")),
        "broken": told(mocked("litellm.InternalServerError")),
        "too_long": told(mocked("litellm.ContextWindowExceededError")),
        "unknown": told(WireClient("litellm/nope/x", max_retries=0).chat("Hi")),
    }))  # fmt: skip


main(sys.argv[1])
