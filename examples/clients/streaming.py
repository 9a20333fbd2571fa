"""Streams: measured, several at once, read from other libraries, told on to browsers and to OpenAI's clients.

`python examples/clients/streaming.py` asks the embedded model; `echo` as argument needs none.
"""

import asyncio
import sys

from lambdallm.llm import create_llm_client
from lambdallm.llm.streaming import ParallelStreamAggregator, SSEStreamAdapter, to_sse
from lambdallm.llm.streaming.sync import StreamingResponse

RECEIVED = (
    b'data: {"choices":[{"index":0,"delta":{"content":"The "}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"Glom',
    b'ma."},"finish_reason":"stop"}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4,"total_tokens":9}}\n\ndata: [DONE]\n\n',
)
"""An answer of OpenAI's protocol as a socket might give it: cut anywhere."""


def measure(name):
    """The text as it comes, and afterwards what it took."""
    with (
        create_llm_client(name, blocking=True) as client,
        StreamingResponse(client.stream_chat("Name three rivers.", max_tokens=30)) as response,
    ):
        for chunk in response:
            print(chunk.delta, end="", flush=True)
    print(f"\n  {response.total_chunks} chunks, {response.total_tokens} tokens, finished by {response.finish_reason!r}")
    print(f"  first chunk after {response.time_to_first_chunk_ms:.0f} ms, {response.chunks_per_second:.0f} a second")


def adapt():
    """A stream that another library receives, as a stream of ours."""
    with SSEStreamAdapter("openai_chat", model="openai/gpt-4o-mini").adapt(RECEIVED) as stream:
        print(list(stream.texts()))
    answer = stream.completion
    print(f"  {answer.usage.total_tokens} tokens, {answer.cost_usd:.2e} dollars")


def tell_on(name):
    """A stream of ours as the server-sent events that OpenAI's clients read: what a gateway sends."""
    with create_llm_client(name, blocking=True) as client:
        for event in to_sse(client.stream_chat("Hello", max_tokens=1), "openai_chat"):
            for line in filter(None, event.decode().splitlines()):
                print(f"  {line[:80]}")


async def merge(name):
    """Two answers at once as one stream; one that fails is an item like the others."""
    async with create_llm_client(name) as client, create_llm_client("echo/error-503", max_retries=0) as broken:
        streams = {
            "short": client.stream_chat("Name a lake.", max_tokens=5),
            "long": client.stream_chat("Name three rivers.", max_tokens=20),
            "broken": broken.stream_chat("Name a sea."),
        }
        async with ParallelStreamAggregator(streams) as merged:
            async for item in merged:
                if item.error is not None:
                    print(f"  {item.source}: {type(item.error).__name__}")
        for source, result in merged.results.items():
            print(f"  {source}: {result.unwrap().text!r}" if result.is_ok() else f"  {source}: no answer")


async def race(name):
    """The first that says something is the stream; the other is let go."""
    async with create_llm_client(name) as client:
        streams = {"a": client.stream_chat("Hello", max_tokens=5), "b": client.stream_chat("Hello", max_tokens=5)}
        async with ParallelStreamAggregator(streams, mode="first") as first:
            text = "".join([item.chunk.delta async for item in first])
        print(f"  {first.winner!r} was first: {text!r}")


def main(name="local"):
    measure(name)
    adapt()
    tell_on("echo")
    asyncio.run(merge(name))
    asyncio.run(race(name))


if __name__ == "__main__":
    main(*sys.argv[1:])
