"""Answers, streams and errors in the OpenAI chat protocol, from values of any protocol: given values, expect bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm import errors
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolDefinition,
    Usage,
)
from lambdallm.llm.wire.openai_chat import (
    StreamDecoder,
    StreamEncoder,
    decode_request,
    encode_error,
    encode_request,
    encode_response,
)

REQUEST = ChatRequest("asked-for", (ChatMessage("user", "Hi"),), dialect="openai_chat")
WITH_USAGE = REQUEST.replace(extra={"stream_options": {"include_usage": True}})
LEGACY = decode_request(b'{"model":"m","messages":[{"role":"user","content":"Hi"}],"functions":[{"name":"f"}]}')

SIGNED = ReasoningPart("2 + 2", signature="s", metadata={"anthropic_messages": {}})


def answer(*parts: Any, finish: Any = "stop", raw: str | None = None, **fields: Any) -> Completion:
    return Completion((Choice(ChatMessage("assistant", parts), finish, raw),), **fields)


def told(completion: Completion, request: ChatRequest = REQUEST) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode_response(completion, request, id="made-up", created=7))
    return body


def message_of(*parts: Any, request: ChatRequest = REQUEST) -> dict[str, Any]:
    said: dict[str, Any] = told(answer(*parts), request)["choices"][0]["message"]
    return said


# Whole answers


def test_the_whole_of_an_answer() -> None:
    usage = Usage(10, 7, 6, 2, 3)
    assert told(answer(TextPart("Hi."), usage=usage, model="m", id="a", metadata={"created": 3, "container": {}})) == {
        "id": "a",
        "object": "chat.completion",
        "created": 3,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hi.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 10,
            "completion_tokens": 7,
            "total_tokens": 17,
            "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
    }


def test_what_an_answer_lacks_is_made_up() -> None:
    body = told(Completion(()))
    assert (body["id"], body["created"], body["model"]) == ("made-up", 7, "asked-for")
    assert body["choices"][0]["message"]["content"] == ""
    assert "usage" not in body


def test_what_the_protocols_own_record_of_usage_says_besides_stays() -> None:
    native = {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.5, "prompt_tokens_details": {"audio_tokens": 1}}
    usage = told(answer(usage=Usage(1, 3, native=native)))["usage"]
    assert (usage["cost"], usage["completion_tokens"]) == (0.5, 3)
    assert usage["prompt_tokens_details"] == {"audio_tokens": 1, "cached_tokens": 0, "cache_write_tokens": 0}


@pytest.mark.parametrize(
    ("finish", "raw", "word"),
    [
        ("stop", "end_turn", "stop"),
        ("length", "MAX_TOKENS", "length"),
        ("content_filter", "SAFETY", "content_filter"),
        ("refusal", "refusal", "content_filter"),
        ("pause", "pause_turn", "stop"),
        ("other", "surprise", "stop"),
        (None, None, "stop"),
    ],
)
def test_finish_reasons_in_this_protocols_words(finish: Any, raw: str | None, word: str) -> None:
    assert told(answer(TextPart("Hi"), finish=finish, raw=raw))["choices"][0]["finish_reason"] == word


@pytest.mark.parametrize(("finish", "raw"), [("tool_calls", "tool_use"), ("stop", "STOP"), (None, None)])
def test_calls_are_a_reason_of_their_own(finish: Any, raw: str | None) -> None:
    body = told(answer(ToolCall("a", "f", {}), finish=finish, raw=raw))
    assert body["choices"][0]["finish_reason"] == "tool_calls"


def test_calls() -> None:
    calls = (
        ToolCall("a", "f", {"x": 1}),
        ToolCall("b", "g", {}, ""),
        ToolCall("c", "h", None, "{", {"gemini": {"s": 1}}),
    )
    assert message_of(*calls)["tool_calls"] == [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {"id": "c", "type": "function", "function": {"name": "h", "arguments": "{"}},
    ]
    assert message_of(*calls)["content"] is None


def test_a_client_that_speaks_of_functions_is_answered_so() -> None:
    completion = answer(ToolCall("a", "f", {"x": 1}), finish="tool_calls")
    choice = told(completion, LEGACY)["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "f", "arguments": '{"x": 1}'}
    assert "tool_calls" not in choice["message"]


def test_refusals_images_and_citations() -> None:
    page = {"type": "web_search_result_location", "url": "u", "title": "t", "encrypted_index": "e"}
    note = {"type": "url_citation", "url_citation": {"url": "v"}}
    said = message_of(
        TextPart("See "), TextPart("this.", (page, note, {"type": "page"})), RefusalPart("No."), ImagePart(data=b"abc")
    )
    assert (said["content"], said["refusal"]) == ("See this.", "No.")
    over = {"url": "u", "title": "t", "start_index": 4, "end_index": 9}
    assert said["annotations"] == [{"type": "url_citation", "url_citation": over}, note]
    assert said["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,YWJj"}}]


def test_thoughts_and_their_proof() -> None:
    assert "reasoning_details" not in message_of(ReasoningPart("2 + 2"), TextPart("4"))
    said = message_of(SIGNED, ReasoningPart(encrypted="e", metadata={"anthropic_messages": {}}), TextPart("4"))
    assert said["reasoning_content"] == "2 + 2"
    assert [
        (d["type"], d.get("text"), d.get("signature"), d.get("data"), d["index"]) for d in said["reasoning_details"]
    ] == [
        ("reasoning.text", "2 + 2", "s", None, 0),
        ("reasoning.encrypted", None, None, "e", 1),
    ]


# Given back by the client


CONVERSATION: list[tuple[Any, ...]] = [
    (SIGNED, TextPart("4")),
    (SIGNED, ToolCall("a", "f", {"x": 1}, '{"x": 1}'), ReasoningPart(encrypted="e", metadata=SIGNED.metadata)),
    (ReasoningPart("sum", None, "enc", "rs_1", {"openai_responses": {"status": "done"}}), TextPart("4")),
    (ReasoningPart("a"), TextPart("b"), ReasoningPart("c", metadata={"gemini": {"thought": True}}), TextPart("d")),
    (TextPart("4", metadata={"gemini": {"thoughtSignature": "s"}}),),
    (ToolCall("a", "f", {}, "{}", {"gemini": {"thoughtSignature": "s"}}), ToolCall("b", "g", {}, "{}")),
    (
        TextPart("I search."),
        ProviderPart("server_tool_use", {"id": "x"}, "anthropic_messages"),
        TextPart("Found.", ({"type": "char_location"},), {"anthropic_messages": {"caller": 1}}),
    ),
    (RefusalPart("No."),),
]  # fmt: skip


def given_back(*parts: Any) -> ChatMessage:
    said = {key: value for key, value in message_of(*parts).items() if value is not None}
    return decode_request(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hi"}, said]}).encode()
    ).messages[1]


@pytest.mark.parametrize("parts", CONVERSATION, ids=lambda parts: "-".join(type(part).__name__ for part in parts))
def test_an_answers_parts_come_back_as_they_were(parts: tuple[Any, ...]) -> None:
    assert given_back(*parts).parts == tuple(kept(part) for part in parts)


def kept(part: Any) -> Any:
    """Thinking without a proof comes back as this protocol's own."""
    unproved = isinstance(part, ReasoningPart) and part == ReasoningPart(part.text)
    return part.replace(metadata={}) if unproved else part


