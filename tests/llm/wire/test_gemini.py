"""Answers, streams and errors of the Gemini protocol that no recording shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    InvalidRequestError,
    LLMAuthenticationError,
    LLMError,
    LLMModelNotFoundError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    ProviderResponseError,
    ProviderServerError,
    StreamError,
    TokenLimitError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCall,
    Usage,
)
from lambdallm.llm.wire import gemini, gemini_count_tokens
from lambdallm.llm.wire.gemini.array import JsonArrayDecoder
from lambdallm.llm.wire.gemini.partial_args import PartialArgs
from lambdallm.testing.conformance.decode import pieces

SIGNED = {"gemini": {"thoughtSignature": "c2ln"}}


def answer(*parts: dict[str, Any], **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"role": "model", "parts": list(parts)}, **candidate}], "responseId": "r1"}


def decoded(body: Any) -> Completion:
    result = gemini.decode_response(200, (), json.dumps(body).encode())
    assert isinstance(result, Ok), result
    return result.value


def streamed(body: bytes, split: Any = "whole") -> tuple[list[StreamChunk], Completion, LLMError | None]:
    decoder = gemini.StreamDecoder()
    chunks = [chunk for piece in pieces(body, split) for chunk in decoder.feed(piece)] + decoder.close()
    accumulator = Accumulator()
    accumulator.add(chunks)
    return chunks, accumulator.completion(), decoder.error


def sse(*events: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\r\n\r\n" for event in events)


# Parts


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"text": "Hi"}, TextPart("Hi")),
        ({"text": "Hi", "thoughtSignature": "c2ln"}, TextPart("Hi", (), SIGNED)),
        ({"text": "", "thoughtSignature": "c2ln"}, TextPart("", (), SIGNED)),
        ({"thoughtSignature": "c2ln"}, TextPart("", (), SIGNED)),
        ({"text": "Hm.", "thought": True}, ReasoningPart("Hm.")),
        ({"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
         ReasoningPart("Hm.", "c2ln", metadata={"gemini": {}})),
        ({"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
         ToolCall("1", "f", {"a": 1}, None, SIGNED)),
        ({"inlineData": {"mimeType": "image/png", "data": "iVBO"}}, ImagePart(None, b"\x89PN", "image/png")),
        ({"inlineData": {"mimeType": "audio/wav", "data": "iVBO"}}, AudioPart(b"\x89PN", "audio/wav")),
        ({"inlineData": {"mimeType": "video/mp4", "data": "iVBO"}}, DocumentPart(b"\x89PN", "video/mp4")),
        ({"executableCode": {"language": "PYTHON", "code": "1"}},
         ProviderPart("executableCode", {"executableCode": {"language": "PYTHON", "code": "1"}}, "gemini")),
    ],
)  # fmt: skip
def test_a_part(part: dict[str, Any], expected: Any) -> None:
    assert decoded(answer(part)).message.parts == (expected,)


def test_a_thought_image_is_no_part_of_the_answer() -> None:
    """Image models show drafts among their thoughts: they go back, and are not what was asked for."""
    part = {"inlineData": {"mimeType": "image/png", "data": "iVBO"}, "thought": True, "thoughtSignature": "c2ln"}
    assert decoded(answer(part)).message.parts == (ProviderPart("inlineData", part, "gemini"),)


def test_empty_text_says_nothing() -> None:
    assert decoded(answer({"text": ""}, {"text": "", "thought": True})).message.parts == ()


def test_calls_without_ids_get_ids_of_their_answer() -> None:
    """Results are matched by them; two answers must not share one."""
    calls = decoded(answer({"functionCall": {"name": "f"}}, {"functionCall": {"name": "f"}})).tool_calls
    assert [call.id for call in calls] == ["call_r1_0", "call_r1_1"]
    assert [call.arguments for call in calls] == [{}, {}]


def test_ids_that_were_made_up_are_not_sent() -> None:
    message = decoded(answer({"functionCall": {"name": "f", "args": {}}})).message
    request = ChatRequest("m", (message, ChatMessage("tool", (_result(message),))))
    contents = json.loads(gemini.encode_request(request, {}).body)["contents"]
    assert contents[0]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert contents[1]["parts"] == [{"functionResponse": {"name": "f", "response": {"output": "ok"}}}]


def _result(message: ChatMessage) -> Any:
    from lambdallm.llm.types import ToolResult

    return ToolResult(message.tool_calls[0].id, "ok")


# Answers


@pytest.mark.parametrize(
    ("raw", "reason"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter"),
     ("MALFORMED_FUNCTION_CALL", "error"), ("LANGUAGE", "other"), ("SOMETHING_NEW", "other")],
)  # fmt: skip
def test_why_it_ended(raw: str, reason: str) -> None:
    found = decoded(answer({"text": "Hi"}, finishReason=raw))
    assert (found.finish_reason, found.raw_finish_reason) == (reason, raw)


def test_stop_with_a_call_means_that_tools_are_called() -> None:
    found = decoded(answer({"functionCall": {"id": "1", "name": "f", "args": {}}}, finishReason="STOP"))
    assert (found.finish_reason, found.raw_finish_reason) == ("tool_calls", "STOP")


def test_usage_counts_what_tools_fed_in_and_what_was_thought() -> None:
    native = {"promptTokenCount": 100, "toolUsePromptTokenCount": 20, "cachedContentTokenCount": 60,
              "candidatesTokenCount": 7, "thoughtsTokenCount": 5, "totalTokenCount": 132}  # fmt: skip
    found = decoded(answer({"text": "Hi"}) | {"usageMetadata": native}).usage
    assert found == Usage(120, 12, 60, 0, 5, native)


def test_several_candidates() -> None:
    body = {"candidates": [{"content": {"parts": [{"text": "A"}]}, "index": 1}, {"content": {"parts": []}, "index": 0}]}
    assert [(choice.index, choice.message.text) for choice in decoded(body).choices] == [(1, "A"), (0, "")]


def test_what_has_no_field_is_kept() -> None:
    grounding = {"webSearchQueries": ["x"]}
    found = decoded(answer({"text": "Hi"}, groundingMetadata=grounding) | {"createTime": "now"})
    assert found.choices[0].metadata == {"gemini": {"groundingMetadata": grounding}}
    assert found.metadata == {"gemini": {"createTime": "now"}}


def test_a_blocked_prompt() -> None:
    found = decoded({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 9}})
    assert (found.finish_reason, found.raw_finish_reason, found.text) == ("content_filter", None, "")
    assert found.metadata["gemini"]["promptFeedback"] == {"blockReason": "SAFETY"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"x": 1}', b"[" * 100_000, b"\xff", b"null"])
def test_bytes_that_are_no_answer(body: bytes) -> None:
    result = gemini.decode_response(200, (("x-request-id", "q"),), body)
    assert isinstance(result, Err)
    assert isinstance(result.error, ProviderResponseError)
    assert result.error.request_id == "q"


def test_an_error_in_a_200() -> None:
    fault = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    for body in (fault, [fault]):
        result = gemini.decode_response(200, (), json.dumps(body).encode())
        assert isinstance(result, Err)
        assert type(result.error) is ProviderServerError
        assert (result.error.status, result.error.type) == (503, "UNAVAILABLE")


# Streams

STREAM = (
    answer({"text": "Let me ", "thought": True}),
    answer({"text": "think.", "thought": True}),
    answer({"text": "The answer"}),
    answer({"text": " is"}),
    answer({"text": " 42", "thoughtSignature": "c2ln"}),
    answer({"text": "."}, {"functionCall": {"name": "f", "args": {"a": [1]}}, "thoughtSignature": "c2ln"}),
    answer({"text": ""}, finishReason="STOP") | {"usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}},
)
WHOLE = (
    ReasoningPart("Let me think."),
    TextPart("The answer is"),
    TextPart(" 42", (), SIGNED),
    TextPart("."),
)
ARRAY = b"[" + b",\r\n".join(json.dumps(event, indent=1).encode() for event in STREAM) + b"]"


@pytest.mark.parametrize("split", ["whole", "bytes", 1, 2])
@pytest.mark.parametrize("body", [sse(*STREAM), b"\xef\xbb\xbf" + sse(*STREAM), ARRAY, b"\n " + ARRAY + b"\n"])
def test_a_stream_in_either_framing(body: bytes, split: Any) -> None:
    """Parts with signatures stay parts of their own: they must go back as they came."""
    _, whole, error = streamed(body, split)
    assert error is None
    assert whole.message.parts[:4] == WHOLE
    (call,) = whole.tool_calls
    assert (call.id, call.name, call.arguments) == ("call_r1_0", "f", {"a": [1]})
    assert call.metadata["gemini"]["thoughtSignature"] == "c2ln"
    assert (whole.finish_reason, whole.raw_finish_reason, whole.id) == ("tool_calls", "STOP", "r1")
    assert whole.usage == Usage(3, native={"promptTokenCount": 3, "totalTokenCount": 3})


def test_chunks_come_with_their_bytes() -> None:
    decoder = gemini.StreamDecoder()
    for event in STREAM[:2]:
        assert [chunk.thinking for chunk in decoder.feed(sse(event)) if chunk.thinking]
    decoder = gemini.StreamDecoder()
    for element in (b"[" + json.dumps(STREAM[2]).encode(), b"," + json.dumps(STREAM[3]).encode()):
        assert [chunk.delta for chunk in decoder.feed(element) if chunk.delta]


def test_text_after_another_block_is_a_block_of_its_own() -> None:
    """Also where its event is one that was seen before, but for the text."""
    code = answer({"executableCode": {"code": "1"}})
    events = [answer({"text": "a"}), answer({"text": "b"}), code, answer({"text": "c"}), answer({"text": "d"})]
    _, whole, _ = streamed(sse(*events, answer(finishReason="STOP")))
    assert [part.text if isinstance(part, TextPart) else part.type for part in whole.message.parts] == [  # type: ignore[union-attr]  # no others
        "ab", "executableCode", "cd",
    ]  # fmt: skip


def test_arguments_in_pieces() -> None:
    """Vertex streams them value by value when asked to."""

    def piece(**call: Any) -> dict[str, Any]:
        return answer({"functionCall": call})

    def value(path: str, **said: Any) -> list[dict[str, Any]]:
        return [{"jsonPath": path, **said}]

    events = [
        piece(name="book", id="1", willContinue=True),
        piece(partialArgs=value("$.city", stringValue="New ", willContinue=True), willContinue=True),
        piece(partialArgs=value("$.city", stringValue="York"), willContinue=True),
        piece(partialArgs=value("$.days[0].n", numberValue=3), willContinue=True),
        piece(partialArgs=value("$.days[1]['x']", boolValue=True), willContinue=True),
        piece(partialArgs=value("$.note", nullValue="NULL_VALUE"), willContinue=True),
        piece(),
        piece(name="now", args={}),
        answer(finishReason="STOP"),
    ]
    chunks, whole, error = streamed(sse(*events))
    assert error is None
    assert [(call.id, call.name, call.arguments) for call in whole.tool_calls] == [
        ("1", "book", {"city": "New York", "days": [{"n": 3}, {"x": True}], "note": None}),
        ("call_r1_0", "now", {}),
    ]
    assert chunks[1].tool_calls[0].name == "book"


@pytest.mark.parametrize(
    "path", ["", "$", "city", "$.a[1]", "$.a[999999999]", "$..a", "$[0]", "$.a.b.", "$" + ".a" * 1000, "$.a[*]"]
)
def test_a_path_that_leads_nowhere_is_left_out(path: str) -> None:
    args = PartialArgs()
    args.add([{"jsonPath": path, "numberValue": 1}, {"jsonPath": "$.ok", "numberValue": 2}, 5])
    assert args.whole()["ok"] == 2
    assert "a" not in args.whole() or args.whole()["a"] == []


def test_probabilities_and_citations_follow_one_another() -> None:
    def event(*words: str, cited: Sequence[int]) -> dict[str, Any]:
        chosen = {"chosenCandidates": [{"token": word} for word in words]}
        return answer({"text": "x"}, logprobsResult=chosen, citationMetadata={"citations": [{"n": n} for n in cited]})

    events = [event("a", cited=[1]), event("b", "c", cited=[1, 2]), event("d", cited=[3])]
    _, whole, _ = streamed(sse(*events, answer(finishReason="STOP", groundingMetadata={"x": 1})))
    kept = whole.choices[0].metadata["gemini"]
    assert [one["token"] for one in kept["logprobsResult"]["chosenCandidates"]] == ["a", "b", "c", "d"]
    assert kept["citationMetadata"]["citations"] == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert kept["groundingMetadata"] == {"x": 1}


def test_a_blocked_prompt_in_a_stream() -> None:
    body = sse({"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": {"trafficType": "ON_DEMAND"}})
    _, whole, error = streamed(body)
    assert error is None
    assert (whole.finish_reason, whole.text) == ("content_filter", "")
    assert whole.metadata["gemini"]["promptFeedback"]["blockReason"] == "OTHER"
    assert whole.usage is not None


def test_a_prompt_that_is_blocked_once_the_answer_has_begun() -> None:
    begun = {"candidates": [{"content": {"parts": [{"text": "Well"}]}, "index": 0}]}
    _, whole, error = streamed(sse(begun, {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}))
    assert error is None
    assert (whole.finish_reason, whole.text) == ("content_filter", "Well")


@pytest.mark.parametrize("split", ["whole", "bytes"])
@pytest.mark.parametrize(
    "body", [b"", b"\n", sse(*STREAM[:3]), ARRAY[:-400], b"<html>no</html>", b"[]", b"data: [DONE]\n\n"]
)
def test_a_stream_without_its_end(body: bytes, split: Any) -> None:
    _, _, error = streamed(body, split)
    assert type(error) is StreamError
    assert error.retryable


def test_two_candidates_must_both_end() -> None:
    two = {"candidates": [{"content": {"parts": [{"text": "a"}]}, "index": i} for i in (0, 1)]}
    first = {"candidates": [{"finishReason": "STOP", "index": 0}]}
    second = {"candidates": [{"finishReason": "STOP", "index": 1}]}
    assert streamed(sse(two, first))[2] is not None
    _, whole, error = streamed(sse(two, first, second))
    assert error is None
    assert [choice.message.text for choice in whole.choices] == ["a", "a"]


@pytest.mark.parametrize(
    "body",
    [
        sse(STREAM[2], {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}),
        b'{\n "error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}',
        sse(STREAM[2])
        + b'{\r\n "error": {\r\n "code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}\r\n',
        b'[{"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}\n]',
    ],
)
@pytest.mark.parametrize("split", ["whole", "bytes"])
def test_an_error_in_a_stream(body: bytes, split: Any) -> None:
    _, _, error = streamed(body, split)
    assert type(error) is StreamError
    assert (error.message, error.type, error.code) == ("Slow down.", "RESOURCE_EXHAUSTED", 429)
    assert type(error.__cause__) is LLMRateLimitError
    assert error.retryable


@pytest.mark.parametrize("event", [b"{", b'"x"', b"[" * 100_000, b'{"candidates": 5}\n\ndata: 5', b"\xff"])
def test_events_that_are_none(event: bytes) -> None:
    _, _, error = streamed(b"data: " + event + b"\n\n")
    assert type(error) is StreamError


# Errors


def fault(status: int, message: str, *details: dict[str, Any], word: str = "", **headers: str) -> LLMError:
    body = {"error": {"code": status, "message": message, "status": word, "details": list(details)}}
    return gemini.decode_error(status, tuple(headers.items()), json.dumps(body).encode())


def detail(kind: str, **fields: Any) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/google.rpc.{kind}", **fields}


def quota(*ids: str) -> dict[str, Any]:
    return detail("QuotaFailure", violations=[{"quotaId": id} for id in ids])


BILLING = "You exceeded your current quota, please check your plan and billing details."
PER_MINUTE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
PER_DAY = quota("GenerateRequestsPerMinutePerProjectPerModel", "GenerateRequestsPerDayPerProjectPerModel-FreeTier")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (fault(400, "API key not valid.", detail("ErrorInfo", reason="API_KEY_INVALID")), LLMAuthenticationError),
        (fault(401, "Who?"), LLMAuthenticationError),
        (fault(403, "No.", word="PERMISSION_DENIED"), LLMAuthenticationError),
        (fault(404, "models/x is not found.", word="NOT_FOUND"), LLMModelNotFoundError),
        (fault(429, "Resource exhausted. Please try again later."), LLMRateLimitError),
        (fault(429, BILLING, PER_MINUTE), LLMRateLimitError),
        (fault(429, BILLING, PER_DAY, detail("RetryInfo", retryDelay="26s")), LLMQuotaExceededError),
        (fault(429, BILLING), LLMQuotaExceededError),
        (fault(400, "The input token count (9) exceeds the maximum number of tokens allowed (8)."), TokenLimitError),
        (fault(400, "Bad."), InvalidRequestError),
        (fault(503, "The model is overloaded.", word="UNAVAILABLE"), ProviderServerError),
        (fault(500, "Internal."), ProviderServerError),
    ],
)
def test_the_kind_of_an_error(error: LLMError, kind: type[LLMError]) -> None:
    assert type(error) is kind


def test_what_an_error_knows() -> None:
    violation = {"field": "contents[0].role", "description": "Use user or model."}
    error = fault(
        400, "Invalid.", detail("BadRequest", fieldViolations=[violation]), detail("RequestInfo", requestId="q7"),
        word="INVALID_ARGUMENT",
    )  # fmt: skip
    assert (error.param, error.request_id, error.code, error.type) == (
        "contents[0].role",
        "q7",
        400,
        "INVALID_ARGUMENT",
    )


@pytest.mark.parametrize(
    ("delay", "seconds"),
    [("26s", 26.0), ("0.847655010s", 0.84765501), ({"seconds": 3}, 3.0), ("soon", None), (None, None), ("1e99s", None),
     ([], None)],
)  # fmt: skip
def test_how_long_to_wait(delay: Any, seconds: float | None) -> None:
    assert fault(429, "Slow down.", detail("RetryInfo", retryDelay=delay)).retry_after == seconds


def test_the_header_says_it_first() -> None:
    assert fault(429, "Slow.", detail("RetryInfo", retryDelay="26s"), **{"retry-after": "2"}).retry_after == 2.0


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'[{"error": {"code": 404, "message": "No."}}]', "No."),
        (b"<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway"),
        (b"upstream failed", "upstream failed"),
        (b'{"error": "nope"}', "nope"),
        (b"", "The provider answered HTTP 502 without saying why."),
        (b'{"error": {"message": "* contents: missing\\n"}}', "* contents: missing\n"),
        (json.dumps({"error": {"message": "x" * 9000}}).encode(), "x" * 9000),
        (b"[" * 100_000, "[" * 4000),
        (b'{"error": {"details": 5, "message": {}}}', "The provider answered HTTP 502 without saying why."),
    ],
)
def test_a_body_of_any_shape(body: bytes, message: str) -> None:
    assert gemini.decode_error(502, (), body).message == message


# Token counts


def test_a_count() -> None:
    body = b'{"totalTokens": 9, "cachedContentTokenCount": 4, "promptTokensDetails": [{"modality": "TEXT"}]}'
    found = gemini_count_tokens.decode_response(200, (), body).unwrap()
    assert (found.input_tokens, found.cached_tokens) == (9, 4)
    assert found.metadata == {"gemini": {"promptTokensDetails": [{"modality": "TEXT"}]}}


@pytest.mark.parametrize("body", [b"", b"{}", b'{"totalTokens": "9"}', b"[" * 100_000, b'[{"error": {"code": 500}}]'])
def test_no_count(body: bytes) -> None:
    assert isinstance(gemini_count_tokens.decode_response(200, (), body), Err)


def test_what_is_counted() -> None:
    request = ChatRequest("gemini-x", (ChatMessage("system", "Be brief."), ChatMessage("user", "Hi")), temperature=1.0)
    asked = json.loads(gemini_count_tokens.encode_request(request, {}).body)["generateContentRequest"]
    assert asked["model"] == "models/gemini-x"
    plain = json.loads(gemini_count_tokens.encode_request(request, {"count_body": "plain"}).body)
    assert plain == {name: asked[name] for name in ("contents", "systemInstruction", "generationConfig")}


# Anything at all

KEYS = ("candidates", "content", "parts", "text", "thought", "thoughtSignature", "functionCall", "name", "args", "id",
        "inlineData", "mimeType", "data", "finishReason", "index", "usageMetadata", "promptTokenCount", "responseId",
        "promptFeedback", "blockReason", "error", "code", "message", "status", "details", "@type", "retryDelay",
        "partialArgs", "jsonPath", "stringValue", "willContinue", "groundingMetadata", "logprobsResult")  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 10) | st.floats() | st.sampled_from(("", "x", "STOP", "$.a", "c2ln")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)
SHAPED = st.builds(
    lambda parts, rest: {"candidates": [{"content": {"parts": parts}, **rest}]},
    st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3), max_size=3),
    st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3),
)


@given(VALUES | SHAPED)
@settings(max_examples=400, deadline=None)
def test_any_answer_is_read_or_refused(body: Any) -> None:
    text = json.dumps(body).encode()
    result = gemini.decode_response(200, (), text)
    if isinstance(result, Err):
        assert isinstance(result.error, LLMError)
    else:
        gemini.encode_response(result.value, ChatRequest("m", ()), id="i", created=1)
    assert isinstance(gemini.decode_error(400, (), text), LLMError)
    gemini_count_tokens.decode_response(200, (), text)


@given(st.lists(VALUES | SHAPED, max_size=5), st.integers(0, 10_000))
@settings(max_examples=300, deadline=None)
def test_any_stream_means_the_same_in_any_pieces(events: list[Any], seed: int) -> None:
    for body in (sse(*events), json.dumps(events).encode()):
        _, whole, error = streamed(body)
        _, split, split_error = streamed(body, seed)
        assert repr(whole) == repr(split)
        assert repr(error) == repr(split_error)


@given(st.binary(max_size=200))
def test_any_bytes_end_in_a_typed_error(body: bytes) -> None:
    assert isinstance(streamed(body)[2], StreamError)
    assert isinstance(gemini.decode_response(200, (), body), Err)
    assert isinstance(gemini.decode_error(500, (), body), LLMError)


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3), max_size=4), st.integers(0, 99))
def test_an_array_gives_its_elements(elements: list[Any], seed: int) -> None:
    decoder, found = JsonArrayDecoder(), []
    for piece in pieces(json.dumps(elements, indent=seed % 3).encode(), seed):
        found += decoder.feed(piece)
    assert [json.loads(element) for element in found] == elements
    assert decoder.done
