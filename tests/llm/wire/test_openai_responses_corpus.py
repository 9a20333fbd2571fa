"""Recorded exchanges of the Responses protocol: answers mean what OpenAI's SDK says, requests lose nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from judge import recorded
from lambdallm.llm.result import Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
)
from lambdallm.llm.wire import openai_responses as codec
from lambdallm.llm.wire.notes import PROTOCOLS, own_fields
from lambdallm.testing.conformance.report import check
from lambdallm.testing.conformance.table import find
from recorded import recordings

FOLDERS = ("*/responses", "bedrock/openai_responses")


def answered(exchange: dict[str, Any]) -> bool:
    return exchange["response"]["status"] == 200


def streamed(exchange: dict[str, Any]) -> bool:
    return bool(exchange.get("stream")) and answered(exchange)


def asked(exchange: dict[str, Any]) -> bool:
    return isinstance(exchange["request"].get("body"), dict)


def load(path: Path) -> dict[str, Any]:
    exchange: dict[str, Any] = json.loads(path.read_bytes())
    return exchange


def final(exchange: dict[str, Any]) -> dict[str, Any]:
    """The whole answer as the provider sent it: the body, or the last event's response."""
    body = exchange["response"]["body"]
    if not exchange.get("stream"):
        return json.loads(body)
    events = [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:") and "{" in line]
    return next(event["response"] for event in reversed(events) if "response" in event)


def decoded(answer: dict[str, Any]) -> Completion:
    result = codec.decode_response(200, (), json.dumps(answer).encode())
    assert isinstance(result, Ok), result
    return result.value


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """A request's body with what may be said in two ways said in one.

    Null settings, `stream: false` and empty lists say nothing; a text as `input` is one user's message; `message` is
    an item's type where it has a role and none; a tool without parameters takes an empty object; the order of
    `include` means nothing.
    """
    body = {key: value for key, value in body.items() if value not in (None, False, []) or key in ("store",)}
    if isinstance(body.get("input"), str):
        body["input"] = [{"role": "user", "content": body["input"]}]
    if "input" in body:
        body["input"] = [normal_item(item) for item in body["input"]]
    if "tools" in body:
        body["tools"] = [normal_tool(tool) for tool in body["tools"]]
    for key in ("reasoning", "text"):
        if key in body:
            body[key] = {name: value for name, value in body[key].items() if value is not None}
    if "include" in body:
        body["include"] = sorted(body["include"])
    return {key: value for key, value in body.items() if value not in ({}, [])}


def normal_item(item: dict[str, Any]) -> dict[str, Any]:
    item = {"type": "message", **item} if "role" in item else dict(item)
    for key in ("content", "output"):
        if isinstance(item.get(key), list):
            item[key] = [{k: v for k, v in part.items() if v not in (None, [])} for part in item[key]]
    kept = ("summary",) if item["type"] == "reasoning" else ("tools",)
    return {key: value for key, value in item.items() if value is not None and (value != [] or key in kept)}


def normal_tool(tool: dict[str, Any]) -> dict[str, Any]:
    tool = {key: value for key, value in tool.items() if value not in (None, "", [])}
    if tool["type"] == "function" and not tool.get("parameters"):
        tool["parameters"] = {"type": "object", "properties": {}}
    return tool


@pytest.mark.corpus
@recordings(*FOLDERS)
def test_the_answer_is_what_the_sdk_reads(path: Path) -> None:
    outcome = check(load(path))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


@pytest.mark.corpus
@recordings(*FOLDERS, holds=asked)
def test_a_request_loses_nothing(path: Path) -> None:
    body = load(path)["request"]["body"]
    request = codec.decode_request(json.dumps(body).encode())
    encoded = codec.encode_request(request, {})
    assert normal(json.loads(encoded.body)) == normal(body)
    assert encoded.warnings == ()


@pytest.mark.corpus
@recordings(*FOLDERS, holds=streamed)
def test_a_stream_adds_up_to_the_whole_answer(path: Path) -> None:
    exchange = load(path)
    decoder = codec.StreamDecoder()
    accumulator = Accumulator()
    accumulator.add([*decoder.feed(exchange["response"]["body"].encode()), *decoder.close()])
    whole, parts = decoded(final(exchange)), accumulator.completion().message.parts
    assert [type(part) for part in parts] == [type(part) for part in whole.message.parts]
    assert unsealed(said(ChatMessage("assistant", parts))) == unsealed(said(whole.message))
    assert accumulator.completion().usage == whole.usage
    assert accumulator.completion().metadata == whole.metadata


@pytest.mark.corpus
@recordings(*FOLDERS, holds=answered)
def test_an_answer_goes_back_as_it_came(path: Path) -> None:
    """What a model put out is what it reads in the next turn: ids, encrypted reasoning and hosted tools' items."""
    answer = final(load(path))
    items = said(decoded(answer).message)
    assert [normal_item(item) for item in items] == [normal_item(item) for item in answer["output"]]


@pytest.mark.corpus
@recordings(*FOLDERS, holds=answered)
def test_an_answer_passed_on_is_the_same_answer(path: Path) -> None:
    answer = decoded(final(load(path)))
    request = ChatRequest("m", (ChatMessage("user", "?"),), dialect="openai_responses")
    passed_on = decoded(json.loads(codec.encode_response(answer, request, id="resp_1", created=1)))
    assert said(passed_on.message) == said(answer.message)
    assert passed_on.raw_finish_reason == answer.raw_finish_reason
    assert passed_on.finish_reason == answer.finish_reason
    assert (passed_on.id, passed_on.model) == (answer.id, answer.model)


def unsealed(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items without what providers make anew for the last event: encrypted content, OpenRouter's ids of thoughts."""
    anew = {"reasoning": ("encrypted_content", "id")}
    return [{key: value for key, value in item.items() if key not in anew.get(item["type"], ())} for item in items]


def said(message: ChatMessage) -> list[dict[str, Any]]:
    """A message as the next request says it."""
    encoded = codec.encode_request(ChatRequest("m", (message,), dialect="openai_responses"), {})
    assert encoded.warnings == ()
    items: list[dict[str, Any]] = json.loads(encoded.body).get("input", [])
    return items


def a_chat(exchange: dict[str, Any]) -> bool:
    """Whether a codec of ours reads it, and it is an answer of a chat model."""
    api = find(exchange["provider"], exchange["api"])
    return api is not None and api.tells == "chat" and (exchange.get("expected") or {}).get("kind") == "chat"


@pytest.mark.corpus
@recordings("*/*", holds=a_chat)
def test_whoever_answered_gets_its_own_words_back(path: Path) -> None:
    """A client sends an answer's items back: its model finds its thoughts, proof, calls and blocks as they were."""
    found = recorded(path)
    assert found is not None
    assert found.answer is not None
    goes_back(found.answer, json.loads(codec.encode_response(found.answer, REQUEST, id="resp_1", created=1)))
    if found.chunks:
        encoder = codec.StreamEncoder(REQUEST, id="resp_1", created=1)
        *_, last = (encoder.feed(found.chunks) + encoder.close()).split(b"data: ")
        goes_back(found.answer, json.loads(last)["response"])


def goes_back(answer: Completion, response: dict[str, Any]) -> None:
    body = {"model": "m", "input": [*response["output"], {"role": "user", "content": "And?"}]}
    (*turns, _) = codec.decode_request(json.dumps(body).encode()).messages
    parts = [part for turn in turns for part in turn.parts]
    assert "".join(p.text for p in parts if isinstance(p, TextPart)) == answer.text
    for kind, tell in ((ReasoningPart, thought), (ToolCall, call), (ProviderPart, block)):
        sent, back = ([tell(p) for p in some if isinstance(p, kind)] for some in (answer.message.parts, parts))
        assert back == sent


REQUEST = ChatRequest("m", (ChatMessage("user", "?"),), dialect="openai_responses")


def thought(part: Any) -> tuple[Any, ...]:
    if "openai_responses" in part.metadata:
        return part.text, part.encrypted
    return part.text, part.signature, part.encrypted, part.id, dict(part.metadata)


def call(part: Any) -> tuple[Any, ...]:
    signed = {key: own_fields(part.metadata, key) for key in PROTOCOLS if key != "openai_responses"}
    return part.id, part.name, part.arguments or {}, signed


def block(part: Any) -> tuple[Any, ...]:
    return part.type, {key: value for key, value in part.value.items() if value is not None}, part.protocol
