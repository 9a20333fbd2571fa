"""The official SDK reads what we write in Anthropic's protocol: every recorded answer, stream and error there is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest

from judge import Judge, Recorded, answers, fails, recorded
from lambdallm.llm.errors import (
    BudgetExceededError,
    DeadlineExceededError,
    InternalError,
    InvalidRequestError,
    LambdaLLMError,
    LLMAuthenticationError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderConnectionError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnauthorizedError,
    UnknownProviderError,
)
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from lambdallm.llm.wire.anthropic_messages import (
    STREAM_TYPE,
    StreamEncoder,
    decode_request,
    encode_error,
    encode_response,
)
from lambdallm.llm.wire.anthropic_messages.blocks import tool_input
from lambdallm.llm.wire.call_ids import fitting_id
from recorded import recordings

REQUEST = ChatRequest("claude-x", (ChatMessage("user", "Hi"),))
IDENTITY: dict[str, Any] = {"id": "msg_1", "created": 1}
ASKED: dict[str, Any] = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def client(judge: Judge) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(api_key="none", base_url=judge.url, max_retries=0) as made:
        yield made


# What an answer says, in the SDK's words

STOPS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal",
         "refusal": "refusal", "pause": "pause_turn"}  # fmt: skip


def told(answer: Completion) -> dict[str, Any]:
    parts = answer.message.parts
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
    return {
        "text": "".join(part.text for part in parts if isinstance(part, (TextPart, RefusalPart))),
        "thinking": "".join(part.text for part in thoughts),
        "proofs": proofs_of(parts),
        "calls": [(fitting_id(call.id), call.name, tool_input(call)) for call in answer.tool_calls],
        "ids": [call.id for call in answer.tool_calls],
        "stop": reason_of(answer),
        "usage": usage_of(answer.usage),
    }


def proofs_of(parts: Iterable[Any]) -> list[tuple[Any, ...]]:
    """What proves each thought, and in which protocol."""
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
    proved = [part for part in thoughts if part.signature or part.encrypted or part.id]
    return [(part.signature, part.encrypted, part.id, set(part.metadata)) for part in proved]


def sent_back(message: Any) -> tuple[Any, ...]:
    """The parts of a message that a client of the SDK sends back as it got it."""
    turn = {"role": "assistant", "content": message.to_dict(mode="json", warnings=False)["content"]}
    request = decode_request(json.dumps(ASKED | {"messages": [turn]}).encode())
    return request.messages[0].parts


def reason_of(answer: Completion) -> str:
    if answer.tool_calls and answer.finish_reason in ("stop", "other", None):
        return "tool_use"
    if answer.refusal is not None and answer.finish_reason in ("stop", "other", None):
        return "refusal"
    if answer.raw_finish_reason in ("stop_sequence", "model_context_window_exceeded", "compaction"):
        return answer.raw_finish_reason
    return STOPS.get(answer.finish_reason or "", "end_turn")


def usage_of(usage: Usage | None) -> tuple[int, int, int, int, int]:
    usage = usage or Usage()
    fresh = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
    return fresh, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens, usage.reasoning_tokens


def read(message: Any) -> dict[str, Any]:
    blocks, usage, back = message.content, message.usage, sent_back(message)
    details = usage.output_tokens_details
    return {
        "text": "".join(block.text for block in blocks if block.type == "text"),
        "thinking": "".join(block.thinking for block in blocks if block.type == "thinking"),
        "proofs": proofs_of(back),
        "calls": [(block.id, block.name, block.input) for block in blocks if block.type == "tool_use"],
        "ids": [part.id for part in back if isinstance(part, ToolCall)],
        "stop": message.stop_reason,
        "usage": (
            usage.input_tokens, usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0,
            usage.output_tokens, details.thinking_tokens if details else 0,
        ),
    }  # fmt: skip


def encoded(chunks: Iterable[StreamChunk], error: LambdaLLMError | None = None) -> list[bytes]:
    encoder = StreamEncoder(REQUEST, **IDENTITY)
    pieces = [encoder.feed([chunk]) for chunk in chunks]
    return [*pieces, encoder.close() if error is None else encoder.fail(error)]


def events_of(client: anthropic.Anthropic) -> list[Any]:
    """The raw events, which must be nested as the protocol nests them."""
    events = list(client.messages.create(**ASKED, stream=True))
    check_nesting(events)
    return events


def check_nesting(events: list[Any]) -> None:
    opened, current = -1, None
    assert [event.type for event in events[:1]] == ["message_start"]
    assert [event.type for event in events[-2:]] == ["message_delta", "message_stop"]
    for event in events[1:-2]:
        if event.type == "content_block_start":
            assert (current, event.index) == (None, opened + 1)
            opened = current = event.index
        else:
            assert event.index == current
            current = None if event.type == "content_block_stop" else current
    assert current is None


# Every recorded exchange


def case(path: Path) -> Recorded:
    found = recorded(path)
    assert found is not None
    return found


@pytest.mark.corpus
@recordings("*/*", holds=answers)
def test_a_recorded_answer(path: Path, judge: Judge, client: anthropic.Anthropic) -> None:
    found = case(path)
    if found.answer is None:
        raised(judge, client, found.error)
        return
    if found.exchange.get("stream"):
        streamed(judge, client, found)
    judge.says(encode_response(found.answer, REQUEST, **IDENTITY))
    assert read(client.messages.create(**ASKED)) == told(found.answer)


def streamed(judge: Judge, client: anthropic.Anthropic, found: Recorded) -> None:
    judge.says(*encoded(found.chunks, found.error), type=STREAM_TYPE)
    if found.error is not None:
        with pytest.raises(anthropic.APIStatusError) as caught:
            list(client.messages.create(**ASKED, stream=True))
        assert caught.value.api_message is not None
        assert caught.value.api_message.startswith(found.error.message)
        return
    assert found.answer is not None
    expected = told(found.answer)
    assert arguments_of(events_of(client)) == [arguments(call) for call in found.answer.tool_calls]
    with client.messages.stream(**ASKED) as stream:
        message = read(stream.get_final_message())
    for wanted in (expected, message):  # the SDK guesses how arguments that were cut off might have gone on
        wanted["calls"] = [call[:2] for call in wanted["calls"]]
    assert message == expected


def arguments_of(events: list[Any]) -> list[Any]:
    """The arguments of each call, put together from the events."""
    texts: dict[int, str] = {}
    for event in events:
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            texts[event.index] = ""
        elif event.type == "content_block_delta" and event.delta.type == "input_json_delta":
            texts[event.index] += event.delta.partial_json
    return [parsed(text) for text in texts.values()]


def arguments(call: ToolCall) -> Any:
    """A call's arguments; their text, where it was cut off after it began as an object."""
    text = call.arguments_json or ""
    return text if call.arguments is None and text.lstrip().startswith("{") else tool_input(call)


