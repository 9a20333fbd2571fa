"""LambdaLLM's stream decoder alone: the bytes of a whole stream in, chunks out, no network."""

from recordings import sse_events

from lambdallm.llm.wire import openai_chat


def client(url: str) -> bytes:
    return b"".join(sse_events())


def call(recorded: bytes) -> str:
    decoder = openai_chat.StreamDecoder()
    return "".join(chunk.delta for chunk in [*decoder.feed(recorded), *decoder.close()])
