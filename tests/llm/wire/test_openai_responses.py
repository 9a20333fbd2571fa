"""Answers and streams of the Responses protocol that no recording shows, after OpenAI's documentation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.errors import (
    InvalidRequestError,
    LLMContentFilterError,
    LLMError,
    LLMRateLimitError,
    ProviderResponseError,
    ProviderServerError,
    StreamError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import Completion, ProviderPart, ReasoningPart, RefusalPart, TextPart
from lambdallm.llm.wire import openai_responses as codec
from lambdallm.testing.conformance.decode import pieces


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": [], **more}


def message(*content: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content, **more}


def answer(*output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": output, **more}


def decode(body: Any) -> Completion:
    result = codec.decode_response(200, (), json.dumps(body).encode())
    assert isinstance(result, Ok)
    return result.value


def fail(body: bytes) -> LLMError:
    result = codec.decode_response(200, (("x-request-id", "req_1"),), body)
    assert isinstance(result, Err)
    assert result.error.request_id == "req_1"
    return result.error


CALL = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "c1",
    "name": "f",
    "arguments": '{"a":1}',
    "status": "completed",
}
CUSTOM = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c2", "name": "sh", "input": "ls -l"}


@pytest.mark.parametrize(
    ("status", "details", "output", "reason"),
    [
        ("completed", None, (message(text("Hi.")),), "stop"),
        ("completed", None, (CALL,), "tool_calls"),
        ("incomplete", {"reason": "max_output_tokens"}, (message(text("Hi")),), "length"),
        ("incomplete", {"reason": "content_filter"}, (), "content_filter"),
        ("incomplete", {"reason": "steered"}, (), "other"),
        ("incomplete", None, (), "other"),
        ("queued", None, (), "other"),
        ("cancelled", None, (), "other"),
    ],
)
def test_why_an_answer_ended(status: str, details: Any, output: Any, reason: str) -> None:
    got = decode(answer(*output, status=status, incomplete_details=details))
    assert (got.finish_reason, got.raw_finish_reason) == (reason, status)


def test_a_refusal() -> None:
    got = decode(answer(message({"type": "refusal", "refusal": "I won't."})))
    assert (got.refusal, got.text, got.finish_reason) == ("I won't.", "", "stop")


def test_the_parts_keep_the_order_of_the_items() -> None:
    thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search"}}
    got = decode(answer(thought, search, message(text("So."), text("And.")), CALL, CUSTOM))
    assert [type(part).__name__ for part in got.message.parts] == [
        "ReasoningPart", "ProviderPart", "TextPart", "TextPart", "ToolCall", "ToolCall",
    ]  # fmt: skip
    assert got.text == "So.And."
    assert [(call.id, call.name, call.arguments_json) for call in got.tool_calls] == [
        ("c1", "f", '{"a":1}'), ("c2", "sh", "ls -l"),
    ]  # fmt: skip


def test_usage_counts_what_some_count_apart() -> None:
    details = {"output_tokens_details": {"reasoning_tokens": 5}}
    usage = {"input_tokens": 2, "output_tokens": 3, **details}
    assert decode(answer(usage=usage | {"total_tokens": 5})).usage.output_tokens == 3  # type: ignore[union-attr]
    assert decode(answer(usage=usage | {"total_tokens": 10})).usage.output_tokens == 8  # type: ignore[union-attr]


def test_what_has_no_field_is_kept() -> None:
    got = decode(answer(message(text("Hi.", logprobs=[{"token": "Hi."}])), service_tier="flex"))
    assert got.metadata["openai_responses"] == {"service_tier": "flex"}
    assert got.message.parts[0].metadata["openai_responses"]["logprobs"] == [{"token": "Hi."}]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "server_error", "message": "Oops."}, ProviderServerError),
        ({"code": "rate_limit_exceeded", "message": "Slow down."}, LLMRateLimitError),
        ({"code": "invalid_prompt", "message": "No."}, InvalidRequestError),
        ({"code": "image_content_policy_violation", "message": "No."}, LLMContentFilterError),
        (None, ProviderServerError),
    ],
)
def test_an_answer_that_failed(error: Any, kind: type[LLMError]) -> None:
    failed = fail(json.dumps(answer(status="failed", error=error)).encode())
    assert isinstance(failed, kind)
    if error:
        assert (failed.code, failed.message) == (error["code"], error["message"])


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null", b'{"id":"x"}', b"[" * 100_000])
def test_bytes_that_are_no_answer(body: bytes) -> None:
    assert isinstance(fail(body), ProviderResponseError)


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()) for event in events
    )


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **fields}


def stream(body: bytes, split: Any = "whole") -> tuple[Completion, LLMError | None]:
    decoder, accumulator = codec.StreamDecoder(), Accumulator()
    for piece in pieces(body, split):
        accumulator.add(decoder.feed(piece))
    accumulator.add(decoder.close())
    return accumulator.completion(), decoder.error


def end(*output: dict[str, Any], kind: str = "completed", **more: Any) -> dict[str, Any]:
    return event(kind, response=answer(*output, **{"status": kind, **more}))


OOPS = {"message": "Oops."}
BEGIN = event("created", response=answer(status="in_progress"))
HI = message(text("Hi."))
IN_FULL = (
    BEGIN,
    event("output_item.added", output_index=0, item=message(status="in_progress")),
    event("content_part.added", output_index=0, content_index=0, item_id="msg_1", part=text("")),
    event("output_text.delta", output_index=0, content_index=0, item_id="msg_1", delta="Hi"),
    event("output_text.delta", output_index=0, content_index=0, item_id="msg_1", delta="."),
    event("output_text.done", output_index=0, content_index=0, item_id="msg_1", text="Hi."),
    event("content_part.done", output_index=0, content_index=0, item_id="msg_1", part=text("Hi.")),
    event("output_item.done", output_index=0, item=HI),
    end(HI),
)


@pytest.mark.parametrize("split", ["whole", "bytes", 1, 2])
@pytest.mark.parametrize(
    "events",
    [
        IN_FULL,
        (BEGIN, *IN_FULL[3:5], end(HI)),
        (*IN_FULL[:3], *IN_FULL[5:]),
        (BEGIN, IN_FULL[7], end()),
        (BEGIN, end(HI)),
        (end(HI),),
        (*IN_FULL[:4], IN_FULL[5], end(HI)),
    ],
    ids=["in full", "deltas alone", "no deltas", "whole item", "whole answer", "nothing else", "a delta lost"],
)
def test_a_provider_may_leave_out_events(events: tuple[dict[str, Any], ...], split: Any) -> None:
    got, error = stream(sse(*events), split)
    assert error is None
    assert (got.text, got.finish_reason, got.id, got.model) == ("Hi.", "stop", "resp_1", "m")
    assert len(got.message.parts) == 1


def test_events_without_places_or_names() -> None:
    """Numbered by nothing but their item's id, and without `event:` lines."""
    bare = [{k: v for k, v in e.items() if k not in ("output_index", "content_index")} for e in IN_FULL]
    got, error = stream(b"".join(b"data: %s\n\n" % json.dumps(e).encode() for e in bare))
    assert (got.text, error) == ("Hi.", None)


