"""The OpenAI completions protocol: one text in, its continuations out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    LLMError,
    LLMModelNotFoundError,
    ProviderResponseError,
    StreamError,
    UnsupportedParameterError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    ImagePart,
    ResponseFormat,
    StreamChunk,
    TextPart,
    Thinking,
    ToolDefinition,
    Usage,
)
from lambdallm.llm.wire.openai_completions import StreamDecoder, decode_error, decode_response, encode_request
from lambdallm.testing.conformance.report import check
from recorded import recordings

TELL = ChatMessage("user", "Once upon a time")


@pytest.mark.corpus
@recordings("*/completions")
def test_recorded_exchange(path: Path) -> None:
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


# Requests


def body_of(facts: dict[str, Any] | None = None, /, *messages: ChatMessage, **settings: Any) -> dict[str, Any]:
    encoded = encode_request(ChatRequest("m", messages or (TELL,), **settings), facts or {})
    body: dict[str, Any] = json.loads(encoded.body)
    return body


def test_the_smallest_request() -> None:
    assert body_of() == {"model": "m", "prompt": "Once upon a time"}


def test_every_setting() -> None:
    settings = {"temperature": 0.0, "top_p": 0.5, "seed": 1, "presence_penalty": 0.1, "frequency_penalty": 0.2, "n": 2}
    more = {"max_tokens": 5, "logprobs": 3, "user": "u"}
    extra = {"suffix": "The end.", "echo": True, "best_of": 3}
    body = body_of(**settings, **more, stop=("a",), stream=True, extra=extra)
    streamed = {"stream": True, "stream_options": {"include_usage": True}, "stop": ["a"]}
    assert body == {"model": "m", "prompt": "Once upon a time"} | settings | more | extra | streamed


def test_every_name_is_one_that_the_official_sdk_knows() -> None:
    from openai.types import completion_create_params as params

    body = body_of(max_tokens=5, logprobs=3, seed=1, n=2, user="u", stop=("a",), temperature=0.0, top_p=0.5)
    assert body.keys() <= params.CompletionCreateParamsBase.__annotations__.keys()


def test_what_a_provider_declares() -> None:
    assert "stream_options" not in body_of({"stream_usage": False}, stream=True)
    assert body_of({"supports": ["top_k"]}, top_k=40)["top_k"] == 40
    assert body_of({"param_names": {"seed": "random_seed"}}, seed=1)["random_seed"] == 1
    encoded = encode_request(ChatRequest("m", (TELL,), user="u"), {"ignored": ["user"]})
    assert encoded.warnings == ("'user' was left out: this provider ignores it",)


@pytest.mark.parametrize(
    ("settings", "param"),
    [
        ({"top_k": 40}, "top_k"),
        ({"tools": (ToolDefinition("f"),)}, "tools"),
        ({"thinking": Thinking()}, "thinking"),
        ({"response_format": ResponseFormat("json")}, "response_format"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
    ],
)
def test_what_the_protocol_does_not_have_is_an_error_that_names_it(settings: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        body_of(**settings)
    assert caught.value.param == param


@pytest.mark.parametrize(
    "messages",
    [
        (ChatMessage("system", "Be brief."), TELL),
        (TELL, ChatMessage("assistant", "there"), TELL),
        (ChatMessage("assistant", "there"),),
        (ChatMessage("user", (TextPart("a"), ImagePart(url="u"))),),
    ],
)
def test_a_conversation_is_no_prompt(messages: tuple[ChatMessage, ...]) -> None:
    with pytest.raises(UnsupportedParameterError, match="Send one user message") as caught:
        body_of({}, *messages)
    assert caught.value.param == "messages"


def test_prompts_of_other_kinds() -> None:
    assert body_of({}, ChatMessage("user", (TextPart("a"), TextPart("b"))))["prompt"] == "ab"
    encoded = encode_request(ChatRequest("m", (), extra={"prompt": ["a", "b"]}), {})
    assert json.loads(encoded.body)["prompt"] == ["a", "b"]


def test_what_stands_beside_a_text_is_left_out_with_a_warning() -> None:
    message = ChatMessage("user", (TextPart("a", metadata={"cache_control": {}}),))
    assert encode_request(ChatRequest("m", (message,)), {}).warnings == (
        "'cache_control' left out: a prompt is bare text",
    )


# Answers


def decoded(body: Any) -> Completion:
    result = decode_response(200, (), json.dumps(body).encode())
    assert isinstance(result, Ok), result
    return result.value


def refused(body: bytes) -> LLMError:
    result = decode_response(200, (), body)
    assert isinstance(result, Err)
    return result.error


def test_continuations_and_what_stands_beside_them() -> None:
    logprobs = {"tokens": [" there"], "token_logprobs": [-0.1]}
    choices = [
        {"index": 0, "text": " there", "finish_reason": "length", "logprobs": logprobs},
        {"index": 1, "text": " here", "finish_reason": "stop", "logprobs": None},
    ]
    native = {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6}
    completion = decoded({"id": "a", "model": "m", "object": "text_completion", "choices": choices, "usage": native})
    assert [(c.message.text, c.index, c.finish_reason) for c in completion.choices] == [
        (" there", 0, "length"),
        (" here", 1, "stop"),
    ]
    assert completion.choices[0].metadata == {"openai_completions": {"logprobs": logprobs}}
    assert (completion.id, completion.model, completion.usage) == ("a", "m", Usage(4, 2, native=native))


def test_errors() -> None:
    assert isinstance(refused(b'{"error": {"message": "No", "code": "model_not_found"}}'), LLMModelNotFoundError)
    assert decode_error(400, (), b'{"error": {"message": "No"}}').message == "No"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"choices": []}', b"[" * 99999])
def test_bytes_that_are_no_answer(body: bytes) -> None:
    assert isinstance(refused(body), ProviderResponseError)


# Streams


def event(*choices: dict[str, Any], **fields: Any) -> bytes:
    return b"data: " + json.dumps({"id": "a", "model": "m", "choices": choices} | fields).encode() + b"\n\n"


def piece(text: str, finish: str | None = None, **fields: Any) -> bytes:
    return event({"index": 0, "text": text, "finish_reason": finish} | fields)


DONE = b"data: [DONE]\n\n"
STREAM = (
    piece("Hel", logprobs={"tokens": ["Hel"]})
    + piece("lo", "stop", logprobs={"tokens": ["lo"]})
    + event(usage={"prompt_tokens": 1, "completion_tokens": 2})
    + DONE
)


def read(*pieces: bytes) -> tuple[list[StreamChunk], StreamDecoder]:
    decoder = StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    return chunks + decoder.close(), decoder


def added_up(*pieces: bytes) -> Completion:
    chunks, decoder = read(*pieces)
    assert decoder.error is None, decoder.error
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def test_a_stream() -> None:
    completion = added_up(STREAM)
    assert (completion.text, completion.finish_reason, completion.id, completion.model) == ("Hello", "stop", "a", "m")
    assert completion.usage is not None
    assert completion.usage.output_tokens == 2
    assert completion.choices[0].metadata == {"openai_completions": {"logprobs": {"tokens": ["Hel", "lo"]}}}


def test_where_the_bytes_are_split_changes_nothing() -> None:
    assert read(*(STREAM[i : i + 1] for i in range(len(STREAM))))[0] == read(STREAM)[0]


def test_several_choices_in_one_stream() -> None:
    pieces = [event({"index": n, "text": f"{n}", "finish_reason": "stop"}) for n in (0, 1)]
    assert [choice.message.text for choice in added_up(*pieces).choices] == ["0", "1"]


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (b"", "broke off"),
        (DONE, "without a finish reason"),
        (b"data: {\n\n", "malformed"),
        (b"data: 7\n\n", "malformed"),
        (b"data: " + b"[" * 99999 + b"\n\n", "malformed"),
        (b'data: {"error": {"message": "Boom"}}\n\n', "Boom"),
        (b'event: error\ndata: {"message": "Boom"}\n\n', "Boom"),
        (event({"index": 0, "text": "", "error": {"message": "Boom"}}), "Boom"),
    ],
)
def test_a_stream_that_ends_badly(last: bytes, message: str) -> None:
    chunks, decoder = read(piece("Hel"), piece("lo"), last)
    assert "".join(chunk.delta for chunk in chunks) == "Hello"
    assert isinstance(decoder.error, StreamError)
    assert message in decoder.error.message
    assert not decoder.done


@pytest.mark.parametrize("stream", [b"", DONE, event(), event() + DONE])
def test_a_stream_without_an_answer(stream: bytes) -> None:
    assert isinstance(read(stream)[1].error, StreamError)


KEYS = ("choices", "text", "index", "finish_reason", "logprobs", "error", "usage", "id", "model", "message")
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=15,
)


@given(
    st.lists(st.fixed_dictionaries({"choices": st.lists(ANY, max_size=3)}, optional={"usage": ANY}) | ANY, max_size=4)
)
def test_any_json(odd: list[Any]) -> None:
    for body in odd:
        assert isinstance(decode_response(200, (), json.dumps(body).encode()), (Ok, Err))
    chunks, decoder = read(*(b"data: " + json.dumps(body).encode() + b"\n\n" for body in odd), piece("a", "stop"), DONE)
    assert decoder.done or decoder.error is not None
    Accumulator().add(chunks)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    assert isinstance(decode_response(200, (), body), (Ok, Err))
    chunks, decoder = read(body)
    assert decoder.done or decoder.error is not None
    Accumulator().add(chunks)
