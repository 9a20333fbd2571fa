"""Ollama's SDK in the codec benchmark."""

import httpx
import ollama
from canned_httpx import canned_transport
from codec_loops import Case, Operation, sdk_operations


def operations(case: Case) -> dict[str, Operation]:
    whole, streaming = _client(case, False), _client(case, True)
    asked, asked_stream = case.asked["call"], case.asked["stream_chunk"]

    def call() -> str:
        return whole.chat(**asked).message.content or ""

    def stream() -> str:
        return "".join(chunk.message.content or "" for chunk in streaming.chat(**asked_stream))

    return sdk_operations(case, call, stream)


def _client(case: Case, stream: bool) -> ollama.Client:
    return ollama.Client("http://ollama", transport=canned_transport(httpx, case.answer, stream=stream))