def parsed(text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


STATUS_OF = {
    "LLMAuthenticationError": (401, 403), "LLMModelNotFoundError": (404,), "InvalidRequestError": (400, 409, 413, 422),
    "LLMRateLimitError": (429,), "LLMQuotaExceededError": (402, 400, 403), "TokenLimitError": (400, 413),
    "LLMContentFilterError": (400,), "ProviderTimeoutError": (504,), "ProviderServerError": (500, 504, 529),
    "ProviderResponseError": (500,), "StreamError": (500,),
}  # fmt: skip


def raised(judge: Judge, client: anthropic.Anthropic, error: LambdaLLMError | None) -> anthropic.APIStatusError:
    """What the SDK raises for an error as we write it: the class of a status that its kind may have, and the words."""
    assert error is not None
    wire = encode_error(error)
    judge.says(wire.body, status=wire.status, headers=wire.headers)
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**ASKED)
    assert caught.value.status_code in STATUS_OF.get(type(error).__name__, (wire.status,))
    assert caught.value.api_message is not None
    assert caught.value.api_message.startswith(error.message)
    return caught.value


@pytest.mark.corpus
@recordings("*/*", holds=fails)
def test_a_recorded_error(path: Path, judge: Judge, client: anthropic.Anthropic) -> None:
    found = case(path)
    error = raised(judge, client, found.error)
    assert found.error is not None
    assert error.request_id == found.error.request_id


# What no recording shows


