"""Answers that time cuts off, each as its SDK reads it: what had come, the notice, and an end like any other."""

import threading

import anthropic
import openai
import pytest
from google import genai

import gateway_play as play

THOUGHT = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
           "choices": [{"index": 0, "delta": {"reasoning_content": "Hmm."}, "finish_reason": None}]}  # fmt: skip
NOTICE = "\n\n[The answer ends here: the time for it was up.]"


@pytest.fixture(scope="module")
def upstream():
    upstream = play.Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def url(upstream, monkeypatch):
    play.at_upstream(monkeypatch, upstream)
    with play.served(play.gateway(), seconds=2.0) as url:
        yield url


@pytest.fixture(params=["gpt", "claude"])
def model(request, upstream):
    never = threading.Event()
    gpt = [play.sse(THOUGHT), *play.chat_chunks("Hel", "lo")[:3]]
    upstream.stream(*{"gpt": gpt, "claude": play.claude_events("Hel", "lo")[:4]}[request.param], never)
    yield request.param
    never.set()


def test_openais_chat(url, model):
    with openai.OpenAI(base_url=f"{url}/v1", api_key="mine", max_retries=0) as client:
        chunks = list(client.chat.completions.create(model=model, messages=play.HELLO, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello" + NOTICE
    assert chunks[-1].choices[0].finish_reason == "length"


def test_openais_responses(url, model):
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="mine", max_retries=0)
    with client, client.responses.stream(model=model, input="Hi") as stream:
        events = list(stream)
    answer = events[-1].response
    assert (answer.status, answer.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert answer.output_text == "Hello" + NOTICE


def test_anthropics_messages(url, model):
    client = anthropic.Anthropic(base_url=url, api_key="mine", max_retries=0)
    with client, client.messages.stream(model=model, max_tokens=50, messages=play.HELLO) as stream:
        answer = stream.get_final_message()
    assert "".join(block.text for block in answer.content if block.type == "text") == "Hello" + NOTICE
    assert answer.stop_reason == "max_tokens"


def test_geminis_content(url, model):
    client = genai.Client(api_key="mine", http_options={"base_url": url})
    pieces = list(client.models.generate_content_stream(model=model, contents="Hi"))
    client.close()
    parts = [part for piece in pieces for part in piece.candidates[0].content.parts or ()]
    assert "".join(part.text for part in parts if part.text and not part.thought) == "Hello" + NOTICE
    assert pieces[-1].candidates[0].finish_reason.name == "MAX_TOKENS"
