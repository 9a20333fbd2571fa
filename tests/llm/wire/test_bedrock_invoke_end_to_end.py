"""InvokeModel over real sockets, from an entry of one's own: catalog, signature, body, frames, both clients."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from lambdallm import AsyncWireClient, ChatMessage, WireClient
from lambdallm.aws.eventstream import encode_message
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import LLMRateLimitError, StreamError

ENTRY = {
    "wire": "bedrock_invoke.anthropic",
    "auth": [{"type": "sigv4", "service": "bedrock"}],
    "families": {
        "meta.llama3": {"wire": "bedrock_invoke.llama"},
        "deepseek.r1": {"wire": "bedrock_invoke.deepseek", "thinking_tags": "opened"},
        "amazon.titan-embed": {"embedding_wire": "bedrock_invoke.titan_embeddings"},
    },
    "models": {"meta.llama3-8b-instruct-v1:0": {"price": {"input": 1.0, "output": 2.0}}},
}
CLAUDE = "mine/anthropic.claude-3-haiku-20240307-v1:0"
LLAMA = "mine/meta.llama3-8b-instruct-v1:0"
MESSAGE = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-3-haiku",
    "content": [{"type": "text", "text": "North."}], "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}  # fmt: skip
GENERATION = {"generation": "North.", "prompt_token_count": 3, "generation_token_count": 2, "stop_reason": "stop"}


def frame(payload: dict[str, Any]) -> bytes:
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    data = base64.b64encode(json.dumps(payload).encode()).decode()
    return encode_message(headers, json.dumps({"bytes": data, "p": "abc"}).encode())


MESSAGE_STREAM = [
    frame({"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}),
    frame({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
    frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Nor"}}),
    frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "th."}}),
    frame({"type": "content_block_stop", "index": 0}),
    frame({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}),
    frame({"type": "message_stop", "amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 2}}),
]
GENERATION_STREAM = [
    frame({"generation": "Nor", "prompt_token_count": 3, "generation_token_count": 1, "stop_reason": None}),
    frame({"generation": "th.", "prompt_token_count": None, "generation_token_count": 2, "stop_reason": "stop"}),
]
THROTTLED = encode_message(
    {":exception-type": "throttlingException", ":content-type": "application/json", ":message-type": "exception"},
    b'{"message": "Slow down."}',
)


@pytest.fixture
def bedrock(provider: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The provider, behind an entry that only this machine has."""
    entry = tmp_path / "mine.json"
    entry.write_text(json.dumps({**ENTRY, "endpoint": provider.url.removesuffix("/v1")}))
    monkeypatch.setenv("LAMBDALLM_PROVIDERS", str(entry))
    for name, value in {"ACCESS_KEY_ID": "id", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": "token"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    return provider


@pytest.fixture
def client() -> Any:
    drivers: list[Driver] = []

    def make(model: str, **options: Any) -> WireClient:
        drivers.append(Driver())
        return WireClient(model, driver=drivers[-1], **options)

    yield make
    for driver in drivers:
        driver.close()


def check_signed(headers: dict[str, str], *more: str) -> None:
    signature = headers["Authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=id/")
    assert "/us-east-1/bedrock/aws4_request" in signature
    assert headers["X-Amz-Security-Token"] == "token"
    signed = signature.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "x-amz-date", *more} <= set(signed)


def test_claude_whole(bedrock: Any, client: Any) -> None:
    bedrock.replies = [MESSAGE]
    answer = client(CLAUDE).chat("Where?", max_tokens=9).unwrap()
    assert (answer.text, answer.finish_reason, answer.usage.total_tokens) == ("North.", "stop", 5)
    ((path, headers, body),) = bedrock.received
    assert path == "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke"
    check_signed(headers)
    assert body == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Where?"}]}],
    }


def test_claude_streamed(bedrock: Any, client: Any) -> None:
    bedrock.replies = [MESSAGE_STREAM]
    stream = client(CLAUDE).stream("Where?")
    assert [chunk.delta for chunk in stream if chunk.delta] == ["Nor", "th."]
    assert (stream.completion.text, stream.completion.usage.output_tokens) == ("North.", 2)
    ((path, headers, body),) = bedrock.received
    assert path == "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke-with-response-stream"
    check_signed(headers)
    assert "stream" not in body