def test_this_protocols_own_proof_comes_back_under_its_name() -> None:
    mistral = ReasoningPart("2 + 2", "s", metadata={"openai_chat": {"form": {"field": "thinking"}}})
    (thought, _) = given_back(mistral, TextPart("4")).parts
    assert thought == ReasoningPart("2 + 2", "s", metadata={"openai_chat": {}})


def test_a_client_that_changed_the_message_is_believed() -> None:
    said = message_of(*CONVERSATION[6]) | {"content": "Something else entirely."}
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}, said]}
    (part,) = decode_request(json.dumps(body).encode()).messages[1].parts
    assert part == TextPart("Something else entirely.")


def test_what_another_protocol_proved_goes_to_no_provider_of_this_one() -> None:
    said = message_of(SIGNED, TextPart("4"))
    request = decode_request(json.dumps({"model": "m", "messages": [said]}).encode())
    encoded = encode_request(request, {"reasoning_field": "reasoning_content"})
    assert json.loads(encoded.body)["messages"] == [{"role": "assistant", "content": "4", "reasoning_content": "2 + 2"}]
    assert encoded.warnings


# Streams


def events(*chunks: StreamChunk, request: ChatRequest = REQUEST) -> list[Any]:
    encoder = StreamEncoder(request, id="made-up", created=7)
    stream = b"".join(encoder.feed([chunk]) for chunk in chunks) + encoder.close()
    assert stream.endswith(b"data: [DONE]\n\n")
    return [json.loads(event[6:]) for event in stream.split(b"\n\n")[:-2]]


