"""The Responses protocol as clients speak it to us: requests read, answers, streams and errors written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.errors import InvalidRequestError, LLMRateLimitError, StreamError
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    Thinking,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolResult,
    Usage,
)
from lambdallm.llm.wire import openai_responses as codec

NAME = "openai_responses"
REQUEST = ChatRequest("asked", (ChatMessage("user", "?"),), dialect=NAME)


def read(**body: Any) -> ChatRequest:
    return codec.decode_request(json.dumps({"model": "m", "input": "Hi.", **body}).encode())


def messages(*items: Any) -> tuple[ChatMessage, ...]:
    return read(input=list(items)).messages


def test_the_least_request() -> None:
    assert read() == ChatRequest("m", (ChatMessage("user", "Hi."),), dialect=NAME)


def test_the_url_may_say_model_and_streaming() -> None:
    request = codec.decode_request(b'{"input": "Hi."}', model="other", stream=True)
    assert (request.model, request.stream) == ("other", True)


def test_settings_with_and_without_a_field() -> None:
    request = read(
        instructions="Be brief.", max_output_tokens=9, temperature=1, top_p=0.5, parallel_tool_calls=False, user="u",
        stream=True, store=False, previous_response_id="resp_0", metadata={"a": "b"}, truncation=None,
    )  # fmt: skip
    assert request.messages[0].role == "system"
    assert request.messages[0].text == "Be brief."
    assert (request.max_tokens, request.temperature, request.top_p, request.user) == (9, 1, 0.5, "u")
    assert request.parallel_tool_calls is False
    assert request.stream
    assert request.extra == {"store": False, "previous_response_id": "resp_0", "metadata": {"a": "b"}}


def test_one_turn_of_the_model_is_one_message() -> None:
    """So that protocols that know turns, not items, say thoughts and parallel calls as they want them."""
    user, turn, results, after = messages(
        {"role": "user", "content": "Hi."},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Wait."}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
        {"type": "function_call", "call_id": "c2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": "1"},
        {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "2"}]},
        {"role": "assistant", "content": "Done."},
    )
    assert [m.role for m in (user, turn, results, after)] == ["user", "assistant", "tool", "assistant"]
    assert [type(part) for part in turn.parts] == [ReasoningPart, TextPart, ToolCall, ToolCall]
    assert [part.call_id for part in results.parts if isinstance(part, ToolResult)] == ["c1", "c2"]
    assert after.text == "Done."


def test_parts_that_a_user_gives() -> None:
    (message,) = messages(
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "See."},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw==", "detail": "high"},
                {"type": "input_image", "image_url": "https://a/b.png"},
                {"type": "input_image", "file_id": "file-1"},
                {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"},
                {"type": "input_file", "file_url": "https://a/b.pdf"},
                {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
                {"type": "input_smell", "smell": "rose"},
            ],
        }
    )
    text, data, url, file, pdf, link, sound, smell = message.parts
    assert text == TextPart("See.")
    assert data == ImagePart(data=b"\x89PNG", media_type="image/png", detail="high")
    assert url == ImagePart("https://a/b.png")
    assert isinstance(file, ImagePart)
    assert file.metadata == {NAME: {"file_id": "file-1"}}
    assert pdf == DocumentPart(b"%PDF", "application/pdf", name="a.pdf")
    assert isinstance(link, DocumentPart)
    assert link.url == "https://a/b.pdf"
    assert sound == AudioPart(b"RIFF", "audio/wav")
    assert smell == ProviderPart("input_smell", {"smell": "rose"}, NAME)


ITEMS: tuple[dict[str, Any], ...] = (
    {"type": "item_reference", "id": "msg_1"},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "x"}},
    {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot", "file_id": "f"}},
    {"type": "local_shell_call", "id": "l", "call_id": "c", "status": "completed", "action": {"type": "exec"}},
    {"type": "mcp_approval_response", "approval_request_id": "a", "approve": True},
    {"type": "apply_patch_call_output", "call_id": "c", "status": "completed"},
    {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAA"},
    {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw=="},
    {"type": "custom_tool_call", "call_id": "c9", "name": "sh", "input": "ls"},
    {"type": "custom_tool_call_output", "call_id": "c9", "output": "a.txt"},
    {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"},
    {"type": "reasoning", "id": "rs_2", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]},
    {"type": "message", "role": "assistant", "id": "msg_2", "status": "completed", "phase": "commentary", "content": [
        {"type": "output_text", "text": "a", "annotations": []},
        {"type": "refusal", "refusal": "b"},
    ]},
    {"type": "message", "role": "assistant", "content": "One."},
    {"type": "message", "role": "assistant", "content": "Two."},
    {"type": "message", "role": "assistant", "content": ""},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{not json", "namespace": "n"},
    {"type": "message", "role": "user", "content": ""},
    {"type": "message", "role": "developer", "content": [
        {"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}},
    ]},
    {"type": "message", "role": "user", "content": [
        {"type": "input_file", "file_data": "JVBERg", "filename": "odd.pdf"},
        {"type": "input_file", "file_data": "data:text/plain;charset=utf-8;base64,eA=="},
        {"type": "input_image", "image_url": "data:image/png;base64,not base64"},
    ]},
)  # fmt: skip


def test_every_kind_of_item_goes_on_as_it_came() -> None:
    encoded = codec.encode_request(read(input=ITEMS), {})
    assert encoded.warnings == ()
    assert json.loads(encoded.body)["input"] == list(ITEMS)


SETTINGS: tuple[dict[str, Any], ...] = (
    {"tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "f"}]}},
    {"tool_choice": {"type": "mcp", "server_label": "s", "name": "n"}},
    {"tool_choice": {"type": "custom", "name": "sh"}},
    {"tool_choice": {"type": "file_search"}},
    {"tool_choice": {"type": "function", "name": "f"}},
    {"tool_choice": "none"},
    {"tools": [{"type": "custom", "name": "sh", "format": {"type": "text"}}, {"type": "image_generation"}]},
    {"tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "defer_loading": True}]},
    {"text": {"verbosity": "low", "format": {"type": "json_schema", "name": "a", "schema": {}, "strict": True}}},
    {"text": {"format": {"type": "grammar", "definition": "x"}}},
    {"text": {"format": {"type": "json_object"}}},
    {"reasoning": {"effort": "high", "summary": "auto"}},
    {"reasoning": {"effort": "none"}},
    {"reasoning": {"effort": "extreme"}},
    {"reasoning": {"summary": "detailed"}},
    {"reasoning": {"context": "all_turns"}},
    {"include": ["message.output_text.logprobs", "reasoning.encrypted_content"], "top_logprobs": 3},
    {"include": ["message.output_text.logprobs"]},
    {"top_logprobs": 3},
    {"stop": ["x"], "seed": 1},
)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: json.dumps(setting)[:40])
def test_every_setting_goes_on_as_it_came(setting: dict[str, Any]) -> None:
    encoded = codec.encode_request(read(**setting), {})
    told = json.loads(encoded.body)
    if "include" in told:
        told["include"].sort()
    assert {key: told[key] for key in told if key not in ("model", "input")} == setting


def test_settings_in_our_words() -> None:
    assert read(tool_choice={"type": "function", "name": "f"}).tool_choice == ToolChoice("tool", "f")
    assert read(reasoning={"effort": "none"}).thinking == Thinking(False, metadata={NAME: {}})
    high = read(reasoning={"effort": "high", "summary": "auto"}).thinking
    assert high == Thinking(effort="high", metadata={NAME: {"summary": "auto"}})
    assert read(reasoning={"context": "all_turns"}).thinking is None
    assert read(include=["message.output_text.logprobs"], top_logprobs=2).logprobs == 2


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"input": 5}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{}]}, "input[0].type"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": [5]}]}, "input[0].content[0]"),
        ({"input": [{"role": "user", "content": [{"text": "x"}]}]}, "input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input[0].content[0].text"),
        ({"input": [{"type": "function_call", "name": "f"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": 5}]}, "input[0].call_id"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].name"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"text": {"format": {"type": "json_schema", "name": "a"}}}, "text.format.schema"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"reasoning": "high"}, "reasoning"),
        ({"instructions": []}, "instructions"),
    ],
)
def test_what_is_malformed_is_told_with_the_path_to_it(body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        read(**body)
    assert raised.value.param == param
    assert codec.encode_error(raised.value).status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"[" * 100_000, b"\xff", b'{"model": "m", "top_p": NaN}'])
def test_a_body_that_is_no_object(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        codec.decode_request(body)


def said(*parts: Any, reason: Any = "stop", **more: Any) -> Completion:
    return Completion((Choice(ChatMessage("assistant", parts), reason),), **more)


def written(answer: Completion, request: ChatRequest = REQUEST) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(codec.encode_response(answer, request, id="resp_9", created=7))
    return body


def test_an_answer_echoes_what_was_asked() -> None:
    request = read(
        instructions="Be brief.", max_output_tokens=9, temperature=0.5, store=False, reasoning={"effort": "low"},
        tools=[{"type": "function", "name": "f", "parameters": {"type": "object"}}], text={"verbosity": "low"},
        metadata={"a": "b"}, previous_response_id="resp_0", tool_choice="required",
    )  # fmt: skip
    body = written(said(TextPart("Hi.")), request)
    assert (body["id"], body["created_at"], body["object"], body["model"]) == ("resp_9", 7, "response", "m")
    assert body["instructions"] == "Be brief."
    assert (body["max_output_tokens"], body["temperature"], body["store"]) == (9, 0.5, False)
    assert body["reasoning"] == {"effort": "low", "summary": None}
    assert body["tools"][0]["name"] == "f"
    assert body["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    assert (body["metadata"], body["previous_response_id"], body["tool_choice"]) == ({"a": "b"}, "resp_0", "required")
    assert (body["top_p"], body["truncation"], body["parallel_tool_calls"]) == (1.0, "disabled", True)


def test_items_have_ids_of_their_own() -> None:
    parts = (ReasoningPart("Hm."), TextPart("So."), ToolCall("c1", "f", {}), ImagePart(data=b"\x89PNG"))
    output = written(said(*parts))["output"]
    assert [item["id"] for item in output] == ["rs_9_0", "msg_9_1", "fc_9_2", "ig_9_3"]
    assert [item["type"] for item in output] == ["reasoning", "message", "function_call", "image_generation_call"]
    assert output[2]["arguments"] == "{}"


@pytest.mark.parametrize(
    ("reason", "status", "why"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
        ("refusal", "incomplete", "content_filter"),
        ("pause", "incomplete", None),
        ("other", "completed", None),
        (None, "completed", None),
    ],
)
def test_why_an_answer_ended(reason: Any, status: str, why: str | None) -> None:
    body = written(said(TextPart("Hi."), reason=reason))
    assert body["status"] == status
    assert (body["incomplete_details"] or {}).get("reason") == why
    assert body["output"][0]["status"] == status


def test_usage() -> None:
    body = written(said(usage=Usage(10, 5, cached_tokens=3, cache_write_tokens=2, reasoning_tokens=4)))
    assert body["usage"] == {
        "input_tokens": 10, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
        "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 15,
    }  # fmt: skip


FOREIGN: tuple[Any, ...] = (
    ReasoningPart("Hm.", signature="sig", metadata={"anthropic_messages": {}}),
    ReasoningPart("", encrypted="blob", metadata={"anthropic_messages": {}}),
    ReasoningPart("Just words."),
    ProviderPart("server_tool_use", {"id": "srv_1", "input": {}}, "anthropic_messages"),
    AudioPart(b"RIFF", "audio/wav"),
)


@pytest.mark.parametrize("part", FOREIGN, ids=lambda part: type(part).__name__)
def test_what_only_another_protocol_knows_comes_back_as_it_was(part: Any) -> None:
    output = written(said(part, TextPart("So.")))["output"]
    (turn,) = messages(*output)
    assert turn.parts[0] == part


def test_notes_on_a_call_and_citations_of_a_text_come_back() -> None:
    signed = ToolCall("c1", "f", {"a": 1}, metadata={"gemini": {"thoughtSignature": "s"}})
    cited = TextPart("So.", ({"type": "char_location", "cited_text": "x"},), {"anthropic_messages": {"k": 1}})
    (turn,) = messages(*written(said(cited, signed))["output"])
    text, call = turn.parts
    assert isinstance(text, TextPart)
    assert isinstance(call, ToolCall)
    assert (text.text, text.citations, text.metadata["anthropic_messages"]) == ("So.", cited.citations, {"k": 1})
    assert call.metadata["gemini"] == {"thoughtSignature": "s"}


@pytest.mark.parametrize(
    "seal", ["lambdallm.1.", "lambdallm.1.!!", "lambdallm.1.W10=", "lambdallm.1.WyJUZXh0UGFydCIse30sMV0="]
)
def test_a_seal_that_can_not_be_opened_is_a_thought(seal: str) -> None:
    (turn,) = messages({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": seal})
    (part,) = turn.parts
    assert isinstance(part, ReasoningPart)
    assert part.encrypted == seal


def events(*chunks: StreamChunk, error: Any = None) -> list[dict[str, Any]]:
    encoder = codec.StreamEncoder(REQUEST, id="resp_9", created=7)
    body = b"".join(encoder.feed([chunk]) for chunk in chunks)
    body += encoder.fail(error) if error is not None else encoder.close()
    blocks = body.decode().split("\n\n")
    assert blocks.pop() == ""
    found = [json.loads(block.partition("\ndata: ")[2]) for block in blocks]
    assert [block.partition("\n")[0] for block in blocks] == [f"event: {event['type']}" for event in found]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def kinds(found: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in found]


def test_a_streamed_text() -> None:
    found = events(StreamChunk("Hi"), StreamChunk("."), StreamChunk(finish_reason="stop", usage=Usage(1, 2)))
    assert kinds(found) == [
        "created", "in_progress", "output_item.added", "content_part.added", "output_text.delta", "output_text.delta",
        "output_text.done", "content_part.done", "output_item.done", "completed",
    ]  # fmt: skip
    assert found[4]["item_id"] == found[2]["item"]["id"] == "msg_9_0"
    assert found[-1]["response"]["output"] == [found[-2]["item"]]
    assert found[-1]["response"]["usage"]["total_tokens"] == 3


def test_a_streamed_thought_and_mixed_calls() -> None:
    found = events(
        StreamChunk(thinking="Hm"),
        StreamChunk(part=ReasoningPart(signature="sig", metadata={"anthropic_messages": {}})),
        StreamChunk("So.", block=1),
        StreamChunk(tool_calls=(ToolCallDelta(0, "c1", "f", '{"a'), ToolCallDelta(1, "c2", "g"))),
        StreamChunk(tool_calls=(ToolCallDelta(0, arguments='":1}'),)),
        StreamChunk(finish_reason="tool_calls"),
    )
    assert [item["type"] for item in found[-1]["response"]["output"]] == [
        "reasoning", "message", "function_call", "function_call",
    ]  # fmt: skip
    assert [item["arguments"] for item in found[-1]["response"]["output"][2:]] == ['{"a":1}', "{}"]
    done = kinds(found).index("output_item.done")
    assert kinds(found)[done + 1] == "output_item.added"  # the thought is closed before the text begins
    (turn,) = messages(*found[-1]["response"]["output"])
    assert turn.parts[0] == ReasoningPart("Hm", signature="sig", metadata={"anthropic_messages": {}})


def test_a_streamed_refusal() -> None:
    found = events(
        StreamChunk(part=RefusalPart("I ")), StreamChunk(part=RefusalPart("won't.")), StreamChunk(finish_reason="stop")
    )
    assert "refusal.delta" in kinds(found)
    assert found[-1]["response"]["output"][0]["content"] == [{"type": "refusal", "refusal": "I won't."}]


def test_a_stream_cut_by_the_limit() -> None:
    found = events(StreamChunk("Hi"), StreamChunk(finish_reason="length"))
    assert kinds(found)[-1] == "incomplete"
    assert found[-1]["response"]["incomplete_details"] == {"reason": "max_output_tokens"}
    assert found[-1]["response"]["output"][0]["status"] == "incomplete"


def test_a_stream_that_an_error_ends() -> None:
    found = events(StreamChunk("Hi"), error=StreamError("Gone.", code="server_error"))
    assert kinds(found)[-2:] == ["error", "failed"]
    assert found[-2]["error"]["message"].startswith("Gone.")
    assert found[-1]["response"]["status"] == "failed"
    assert found[-1]["response"]["error"]["code"] == "server_error"


def test_the_same_chunks_give_the_same_bytes() -> None:
    chunks = (StreamChunk(thinking="Hm"), StreamChunk("Hi."), StreamChunk(finish_reason="stop"))
    assert events(*chunks) == events(*chunks)


def test_an_error() -> None:
    encoded = codec.encode_error(LLMRateLimitError("Slow down.", retry_after=2.5))
    assert encoded.status == 429
    assert dict(encoded.headers)["retry-after"] == "3"
    assert json.loads(encoded.body)["error"]["message"] == "Slow down."
