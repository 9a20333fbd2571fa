"""Clients with a script, of both kinds, and extractors over them, so that both kinds run the same cases."""

import asyncio

from lambdallm.llm.clients import named
from lambdallm.llm.clients import sync as blocking
from lambdallm.llm.clients.provider import ProviderClient
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import LLMError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import as_chunks
from lambdallm.llm.structured.extractor import StructuredExtractor
from lambdallm.llm.structured.sync import StructuredExtractor as BlockingExtractor
from lambdallm.llm.types import (
    ChatMessage,
    Choice,
    Completion,
    RefusalPart,
    StreamChunk,
    ToolCall,
    ToolCallDelta,
    Usage,
)

SOME = Usage(10, 5)


def said(text, finish="stop", *, cost=0.5, usage=SOME, **facts):
    """An answer in text."""
    message = ChatMessage("assistant", text)
    return Completion((Choice(message, finish),), usage, "m", provider="p", cost_usd=cost, **facts)


def called(name, *arguments, cost=0.5):
    """An answer that calls a tool, once for each of the arguments: an object, or text that is no JSON."""
    calls = tuple(
        ToolCall.from_json(f"c{n}", name, each) if isinstance(each, str) else ToolCall(f"c{n}", name, each)
        for n, each in enumerate(arguments)
    )
    message = ChatMessage("assistant", calls)
    return Completion((Choice(message, "tool_calls"),), SOME, "m", provider="p", cost_usd=cost)


def declined(words):
    """An answer that is a refusal, sent apart."""
    return Completion((Choice(ChatMessage("assistant", (RefusalPart(words),)), "stop"),), Usage(10, 1), cost_usd=0.1)


class Scripted:
    """Answers in the order of `replies`: a completion, an error, or for a stream a list of chunks.

    `calls` are what it was asked with: messages, tools, options.
    """

    structured_modes = ("native",)

    def __init__(self, *replies, modes=("native",)):
        self.replies, self.calls, self.structured_modes = list(replies), [], modes
        self.closed = 0

    def reply(self, messages, tools, options):
        self.calls.append((messages, tuple(tools or ()), options))
        return self.replies.pop(0)


def result(reply):
    return Err(reply) if isinstance(reply, LLMError) else Ok(reply)


class BlockingClient(Scripted):
    def complete(self, messages, **options):
        return result(self.reply(messages, (), options))

    def chat(self, messages, tools=None, **options):
        return result(self.reply(messages, tools, options))

    def stream_chat(self, messages, **options):
        try:
            reply = self.reply(messages, options.pop("tools", ()), options)
            for piece in reply if isinstance(reply, list) else [reply]:
                if isinstance(piece, LLMError):
                    raise piece
                yield from [piece] if isinstance(piece, StreamChunk) else as_chunks(piece)
        finally:
            self.closed += 1


class AwaitingClient(Scripted):
    async def complete(self, messages, **options):
        return result(self.reply(messages, (), options))

    async def chat(self, messages, tools=None, **options):
        return result(self.reply(messages, tools, options))

    async def stream_chat(self, messages, **options):
        try:
            reply = self.reply(messages, options.pop("tools", ()), options)
            for piece in reply if isinstance(reply, list) else [reply]:
                if isinstance(piece, LLMError):
                    raise piece
                for chunk in [piece] if isinstance(piece, StreamChunk) else as_chunks(piece):
                    yield chunk
        finally:
            self.closed += 1


class Blocking:
    """Plays an extractor that blocks, over a script or a client of the library."""

    def __init__(self, *replies, modes=("native",), **settings):
        self.client = BlockingClient(*replies, modes=modes)
        self.extractor = BlockingExtractor(self.client, driver=Driver(), **settings)

    def extract(self, *args, **kwargs):
        return self.extractor.extract(*args, **kwargs)

    def full(self, *args, **kwargs):
        return self.extractor.extract_full(*args, **kwargs)

    def stream(self, *args, **kwargs):
        """The partials, and the stream itself for what it knows after them."""
        with self.extractor.stream(*args, **kwargs) as stream:
            return list(stream), stream

    def first(self, *args, **kwargs):
        """The first partial of a stream that is then left."""
        with self.extractor.stream(*args, **kwargs) as stream:
            return next(stream)

    @staticmethod
    def over(name, call, **options):
        """What a call of an extractor over a client of the library gives."""
        with getattr(blocking, name)(**options) as client:
            return call(BlockingExtractor(client))

    @staticmethod
    def streamed(name, *args, client, **kwargs):
        with getattr(blocking, name)(**client) as made, BlockingExtractor(made).stream(*args, **kwargs) as stream:
            return [partial.data for partial in stream], stream.value


class Awaiting:
    """Plays an extractor that awaits."""

    def __init__(self, *replies, modes=("native",), **settings):
        self.client = AwaitingClient(*replies, modes=modes)
        self.extractor = StructuredExtractor(self.client, driver=AsyncDriver(), **settings)

    def extract(self, *args, **kwargs):
        return asyncio.run(self.extractor.extract(*args, **kwargs))

    def full(self, *args, **kwargs):
        return asyncio.run(self.extractor.extract_full(*args, **kwargs))

    def stream(self, *args, **kwargs):
        async def main():
            async with self.extractor.stream(*args, **kwargs) as stream:
                return [partial async for partial in stream], stream

        return asyncio.run(main())

    def first(self, *args, **kwargs):
        async def main():
            async with self.extractor.stream(*args, **kwargs) as stream:
                return await anext(stream)

        return asyncio.run(main())

    @staticmethod
    def over(name, call, **options):
        async def main():
            async with made_by(name)(**options) as client:
                return await call(StructuredExtractor(client))

        return asyncio.run(main())

    @staticmethod
    def streamed(name, *args, client, **kwargs):
        async def main():
            async with (
                made_by(name)(**client) as made,
                StructuredExtractor(made).stream(*args, **kwargs) as stream,
            ):
                return [partial.data async for partial in stream], stream.value

        return asyncio.run(main())


def pieces(text, size=4, tool=None):
    """A text as the chunks of a stream: of the answer, or of a call's arguments."""
    cut = [text[at : at + size] for at in range(0, len(text), size)]
    if tool is None:
        return [*map(StreamChunk, cut), StreamChunk(finish_reason="stop", usage=SOME)]
    begun = StreamChunk(tool_calls=(ToolCallDelta(0, "c0", tool),))
    return [
        begun,
        *(StreamChunk(tool_calls=(ToolCallDelta(0, arguments=each),)) for each in cut),
        StreamChunk(finish_reason="tool_calls", usage=SOME),
    ]


def made_by(name):
    """A class of clients that await."""
    return ProviderClient if name == "ProviderClient" else getattr(named, name)
