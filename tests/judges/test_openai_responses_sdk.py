"""OpenAI's own SDK reads our answers as Responses: whole, streamed, failing, whoever gave them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import openai
import pytest
from openai.types.responses import Response, ResponseStreamEvent

from judge import Judge, Recorded, recorded
from lambdallm.llm.errors import LLMError
from lambdallm.llm.types import ChatMessage, ChatRequest, Completion, StreamChunk, ToolCall
from lambdallm.llm.wire import openai_responses as codec
from lambdallm.testing.conformance.table import find
from recorded import recordings

REQUEST = ChatRequest("asked", (ChatMessage("user", "?"),), dialect="openai_responses")
EVENTS: dict[str, Any] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(get_args(ResponseStreamEvent)[0])
}
"""The SDK's types of events, by name."""


def a_chat(exchange: dict[str, Any]) -> bool:
    """Whether a codec of ours reads it, and it is an answer of a chat model."""
    api = find(exchange["provider"], exchange["api"])
    kind = (exchange.get("expected") or {}).get("kind")
    return api is not None and api.tells == "chat" and kind not in (None, "embeddings", "count_tokens")


@pytest.fixture(scope="module")
def client(judge: Judge) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="none", base_url=judge.url, max_retries=0) as made:
        yield made


@pytest.mark.corpus
@recordings("*/*", holds=a_chat)
def test_the_sdk_reads_what_was_recorded(path: Path, judge: Judge, client: openai.OpenAI) -> None:
    found = recorded(path)
    assert found is not None
    if found.chunks:
        reads_stream(found, judge, client)
    if found.answer is not None:
        reads_answer(found.answer, judge, client)
    elif found.error is not None:
        reads_error(found.error, judge, client)


def reads_answer(answer: Completion, judge: Judge, client: openai.OpenAI) -> None:
    judge.says(codec.encode_response(answer, REQUEST, id="resp_1", created=1))
    same(client.responses.create(model="m", input="?"), answer, (answer.id or "resp_1",))


def reads_stream(found: Recorded, judge: Judge, client: openai.OpenAI) -> None:
    """Each chunk is sent by itself; what the SDK's helper adds up is the answer."""
    assert found.answer is not None
    encoder = codec.StreamEncoder(REQUEST, id="resp_1", created=1)
    pieces = [encoder.feed([chunk]) for chunk in found.chunks]
    end = encoder.close() if found.error is None else encoder.fail(found.error)
    judge.says(*pieces, end, type=codec.STREAM_TYPE)
    valid(b"".join([*pieces, end]))
    if found.error is not None:
        breaks(found, client)
    else:
        same(streamed(client), found.answer, ids(found.chunks))


def streamed(client: openai.OpenAI) -> Response:
    """The last event's answer, which the events before it must add up to."""
    with client.responses.stream(model="m", input="?") as stream:
        events = list(stream)
    last: Any = events[-1]
    assert last.type in ("response.completed", "response.incomplete", "response.failed")
    deltas = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert deltas == last.response.output_text
    numbers = [event.sequence_number for event in events]
    assert numbers == sorted(set(numbers))
    response: Response = last.response
    return response


def breaks(found: Recorded, client: openai.OpenAI) -> None:
    assert found.error is not None
    said: list[str] = []
    with pytest.raises(openai.APIError) as raised:
        said.extend(deltas(client))
    assert type(raised.value) is openai.APIError
    assert raised.value.message.startswith(found.error.message.strip())
    assert found.answer is not None
    assert "".join(said) == found.answer.text


def deltas(client: openai.OpenAI) -> Iterator[str]:
    for event in client.responses.create(model="m", input="?", stream=True):
        if event.type == "response.output_text.delta":
            yield event.delta


def reads_error(error: LLMError, judge: Judge, client: openai.OpenAI) -> None:
    encoded = codec.encode_error(error)
    judge.says(encoded.body, status=encoded.status, headers=encoded.headers)
    with pytest.raises(openai.APIStatusError) as raised:
        client.responses.create(model="m", input="?")
    assert raised.value.status_code == encoded.status
    assert raised.value.body["message"].startswith(error.message.strip())  # type: ignore[index]


def ids(chunks: tuple[StreamChunk, ...]) -> tuple[str, ...]:
    """Some providers say another id later; a stream of this protocol keeps to its first, or to the one it was given."""
    return ("resp_1", *(chunk.metadata["id"] for chunk in chunks if "id" in chunk.metadata))


def same(response: Response, answer: Completion, ids: tuple[str, ...]) -> None:
    """What the SDK says of an answer is what we know of it."""
    Response.model_validate(response.to_dict(mode="json"))
    assert response.output_text == answer.text
    assert thinking(response) == (answer.thinking or "").replace("\n", "")
    assert [call(item) for item in response.output if item.type in ("function_call", "custom_tool_call")] == [
        expected(part) for part in answer.tool_calls
    ]
    refusals = [c.refusal for i in response.output if i.type == "message" for c in i.content if c.type == "refusal"]
    assert "".join(refusals) == (answer.refusal or "")
    status, reason = ENDS.get(answer.finish_reason, ("completed", None))
    if answer.finish_reason != "other":
        assert response.status == status
        assert (response.incomplete_details.reason if response.incomplete_details else None) == reason
    if answer.usage is not None:
        assert response.usage is not None
        assert response.usage.input_tokens == answer.usage.input_tokens
        assert response.usage.output_tokens == answer.usage.output_tokens
        assert response.usage.input_tokens_details.cached_tokens == answer.usage.cached_tokens
        assert response.usage.output_tokens_details.reasoning_tokens == answer.usage.reasoning_tokens
    assert response.model == (answer.model or "asked")
    assert response.id in ids


ENDS = {
    "length": ("incomplete", "max_output_tokens"), "content_filter": ("incomplete", "content_filter"),
    "refusal": ("incomplete", "content_filter"), "pause": ("incomplete", None), "error": ("failed", None),
}  # fmt: skip


def thinking(response: Response) -> str:
    """The thoughts, without line ends: several summaries stand in one text of ours with empty lines between."""
    items = [item for item in response.output if item.type == "reasoning"]
    texts = [piece.text for item in items for piece in (*item.summary, *(item.content or ()))]
    return "".join(texts).replace("\n", "")


def call(item: Any) -> tuple[str, str, Any]:
    if item.type == "custom_tool_call":
        return item.call_id, item.name, item.input
    return item.call_id, item.name, parsed(item.arguments)


def expected(part: ToolCall) -> tuple[str, str, Any]:
    return part.id, part.name, part.arguments_json if part.arguments is None else part.arguments


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def valid(stream: bytes) -> None:
    """Every event is one of the SDK's types, complete."""
    for block in stream.decode().split("\n\n"):
        if block:
            name, _, data = block.removeprefix("event: ").partition("\ndata: ")
            EVENTS[name].model_validate_json(data)


@pytest.mark.parametrize(
    "text", ["", "Hi.", "line\u2028end \x00 é \ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
)
def test_a_streamed_text_is_the_text(text: str, judge: Judge, client: openai.OpenAI) -> None:
    chunks = [StreamChunk(piece) for piece in text] + [StreamChunk(finish_reason="stop")]
    encoder = codec.StreamEncoder(REQUEST, id="resp_1", created=1)
    judge.says(encoder.feed(chunks), encoder.close(), type=codec.STREAM_TYPE)
    assert streamed(client).output_text == text
