"""Google's own SDK reads what we write in its protocol: every recorded answer, stream and error of every provider."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from judge import Judge, Recorded, answers, fails, recorded
from lambdallm.llm.errors import (
    BudgetExceededError,
    DeadlineExceededError,
    InternalError,
    InvalidRequestError,
    LambdaLLMError,
    LLMAuthenticationError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderConnectionError,
    ProviderServerError,
    StreamError,
    TokenLimitError,
    UnauthorizedError,
    UnsupportedParameterError,
)
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    ImagePart,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from lambdallm.llm.wire import anthropic_messages, openai_chat, openai_responses
from lambdallm.llm.wire.gemini import (
    STREAM_TYPE,
    StreamEncoder,
    decode_request,
    encode_error,
    encode_request,
    encode_response,
)
from lambdallm.llm.wire.gemini.fields import FINISH_REASONS
from lambdallm.testing.conformance.table import find
from recorded import recordings

REQUEST = ChatRequest("gemini-x", (ChatMessage("user", "Hi"),))
IDENTITY: dict[str, Any] = {"id": "answer-1", "created": 1_700_000_000}
ASKED: dict[str, Any] = {"model": "gemini-x", "contents": "Hi"}
SIGNATURE = "EoMCCoACARFNMg=="


@pytest.fixture(scope="module")
def client(judge: Judge) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=judge.url, retry_options=types.HttpRetryOptions(attempts=1))
    with genai.Client(api_key="none", http_options=options) as made:
        yield made


# What an answer says, in the SDK's words

FINISH = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY",
          "refusal": "SAFETY"}  # fmt: skip


def told(choice: Choice) -> dict[str, Any]:
    parts = choice.message.parts
    return {
        "text": "".join(part.text for part in parts if isinstance(part, (TextPart, RefusalPart))),
        "thoughts": "".join(part.text for part in parts if isinstance(part, ReasoningPart)),
        "calls": [(id_of(call), call.name, arguments_of(call)) for call in choice.message.tool_calls],
        "finish": finish_of(choice),
    }


def id_of(call: ToolCall) -> str | None:
    """What had no id, and came in this protocol, has none."""
    return None if "no_id" in call.metadata.get("gemini", {}).get("form", {}) else call.id or None


def arguments_of(call: ToolCall) -> Any:
    if isinstance(call.arguments, dict):
        return call.arguments
    if call.arguments is None and not (call.arguments_json or "").strip():
        return {}
    return {"INVALID_JSON": call.arguments_json if call.arguments is None else call.arguments}


def finish_of(choice: Choice) -> str | None:
    if choice.raw_finish_reason in FINISH_REASONS:
        return choice.raw_finish_reason
    return None if choice.finish_reason is None else FINISH.get(choice.finish_reason, "OTHER")


def read(candidates: Iterable[types.Candidate]) -> dict[str, Any]:
    said: dict[str, Any] = {"text": "", "thoughts": "", "calls": [], "finish": None}
    for candidate in candidates:
        for part in (candidate.content and candidate.content.parts) or ():
            if part.text:
                said["thoughts" if part.thought else "text"] += part.text
            if (call := part.function_call) is not None:
                said["calls"].append((call.id, call.name, call.args))
        said["finish"] = candidate.finish_reason.value if candidate.finish_reason else said["finish"]
    return said


def usage_of(usage: Usage | None) -> tuple[int, int, int, int]:
    usage = usage or Usage()
    return usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens


def usage_read(usage: types.GenerateContentResponseUsageMetadata | None) -> tuple[int, int, int, int]:
    if usage is None:
        return (0, 0, 0, 0)
    thoughts = usage.thoughts_token_count or 0
    return (
        (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0),
        (usage.candidates_token_count or 0) + thoughts,
        usage.cached_content_token_count or 0,
        thoughts,
    )


def encoded(chunks: Iterable[StreamChunk], error: LambdaLLMError | None = None) -> list[bytes]:
    encoder = StreamEncoder(REQUEST, **IDENTITY)
    pieces = [encoder.feed([chunk]) for chunk in chunks]
    return [*pieces, encoder.close() if error is None else encoder.fail(error)]


def by_index(answers: Iterable[types.GenerateContentResponse]) -> dict[int, list[types.Candidate]]:
    found: dict[int, list[types.Candidate]] = {}
    for answer in answers:
        for candidate in answer.candidates or ():
            found.setdefault(candidate.index or 0, []).append(candidate)
    return found


def said(candidates: dict[int, list[types.Candidate]]) -> list[dict[str, Any]]:
    return [read(pieces) for _, pieces in sorted(candidates.items())]


def expected(answer: Completion) -> list[dict[str, Any]]:
    """What each candidate says. A blocked prompt has none; a stream that said nothing at all has one."""
    feedback = answer.metadata.get("gemini", {}).get("promptFeedback", {})
    return [] if feedback.get("blockReason") else [told(choice) for choice in answer.choices]


# Every recorded exchange


def case(path: Path) -> Recorded:
    found = recorded(path)
    assert found is not None
    return found


@pytest.mark.corpus
@recordings("*/*", holds=answers)
def test_a_recorded_answer(path: Path, judge: Judge, client: genai.Client) -> None:
    found = case(path)
    if found.answer is None:
        raised(judge, client, found.error)
        return
    if found.exchange.get("stream"):
        streamed(judge, client, found)
    judge.says(encode_response(found.answer, REQUEST, **IDENTITY))
    answer = client.models.generate_content(**ASKED)
    assert said(by_index([answer])) == expected(found.answer)
    assert usage_read(answer.usage_metadata) == usage_of(found.answer.usage)
    assert answer.response_id == (found.answer.id or "answer-1")
    assert answer.model_version == (found.answer.model or "gemini-x")


def streamed(judge: Judge, client: genai.Client, found: Recorded) -> None:
    assert found.answer is not None
    judge.says(*encoded(found.chunks, found.error), type=STREAM_TYPE)
    if found.error is not None:
        with pytest.raises(errors.APIError) as caught:
            list(client.models.generate_content_stream(**ASKED))
        assert str(caught.value.message).startswith(found.error.message)
        return
    events = list(client.models.generate_content_stream(**ASKED))
    assert in_order(said(by_index(events))) == in_order(expected(found.answer))
    assert usage_read(events[-1].usage_metadata) == usage_of(found.answer.usage)


def in_order(answers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A call without arguments may be sent after later ones: until the end nobody knows that none come."""
    return [answer | {"calls": sorted(answer["calls"], key=str)} for answer in answers]