@pytest.mark.parametrize(
    ("error", "kind", "type"),
    [
        (ProviderServerError("Overloaded", status=529, type="overloaded_error"), anthropic.OverloadedError,
         "overloaded_error"),
        (ProviderServerError("Busy.", status=503), anthropic.OverloadedError, "overloaded_error"),
        (ProviderServerError("Bad gateway.", status=502), anthropic.InternalServerError, "api_error"),
        (ProviderTimeoutError("Too slow."), anthropic.GatewayTimeoutError, "timeout_error"),
        (DeadlineExceededError("No time."), anthropic.GatewayTimeoutError, "timeout_error"),
        (ProviderConnectionError("Refused."), anthropic.InternalServerError, "api_error"),
        (UnknownProviderError("No provider 'x'."), anthropic.NotFoundError, "not_found_error"),
        (UnauthorizedError("Who are you?"), anthropic.AuthenticationError, "authentication_error"),
        (LLMAuthenticationError("Not yours.", status=403), anthropic.PermissionDeniedError, "permission_error"),
        (BudgetExceededError("Spent."), anthropic.PaymentRequiredError, "billing_error"),
        (InvalidRequestError("Too large.", status=413), anthropic.RequestTooLargeError, "request_too_large"),
        (TokenLimitError("Too long."), anthropic.BadRequestError, "invalid_request_error"),
        (MissingKeyError("No key."), anthropic.InternalServerError, "api_error"),
        (InternalError("A bug."), anthropic.InternalServerError, "api_error"),
    ],
)  # fmt: skip
def test_the_class_of_an_error(
    error: LambdaLLMError, kind: type[Exception], type: str, judge: Judge, client: anthropic.Anthropic
) -> None:
    found = raised(judge, client, error)
    assert isinstance(found, kind)
    assert found.type == type


def test_when_to_try_again(judge: Judge, client: anthropic.Anthropic) -> None:
    """The SDK itself goes by these headers."""
    found = raised(judge, client, LLMRateLimitError("Slow down.", retry_after=1.2, request_id="req_7"))
    assert found.response.headers["retry-after"] == "2"
    assert found.response.headers["x-should-retry"] == "true"
    assert found.request_id == "req_7"
    assert raised(judge, client, MissingKeyError("No key.")).response.headers["x-should-retry"] == "false"


def test_a_stream_that_breaks(judge: Judge, client: anthropic.Anthropic) -> None:
    chunks = [StreamChunk("Hel"), StreamChunk("lo")]
    judge.says(*encoded(chunks, StreamError("Overloaded", type="overloaded_error")), type=STREAM_TYPE)
    with client.messages.stream(**ASKED) as stream, pytest.raises(anthropic.APIStatusError) as caught:
        stream.until_done()
    assert (caught.value.type, caught.value.api_message) == ("overloaded_error", "Overloaded")
    assert stream.current_message_snapshot.content[0].text == "Hello"


CALLS = (
    StreamChunk(tool_calls=(ToolCallDelta(0, "functions.f:0", "f", '{"a": '), ToolCallDelta(1, "", "g"))),
    StreamChunk("Meanwhile, "),
    StreamChunk(tool_calls=(ToolCallDelta(1, arguments="[1]"), ToolCallDelta(0, arguments="1}"))),
    StreamChunk("more.", finish_reason="stop", raw_finish_reason="STOP"),
)


def test_calls_that_come_in_each_others_midst(judge: Judge, client: anthropic.Anthropic) -> None:
    judge.says(*encoded(CALLS), type=STREAM_TYPE)
    events_of(client)
    with client.messages.stream(**ASKED) as stream:
        message = stream.get_final_message()
    assert [(b.name, b.input) for b in message.content if b.type == "tool_use"] == [
        ("f", {"a": 1}), ("g", {"INVALID_JSON": [1]}),
    ]  # fmt: skip
    assert message.stop_reason == "tool_use"
    assert "".join(block.text for block in message.content if block.type == "text") == "Meanwhile, more."


def test_a_refusal(judge: Judge, client: anthropic.Anthropic) -> None:
    choice = Choice(ChatMessage("assistant", (RefusalPart("I can't help with that."),)), "stop", "stop")
    judge.says(encode_response(Completion((choice,)), REQUEST, **IDENTITY))
    message = client.messages.create(**ASKED)
    assert (message.stop_reason, message.content[0].text) == ("refusal", "I can't help with that.")
    assert (message.id, message.model) == ("msg_1", "claude-x")
