"""A real upstream: llama.cpp's HTTP server with the embedded model, driven by the clients for compatible servers."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lambdallm.llm.clients import sync
from lambdallm.llm.clients.provider import OpenAICompatibleClient
from lambdallm.llm.errors import LLMAuthenticationError, TokenLimitError
from lambdallm.llm.types import ResponseFormat

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
SETTINGS = {"temperature": 0, "seed": 1, "max_tokens": 24}


@pytest.fixture(scope="module")
def llama(local_model):
    """The address of the server, for as long as the tests of this file run."""
    command = [sys.executable, str(Path(__file__).with_name("llama_server.py")), str(local_model.path)]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = running.stdout.readline().strip()
        assert address.startswith("http"), "llama.cpp did not start"
        yield f"{address}/v1"
    finally:
        running.stdin.close()
        running.terminate()
        running.wait(10)
        running.stdout.close()


@pytest.fixture
def blocking(llama):
    with sync.OpenAICompatibleClient(base_url=llama, api_key="llama-key", model="smollm2", timeout=60) as client:
        yield client


def awaiting(llama):
    return OpenAICompatibleClient(base_url=llama, api_key="llama-key", model="smollm2", timeout=60)


@pytest.mark.model
def test_whole_and_streamed_answers_are_the_same(llama, blocking):
    async def main():
        async with awaiting(llama) as client:
            whole = (await client.complete("Say hello.", **SETTINGS)).unwrap()
            stream = client.stream_chat("Say hello.", **SETTINGS)
            return whole, "".join([chunk.delta async for chunk in stream]), stream.completion

    whole, text, streamed = asyncio.run(main())
    own = blocking.complete("Say hello.", **SETTINGS).unwrap()
    with blocking.stream_chat("Say hello.", **SETTINGS) as stream:
        pieces = [chunk.delta for chunk in stream if chunk.delta]
    assert own.text == whole.text == text == "".join(pieces) == streamed.text != ""
    assert len(pieces) > 1
    assert own.usage.output_tokens == whole.usage.output_tokens == streamed.usage.output_tokens > 0
    assert own.finish_reason == stream.completion.finish_reason


@pytest.mark.model
def test_an_answer_keeps_to_a_schema(llama, blocking):
    form = ResponseFormat("json_schema", SCHEMA)
    settings = SETTINGS | {"max_tokens": 60, "response_format": form}
    asked = "Anna is 31 years old. Who is she?"

    async def main():
        async with awaiting(llama) as client:
            return (await client.complete(asked, **settings)).unwrap().text

    for text in (asyncio.run(main()), blocking.complete(asked, **settings).unwrap().text):
        found = json.loads(text)
        assert found.keys() == {"name", "age"}
        assert isinstance(found["age"], int)


@pytest.mark.model
def test_what_llama_refuses_is_typed(llama, blocking):
    error = blocking.complete("word " * 3000, **SETTINGS).error
    assert isinstance(error, TokenLimitError)
    with sync.OpenAICompatibleClient(base_url=llama, api_key="wrong", model="smollm2") as client:
        assert isinstance(client.complete("Hi").error, LLMAuthenticationError)
        health = client.health_check()
        assert not health.healthy
    assert blocking.health_check(timeout=30).healthy


@pytest.mark.model
def test_a_stream_left_early_ends_the_work(blocking):
    with blocking.stream_chat("Count to a hundred.", temperature=0, max_tokens=500) as stream:
        assert next(stream) is not None
    assert blocking.complete("Say hello.", **SETTINGS).unwrap().text