def raised(judge: Judge, client: genai.Client, error: LambdaLLMError | None) -> errors.APIError:
    """What the SDK raises for an error as we write it, with the same words."""
    assert error is not None
    wire = encode_error(error)
    judge.says(wire.body, status=wire.status, headers=wire.headers)
    with pytest.raises(errors.APIError) as caught:
        client.models.generate_content(**ASKED)
    assert str(caught.value.message).startswith(error.message)
    assert type(caught.value) is (errors.ClientError if wire.status < 500 else errors.ServerError)
    return caught.value


@pytest.mark.corpus
@recordings("*/*", holds=fails)
def test_a_recorded_error(path: Path, judge: Judge, client: genai.Client) -> None:
    found = case(path)
    error = raised(judge, client, found.error)
    status = found.exchange["response"]["status"]
    assert type(error) is (errors.ClientError if status < 500 else errors.ServerError)
    if found.exchange["api"] == "generate_content":
        assert (error.code, error.status) == (status, found.exchange["expected"]["type"])


# What we send to the provider, for requests of every protocol


def is_asked(exchange: dict[str, Any]) -> bool:
    api = find(exchange["provider"], exchange["api"])
    return api is not None and api.codec in DIALECTS and isinstance(exchange["request"].get("body"), dict)


DIALECTS = {
    dialect.__name__.rpartition(".")[2]: dialect for dialect in (openai_chat, openai_responses, anthropic_messages)
}


@pytest.mark.corpus
@recordings("*/chat", "*/openai_compat", "*/openai_chat", "*/responses", "*/messages", holds=is_asked)
def test_a_recorded_request_of_another_protocol(path: Path) -> None:
    """Every field that we write is one the SDK's types know, or the request is refused with the reason."""
    exchange = json.loads(path.read_bytes())
    api = find(exchange["provider"], exchange["api"])
    assert api is not None
    try:
        request = DIALECTS[api.codec].decode_request(json.dumps(exchange["request"]["body"]).encode(), model="m")
    except InvalidRequestError:
        assert exchange["response"]["status"] >= 400, "what the provider took must be read"
        return
    try:
        body = json.loads(encode_request(request, {"ignored": ["parallel_tool_calls"]}).body)
    except UnsupportedParameterError:
        return
    assert {content["role"] for content in body["contents"]} <= {"user", "model"}
    types.GenerateContentConfig.model_validate(body.pop("generationConfig", {}))
    known = {"contents": types.Content, "systemInstruction": types.Content, "tools": types.Tool,
             "toolConfig": types.ToolConfig}  # fmt: skip
    for name, value in body.items():
        for one in value if isinstance(value, list) else [value]:
            known[name].model_validate(one)


