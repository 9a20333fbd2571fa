"""The OpenAI chat protocol as its providers speak it: given bytes, expect values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    ProviderResponseError,
    ProviderServerError,
    StreamError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    Completion,
    ProviderPart,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from lambdallm.llm.wire.openai_chat import StreamDecoder, decode_error, decode_response

FIXTURES = Path(__file__).parents[2] / "fixtures" / "openai_chat"


def answer(**message: Any) -> dict[str, Any]:
    return {"id": "a", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def decoded(body: Any) -> Completion:
    result = decode_response(200, (), json.dumps(body).encode())
    assert isinstance(result, Ok), result
    return result.value


def refused(body: bytes) -> LLMError:
    result = decode_response(200, (), body)
    assert isinstance(result, Err)
    return result.error


# Whole answers


def test_text_and_usage() -> None:
    usage = {
        "prompt_tokens": 10, "completion_tokens": 7, "total_tokens": 17,
        "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    completion = decoded(answer(content="Hi.") | {"usage": usage, "system_fingerprint": "fp"})
    assert (completion.text, completion.id, completion.model) == ("Hi.", "a", "m")
    assert (completion.finish_reason, completion.raw_finish_reason) == ("stop", "stop")
    assert completion.usage == Usage(10, 7, 6, 2, 3, usage)
    assert completion.metadata == {"system_fingerprint": "fp"}


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 2, "prompt_cache_hit_tokens": 8}, Usage(10, 2, 8)),
        ({"prompt_tokens": 10, "completion_tokens": 2, "num_cached_tokens": 8}, Usage(10, 2, 8)),
        (
            {
                "prompt_tokens": 10,
                "completion_tokens": 2,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
            Usage(10, 7, 0, 0, 5),
        ),
        ({"prompt_tokens": None, "completion_tokens": "2", "total_tokens": -1}, Usage()),
        ({"prompt_tokens": 1e999, "completion_tokens": 2.0}, Usage(0, 2)),
    ],
)
def test_usage_in_the_providers_words(usage: dict[str, Any], expected: Usage) -> None:
    read = decoded(answer(content="") | {"usage": usage}).usage
    assert read == expected.replace(native=usage)


def test_no_usage_is_none_and_not_zero() -> None:
    assert decoded(answer(content="Hi.")).usage is None
    assert decoded(answer(content="Hi.") | {"usage": {}}).usage is None


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning", "reasoning_text"])
def test_reasoning_under_its_three_names(field: str) -> None:
    completion = decoded(answer(content="4", **{field: "2 + 2"}))
    assert (completion.thinking, completion.text) == ("2 + 2", "4")


def test_mistral_thinks_among_its_content() -> None:
    content = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}], "closed": True},
        {"type": "text", "text": "4"},
        {"type": "reference", "reference_ids": [1]},
    ]
    completion = decoded(answer(content=content))
    assert (completion.thinking, completion.text) == ("2 + 2", "4")
    assert completion.message.parts[2] == ProviderPart("reference", {"reference_ids": [1]}, "openai_chat")


def test_encrypted_reasoning_is_kept_without_text() -> None:
    details = [{"type": "reasoning.encrypted", "data": "gAAA", "index": 0}]
    completion = decoded(answer(content="4", reasoning=None, reasoning_details=details))
    assert completion.thinking is None
    assert completion.message.parts[0] == ReasoningPart(metadata={"openai_chat": {"reasoning_details": details}})


def test_tool_calls_keep_their_text() -> None:
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":  1}'}}]
    assert decoded(answer(content=None, tool_calls=calls)).tool_calls == (ToolCall("a", "f", {"x": 1}, '{"x":  1}'),)


@pytest.mark.parametrize(
    ("arguments", "value", "text"),
    [('{"x": ', None, '{"x": '), ("", {}, ""), ({"x": 1}, {"x": 1}, None), (None, {}, None)],
)
def test_arguments_in_other_forms(arguments: Any, value: Any, text: str | None) -> None:
    (call,) = decoded(answer(tool_calls=[{"id": "a", "function": {"name": "f", "arguments": arguments}}])).tool_calls
    assert (call.arguments, call.arguments_json) == (value, text)


def test_calls_without_ids_get_some_to_answer_to() -> None:
    calls = [{"function": {"name": "f", "arguments": "{}"}}, {"id": "", "function": {"name": "g", "arguments": "{}"}}]
    assert [call.id for call in decoded(answer(tool_calls=calls)).tool_calls] == ["call_0", "call_1"]


def test_thought_signatures_of_calls_are_kept() -> None:
    extra = {"google": {"thought_signature": "s"}}
    calls = [{"id": "a", "function": {"name": "f", "arguments": "{}"}, "extra_content": extra}]
    (call,) = decoded(answer(tool_calls=calls)).tool_calls
    assert call.metadata == {"openai_chat": {"extra_content": extra}}


def test_a_legacy_function_call_is_a_tool_call() -> None:
    completion = decoded(answer(function_call={"name": "f", "arguments": "{}"}))
    assert [(call.name, call.arguments) for call in completion.tool_calls] == [("f", {})]


def test_refusal_and_citations() -> None:
    note = {"type": "url_citation", "url_citation": {"url": "u"}}
    completion = decoded(answer(content="See u.", annotations=[note], refusal="No."))
    assert completion.message.parts[0] == TextPart("See u.", (note,))
    assert completion.refusal == "No."


def test_an_object_as_content_is_its_json() -> None:
    assert json.loads(decoded(answer(content={"name": "Ada"})).text) == {"name": "Ada"}


def test_a_choice_without_message() -> None:
    completion = decoded({"choices": [{"finish_reason": "content_filter", "content_filter_results": {"hate": {}}}]})
    assert (completion.text, completion.finish_reason) == ("", "content_filter")
    assert completion.choices[0].metadata == {"openai_chat": {"content_filter_results": {"hate": {}}}}


def test_several_choices() -> None:
    body = {"choices": [{"index": n, "message": {"content": str(n)}, "finish_reason": "eos"} for n in range(2)]}
    assert [(c.message.text, c.index, c.finish_reason) for c in decoded(body).choices] == [
        ("0", 0, "stop"),
        ("1", 1, "stop"),
    ]


def test_an_error_inside_a_success() -> None:
    error = refused(b'{"error": {"message": "filtered", "code": "content_filter", "status": 400}}')
    assert isinstance(error, LLMContentFilterError)
    assert error.code == "content_filter"


def test_an_answer_that_is_an_error() -> None:
    error = refused(b'{"object": "error", "message": "No such model", "type": "NotFoundError", "code": 404}')
    assert isinstance(error, LLMModelNotFoundError)
    assert (error.message, error.type) == ("No such model", "NotFoundError")


def test_an_error_inside_a_choice_keeps_what_had_come() -> None:
    choice = {"message": {"content": "Hel"}, "finish_reason": "error", "error": {"code": 502, "message": "gone"}}
    error = refused(json.dumps({"choices": [choice]}).encode())
    assert isinstance(error, ProviderServerError)
    assert error.partial is not None
    assert error.partial.text == "Hel"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"{}", b'{"choices": "none"}', b'{"choices": []}', b"[" * 99999]
)
def test_bytes_that_are_no_answer(body: bytes) -> None:
    assert isinstance(refused(body), ProviderResponseError)


# Errors


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (401, b'{"error": {"message": "Bad key", "type": "invalid_request_error"}}', LLMAuthenticationError, "Bad key"),
        (404, b'{"error": {"message": "No model", "code": "model_not_found"}}', LLMModelNotFoundError, "No model"),
        (500, b'{"error": "Template error"}', ProviderServerError, "Template error"),
        (429, b'{"message": "Slow down", "request_id": "r"}', LLMRateLimitError, "Slow down"),
        (401, b'{"detail": "Invalid API Key"}', LLMAuthenticationError, "Invalid API Key"),
        (500, b'{"detail": [{"msg": "x"}]}', ProviderServerError, '[{"msg": "x"}]'),
        (503, b'[{"error": {"message": "Overloaded", "status": "UNAVAILABLE"}}]', ProviderServerError, "Overloaded"),
        (401, b'{"success": false, "errors": [{"code": 1, "message": "No"}]}', LLMAuthenticationError, "No"),
        (502, b"<html><head><title>502 Bad Gateway</title></head></html>", ProviderServerError, "502 Bad Gateway"),
        (503, b"upstream is away", ProviderServerError, "upstream is away"),
        (500, b"", ProviderServerError, "The provider answered HTTP 500 without saying why."),
        (500, b"\xff\xfe", ProviderServerError, "\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_errors_in_every_shape(status: int, body: bytes, kind: type[LLMError], message: str) -> None:
    error = decode_error(status, (), body)
    assert type(error) is kind
    assert (error.message, error.status) == (message, status)


def test_an_error_carries_what_support_and_retry_need() -> None:
    error = decode_error(429, (("x-request-id", "r"), ("retry-after", "3")), b"{}")
    assert (error.request_id, error.retry_after, error.retryable) == ("r", 3.0, True)


def test_limit_headers_count_for_429_only() -> None:
    headers = (("x-ratelimit-reset-tokens", "1m30s"),)
    assert decode_error(429, headers, b"").retry_after == 90.0
    assert decode_error(500, headers, b"").retry_after is None


# Streams


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


def event(*choices: dict[str, Any], **fields: Any) -> bytes:
    return b"data: " + json.dumps({"id": "a", "choices": choices} | fields).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: Any) -> bytes:
    return event({"index": 0, "delta": fields, "finish_reason": finish})


DONE = b"data: [DONE]\n\n"


def test_a_stream_of_text_chunk_by_chunk() -> None:
    chunks, decoder = read((FIXTURES / "text.sse").read_bytes())
    usage = Usage(9, 2, 4, native={
        "prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "prompt_tokens_details": {"cached_tokens": 4},
    })  # fmt: skip
    assert chunks == [
        StreamChunk(metadata={"id": "c-1", "model": "m-1", "created": 1, "system_fingerprint": "fp"}),
        StreamChunk("Hel"),
        StreamChunk("lo."),
        StreamChunk(finish_reason="stop", raw_finish_reason="stop"),
        StreamChunk(usage=usage),
    ]
    assert (decoder.done, decoder.error) == (True, None)


def test_a_stream_of_thinking_and_calls() -> None:
    completion = added_up((FIXTURES / "tools.sse").read_bytes())
    assert completion.thinking == "Two calls."
    assert [(c.id, c.name, c.arguments_json) for c in completion.tool_calls] == [
        ("a", "weather", '{"city": "Bern"}'),
        ("b", "time", "{}"),
    ]
    assert completion.finish_reason == "tool_calls"
    assert completion.usage is not None
    assert completion.usage.reasoning_tokens == 5


@pytest.mark.parametrize("name", ["text.sse", "tools.sse"])
def test_where_the_bytes_are_split_changes_nothing(name: str) -> None:
    stream = (FIXTURES / name).read_bytes()
    assert read(*(stream[i : i + 1] for i in range(len(stream))))[0] == read(stream)[0]


def calls_of(*deltas: list[dict[str, Any]]) -> list[tuple[str, str, str | None]]:
    completion = added_up(*(delta(tool_calls=calls) for calls in deltas), delta("tool_calls"), DONE)
    return [(call.id, call.name, call.arguments_json) for call in completion.tool_calls]


def call(name: str | None = None, arguments: Any = "", **fields: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return fields | {"function": function}


def test_calls_without_index() -> None:
    assert calls_of([call("f", "{}", id="a")], [call("g", "", id="b")], [call(arguments='{"x":1}')]) == [
        ("a", "f", "{}"),
        ("b", "g", '{"x":1}'),
    ]


def test_calls_all_at_index_zero() -> None:
    assert calls_of([call("f", "{}", id="a", index=0)], [call("g", "{}", id="b", index=0)]) == [
        ("a", "f", "{}"),
        ("b", "g", "{}"),
    ]


def test_a_name_that_comes_after_the_id() -> None:
    first = {"index": 0, "id": "a", "type": "function"}
    assert calls_of([first], [call("f", "", index=0)], [call(arguments="{}", index=0)]) == [("a", "f", "{}")]


def test_calls_without_ids() -> None:
    assert calls_of([call("f", "{}", index=0), call("f", "{}", index=0)], [call("g", "{}")]) == [
        ("call_0", "f", "{}"),
        ("call_1", "f", "{}"),
        ("call_2", "g", "{}"),
    ]


def test_id_and_name_repeated_with_every_piece() -> None:
    assert calls_of([call("f", '{"x"', id="a", index=0)], [call("f", ":1}", id="a", index=0)]) == [
        ("a", "f", '{"x":1}')
    ]


def test_empty_ids_after_the_first_piece() -> None:
    assert calls_of([call("f", "{", id="a", index=0)], [call(None, "}", id="", index=0)]) == [("a", "f", "{}")]


def test_pieces_of_two_calls_interleaved() -> None:
    assert calls_of(
        [call("f", "{", id="a", index=0), call("g", "[", id="b", index=1)],
        [call(None, "]", index=1), call(None, "}", index=0)],
    ) == [("a", "f", "{}"), ("b", "g", "[]")]


def test_arguments_as_an_object() -> None:
    assert calls_of([call("f", {"x": 1}, id="a")]) == [("a", "f", '{"x": 1}')]


def test_the_numbers_of_calls_are_told_with_their_pieces() -> None:
    chunks, _ = read(delta(tool_calls=[call("f", "{", id="a", index=3)]), delta(tool_calls=[call(None, "}", index=3)]))
    pieces = [piece for chunk in chunks for piece in chunk.tool_calls]
    assert pieces == [ToolCallDelta(0, "a", "f", "{"), ToolCallDelta(0, None, None, "}")]


def test_reasoning_details_are_joined_and_kept() -> None:
    def details(**fields: Any) -> bytes:
        return delta(reasoning=fields.get("text"), reasoning_details=[{"type": "reasoning.text", "index": 0} | fields])

    completion = added_up(details(text="2 + "), details(text="2"), details(signature="s"), delta("stop"), DONE)
    part = completion.message.parts[0]
    assert isinstance(part, ReasoningPart)
    assert part.text == "2 + 2"
    joined = {"type": "reasoning.text", "index": 0, "text": "2 + 2", "signature": "s"}
    assert part.metadata == {"openai_chat": {"reasoning_details": [joined], "form": {"field": "reasoning"}}}


def test_log_probabilities_are_gathered_on_the_choice() -> None:
    def piece(text: str) -> bytes:
        return event({"index": 0, "delta": {"content": text}, "logprobs": {"content": [{"token": text}]}})

    completion = added_up(delta(content=""), piece("a"), piece("b"), delta("stop"), DONE)
    logprobs = {"content": [{"token": "a"}, {"token": "b"}]}
    assert completion.choices[0].metadata == {"openai_chat": {"logprobs": logprobs}}


def test_what_goes_back_is_the_messages_and_what_does_not_is_the_choices() -> None:
    def message(**fields: Any) -> dict[str, Any]:
        return {"openai_chat": fields}

    audio = {"id": "a", "data": "YQ==", "transcript": "Hi"}
    whole = decoded(answer(content="Hi", audio=audio, thought_signature="s", tool_plan="p")).choices[0]
    streamed = added_up(delta(content="Hi", audio=audio, thought_signature="s", tool_plan="p"), delta("stop"), DONE)
    for choice in (whole, streamed.choices[0]):
        assert choice.message.metadata == message(thought_signature="s", audio={"id": "a"})
        assert choice.metadata == message(message={"audio": audio, "tool_plan": "p"})


def test_notes_of_a_call_gather_over_its_pieces() -> None:
    first, last = call("f", "{", id="", index=0), call(None, "}", index=0, extra_content={"google": {}})
    (joined,) = added_up(delta(tool_calls=[first]), delta(tool_calls=[last]), delta("tool_calls"), DONE).tool_calls
    assert joined.metadata == {"openai_chat": {"extra_content": {"google": {}}, "form": {"sent_id": ""}}}


def test_several_choices_in_one_stream() -> None:
    stream = [event({"index": n, "delta": {"content": f"{n}"}, "finish_reason": None}) for n in (0, 1, 0, 1)]
    ends = [event({"index": n, "delta": {}, "finish_reason": "stop"}) for n in (0, 1)]
    assert [choice.message.text for choice in added_up(*stream, *ends).choices] == ["00", "11"]


def test_a_new_field_in_a_plain_chunk_is_not_overlooked() -> None:
    """Plain chunks take a short way; one with something new must not."""
    completion = added_up(
        delta(content="a"), delta(content="b"),
        event({"index": 0, "delta": {"content": "c"}, "finish_reason": None}, service_tier="flex"),
        event({"index": 0, "delta": {"content": "d"}, "finish_reason": None, "stop_reason": 7}),
        event({"index": 0, "delta": {"content": "e"}, "finish_reason": None}, usage={"prompt_tokens": 1}),
        delta("stop"), DONE,
    )  # fmt: skip
    assert completion.text == "abcde"
    assert completion.metadata == {"service_tier": "flex"}
    assert completion.choices[0].metadata == {"openai_chat": {"stop_reason": 7}}
    assert completion.usage is not None


def test_usage_that_grows_with_the_stream() -> None:
    usages = [{"prompt_tokens": 5, "completion_tokens": n} for n in (1, 2)]
    pieces = [event({"index": 0, "delta": {"content": "x"}}, usage=usage) for usage in usages]
    usage = added_up(*pieces, delta("stop"), DONE).usage
    assert usage is not None
    assert usage.output_tokens == 2


def test_a_finish_reason_is_end_enough() -> None:
    assert added_up(delta(content="a"), delta("stop")).text == "a"


def test_what_follows_the_end_is_not_read() -> None:
    chunks, decoder = read(delta("stop", content="a"), DONE, delta(content="b"))
    assert "".join(chunk.delta for chunk in chunks) == "a"
    assert decoder.done


@pytest.mark.parametrize(
    ("last", "message"),
    [
        (b"", "broke off"),
        (b"data: {\n\n", "malformed"),
        (b"data: \xff\n\n", "malformed"),
        (b"data: 7\n\n", "malformed"),
        (b"data: []\n\n", "malformed"),
        (b'data: {"choices": "none"}\n\n', "malformed"),
        (b"data: " + b"[" * 99999 + b"\n\n", "malformed"),
        (b'data: {"error": {"message": "Boom"}}\n\n', "Boom"),
        (b'event: error\ndata: {"message": "Boom"}\n\n', "Boom"),
        (b'data: {"error": "Boom"}\n\n', "Boom"),
        (delta("error"), "finish reason 'error'"),
        (event({"index": 0, "delta": {}, "finish_reason": "error", "error": {"message": "Boom"}}), "Boom"),
    ],
)
def test_a_stream_that_ends_badly(last: bytes, message: str) -> None:
    chunks, decoder = read(delta(content="Hel"), delta(content="lo"), last)
    assert "".join(chunk.delta for chunk in chunks) == "Hello"
    assert isinstance(decoder.error, StreamError)
    assert message in decoder.error.message
    assert not decoder.done


def test_what_broke_may_be_told_after_the_finish_reason() -> None:
    chunks, decoder = read(
        delta(content="Hel"), delta("error"), b'data: {"error": {"message": "Boom", "code": 502}}\n\n'
    )
    assert "".join(chunk.delta for chunk in chunks) == "Hel"
    assert decoder.error is not None
    assert (decoder.error.message, decoder.error.code) == ("Boom", 502)


@pytest.mark.parametrize("rest", [b"data: {", b'data: {"id": "a", "choi', b"dat", b": a comment"])
def test_a_stream_cut_inside_an_event_broke_off(rest: bytes) -> None:
    chunks, decoder = read(delta(content="Hel"), delta(content="lo"), rest)
    assert "".join(chunk.delta for chunk in chunks) == "Hello"
    assert decoder.error is not None
    assert "broke off" in decoder.error.message


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": {"message": "No", "code": 429}}',
        b'{\n  "error": {\n    "message": "No", "code": 429\n  }\n}\n',
        b'[{"error": {"message": "No", "code": 429}}]',
        b'data: {"object": "error", "message": "No", "code": 429}\n\n',
    ],
)
def test_an_error_that_is_no_event_of_the_protocol(body: bytes) -> None:
    """A provider may answer a request for a stream with plain JSON, and servers write errors in their own way."""
    error = read(body)[1].error
    assert error is not None
    assert (error.message, error.code, error.retryable) == ("No", 429, True)


def test_an_error_event_says_whether_to_try_again() -> None:
    def ended_by(**error: Any) -> LLMError:
        decoder = read(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")[1]
        assert decoder.error is not None
        return decoder.error

    refused = ended_by(type="invalid_request_error", code="tool_use_failed", message="No such tool")
    assert (refused.type, refused.code, refused.retryable) == ("invalid_request_error", "tool_use_failed", False)
    assert ended_by(code=429, message="Slow down").retryable
    assert ended_by(code=502, message="Bad gateway").retryable


@pytest.mark.parametrize("stream", [b"", DONE, b": only\n\n: comments\n\n", event(), event() + DONE])
def test_a_stream_without_an_answer(stream: bytes) -> None:
    assert isinstance(read(stream)[1].error, StreamError)


def test_the_end_mark_without_a_finish_reason_is_no_end() -> None:
    chunks, decoder = read(delta(content="Hel"), delta(content="lo"), DONE)
    assert "".join(chunk.delta for chunk in chunks) == "Hello"
    assert isinstance(decoder.error, StreamError)
    assert "without a finish reason" in decoder.error.message


def test_events_without_choices_may_come_anywhere() -> None:
    filters = event(prompt_filter_results=[])
    usage = event(usage={"prompt_tokens": 1, "completion_tokens": 2})
    completion = added_up(filters, delta(content="a"), filters, delta("stop"), usage, DONE)
    assert completion.text == "a"
    assert completion.usage is not None
    assert completion.usage.output_tokens == 2


# Anything at all


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
KEYS = (
    "choices", "delta", "message", "content", "tool_calls", "function", "index", "id", "name", "arguments", "error",
    "usage", "finish_reason", "logprobs", "reasoning", "reasoning_details", "x_groq", "annotations", "refusal", "text",
    "prompt_tokens", "total_tokens", "completion_tokens_details", "function_call", "code", "status", "model",
    "thinking", "type", "audio", "custom", "extra_content",
)  # fmt: skip
ODD_JSON = st.recursive(
    JUNK,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
SHAPED = st.fixed_dictionaries(
    {"choices": st.lists(st.dictionaries(st.sampled_from(KEYS), ODD_JSON, max_size=6), max_size=3)},
    optional=dict.fromkeys(("error", "usage", "x_groq", "id", "model"), ODD_JSON),
)


def survives(body: bytes) -> None:
    """Neither decoder raises, and what they give can be read."""
    whole = decode_response(200, (), body)
    assert isinstance(whole, (Ok, Err))
    if isinstance(whole, Ok):
        assert isinstance(whole.value.text, str)
        assert whole.value.thinking is None or isinstance(whole.value.thinking, str)
    assert isinstance(str(decode_error(500, (), body)), str)


@pytest.mark.parametrize("depth", [50, 300, 600, 900, 980, 990, 2000])
@pytest.mark.parametrize("place", ["delta", "choice", "event", "content", "error", "usage", "arguments"])
def test_deep_nesting(place: str, depth: int) -> None:
    """JSON that the parser still takes must not be too deep for what comes after it."""
    deep = b'{"x":' * depth + b"1" + b"}" * depth
    shapes = {
        "delta": b'{"choices":[{"delta":{"new":%b}}]}',
        "choice": b'{"choices":[{"delta":{},"new":%b}]}',
        "event": b'{"choices":[{"delta":{}}],"new":%b}',
        "content": b'{"choices":[{"delta":{"content":%b},"message":{"content":%b}}]}',
        "error": b'{"error":%b}',
        "usage": b'{"choices":[{"delta":{}}],"usage":%b}',
        "arguments": b'{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":%b}}]}}]}',
    }
    body = shapes[place].replace(b"%b", deep)
    survives(body)
    chunks, decoder = read(b"data: " + body + b"\n\n", b"data: " + body + b"\n\n")
    assert decoder.error is not None
    Accumulator().add(chunks)


@given(st.binary(max_size=300))
def test_any_bytes(body: bytes) -> None:
    survives(body)
    chunks, decoder = read(body)
    assert decoder.done or decoder.error is not None
    Accumulator().add(chunks)


@settings(max_examples=100)
@given(st.lists(SHAPED | ODD_JSON, max_size=4))
def test_any_json(events: list[Any]) -> None:
    for odd in events:
        survives(json.dumps(odd).encode())
    stream = b"".join(b"data: " + json.dumps(odd).encode() + b"\n\n" for odd in events)
    chunks, decoder = read(delta(content="a"), delta(content="b"), stream, delta("stop"), DONE)
    assert decoder.done or decoder.error is not None
    accumulator = Accumulator()
    accumulator.add(chunks)
    for choice in accumulator.completion().choices:
        assert isinstance(choice.message.text, str)


@given(st.sampled_from(["text.sse", "tools.sse"]), st.data())
def test_a_damaged_stream(name: str, data: st.DataObject) -> None:
    stream = bytearray((FIXTURES / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(stream) - 1))
        stream[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    chunks, decoder = read(bytes(stream))
    assert decoder.done or isinstance(decoder.error, StreamError)
    Accumulator().add(chunks)