def test_keepalives_and_unknown_events_are_read_over() -> None:
    odd = (event("mcp_call.in_progress", output_index=5), {"type": "keepalive", "sequence_number": 3}, {"type": "ping"})
    got, error = stream(b": OPENROUTER PROCESSING\n\n" + sse(BEGIN, *odd, *IN_FULL[1:]) + b"data: [DONE]\n\n")
    assert (got.text, error) == ("Hi.", None)


def test_an_item_of_an_unknown_kind_is_kept_whole() -> None:
    item = {"type": "telepathy_call", "id": "tc_1", "thought": "blue"}
    added = event("output_item.added", output_index=0, item={"type": "telepathy_call", "id": "tc_1"})
    got, _ = stream(sse(BEGIN, added, event("output_item.done", output_index=0, item=item), end(item)))
    assert got.message.parts == (ProviderPart("telepathy_call", {"id": "tc_1", "thought": "blue"}, "openai_responses"),)


def test_calls_are_told_as_they_come() -> None:
    events = (
        event("output_item.added", output_index=0, item=CALL | {"arguments": "", "status": "in_progress"}),
        event("function_call_arguments.delta", output_index=0, item_id="fc_1", delta='{"a"'),
        event("function_call_arguments.delta", output_index=0, item_id="fc_1", delta=":1}"),
        event("output_item.added", output_index=1, item=CUSTOM | {"input": ""}),
        event("custom_tool_call_input.delta", output_index=1, item_id="ctc_1", delta="ls"),
        event("custom_tool_call_input.done", output_index=1, item_id="ctc_1", input="ls -l"),
        event("output_item.done", output_index=0, item=CALL),
        event("output_item.done", output_index=1, item=CUSTOM),
        end(CALL, CUSTOM),
    )
    got, error = stream(sse(BEGIN, *events), 1)
    assert error is None
    assert got.message.parts == decode(answer(CALL, CUSTOM)).message.parts
    assert got.finish_reason == "tool_calls"


def test_a_thought_in_several_summaries() -> None:
    item = {
        "type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
        "summary": [{"type": "summary_text", "text": "One."}, {"type": "summary_text", "text": "Two."}],
    }  # fmt: skip
    deltas = [
        event("reasoning_summary_text.delta", output_index=0, summary_index=index, item_id="rs_1", delta=piece)
        for index, piece in ((0, "On"), (0, "e."), (1, "Two."))
    ]
    added = event("output_item.added", output_index=0, item={"type": "reasoning", "id": "rs_1", "summary": []})
    got, _ = stream(sse(BEGIN, added, *deltas, event("output_item.done", output_index=0, item=item), end(item)))
    (part,) = got.message.parts
    assert isinstance(part, ReasoningPart)
    assert (part.text, part.encrypted, part.id) == ("One.\n\nTwo.", "gAAA", "rs_1")


