"""Cohere's chat protocol, version 1: requests, answers and both framings of its streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import LLMModelNotFoundError, ProviderResponseError, StreamError, UnsupportedParameterError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    ResponseFormat,
    StreamChunk,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
    Usage,
)
from lambdallm.llm.wire.cohere_chat_v1 import StreamDecoder, decode_error, decode_response, encode_request

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cohere"
LINES, SSE = (FIXTURES / "v1.ndjson").read_bytes(), (FIXTURES / "v1.sse").read_bytes()
TOOLS = (FIXTURES / "v1_tools.ndjson").read_bytes()
HELLO = ChatMessage("user", "Hello")
CALL = ToolCall("call_0", "f", {"a": 1})


def encoded(*messages: ChatMessage, **settings: Any) -> Any:
    return encode_request(ChatRequest("m", messages or (HELLO,), **settings), {})


def body_of(*messages: ChatMessage, **settings: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encoded(*messages, **settings).body)
    return body


def read(*pieces: bytes) -> tuple[list[StreamChunk], Any]:
    decoder = StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    return chunks + decoder.close(), decoder


def completed(*pieces: bytes) -> Completion:
    chunks, decoder = read(*pieces)
    assert decoder.error is None
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def whole(**answer: Any) -> Completion:
    result = decode_response(200, (), json.dumps(answer).encode())
    assert isinstance(result, Ok)
    return result.value


def events(*records: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


# Requests


def test_the_smallest_request() -> None:
    assert body_of() == {"model": "m", "message": "Hello"}


def test_every_setting() -> None:
    body = body_of(
        max_tokens=5, temperature=0.0, top_p=0.5, top_k=3, stop=("a",), seed=0, presence_penalty=0.1, stream=True,
        frequency_penalty=0.2, response_format=ResponseFormat("json_schema", {"type": "object"}),
        thinking=Thinking(False), extra={"connectors": [{"id": "web-search"}], "citation_quality": "fast"},
    )  # fmt: skip
    assert body == {
        "model": "m", "message": "Hello", "max_tokens": 5, "temperature": 0.0, "p": 0.5, "k": 3, "seed": 0,
        "stop_sequences": ["a"], "presence_penalty": 0.1, "frequency_penalty": 0.2, "stream": True,
        "response_format": {"type": "json_object", "schema": {"type": "object"}},
        "connectors": [{"id": "web-search"}], "citation_quality": "fast",
    }  # fmt: skip


def test_a_conversation() -> None:
    messages = (
        ChatMessage("system", "Be brief."), HELLO, ChatMessage("assistant", "Hi."),
        ChatMessage("system", "Be kind."), HELLO,
    )  # fmt: skip
    assert body_of(*messages) == {
        "model": "m", "preamble": "Be brief.", "message": "Hello", "chat_history": [
            {"role": "USER", "message": "Hello"}, {"role": "CHATBOT", "message": "Hi."},
            {"role": "SYSTEM", "message": "Be kind."},
        ],
    }  # fmt: skip


def test_results_of_tools_repeat_their_calls() -> None:
    call = {"name": "f", "parameters": {"a": 1}}
    asked = ChatMessage("assistant", (TextPart("I will."), CALL))
    results = (
        ChatMessage("tool", (ToolResult("call_0", '{"x": 1}'),)),
        ChatMessage("tool", (ToolResult("call_0", "42"), ToolResult("?", '[{"y": 2}]', "g"))),
    )
    body = body_of(HELLO, asked, *results)
    assert body["message"] == ""
    assert body["tool_results"] == [
        {"call": call, "outputs": [{"x": 1}]},
        {"call": call, "outputs": [{"output": "42"}]},
        {"call": {"name": "g", "parameters": {}}, "outputs": [{"y": 2}]},
    ]
    assert body["chat_history"][1] == {"role": "CHATBOT", "message": "I will.", "tool_calls": [call]}
    later = body_of(HELLO, asked, *results, HELLO)
    assert [turn["role"] for turn in later["chat_history"]] == ["USER", "CHATBOT", "TOOL"]
    assert "tool_results" not in later


def test_tools_are_tables_of_python_types() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "an a"}, "b": {"type": ["null", "number"]},
            "c": {"type": "boolean"}, "d": {"type": "array", "items": {"type": "string"}}, "e": {"type": "object"},
            "f": {"type": "array"}, "g": True,
        },
        "required": ["a"],
    }  # fmt: skip
    answer = encoded(tools=(ToolDefinition("t", "does t", schema),))
    (tool,) = json.loads(answer.body)["tools"]
    definitions = tool.pop("parameter_definitions")
    assert tool == {"name": "t", "description": "does t"}
    assert definitions["a"] == {"type": "int", "required": True, "description": "an a"}
    types = [definition["type"] for definition in definitions.values()]
    assert types == ["int", "float", "bool", "List[str]", "Dict", "List", "str"]
    assert answer.warnings == ()


def test_what_a_table_can_not_say_is_a_warning() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "enum": ["x"]}}}
    answer = encoded(tools=(ToolDefinition("t", "", schema, strict=True),))
    assert ["'strict'" in answer.warnings[0], "'enum'" in answer.warnings[1]] == [True, True]


def test_documents() -> None:
    documents = (DocumentPart(text="Body.", name="a.txt"), DocumentPart(metadata={"data": {"snippet": "s"}}))
    assert body_of(ChatMessage("user", (TextPart("?"), *documents)))["documents"] == [
        {"title": "a.txt", "text": "Body."}, {"snippet": "s"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("param", "settings"),
    [
        ("thinking", {"thinking": Thinking()}),
        ("logprobs", {"logprobs": 0}),
        ("n", {"n": 2}),
        ("tool_choice", {"tools": (ToolDefinition("f"),), "tool_choice": ToolChoice("required")}),
    ],
)
def test_settings_that_can_not_be_said(param: str, settings: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(**settings)
    assert caught.value.param == param


@pytest.mark.parametrize(
    "messages",
    [
        (ChatMessage("assistant", "a"),),
        (HELLO, ChatMessage("assistant", "a")),
        (ChatMessage("system", "a"),),
        (ChatMessage("user", (ImagePart(data=b"a"),)),),
        (ChatMessage("tool", (ToolResult("unknown", "a"),)),),
        (ChatMessage("user", (ToolResult("x", "a", "f"), TextPart("and?"))),),
    ],
)
def test_conversations_that_can_not_be_said(messages: tuple[ChatMessage, ...]) -> None:
    with pytest.raises(UnsupportedParameterError):
        encoded(*messages)


def test_what_a_turn_loses_is_a_warning() -> None:
    parts = (ReasoningPart("Hm."), ProviderPart("x", {}, "gemini"), TextPart("a"))
    answer = encoded(ChatMessage("assistant", parts), HELLO, user="u")
    assert [any(word in warning for warning in answer.warnings) for word in ("reasoning", "gemini", "user")] == [
        True
    ] * 3


def test_to_call_no_tool_is_not_to_offer_any() -> None:
    answer = encoded(tools=(ToolDefinition("f"),), tool_choice=ToolChoice("none"))
    assert "tools" not in json.loads(answer.body)
    assert len(answer.warnings) == 1


# Answers


def test_a_whole_answer() -> None:
    meta = {"tokens": {"input_tokens": 30, "output_tokens": 40}, "cached_tokens": 20}
    answer = whole(
        text="Hi.", generation_id="g1", response_id="r1", finish_reason="COMPLETE", meta=meta,
        citations=[{"start": 0}], documents=[{"id": "d"}], chat_history=[{"role": "USER", "message": "?"}],
    )  # fmt: skip
    assert answer.message.parts == (TextPart("Hi.", ({"start": 0},)),)
    assert (answer.id, answer.finish_reason) == ("g1", "stop")
    assert answer.usage == Usage(30, 40, 20, native=meta)
    assert answer.metadata == {"response_id": "r1", "documents": [{"id": "d"}]}


def test_calls_get_ids_and_are_the_reason_it_ended() -> None:
    answer = whole(text="", finish_reason="COMPLETE", tool_calls=[{"name": "f", "parameters": {"a": 1}}, {"name": "g"}])
    assert answer.tool_calls == (CALL, ToolCall("call_1", "g", {}))
    assert (answer.finish_reason, answer.raw_finish_reason) == ("tool_calls", "COMPLETE")
    body = body_of(HELLO, answer.message, ChatMessage("tool", (ToolResult("call_0", "1"),)))
    assert body["tool_results"][0]["call"] == {"name": "f", "parameters": {"a": 1}}


def test_a_record_that_counts_nothing_is_kept() -> None:
    meta = {"api_version": {"version": "1"}}
    answer = whole(text="Hi.", meta=meta)
    assert (answer.usage, answer.metadata) == (None, {"meta": meta})


def test_tokens_of_answers_that_count_them_elsewhere() -> None:
    counted = {"prompt_tokens": 1376, "response_tokens": 60}
    billed = {"billed_units": {"input_tokens": 23, "output_tokens": 60}}
    first, second = whole(text="", meta=billed, token_count=counted).usage, whole(text="", meta=billed).usage
    assert first is not None
    assert second is not None
    assert ((first.input_tokens, first.output_tokens), (second.input_tokens, second.output_tokens)) == (
        (1376, 60),
        (23, 60),
    )


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"message": {}}', b"[" * 100_000, b"\xff"])
def test_bytes_that_are_no_answer(body: bytes) -> None:
    result = decode_response(200, (), body)
    assert isinstance(result, Err)
    assert isinstance(result.error, ProviderResponseError)


def test_an_error() -> None:
    error = decode_error(404, (), b'{"id": "r1", "message": "model \'x\' was removed"}')
    assert isinstance(error, LLMModelNotFoundError)
    assert (error.message, error.request_id) == ("model 'x' was removed", "r1")


# Streams


@pytest.mark.parametrize("body", [LINES, SSE, LINES.replace(b"\n", b"\r\n"), SSE + b"data: [DONE]\n\n"])
def test_a_stream_in_either_framing(body: bytes) -> None:
    answer = completed(body)
    citation = {"start": 0, "end": 4, "text": "Good", "document_ids": ["d:1"]}
    assert answer.message.parts == (TextPart("Good day.", (citation,)),)
    assert (answer.id, answer.finish_reason, answer.raw_finish_reason) == ("g1", "stop", "COMPLETE")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (30, 40)
    assert answer.metadata == {"response_id": "r1", "documents": [{"id": "d:1", "text": "t"}]}


def test_calls_that_come_in_pieces_are_not_told_twice() -> None:
    answer = completed(TOOLS)
    assert answer.text == "I will look."
    assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == [
        ("call_0", "weather", {"city": "Oslo"}), ("call_1", "time", {}),
    ]  # fmt: skip
    assert answer.finish_reason == "tool_calls"


def test_what_had_not_come_in_pieces_is_in_the_end() -> None:
    calls = [{"name": "f", "parameters": {"a": 1}}]
    end = {"event_type": "stream-end", "finish_reason": "COMPLETE"}
    answer = completed(events(end | {"response": {"text": "Hi.", "tool_calls": calls, "citations": [{"start": 0}]}}))
    assert answer.message.parts[0] == TextPart("Hi.", ({"start": 0},))
    assert [call.arguments for call in answer.tool_calls] == [{"a": 1}]
    whole_calls = completed(events({"event_type": "tool-calls-generation", "text": "So.", "tool_calls": calls}, end))
    assert (whole_calls.text, whole_calls.tool_calls[0].name) == ("So.", "f")


@pytest.mark.parametrize("body", [LINES, SSE, TOOLS])
def test_every_split_gives_the_same(body: bytes) -> None:
    assert completed(*(body[place : place + 1] for place in range(len(body)))) == completed(body)


@pytest.mark.parametrize(
    ("word", "reason"), [("MAX_TOKENS", "length"), ("ERROR_LIMIT", "length"), ("ERROR_TOXIC", "content_filter")]
)
def test_reasons(word: str, reason: str) -> None:
    assert (
        completed(events({"event_type": "stream-end", "finish_reason": word, "response": {}})).finish_reason == reason
    )


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "broke off"),
        (events({"event_type": "text-generation", "text": "a"}), "broke off"),
        (events({"event_type": "stream-end", "finish_reason": "ERROR", "response": {}}), "'ERROR'"),
        (events({"id": "r", "message": "internal server error"}), "internal server error"),
        (b"{broken\n", "malformed"),
        (b"[1]\n", "malformed"),
        (b"[" * 100_000 + b"\n", "malformed"),
    ],
)
def test_a_stream_without_its_end_is_an_error(body: bytes, words: str) -> None:
    _, decoder = read(body)
    assert isinstance(decoder.error, StreamError)
    assert words in decoder.error.message


# Anything


KEYS = ["event_type", "text", "tool_call_delta", "index", "name", "parameters", "tool_calls", "response", "citations",
        "meta", "finish_reason", "is_finished", "generation_id", "message", "token_count", "tokens"]  # fmt: skip
WORDS = ["stream-start", "text-generation", "citation-generation", "tool-calls-chunk", "tool-calls-generation",
         "stream-end", "COMPLETE", "ERROR"]  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(WORDS) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.builds(
    lambda kind, rest: {"event_type": kind} | rest,
    st.sampled_from(WORDS[:6]),
    st.dictionaries(st.sampled_from(KEYS[1:]), ODD, max_size=4),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(SHAPED | ODD, max_size=5))
def test_any_json(odd: list[Any]) -> None:
    for value in odd:
        assert isinstance(decode_response(200, (), json.dumps(value).encode()), (Ok, Err))
    stream = b"".join(json.dumps(value).encode() + b"\n" for value in odd)
    together, apart = read(stream), read(*(bytes((byte,)) for byte in stream))
    assert together[0] == apart[0]
    assert str(together[1].error) == str(apart[1].error)
    assert together[1].done or isinstance(together[1].error, StreamError)
    Accumulator().add(together[0])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    assert isinstance(decode_response(200, (), body), (Ok, Err))
    _, decoder = read(body)
    assert decoder.done or isinstance(decoder.error, StreamError)