def deltas(*chunks: StreamChunk, request: ChatRequest = REQUEST) -> list[dict[str, Any]]:
    return [event["choices"][0]["delta"] for event in events(*chunks, request=request)]


ROLE = {"role": "assistant", "content": ""}
END = StreamChunk(finish_reason="stop", raw_finish_reason="end_turn")


def test_a_stream_of_text() -> None:
    told = events(
        StreamChunk(metadata={"id": "a", "model": "m", "created": 3}), StreamChunk("Hel"), StreamChunk("lo"), END
    )
    assert {(e["id"], e["model"], e["created"], e["object"]) for e in told} == {("a", "m", 3, "chat.completion.chunk")}
    assert [e["choices"] for e in told] == [
        [{"index": 0, "delta": ROLE, "logprobs": None, "finish_reason": None}],
        [{"index": 0, "delta": {"content": "Hel"}, "logprobs": None, "finish_reason": None}],
        [{"index": 0, "delta": {"content": "lo"}, "logprobs": None, "finish_reason": None}],
        [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}],
    ]


def test_usage_is_told_to_who_asked_for_it() -> None:
    usage = StreamChunk(usage=Usage(1, 2))
    assert "usage" not in events(usage, END)[-1]
    told = events(usage, END, request=WITH_USAGE)
    assert [event["usage"] for event in told[:-1]] == [None] * (len(told) - 1)
    assert told[-1]["choices"] == []
    assert told[-1]["usage"]["total_tokens"] == 3


def test_each_chunk_is_bytes_at_once() -> None:
    encoder = StreamEncoder(REQUEST, id="made-up", created=7)
    assert encoder.feed([]) == b""
    assert encoder.feed([StreamChunk("a")]).count(b"data: ") == 2
    assert encoder.feed([StreamChunk("b"), StreamChunk(thinking="c")]).count(b"data: ") == 2


