"""Answers of Ollama: given bytes, expect a completion, chunks, or a typed error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    InvalidRequestError,
    LLMAuthenticationError,
    LLMError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    ProviderResponseError,
    ProviderServerError,
    StreamError,
    TokenLimitError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import Completion, ReasoningPart, StreamChunk, TextPart, ToolCall
from lambdallm.llm.wire import ollama_chat, ollama_generate

FIXTURES = Path(__file__).parents[2] / "fixtures" / "ollama"
CHAT, GENERATE = (FIXTURES / "chat.ndjson").read_bytes(), (FIXTURES / "generate.ndjson").read_bytes()
CODECS: dict[str, Any] = {"chat": ollama_chat, "generate": ollama_generate}


def read(*pieces: bytes, codec: Any = ollama_chat) -> tuple[list[StreamChunk], Any]:
    decoder = codec.StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    return chunks + decoder.close(), decoder


def completed(*pieces: bytes, codec: Any = ollama_chat) -> Completion:
    chunks, decoder = read(*pieces, codec=codec)
    assert decoder.error is None
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def whole(answer: Any, codec: Any = ollama_chat) -> Completion:
    result = codec.decode_response(200, (), json.dumps(answer).encode())
    assert isinstance(result, Ok)
    return result.value


def failure(status: int, body: bytes, *headers: tuple[str, str]) -> LLMError:
    return ollama_chat.decode_error(status, headers, body)


def line(**fields: Any) -> bytes:
    return json.dumps({"model": "m", "done": False} | fields).encode() + b"\n"


def said(**message: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": ""} | message}


# Whole answers


def test_a_whole_answer() -> None:
    answer = whole(
        {
            "model": "qwen3", "created_at": "2026-01-01", "done": True,
            "message": {"role": "assistant", "content": "4", "thinking": "2+2"},
            "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 2, "total_duration": 99,
        }
    )  # fmt: skip
    assert answer.message.parts == (ReasoningPart("2+2"), TextPart("4"))
    assert (answer.finish_reason, answer.raw_finish_reason, answer.model) == ("stop", "stop", "qwen3")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (7, 2)
    assert answer.usage.native == {"prompt_eval_count": 7, "eval_count": 2, "total_duration": 99}
    assert answer.metadata == {"created_at": "2026-01-01"}


def test_calls_without_ids_get_some_and_are_the_reason_it_ended() -> None:
    calls = [
        {"function": {"name": "f", "arguments": {"a": 1}}},
        {"id": "x", "function": {"name": "g", "arguments": {}}},
    ]
    answer = whole(said(tool_calls=calls) | {"done": True, "done_reason": "stop"})
    assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == [
        ("call_0", "f", {"a": 1}),
        ("x", "g", {}),
    ]
    assert (answer.finish_reason, answer.raw_finish_reason) == ("tool_calls", "stop")


@pytest.mark.parametrize(
    ("word", "reason"), [("stop", "stop"), ("length", "length"), ("load", "other"), (None, "stop"), (5, "stop")]
)
def test_reasons(word: Any, reason: str) -> None:
    answer = whole(said(content="a") | {"done": True, "done_reason": word})
    assert answer.finish_reason == reason


def test_an_answer_that_was_not_counted_has_no_usage() -> None:
    assert whole(said(content="a") | {"done": True}).usage is None


def test_what_is_not_modelled_is_kept() -> None:
    answer = whole(
        said(content="a", images=["YQ=="]) | {"done": True, "remote_model": "gpt-oss", "logprobs": [{"token": "a"}]}
    )
    assert answer.message.metadata == {"ollama": {"images": ["YQ=="]}}
    assert answer.metadata == {"remote_model": "gpt-oss", "logprobs": [{"token": "a"}]}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'"a"', b'{"message": 5}', b"<html>", b"[" * 100_000, b"\xff"])
def test_bytes_that_are_no_answer(body: bytes) -> None:
    for codec in CODECS.values():
        result = codec.decode_response(200, (), body)
        assert isinstance(result, Err)
        assert isinstance(result.error, ProviderResponseError)


def test_an_error_in_place_of_an_answer() -> None:
    result = ollama_chat.decode_response(200, (), b'{"error": "the model failed"}')
    assert isinstance(result, Err)
    assert result.error.message == "the model failed"


def test_a_generated_answer() -> None:
    answer = whole(
        {"model": "m", "response": "hi", "thinking": "hm", "done": True, "context": [1, 2], "eval_count": 3},
        ollama_generate,
    )
    assert (answer.text, answer.thinking, answer.metadata) == ("hi", "hm", {"context": [1, 2]})


# Streams


def test_a_stream() -> None:
    answer = completed(CHAT)
    assert (answer.thinking, answer.text) == ("Weather? I need the tool.", "I will look. ☀")
    assert [(call.id, call.name, call.arguments) for call in answer.tool_calls] == [
        ("call_x1", "weather", {"city": "Zürich"}), ("call_1", "time", {}),
    ]  # fmt: skip
    assert (answer.finish_reason, answer.raw_finish_reason, answer.model) == ("tool_calls", "stop", "qwen3:4b")
    assert answer.usage is not None
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (21, 34)


def test_a_generated_stream() -> None:
    answer = completed(GENERATE, codec=ollama_generate)
    assert (answer.text, answer.finish_reason, answer.model) == ("Good day.", "length", "llama3")
    assert answer.metadata["context"] == [1, 2, 3]


def test_each_line_is_told_when_it_is_there() -> None:
    decoder = ollama_chat.StreamDecoder()
    assert decoder.feed(line(**said(content="a"))[:-1]) == []
    assert [chunk.delta for chunk in decoder.feed(b"\n") if chunk.delta] == ["a"]


@pytest.mark.parametrize("name", CODECS)
def test_every_split_gives_the_same(name: str) -> None:
    body = CHAT if name == "chat" else GENERATE
    apart = [body[place : place + 1] for place in range(len(body))]
    assert completed(*apart, codec=CODECS[name]) == completed(body, codec=CODECS[name])


def test_the_end_may_come_without_a_line_end() -> None:
    assert completed(CHAT.rstrip()) == completed(CHAT)


def test_logprobs_of_a_stream_are_put_together() -> None:
    first, second = (
        line(**said(content="a"), logprobs=[{"token": "a"}]),
        line(**said(), logprobs=[{"token": "b"}], done=True),
    )
    assert completed(first, second).metadata["logprobs"] == [{"token": "a"}, {"token": "b"}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "broke off"),
        (line(**said(content="a")), "broke off"),
        (line(**said(content="a")) + b'{"model": "m", "mess', "malformed"),
        (b"data: {}\n", "malformed"),
        (b"[1]\n", "malformed"),
        (b"[" * 100_000 + b"\n", "malformed"),
        (b"\xff\xfe\xfd\n", "malformed"),
    ],
)
def test_a_stream_without_its_end_is_an_error(body: bytes, words: str) -> None:
    chunks, decoder = read(body)
    assert isinstance(decoder.error, StreamError)
    assert words in decoder.error.message
    assert not decoder.done
    assert "".join(chunk.delta for chunk in chunks) in ("", "a")


def test_an_error_in_the_middle() -> None:
    chunks, decoder = read(
        line(**said(content="a")), b'{"error":"an error was encountered while running the model"}\n', CHAT
    )
    assert isinstance(decoder.error, StreamError)
    assert decoder.error.message == "an error was encountered while running the model"
    assert "".join(chunk.delta for chunk in chunks) == "a"


def test_nothing_comes_after_the_end() -> None:
    assert completed(CHAT, CHAT, b"garbage") == completed(CHAT)


# Errors


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (400, '"llama3" does not support tools', InvalidRequestError),
        (400, "the input length exceeds the context length", TokenLimitError),
        (401, "unauthorized", LLMAuthenticationError),
        (404, "model 'x' not found", LLMModelNotFoundError),
        (429, "you have reached your hourly usage limit", LLMRateLimitError),
        (500, "llama runner process has terminated", ProviderServerError),
        (503, "server busy, please try again.  maximum pending requests exceeded", ProviderServerError),
    ],
)
def test_errors(status: int, said: str, kind: type[LLMError]) -> None:
    error = failure(status, json.dumps({"error": said}).encode())
    assert type(error) is kind
    assert (error.status, error.message, error.type) == (status, said, None)


@pytest.mark.parametrize("said", ["model 'qwen3:4b' not found", 'model "qwen3:4b" not found, try pulling it first'])
def test_a_missing_model_says_how_to_get_it(said: str) -> None:
    assert failure(404, json.dumps({"error": said}).encode()).fix == "Run: ollama pull qwen3:4b."


def test_a_wrong_address_is_no_missing_model() -> None:
    assert "endpoint" in failure(404, b"404 page not found").fix


# Anything


KEYS = ["message", "content", "thinking", "tool_calls", "function", "name", "arguments", "done", "done_reason", "error",
        "eval_count", "logprobs", "model", "response", "id", "images"]  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.just({"name": "f", "arguments": {}}),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def same(first: Any, second: Any) -> bool:
    return (type(first), str(first)) == (type(second), str(second))


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=150, deadline=None)
@given(odd=st.lists(ODD, max_size=3))
def test_any_json(name: str, odd: list[Any]) -> None:
    codec = CODECS[name]
    for value in odd:
        body = json.dumps(value).encode()
        assert isinstance(codec.decode_response(200, (), body), (Ok, Err))
        assert isinstance(codec.decode_error(500, (), body), LLMError)
    stream = b"".join(json.dumps(value).encode() + b"\n" for value in odd)
    together, apart = read(stream, codec=codec), read(*(bytes((byte,)) for byte in stream), codec=codec)
    assert together[0] == apart[0]
    assert same(together[1].error, apart[1].error)
    assert together[1].done or isinstance(together[1].error, StreamError)
    Accumulator().add(together[0])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    assert isinstance(ollama_chat.decode_response(200, (), body), (Ok, Err))
    assert isinstance(failure(400, body), LLMError)
    _, decoder = read(body)
    assert decoder.done or isinstance(decoder.error, StreamError)


@settings(deadline=None)
@given(st.data())
def test_a_damaged_stream(data: st.DataObject) -> None:
    stream = bytearray(CHAT)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(stream) - 1))
        stream[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    chunks, decoder = read(bytes(stream))
    assert decoder.done or isinstance(decoder.error, StreamError)
    Accumulator().add(chunks)


def test_arguments_that_are_text_are_read_as_json() -> None:
    call = {"function": {"name": "f", "arguments": '{"a": 1}'}}
    (decoded,) = whole(said(tool_calls=[call]) | {"done": True}).tool_calls
    assert decoded == ToolCall("call_0", "f", {"a": 1}, '{"a": 1}', {"ollama": {"form": {"made_id": True}}})
