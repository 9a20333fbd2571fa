"""The same calls to any provider: `python examples/clients/anywhere.py anthropic/claude-haiku-4-5`.

Without a name it asks `echo`, which needs no key; `local` is the embedded model.
"""

import asyncio
import json
import sys

from lambdallm.llm import ChatMessage, ToolDefinition, ToolResult, create_llm_client

WEATHER = ToolDefinition(
    "weather",
    "The weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def ask(name):
    """A whole answer, in the calling thread: what a Lambda function does."""
    with create_llm_client(name, blocking=True) as client:
        answer = client.complete("Name a river.", max_tokens=20).unwrap()
    print(f"{answer.text!r} from {answer.provider}/{answer.model}, {answer.usage.total_tokens} tokens")


def use_a_tool(name):
    """A call that the model asks for, and the answer it gives when it knows the result."""
    with create_llm_client(name, blocking=True) as client:
        question = ChatMessage("user", "What is the weather in Oslo?")
        answer = client.chat([question], [WEATHER], tool_choice="required").unwrap()
        for call in answer.tool_calls:
            print(f"the model calls {call.name}({json.dumps(call.arguments)})")
        results = tuple(ToolResult(call.id, "12 °C, rain", call.name) for call in answer.tool_calls)
        told = client.chat([question, answer.message, ChatMessage("tool", results)], [WEATHER], max_tokens=30).unwrap()
    print(f"{told.text!r}")


async def stream_two(name):
    """Two answers at once, piece by piece."""
    async with create_llm_client(name) as client:

        async def read(question):
            async with client.stream_chat(question, max_tokens=20) as stream:
                pieces = [chunk.delta async for chunk in stream if chunk.delta]
            return len(pieces), stream.completion.text

        for count, text in await asyncio.gather(read("Count to three."), read("Name two colours.")):
            print(f"{text!r} in {count} pieces")


def main(name="echo"):
    ask(name)
    if name != "local":  # the embedded model is too small to call tools
        use_a_tool(name)
    asyncio.run(stream_two(name))


if __name__ == "__main__":
    main(*sys.argv[1:])
