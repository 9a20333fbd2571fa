"""Recorded conversations go back as they came, and what we write is what the official client's types allow.

Reference: the `anthropic` package, which is not needed for anything but these tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdallm.llm.result import Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    DocumentPart,
    ImagePart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import anthropic_count_tokens, anthropic_messages
from lambdallm.llm.wire.anthropic_messages import StreamDecoder, decode_response, encode_request
from recorded import recordings

if TYPE_CHECKING:
    from lambdallm.llm.types import Part

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic_messages"
FOLDERS = ("anthropic/messages", "vertex/anthropic_messages")

every_request = recordings(
    *FOLDERS, "anthropic/count_tokens", holds=lambda exchange: isinstance(exchange["request"].get("body"), dict)
)
every_answer = recordings(*FOLDERS, holds=lambda exchange: exchange["response"]["status"] == 200)


# A recorded request, read as a server would and written again


def plain(value: Any) -> Any:
    """A body without the differences that mean nothing.

    Text or its one block; null, `false` where that is the rule, empty citations, descriptions and tools; empty text
    blocks, which the API itself sends and refuses; `custom` as the type of a tool that is described.
    """
    if isinstance(value, list):
        return [plain(item) for item in value if item != {"type": "text", "text": ""}]
    if not isinstance(value, dict):
        return value
    fields = {k: v for k, v in value.items() if v is not None and not (k == "citations" and not v)}
    for name in ("content", "system"):
        if isinstance(fields.get(name), str) and ("role" in fields or name == "system"):
            fields[name] = [{"type": "text", "text": fields[name]}]
    if fields.get("type") == "tool_result" and not fields.get("is_error"):
        fields.pop("is_error", None)
    if "input_schema" in fields and not fields.get("description"):
        fields.pop("description", None)
    if "input_schema" in fields and fields.get("type") == "custom":
        del fields["type"]
    if fields.get("tools") == []:
        del fields["tools"]
    if fields.get("stream") is False:
        del fields["stream"]
    return {key: plain(item) for key, item in fields.items()}


def merged(turns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Neighbouring turns of one role as one."""
    together: list[dict[str, Any]] = []
    for turn in turns:
        if together and together[-1]["role"] == turn["role"]:
            together[-1] = {"role": turn["role"], "content": together[-1]["content"] + turn["content"]}
        else:
            together.append(turn)
    return [turn for turn in together if turn["content"]]


def facts_of(recorded: dict[str, Any]) -> dict[str, Any]:
    cloud = {"model_in_body": False, "anthropic_version": recorded.get("anthropic_version")}
    return {"json_schema": True} | (cloud if "anthropic_version" in recorded else {})


def rewritten(codec: Any, recorded: dict[str, Any]) -> dict[str, Any]:
    request = codec.decode_request(json.dumps(recorded).encode(), model=recorded.get("model", "m"))
    assert request.dialect == "anthropic_messages"
    got = codec.encode_request(request, facts_of(recorded))
    assert got.warnings == ()
    body: dict[str, Any] = json.loads(got.body)
    return body