@pytest.mark.parametrize("kind", ["summary", "content"])
def test_a_thought_told_in_pieces_is_told_once(kind: str) -> None:
    """Its empty texts are none; and some name it otherwise when they give it whole."""
    whole = {"type": "reasoning", "id": "rs_1", kind: [{"type": "x", "text": ""}, {"type": "x", "text": "b"}]}
    told = event("response.reasoning_summary_text.delta", output_index=0, summary_index=1, item_id="rs_1", delta="b")
    done = event("response.output_item.done", output_index=0, item=whole)
    got, error = stream(sse(told, done, end(whole)))
    assert error is None
    assert got.thinking == "b"


def test_arguments_that_come_whole_in_another_writing_are_told_once() -> None:
    begun = event("response.output_item.added", output_index=0, item=CALL | {"arguments": ""})
    told = event("response.function_call_arguments.delta", output_index=0, item_id="fc_1", delta='{"a":1}')
    done = event("response.output_item.done", output_index=0, item=CALL | {"arguments": '{"a": 1}'})
    got, error = stream(sse(begun, told, done, end(CALL)))
    assert error is None
    assert [call.arguments for call in got.tool_calls] == [{"a": 1}]


def test_a_stream_that_failed_keeps_what_it_made_and_used() -> None:
    usage = {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
    failed = end(message(text("Hel")), kind="failed", usage=usage, error={"code": "server_error", "message": "Boom"})
    got, error = stream(sse(failed))
    assert isinstance(error, StreamError)
    assert (error.message, error.code) == ("Boom", "server_error")
    assert (got.text, got.finish_reason, got.raw_finish_reason) == ("Hel", "error", "failed")
    assert got.usage is not None
    assert got.usage.input_tokens == 3


def test_a_streamed_refusal_and_annotation() -> None:
    citation = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2}
    whole = message(text("Hi.", annotations=[citation]), {"type": "refusal", "refusal": "No."})
    events = (
        event("output_text.delta", output_index=0, content_index=0, item_id="msg_1", delta="Hi."),
        event("output_text.annotation.added", output_index=0, content_index=0, annotation_index=0, annotation=citation),
        event("refusal.delta", output_index=0, content_index=1, item_id="msg_1", delta="No."),
        event("output_item.done", output_index=0, item=whole),
        end(whole),
    )
    got, _ = stream(sse(BEGIN, *events))
    first, second = got.message.parts
    assert isinstance(first, TextPart)
    assert first.citations == (citation,)
    assert isinstance(second, RefusalPart)
    assert second.text == "No."


def test_a_stream_cut_by_the_limit() -> None:
    details = {"reason": "max_output_tokens"}
    got, error = stream(sse(*IN_FULL[:4], end(message(text("Hi")), kind="incomplete", incomplete_details=details)))
    assert error is None
    assert (got.finish_reason, got.raw_finish_reason, got.text) == ("length", "incomplete", "Hi")


@pytest.mark.parametrize(
    ("last", "code", "retryable"),
    [
        (
            event("failed", response=answer(status="failed", error=OOPS | {"code": "server_error"})),
            "server_error",
            True,
        ),
        (OOPS | {"type": "error", "code": "rate_limit_exceeded", "param": None}, "rate_limit_exceeded", True),
        ({"type": "error", "error": OOPS | {"type": "invalid_request_error", "code": "bad"}}, "bad", False),
    ],
)
def test_an_error_in_a_stream(last: dict[str, Any], code: str, retryable: bool) -> None:
    got, error = stream(sse(*IN_FULL[:4], last))
    assert isinstance(error, StreamError)
    assert (error.message, error.code, error.retryable) == ("Oops.", code, retryable)
    assert (got.text, got.id) == ("Hi", "resp_1")


@pytest.mark.parametrize(
    "body",
    [
        b"", sse(*IN_FULL[:-1]), sse(*IN_FULL[:-1]) + b"data: [DONE]\n\n", sse(*IN_FULL)[:-40], b"data: {nonsense\n\n",
        b"data: 5\n\n", b"data: " + b"[" * 50_000 + b"\n\n",
    ],
)  # fmt: skip
def test_a_stream_that_does_not_end_as_it_should(body: bytes) -> None:
    assert isinstance(stream(body)[1], StreamError)


def test_nothing_is_held_back() -> None:
    decoder = codec.StreamDecoder()
    decoder.feed(sse(*IN_FULL[:3]))
    assert [chunk.delta for chunk in decoder.feed(sse(IN_FULL[3]))] == ["Hi"]