# What no recording shows


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (InvalidRequestError("No."), 400, "INVALID_ARGUMENT"),
        (InvalidRequestError("Where?", status=400, type="FAILED_PRECONDITION"), 400, "FAILED_PRECONDITION"),
        (TokenLimitError("Too long.", status=413), 400, "INVALID_ARGUMENT"),
        (UnauthorizedError("Who are you?"), 401, "UNAUTHENTICATED"),
        (LLMAuthenticationError("Not yours.", status=403), 403, "PERMISSION_DENIED"),
        (LLMModelNotFoundError("No such model."), 404, "NOT_FOUND"),
        (LLMRateLimitError("Slow down.", retry_after=1.5), 429, "RESOURCE_EXHAUSTED"),
        (BudgetExceededError("Spent."), 429, "RESOURCE_EXHAUSTED"),
        (ProviderServerError("Overloaded.", status=529), 503, "UNAVAILABLE"),
        (ProviderConnectionError("Refused."), 503, "UNAVAILABLE"),
        (DeadlineExceededError("No time."), 504, "DEADLINE_EXCEEDED"),
        (MissingKeyError("No key."), 500, "INTERNAL"),
        (InternalError("A bug."), 500, "INTERNAL"),
    ],
)
def test_an_error_of_every_kind(
    judge: Judge, client: genai.Client, error: LambdaLLMError, code: int, status: str
) -> None:
    caught = raised(judge, client, error)
    assert (caught.code, caught.status) == (code, status)


def test_how_long_to_wait(judge: Judge, client: genai.Client) -> None:
    caught = raised(judge, client, LLMRateLimitError("Slow down.", retry_after=1.5))
    assert caught.details["error"]["details"][0]["retryDelay"] == "1.5s"
    assert dict(judge.headers)["retry-after"] == "2"


def test_an_error_in_midstream(judge: Judge, client: genai.Client) -> None:
    judge.says(*encoded([StreamChunk("Hel")], StreamError("It broke.", type="x")), type=STREAM_TYPE)
    stream = client.models.generate_content_stream(**ASKED)
    assert next(stream).text == "Hel"
    with pytest.raises(errors.ServerError) as caught:
        next(stream)
    assert (caught.value.code, caught.value.message) == (503, "It broke.")


def test_calls_in_pieces_and_out_of_order(judge: Judge, client: genai.Client) -> None:
    chunks = [
        StreamChunk("Let me see."),
        StreamChunk(tool_calls=(ToolCallDelta(0, "a", "add", '{"x":'),)),
        StreamChunk(tool_calls=(ToolCallDelta(0, arguments=" 1}"), ToolCallDelta(1, "b", "now"))),
        StreamChunk(" Wait."),
        StreamChunk(tool_calls=(ToolCallDelta(2, "c", "bad", "{oops"),)),
        StreamChunk(finish_reason="tool_calls", raw_finish_reason="tool_use"),
        StreamChunk(usage=Usage(7, 5, 2, 0, 3)),
    ]
    judge.says(*encoded(chunks), type=STREAM_TYPE)
    events = list(client.models.generate_content_stream(**ASKED))
    assert read(by_index(events)[0]) == {
        "text": "Let me see. Wait.",
        "thoughts": "",
        "calls": [("a", "add", {"x": 1}), ("b", "now", {}), ("c", "bad", {"INVALID_JSON": "{oops"})],
        "finish": "STOP",
    }
    usage = events[-1].usage_metadata
    assert usage_read(usage) == (7, 5, 2, 3)
    assert usage is not None
    assert usage.total_token_count == 12


def test_signatures_are_bytes_to_the_sdk(judge: Judge, client: genai.Client) -> None:
    """It reads base64 and writes it back in the other alphabet; ours come back as they were."""
    mine = {"gemini": {"thoughtSignature": SIGNATURE}}
    parts = (
        ReasoningPart("Hm.", SIGNATURE, metadata={"gemini": {}}),
        TextPart("So:", (), mine),
        ToolCall("1", "f", {}, None, mine),
    )
    judge.says(encode_response(answering(*parts), REQUEST, **IDENTITY))
    content = candidate(client.models.generate_content(**ASKED)).content
    assert content is not None
    signatures = [part.thought_signature for part in content.parts or ()]
    assert len(set(signatures)) == 1
    assert signatures[0]
    client.models.generate_content(model="gemini-x", contents=[content])
    sent = [part["thoughtSignature"] for part in judge.asked[-1][1]["contents"][0]["parts"]]
    assert sent == [SIGNATURE] * 3


