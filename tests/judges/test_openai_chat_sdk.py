"""OpenAI's own SDK reads what we write: every recorded answer, stream and error of any provider, in its protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from judge import Judge, Recorded, is_chat, recorded
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
    TextPart,
    ToolCall,
)
from lambdallm.llm.wire import openai_chat
from lambdallm.llm.wire.notes import form
from lambdallm.llm.wire.openai_chat.answer import finish_word
from recorded import recordings

REQUEST = ChatRequest(
    "asked-for", (ChatMessage("user", "Hi"),), extra={"stream_options": {"include_usage": True}}, dialect="openai_chat"
)
ASKED: dict[str, Any] = {"model": "asked-for", "messages": [{"role": "user", "content": "Hi"}]}

RAISED: dict[type[errors.LambdaLLMError], type[openai.APIError]] = {
    errors.LLMAuthenticationError: openai.AuthenticationError,
    errors.LLMModelNotFoundError: openai.NotFoundError,
    errors.LLMRateLimitError: openai.RateLimitError,
    errors.LLMQuotaExceededError: openai.RateLimitError,
    errors.TokenLimitError: openai.BadRequestError,
    errors.LLMContentFilterError: openai.BadRequestError,
    errors.UnsupportedParameterError: openai.BadRequestError,
    errors.ProviderServerError: openai.InternalServerError,
    errors.ProviderTimeoutError: openai.InternalServerError,
    errors.ProviderResponseError: openai.InternalServerError,
    errors.StreamError: openai.InternalServerError,
}
"""What the SDK raises for each kind of error of ours; an invalid request keeps the provider's 4xx."""


def answers(exchange: dict[str, Any]) -> bool:
    return is_chat(exchange) and (exchange.get("expected") or {}).get("kind") == "chat"


def chat(path: Path) -> Recorded:
    found = recorded(path)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def client(judge: Judge) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{judge.url}/v1", api_key="none", max_retries=0) as made:
        yield made


@pytest.mark.corpus
@recordings("*/*", holds=is_chat)
def test_recorded_exchange(path: Path, judge: Judge, client: openai.OpenAI) -> None:
    found = chat(path)
    if found.chunks:
        check_stream(found, judge, client)
    elif found.error is not None:
        check_error(found.error, judge, client)
    else:
        assert found.answer is not None
        judge.says(openai_chat.encode_response(found.answer, REQUEST, id="made-up", created=7))
        check_answer(client.chat.completions.create(**ASKED), found.answer)


def check_answer(told: ChatCompletion, answer: Completion) -> None:
    assert told.id == (answer.id or "made-up")
    assert told.model == (answer.model or "asked-for")
    assert told.object == "chat.completion"
    assert [choice.index for choice in told.choices] == [choice.index for choice in answer.choices]
    for choice, expected in zip(told.choices, answer.choices, strict=True):
        check_choice(choice, expected)
    check_usage(told.usage, answer)


def check_choice(told: Any, expected: Choice) -> None:
    message = expected.message
    assert (told.message.content or "") == message.text
    assert getattr(told.message, "reasoning_content", None) == message.thinking
    assert told.message.refusal == message.refusal
    assert told.finish_reason == finish_word(expected, legacy=False)
    old = [call for call in message.tool_calls if form(call.metadata, "openai_chat").get("kind") == "function_call"]
    if old:
        assert told.message.function_call.name == old[0].name
        assert json.loads(told.message.function_call.arguments) == old[0].arguments
    else:
        check_calls(told.message.tool_calls or [], message.tool_calls)


def check_calls(told: list[Any], expected: tuple[ToolCall, ...]) -> None:
    assert [call.id for call in told] == [call.id for call in expected]
    for call, wanted in zip(told, expected, strict=True):
        if call.type == "custom":
            assert (call.custom.name, call.custom.input) == (wanted.name, wanted.arguments_json)
            continue
        assert call.function.name == wanted.name
        if wanted.arguments is not None:
            assert json.loads(call.function.arguments) == wanted.arguments
        else:
            assert call.function.arguments == wanted.arguments_json


def check_usage(told: Any, answer: Completion) -> None:
    if answer.usage is None:
        assert told is None
        return
    usage = answer.usage
    assert (told.prompt_tokens, told.completion_tokens) == (usage.input_tokens, usage.output_tokens)
    assert told.total_tokens == usage.total_tokens
    assert told.prompt_tokens_details.cached_tokens == usage.cached_tokens
    assert told.completion_tokens_details.reasoning_tokens == usage.reasoning_tokens


def check_error(error: errors.LLMError, judge: Judge, client: openai.OpenAI) -> None:
    told = openai_chat.encode_error(error)
    judge.says(told.body, status=told.status, headers=told.headers)
    with pytest.raises(openai.APIError) as caught:
        client.chat.completions.create(**ASKED)
    kind = next((raised for ours, raised in RAISED.items() if isinstance(error, ours)), None)
    kind = openai.PermissionDeniedError if kind is openai.AuthenticationError and error.status == 403 else kind
    assert type(caught.value) is kind if kind else 400 <= caught.value.status_code < 500  # type: ignore[attr-defined]
    assert caught.value.body["message"].startswith(error.message)  # type: ignore[index]


def streamed(found: Recorded, judge: Judge) -> None:
    """Set the judge to stream an exchange's chunks, each in bytes of its own."""
    encoder = openai_chat.StreamEncoder(REQUEST, id="made-up", created=7)
    pieces = [encoder.feed([chunk]) for chunk in found.chunks]
    pieces.append(encoder.close() if found.error is None else encoder.fail(found.error))
    judge.says(*pieces, type=openai_chat.STREAM_TYPE)