@pytest.mark.corpus
@every_request
def test_a_recorded_request_is_written_as_it_was(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    recorded = exchange["request"]["body"]
    codec = anthropic_count_tokens if exchange["api"] == "count_tokens" else anthropic_messages
    wanted = plain(recorded)
    wanted["messages"] = merged(wanted["messages"])
    assert plain(rewritten(codec, recorded)) == wanted


# A recorded answer, sent back


def answered(exchange: dict[str, Any]) -> Completion:
    body = exchange["response"]["body"].encode()
    if not exchange["stream"]:
        result = decode_response(200, (), body)
        assert isinstance(result, Ok)
        return result.value
    decoder, accumulator = StreamDecoder(), Accumulator()
    accumulator.add(decoder.feed(body) + decoder.close())
    assert decoder.error is None
    return accumulator.completion()


def message_of(exchange: dict[str, Any]) -> dict[str, Any]:
    """The whole message, put together by the official client where it was streamed."""
    body = exchange["response"]["body"]
    if not exchange["stream"]:
        whole: dict[str, Any] = json.loads(body)
        return whole
    from anthropic.lib.streaming._beta_messages import accumulate_event

    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for line in body.splitlines():
        event = json.loads(line[5:]) if line.startswith("data:") else {"type": "ping"}
        if event["type"] != "ping":
            snapshot = accumulate_event(
                event=event,
                current_snapshot=snapshot,
                json_bufs=buffers,
                request_headers={},  # type: ignore[arg-type] # none are read
            )
    message: dict[str, Any] = snapshot.to_dict(mode="json")
    return message


@pytest.mark.corpus
@every_answer
def test_a_recorded_answer_goes_back_as_it_came(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    message = answered(exchange).message
    got = encode_request(ChatRequest("m", (ChatMessage("user", "q"), message, ChatMessage("user", "and?"))), {})
    turns = [turn for turn in json.loads(got.body)["messages"] if turn["role"] == "assistant"]
    blocks = turns[0]["content"] if turns else []
    assert plain(blocks) == plain(message_of(exchange)["content"])
    assert got.warnings == ()


def without_texts(message: ChatMessage) -> tuple[Part, ...]:
    return tuple(p.replace(arguments_json=None) if isinstance(p, ToolCall) else p for p in message.parts)


def without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.corpus
@every_answer
def test_a_recorded_stream_adds_up_to_the_whole_answer(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    streamed = answered(exchange)
    whole = decode_response(200, (), json.dumps(message_of(exchange)).encode()).unwrap()
    for name in ("id", "model", "finish_reason", "raw_finish_reason"):
        assert getattr(streamed, name) == getattr(whole, name)
    assert without_nulls(streamed.metadata) == without_nulls(whole.metadata)
    assert streamed.usage is not None
    assert whole.usage is not None
    assert streamed.usage.replace(native={}) == whole.usage.replace(native={})
    parts, expected = ([fields_of(part) for part in without_texts(c.message)] for c in (streamed, whole))
    assert without_nulls(parts) == without_nulls(expected)


def fields_of(part: Part) -> dict[str, Any]:
    return {"kind": type(part).__name__} | {name: getattr(part, name) for name in sorted(part._fields)}


# What the official client's types allow

UNLISTED = ("temperature", "top_p", "top_k")
"""The API takes them for older models; the client's types have dropped them."""


def listed(value: Any) -> Any:
    """A validated value with its lazy sequences read; schemas, which the types only sketch, are left aside."""
    if hasattr(value, "to_dict"):
        value = value.to_dict(mode="json")
    if isinstance(value, Mapping):
        return {key: listed(item) for key, item in value.items() if key not in ("input_schema", *UNLISTED)}
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        return value
    return [listed(item) for item in value]


def allowed(body: dict[str, Any]) -> dict[str, Any]:
    """The body after validation: unknown fields are gone, so an equal body has none."""
    import pydantic
    from anthropic.types.beta import message_create_params as params

    kind = params.MessageCreateParamsStreaming if body.get("stream") else params.MessageCreateParamsNonStreaming
    adapter = pydantic.TypeAdapter(kind)
    read: dict[str, Any] = listed(adapter.validate_python(body))
    return read


EVERYTHING = ChatRequest(
    "claude-x",
    (
        ChatMessage("system", (TextPart("S", metadata={"cache_control": {"type": "ephemeral"}}),)),
        ChatMessage(
            "user", (ImagePart(url="https://i.example/a.png"), DocumentPart(text="t", name="T"), TextPart("q"))
        ),
        ChatMessage("assistant", (TextPart("a"), ToolCall("toolu_1", "f", {"x": 1}))),
        ChatMessage("tool", (ToolResult("toolu_1", (TextPart("r"),), is_error=True),)),
    ),
    tools=(ToolDefinition("f", "F", {"properties": {"x": {"type": "integer"}}}, strict=True),),
    tool_choice=ToolChoice("tool", "f"),
    parallel_tool_calls=False,
    max_tokens=100,
    temperature=0.5,
    top_p=0.9,
    top_k=5,
    stop=("END",),
    response_format=ResponseFormat("json_schema", {"type": "object"}),
    thinking=Thinking(effort="high", metadata={"display": "omitted"}),
    user="u",
)


@pytest.mark.parametrize(
    "request_",
    [
        EVERYTHING,
        EVERYTHING.replace(stream=True, thinking=Thinking(budget_tokens=2000), tool_choice=ToolChoice("none")),
        EVERYTHING.replace(thinking=Thinking(enabled=False), tool_choice=ToolChoice("required")),
        ChatRequest("claude-x", (ChatMessage("user", "Hi"),)),
    ],
)
def test_a_written_request_is_what_the_types_allow(request_: ChatRequest) -> None:
    body = json.loads(encode_request(request_, {"json_schema": True}).body)
    assert allowed(body) == listed(body)


@pytest.mark.corpus
@recordings(*FOLDERS, holds=lambda exchange: isinstance(exchange["request"].get("body"), dict))
def test_a_rewritten_request_is_what_the_types_allow(path: Path) -> None:
    recorded = json.loads(path.read_bytes())["request"]["body"]
    recorded.pop("anthropic_version", None)
    body = rewritten(anthropic_messages, recorded | {"model": "m"})
    assert allowed(body) == listed(body)