def test_a_foreign_proof_comes_back_through_the_sdk(judge: Judge, client: genai.Client) -> None:
    """Whatever another protocol signs with, the SDK takes it for a signature and returns it."""
    thought = ReasoningPart("Hm.", "sig~of another", metadata={"anthropic_messages": {}})
    hidden = ReasoningPart(encrypted="gAAAA=", id="rs_1", metadata={"openai_responses": {"status": "done"}})
    call = ToolCall("1", "f", {"a": 1}, None, {"openai_responses": {"id": "fc_1"}})
    judge.says(encode_response(answering(thought, hidden, call), REQUEST, **IDENTITY))
    content = candidate(client.models.generate_content(**ASKED)).content
    assert content is not None
    assert returned(judge, client, [content]) == (thought, hidden, call)


def test_a_streamed_proof_comes_back_through_a_chat(judge: Judge, client: genai.Client) -> None:
    """The SDK's chat keeps each event as a turn of its own; the proof brings the whole thought together again."""
    chunks = [
        StreamChunk(thinking="Let me ", block=0),
        StreamChunk(thinking="think.", block=0),
        StreamChunk(part=ReasoningPart(signature="s1", metadata={"anthropic_messages": {}}), block=0),
        StreamChunk("Yes", block=1),
        StreamChunk(".", finish_reason="stop", raw_finish_reason="end_turn", block=1),
    ]
    chat = client.chats.create(model="gemini-x")
    judge.says(*encoded(chunks), type=STREAM_TYPE)
    assert "".join(event.text or "" for event in chat.send_message_stream("Hi")) == "Yes."
    judge.says(encode_response(answering(TextPart("Fine.")), REQUEST, **IDENTITY))
    chat.send_message("Sure?")
    found = request_of(judge)
    thoughts = [part for message in found.messages for part in message.parts if isinstance(part, ReasoningPart)]
    assert thoughts == [ReasoningPart("Let me think.", "s1", metadata={"anthropic_messages": {}})]
    assert "".join(message.text for message in found.messages) == "HiYes.Sure?"


def test_an_image_in_an_answer(judge: Judge, client: genai.Client) -> None:
    judge.says(encode_response(answering(ImagePart(data=b"\x89PNG\r\n", media_type="image/png")), REQUEST, **IDENTITY))
    parts = (client.models.generate_content(**ASKED)).parts
    assert parts is not None
    assert parts[0].inline_data is not None
    assert (parts[0].inline_data.mime_type, parts[0].inline_data.data) == ("image/png", b"\x89PNG\r\n")


def test_citations_with_an_address(judge: Judge, client: genai.Client) -> None:
    cited = {"type": "url_citation", "url_citation": {"url": "https://a.example", "title": "A", "start_index": 0}}
    judge.says(encode_response(answering(TextPart("Yes.", (cited,))), REQUEST, **IDENTITY))
    metadata = candidate(client.models.generate_content(**ASKED)).citation_metadata
    assert metadata is not None
    assert [(c.uri, c.title, c.start_index) for c in metadata.citations or ()] == [("https://a.example", "A", 0)]


def test_a_blocked_prompt(judge: Judge, client: genai.Client) -> None:
    blocked = {"gemini": {"promptFeedback": {"blockReason": "SAFETY"}}}
    answer = Completion((Choice(ChatMessage("assistant"), "content_filter"),), metadata=blocked)
    judge.says(encode_response(answer, REQUEST, **IDENTITY))
    read = client.models.generate_content(**ASKED)
    assert not read.candidates
    assert read.prompt_feedback is not None
    assert read.prompt_feedback.block_reason == "SAFETY"
    chunks = [StreamChunk(finish_reason="content_filter"), StreamChunk(metadata=blocked)]
    judge.says(*encoded(chunks), type=STREAM_TYPE)
    (event,) = client.models.generate_content_stream(**ASKED)
    assert not event.candidates
    assert event.prompt_feedback == read.prompt_feedback


def answering(*parts: Any) -> Completion:
    return Completion((Choice(ChatMessage("assistant", parts), "stop", "end_turn"),))


def candidate(answer: types.GenerateContentResponse) -> types.Candidate:
    assert answer.candidates
    return answer.candidates[0]


def request_of(judge: Judge) -> ChatRequest:
    return decode_request(json.dumps(judge.asked[-1][1]).encode(), model="m")


def returned(judge: Judge, client: genai.Client, contents: list[Any]) -> tuple[Any, ...]:
    client.models.generate_content(model="gemini-x", contents=contents)
    return request_of(judge).messages[0].parts