def test_a_stream_of_calls() -> None:
    chunks = [
        StreamChunk(tool_calls=(ToolCallDelta(4, "a", "f", '{"x"'),)),
        StreamChunk(tool_calls=(ToolCallDelta(4, None, None, ":1}"), ToolCallDelta(7, "b", "g"))),
    ]
    assert deltas(*chunks, END)[1:-1] == [
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
        {"tool_calls": [{"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
    ]


def test_a_stream_of_calls_in_other_forms() -> None:
    custom = ToolCallDelta(0, "a", "f", "any", {"openai_chat": {"form": {"kind": "custom"}}})
    assert deltas(StreamChunk(tool_calls=(custom,)), END)[1] == {
        "tool_calls": [{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "any"}}]
    }
    legacy = StreamChunk(tool_calls=(ToolCallDelta(0, "a", "f", "{}"),))
    assert deltas(legacy, END, request=LEGACY)[1] == {"function_call": {"name": "f", "arguments": "{}"}}


def test_the_proof_of_thoughts_comes_at_the_end() -> None:
    chunks = [
        StreamChunk(thinking="2 +"), StreamChunk(thinking=" 2"),
        StreamChunk(part=ReasoningPart(signature="s", metadata={"anthropic_messages": {}})), StreamChunk("4"),
    ]  # fmt: skip
    told = deltas(*chunks, END)
    assert told[1:4] == [{"reasoning_content": "2 +"}, {"reasoning_content": " 2"}, {"content": "4"}]
    (detail,) = told[4]["reasoning_details"]
    assert (detail["text"], detail["signature"], detail["index"]) == ("2 + 2", "s", 0)


def test_parts_that_come_whole() -> None:
    whole = [RefusalPart("No."), TextPart("See.", ({"url": "u"},)), ReasoningPart("Hm.")]
    told = deltas(*(StreamChunk(part=part) for part in whole), END)
    assert told[1:4] == [{"refusal": "No."}, {"content": "See."}, {"reasoning_content": "Hm."}]
    assert told[4]["annotations"][0]["url_citation"]["url"] == "u"


def test_several_choices() -> None:
    told = events(StreamChunk("a"), StreamChunk("b", index=1), END, END.replace(index=1))
    assert [(e["choices"][0]["index"], e["choices"][0]["delta"]) for e in told] == [
        (0, ROLE), (0, {"content": "a"}), (1, ROLE), (1, {"content": "b"}), (0, {}), (1, {}),
    ]  # fmt: skip


def test_an_error_in_a_stream() -> None:
    error = errors.StreamError("Boom", type="overloaded_error", code=529)
    assert StreamEncoder(REQUEST, id="made-up", created=7).fail(error) == (
        b'data: {"error":{"message":"Boom","type":"overloaded_error","param":null,"code":"529"}}\n\n'
    )


# Errors


@pytest.mark.parametrize(
    ("error", "status", "type", "code"),
    [
        (errors.InvalidRequestError("x", status=422), 422, "invalid_request_error", None),
        (errors.InvalidRequestError("x", code="invalid_value"), 400, "invalid_request_error", "invalid_value"),
        (errors.UnsupportedParameterError("x"), 400, "invalid_request_error", "unsupported_parameter"),
        (errors.TokenLimitError("x", status=413), 400, "invalid_request_error", "context_length_exceeded"),
        (errors.LLMContentFilterError("x"), 400, "invalid_request_error", "content_filter"),
        (errors.LLMModelNotFoundError("x"), 404, "invalid_request_error", "model_not_found"),
        (errors.LLMAuthenticationError("x", status=401), 401, "invalid_request_error", "invalid_api_key"),
        (errors.LLMAuthenticationError("x", status=403), 403, "invalid_request_error", "insufficient_permissions"),
        (errors.LLMRateLimitError("x", status=413), 429, "requests", "rate_limit_exceeded"),
        (errors.LLMQuotaExceededError("x", status=402), 429, "insufficient_quota", "insufficient_quota"),
        (errors.BudgetExceededError("x"), 429, "insufficient_quota", "insufficient_quota"),
        (errors.ProviderServerError("x", status=529), 503, "server_error", None),
        (errors.ProviderServerError("x", status=500), 500, "server_error", None),
        (errors.ProviderTimeoutError("x"), 504, "server_error", "timeout"),
        (errors.ProviderConnectionError("x"), 502, "server_error", None),
        (errors.DeadlineExceededError("x"), 504, "server_error", "timeout"),
        (errors.ConfigurationError("x"), 500, "server_error", None),
        (errors.InternalError("x"), 500, "server_error", None),
    ],
)
def test_errors_in_openais_words(error: errors.LambdaLLMError, status: int, type: str, code: str | None) -> None:
    encoded = encode_error(error)
    assert encoded.status == status
    said = json.loads(encoded.body)["error"]
    assert (said["message"], said["type"], said["code"]) == ("x", type, code)


def test_an_error_says_how_long_to_wait_what_to_change_and_where() -> None:
    assert encode_error(errors.LLMRateLimitError("x", retry_after=0.2)).headers == (("retry-after", "1"),)
    assert encode_error(errors.LLMRateLimitError("x")).headers == ()
    said = json.loads(encode_error(errors.InvalidRequestError("No.", fix="Leave it out.", param="a[0].b")).body)[
        "error"
    ]
    assert (said["message"], said["param"]) == ("No. Leave it out.", "a[0].b")


# Any answer at all

TEXTS = st.text(max_size=6) | st.just("\ud800")
NOTES = st.dictionaries(st.sampled_from(["gemini", "anthropic_messages", "openai_chat"]), st.just({"k": 1}), max_size=2)
PARTS = st.one_of(
    st.builds(TextPart, TEXTS, metadata=NOTES),
    st.builds(ReasoningPart, TEXTS, st.none() | TEXTS, st.none() | TEXTS, st.none() | TEXTS, NOTES),
    st.builds(RefusalPart, TEXTS),
    st.builds(ToolCall, TEXTS, TEXTS, st.none() | st.dictionaries(TEXTS, TEXTS), st.none() | TEXTS, NOTES),
    st.builds(ProviderPart, TEXTS, NOTES, st.sampled_from(["openai_chat", "gemini"])),
)


@settings(deadline=None)
@given(st.lists(PARTS, max_size=5))
def test_any_answer_can_be_told_and_given_back(parts: list[Any]) -> None:
    completion = answer(*parts)
    assert given_back(*parts).text == completion.text
    encoder = StreamEncoder(WITH_USAGE, id="made-up", created=7)
    decoder = StreamDecoder()
    chunks = [
        *decoder.feed(encoder.feed([StreamChunk(part=part) for part in parts]) + encoder.close()),
        *decoder.close(),
    ]
    assert decoder.error is None
    assert "".join(chunk.delta for chunk in chunks) == completion.text


def test_a_definition_of_ours_is_no_legacy() -> None:
    request = REQUEST.replace(tools=(ToolDefinition("f"),))
    assert "tool_calls" in told(answer(ToolCall("a", "f", {})), request)["choices"][0]["message"]