def test_llama_whole(bedrock: Any, client: Any) -> None:
    bedrock.replies = [GENERATION]
    messages = [ChatMessage("system", "Be brief."), ChatMessage("user", "Where?")]
    guard = {"guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"}}
    answer = client(LLAMA).chat(messages, max_tokens=9, extra=guard).unwrap()
    assert (answer.text, answer.cost_usd) == ("North.", pytest.approx(7e-6))
    ((path, headers, body),) = bedrock.received
    assert path == "/model/meta.llama3-8b-instruct-v1%3A0/invoke"
    check_signed(headers, "x-amzn-bedrock-guardrailidentifier")
    assert body["prompt"].endswith("<|start_header_id|>assistant<|end_header_id|>\n\n")
    assert (body["max_gen_len"], headers["X-Amzn-Bedrock-GuardrailIdentifier"]) == (9, "abc")


def test_llama_streamed(bedrock: Any, client: Any) -> None:
    bedrock.replies = [GENERATION_STREAM]
    stream = client(LLAMA).stream("Where?")
    assert [chunk.delta for chunk in stream if chunk.delta] == ["Nor", "th."]
    assert stream.completion.usage.total_tokens == 5


def test_without_a_thread_of_its_own(bedrock: Any) -> None:
    """The asynchronous client does the same."""

    async def both() -> tuple[str, list[str]]:
        driver = AsyncDriver()
        client = AsyncWireClient(LLAMA, driver=driver)
        whole = (await client.chat("Where?")).unwrap().text
        pieces = [chunk.delta async for chunk in client.stream("Where?") if chunk.delta]
        await driver.aclose()
        return whole, pieces

    bedrock.replies = [GENERATION, GENERATION_STREAM]
    assert asyncio.run(both()) == ("North.", ["Nor", "th."])


def test_deepseeks_thinking_is_told_apart(bedrock: Any, client: Any) -> None:
    """Its prompt opens the tag, as the entry declares."""
    bedrock.replies = [{"choices": [{"text": "Easy.\n</think>\n\nNorth.", "stop_reason": "stop"}]}]
    answer = client("mine/deepseek.r1-v1:0").chat("Where?").unwrap()
    assert (answer.text, answer.thinking.strip()) == ("North.", "Easy.")


def test_a_refusal_by_the_errors_header(bedrock: Any, client: Any) -> None:
    headers = {"x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    bedrock.replies = [(429, headers, {"message": "Too many requests."})]
    result = client(LLAMA, max_retries=0).chat("Where?")
    assert isinstance(result.error, LLMRateLimitError)
    assert (result.error.type, result.error.provider) == ("ThrottlingException", "mine")


def test_an_exception_after_the_first_piece(bedrock: Any, client: Any) -> None:
    bedrock.replies = [[GENERATION_STREAM[0], THROTTLED]]
    stream = client(LLAMA, max_retries=0).stream("Where?")
    with pytest.raises(StreamError, match=r"Slow down\."):
        list(stream)
    assert stream.completion.text == "Nor"


def test_titan_embeds_one_text_a_call(bedrock: Any, client: Any) -> None:
    """The texts go in as many calls as the codec's own limit asks for; the vectors come back in their order."""
    bedrock.replies = [{"embedding": [n, 0.5], "inputTextTokenCount": 2} for n in (1.0, 2.0)]
    name = "mine/amazon.titan-embed-text-v2:0"
    answer = client(name).embed(["a", "b"], model=name, dimensions=256).unwrap()
    assert [body["inputText"] for _, _, body in bedrock.received] == ["a", "b"]
    assert (answer.vectors, answer.usage.input_tokens) == (((1.0, 0.5), (2.0, 0.5)), 4)
    assert bedrock.received[0][0] == "/model/amazon.titan-embed-text-v2%3A0/invoke"