def check_stream(found: Recorded, judge: Judge, client: openai.OpenAI) -> None:
    streamed(found, judge)
    chunks: list[ChatCompletionChunk] = []
    if found.error is None:
        chunks.extend(client.chat.completions.create(**ASKED, stream=True))
        assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1
        check_last(chunks, found)
    else:
        with pytest.raises(openai.APIError) as caught:
            chunks.extend(client.chat.completions.create(**ASKED, stream=True))
        assert caught.value.message == found.error.message
    assert chunks[0].choices[0].delta.role == "assistant"
    for choice in found.answer.choices if found.answer else ():
        check_deltas([c for chunk in chunks for c in chunk.choices if c.index == choice.index], choice)


def check_last(chunks: list[ChatCompletionChunk], found: Recorded) -> None:
    assert found.answer is not None
    check_usage(chunks[-1].usage, found.answer)
    for choice in found.answer.choices:
        (word,) = [
            c.finish_reason for chunk in chunks for c in chunk.choices if c.index == choice.index and c.finish_reason
        ]
        assert word == finish_word(choice, legacy=False)


def check_deltas(told: list[Any], choice: Choice) -> None:
    deltas = [piece.delta for piece in told]
    message = choice.message
    assert "".join(delta.content or "" for delta in deltas) == message.text
    assert "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas) == (message.thinking or "")
    assert "".join(delta.refusal or "" for delta in deltas) == (message.refusal or "")
    pieces = [call for delta in deltas for call in delta.tool_calls or ()]
    names = [call.function.name for call in pieces if call.id]
    assert names == [
        c.name for c in message.tool_calls if form(c.metadata, "openai_chat").get("kind") != "function_call"
    ]
    for number, call in enumerate(message.tool_calls):
        text = "".join(piece.function.arguments or "" for piece in pieces if piece.index == number)
        if call.arguments and pieces:
            assert json.loads(text) == call.arguments


@pytest.mark.corpus
@recordings("*/*", holds=lambda exchange: answers(exchange) and bool(exchange.get("stream")))
def test_the_sdks_own_accumulation(path: Path, judge: Judge, client: openai.OpenAI) -> None:
    """`stream()` adds chunks up by the index of what is in a list: proofs of thoughts and calls must survive that."""
    found = chat(path)
    assert found.answer is not None
    if found.error is not None:
        return  # an answer to its vendor's SDK, whose last word is that it failed
    streamed(found, judge)
    try:
        with client.chat.completions.stream(**ASKED) as stream:
            told: Any = stream.get_final_completion()
    except openai.LengthFinishReasonError as cut:
        told = cut.completion
    except openai.ContentFilterFinishReasonError:
        assert found.answer.finish_reason in ("content_filter", "refusal")
        return
    assert [choice.index for choice in told.choices] == [choice.index for choice in found.answer.choices]
    for choice, expected in zip(told.choices, found.answer.choices, strict=True):
        assert (choice.message.content or "") == expected.message.text
        assert getattr(choice.message, "reasoning_content", None) == expected.message.thinking
        check_calls(list(choice.message.tool_calls or []), expected.message.tool_calls)
        whole = json.loads(openai_chat.encode_response(found.answer, REQUEST, id="made-up", created=7))
        details = whole["choices"][choice.index]["message"].get("reasoning_details")
        if not repeats_an_index(details or []):
            assert getattr(choice.message, "reasoning_details", None) == details


def repeats_an_index(details: list[dict[str, Any]]) -> bool:
    """Whether details share an index, as OpenRouter's own do: we send those as they came, and the SDK merges them."""
    return len({detail["index"] for detail in details}) < len(details)


# The client gives back what it was given


@pytest.mark.corpus
@recordings("*/*", holds=lambda exchange: answers(exchange) and not exchange["expected"].get("choices"))
def test_a_message_sent_back_loses_nothing(path: Path, judge: Judge, client: openai.OpenAI) -> None:
    """The assistant's message as the SDK dumps it gives the next request the parts of the answer."""
    found = chat(path)
    assert found.answer is not None
    judge.says(openai_chat.encode_response(found.answer, REQUEST, id="made-up", created=7))
    said = client.chat.completions.create(**ASKED).choices[0].message.model_dump(exclude_none=True)
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}, said]}
    back = openai_chat.decode_request(json.dumps(body).encode()).messages[1]
    assert lasting(back) == lasting(found.answer.message)


def lasting(message: ChatMessage) -> list[Any]:
    """What of a message must come back: text (neighbours joined), proofs of thoughts, calls, blocks, all in order."""
    told: list[Any] = []
    for part in message.parts:
        if not isinstance(part, TextPart):
            told.append(LASTING[type(part)](part))
        elif told and isinstance(told[-1], str):
            told[-1] += part.text
        elif part.text:
            told.append(part.text)
    return told


def foreign(part: Any) -> dict[str, Any]:
    return {key: value for key, value in part.metadata.items() if key != "openai_chat"}


def thought(part: Any) -> tuple[Any, ...]:
    details = part.metadata.get("openai_chat", {}).get("reasoning_details")
    return (part.text, details, part.signature, part.encrypted, part.id, foreign(part))


def call(part: Any) -> tuple[Any, ...]:
    """A call; one of the days before ids has any."""
    return (part.id if not part.id.startswith("call_0") else "", part.name, part.arguments, foreign(part))


LASTING: dict[type, Any] = {
    ReasoningPart: thought,
    ToolCall: call,
    ProviderPart: lambda part: (part.type, part.protocol, part.value),
    RefusalPart: lambda part: ("refusal", part.text),
    ImagePart: lambda part: ("image", part.media_type),
}
