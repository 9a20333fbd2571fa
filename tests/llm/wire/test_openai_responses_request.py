"""Requests of the Responses protocol, from our values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.errors import UnsupportedParameterError
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import openai_responses as codec

NAME = "openai_responses"
OURS: dict[str, Any] = {NAME: {}}


def encode(*messages: ChatMessage, facts: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    body, warnings = encode_warned(*messages, facts=facts, **settings)
    assert warnings == ()
    return body


def encode_warned(
    *messages: ChatMessage, facts: dict[str, Any] | None = None, **settings: Any
) -> tuple[dict[str, Any], tuple[str, ...]]:
    encoded = codec.encode_request(ChatRequest("m", messages, **settings), facts or {})
    return json.loads(encoded.body), encoded.warnings


def items(*messages: ChatMessage, **settings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = encode(*messages, **settings)["input"]
    return found


USER = ChatMessage("user", "Hi.")


def test_the_least_request() -> None:
    assert encode(USER) == {"model": "m", "input": [{"type": "message", "role": "user", "content": "Hi."}]}


def test_system_text_stays_in_its_place() -> None:
    found = items(ChatMessage("system", "Be brief."), USER, ChatMessage("developer", "In French."))
    assert [item["role"] for item in found] == ["system", "user", "developer"]


def test_system_text_that_comes_first_is_instructions_where_the_provider_wants_it_there() -> None:
    body = encode(
        ChatMessage("system", "Be brief."), ChatMessage("system", "Rhyme."), USER, facts={"instructions": True}
    )
    assert body["instructions"] == "Be brief.\n\nRhyme."
    assert [item["role"] for item in body["input"]] == ["user"]


def test_a_provider_may_know_one_of_the_two_names_only() -> None:
    assert items(ChatMessage("system", "x"), facts={"system_role": "developer"})[0]["role"] == "developer"


def test_the_parts_of_a_user() -> None:
    (item,) = items(
        ChatMessage(
            "user",
            (
                TextPart("What is it?"),
                ImagePart(url="https://a/b.png", detail="low"),
                ImagePart(data=b"\x89PNG", media_type="image/png"),
                DocumentPart(data=b"%PDF", media_type="application/pdf", name="a.pdf"),
                DocumentPart(data=b"%PDF"),
                DocumentPart(url="https://a/b.pdf"),
                DocumentPart(file_id="file-1"),
                DocumentPart(text="words", name="notes"),
                AudioPart(b"RIFF", "audio/wav"),
            ),
        )
    )
    assert item["content"] == [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "https://a/b.png", "detail": "low"},
        {"type": "input_image", "image_url": "data:image/png;base64,iVBORw=="},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERg==", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBERg==", "filename": "document.pdf"},
        {"type": "input_file", "file_url": "https://a/b.pdf"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_text", "text": "notes\n\nwords"},
        {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
    ]


@pytest.mark.parametrize("part", [ImagePart(), DocumentPart()])
def test_a_part_that_holds_nothing_is_refused(part: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match=r"input\[0\]"):
        encode(ChatMessage("user", (part,)))


def test_a_turn_with_a_tool() -> None:
    found = items(
        USER,
        ChatMessage("assistant", (TextPart("Let me look."), ToolCall("c1", "look", {"at": "sky"}))),
        ChatMessage("tool", (ToolResult("c1", "blue"),)),
    )
    assert found[1:] == [
        {"type": "message", "role": "assistant", "content": "Let me look."},
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at": "sky"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "blue"},
    ]


def test_a_tools_result_may_hold_images() -> None:
    result = ToolResult("c1", (TextPart("see"), ImagePart(url="https://a/b.png")))
    (item,) = items(ChatMessage("tool", (result,)))
    assert [part["type"] for part in item["output"]] == ["input_text", "input_image"]
    with pytest.raises(UnsupportedParameterError, match="audio"):
        encode(ChatMessage("tool", (ToolResult("c1", (AudioPart(b"", "audio/wav"),)),)))


def test_a_failed_tool_says_so_in_its_text_alone() -> None:
    _, warnings = encode_warned(ChatMessage("tool", (ToolResult("c1", "no", is_error=True),)))
    assert len(warnings) == 1
    assert "is_error" in warnings[0]


def test_a_custom_tools_call_and_its_result() -> None:
    call = ToolCall("c1", "shell", None, "ls -l", {NAME: {"form": {"kind": "custom"}}})
    found = items(ChatMessage("assistant", (call,)), ChatMessage("tool", (ToolResult("c1", "…"),)))
    assert found == [
        {"type": "custom_tool_call", "call_id": "c1", "name": "shell", "input": "ls -l"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "…"},
    ]


def test_a_thought_of_this_protocols_goes_back_with_its_proof() -> None:
    thought = ReasoningPart("Hm.", encrypted="gAAA", id="rs_1", metadata=OURS)
    assert items(ChatMessage("assistant", (thought,))) == [
        {
            "type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA",
            "summary": [{"type": "summary_text", "text": "Hm."}],
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    "thought",
    [
        ReasoningPart("Hm."),
        ReasoningPart("Hm.", signature="sig"),
        ReasoningPart("Hm.", encrypted="x", metadata={"anthropic_messages": {}}),
        ReasoningPart("Hm.", metadata={"openai_chat": {"form": {"field": "reasoning"}}}),
    ],
)
def test_a_thought_of_another_protocols_is_left_out_and_told(thought: ReasoningPart) -> None:
    body, warnings = encode_warned(ChatMessage("assistant", (thought, TextPart("Yes."))))
    assert [item["type"] for item in body["input"]] == ["message"]
    assert len(warnings) == 1


def test_a_provider_may_take_any_thought_as_text() -> None:
    (item,) = items(ChatMessage("assistant", (ReasoningPart("Hm."),)), facts={"reasoning_back": "content"})
    assert item == {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm."}]}


def test_where_nothing_is_stored_a_thought_without_proof_is_left_out_with_the_ids_that_refer_to_it() -> None:
    call = ToolCall("c1", "f", {}, "{}", {NAME: {"form": {"item": {"id": "fc_1"}}}})
    message = ChatMessage("assistant", (ReasoningPart("Hm.", id="rs_1", metadata=OURS), call))
    assert [item.get("id") for item in items(message)] == ["rs_1", "fc_1"]
    body, warnings = encode_warned(message, extra={"store": False})
    assert body["input"] == [{"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}]
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("settings", "facts", "asked"),
    [
        ({"extra": {"store": False}, "thinking": Thinking(effort="low")}, {}, True),
        ({"thinking": Thinking(effort="low")}, {"store": False}, True),
        ({"thinking": Thinking(effort="low")}, {}, False),
        ({"extra": {"store": False}}, {}, False),
        ({"extra": {"store": False}, "thinking": Thinking(False)}, {}, False),
        ({"extra": {"store": False}, "thinking": Thinking(effort="low"), "dialect": NAME}, {}, False),
        ({}, {"encrypted_reasoning": True}, True),
        ({"extra": {"store": False}, "thinking": Thinking(effort="low")}, {"encrypted_reasoning": False}, False),
    ],
)
def test_proof_of_thoughts_is_asked_for_where_nobody_stores_them(
    settings: dict[str, Any], facts: dict[str, Any], asked: bool
) -> None:
    assert ("reasoning.encrypted_content" in encode(USER, facts=facts, **settings).get("include", [])) is asked


def test_proof_is_asked_for_where_the_conversation_holds_some() -> None:
    said = ChatMessage("assistant", (ReasoningPart("", encrypted="gAAA", id="rs_1", metadata=OURS),))
    body = encode(USER, said, extra={"store": False, "include": ["file_search_call.results"]})
    assert body["include"] == ["file_search_call.results", "reasoning.encrypted_content"]


def test_items_of_hosted_tools_keep_their_place() -> None:
    search = ProviderPart("web_search_call", {"id": "ws_1", "status": "completed"}, NAME)
    foreign = ProviderPart("server_tool_use", {"id": "x"}, "anthropic_messages")
    body, warnings = encode_warned(ChatMessage("assistant", (search, TextPart("So."), foreign)))
    assert [item["type"] for item in body["input"]] == ["web_search_call", "message"]
    assert warnings == ("'server_tool_use' of input[0] left out: only anthropic_messages has it",)


def test_citations_of_both_of_openais_forms_go_back() -> None:
    inner = {"url": "https://a", "title": "A", "start_index": 0, "end_index": 1}
    said = TextPart("A.", ({"type": "url_citation", "url_citation": inner}, {"type": "char_location"}))
    body, warnings = encode_warned(ChatMessage("assistant", (said,)))
    assert body["input"][0]["content"][0]["annotations"] == [{"type": "url_citation", **inner}]
    assert len(warnings) == 1


def test_settings_that_are_sent_as_they_are() -> None:
    body = encode(USER, max_tokens=9, temperature=0.5, top_p=0.9, parallel_tool_calls=False, user="u", stream=True)
    del body["input"]
    assert body == {
        "model": "m", "max_output_tokens": 9, "temperature": 0.5, "top_p": 0.9, "parallel_tool_calls": False,
        "user": "u", "stream": True,
    }  # fmt: skip


SETTINGS = (("stop", ("x",)), ("seed", 1), ("n", 2), ("presence_penalty", 0.5), ("frequency_penalty", 1), ("top_k", 5))


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_settings_that_the_protocol_lacks(name: str, value: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match=name) as raised:
        encode(USER, **{name: value})
    assert raised.value.param == name
    body, warnings = encode_warned(USER, facts={"ignored": [name]}, **{name: value})
    assert name not in body
    assert name in warnings[0]
    assert encode(USER, facts={"supports": [name]}, **{name: value})[name] in (value, ["x"])


@pytest.mark.parametrize(("name", "value"), [("n", 1), ("presence_penalty", 0), ("frequency_penalty", 0.0)])
def test_asking_for_what_happens_anyway_is_no_error(name: str, value: Any) -> None:
    assert name not in encode(USER, **{name: value})


def test_a_setting_that_the_model_refuses() -> None:
    with pytest.raises(UnsupportedParameterError, match="temperature"):
        encode(USER, temperature=1.0, facts={"unsupported": ["temperature"]})


def test_tools() -> None:
    schema = {"type": "object", "properties": {"at": {"type": "string"}}}
    body = encode(
        USER,
        tools=(
            ToolDefinition("look", "Looks.", schema),
            ToolDefinition("go", strict=True),
            ProviderPart("web_search", {"search_context_size": "low"}, NAME),
        ),
        tool_choice=ToolChoice("tool", "look"),
    )
    assert body["tools"] == [
        {"type": "function", "name": "look", "parameters": schema, "description": "Looks.", "strict": False},
        {"type": "function", "name": "go", "parameters": {"type": "object", "properties": {}}, "strict": True},
        {"type": "web_search", "search_context_size": "low"},
    ]
    assert body["tool_choice"] == {"type": "function", "name": "look"}


def test_a_tool_hosted_elsewhere_is_refused() -> None:
    with pytest.raises(UnsupportedParameterError, match="anthropic_messages"):
        encode(USER, tools=(ProviderPart("web_search_20250305", {}, "anthropic_messages"),))


def test_tool_choices() -> None:
    assert encode(USER, tool_choice=ToolChoice("required"))["tool_choice"] == "required"
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}
    assert encode(USER, tool_choice=ToolChoice("auto", metadata=allowed))["tool_choice"] == allowed


def test_forms_of_the_answer() -> None:
    schema = {"type": "object"}
    assert encode(USER, response_format=ResponseFormat("json"))["text"] == {"format": {"type": "json_object"}}
    body = encode(
        USER,
        response_format=ResponseFormat("json_schema", schema, "a", strict=True),
        extra={"text": {"verbosity": "low"}},
    )
    assert body["text"] == {
        "format": {"type": "json_schema", "name": "a", "schema": schema, "strict": True}, "verbosity": "low",
    }  # fmt: skip
    with pytest.raises(UnsupportedParameterError, match="response_format"):
        encode(USER, response_format=ResponseFormat("json_schema", schema), facts={"json_schema": False})


@pytest.mark.parametrize(
    ("thinking", "facts", "reasoning"),
    [
        (Thinking(), {}, {"effort": "medium"}),
        (Thinking(effort="high"), {}, {"effort": "high"}),
        (Thinking(False), {}, {"effort": "none"}),
        (Thinking(effort="minimal"), {"efforts": {"minimal": "low"}}, {"effort": "low"}),
        (Thinking(effort="low"), {"summary": "auto"}, {"effort": "low", "summary": "auto"}),
        (Thinking(effort="low", metadata={"summary": "detailed"}), {}, {"effort": "low", "summary": "detailed"}),
        (Thinking(budget_tokens=99), {"supports": ["thinking.budget_tokens"]}, {"max_tokens": 99}),
    ],
)
def test_thinking(thinking: Thinking, facts: dict[str, Any], reasoning: dict[str, Any]) -> None:
    assert encode(USER, thinking=thinking, facts=facts)["reasoning"] == reasoning


@pytest.mark.parametrize(
    ("thinking", "facts"), [(Thinking(budget_tokens=1), {}), (Thinking(effort="max"), {"efforts": {"low": "low"}})]
)
def test_thinking_that_can_not_be_asked_for(thinking: Thinking, facts: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParameterError, match="thinking"):
        encode(USER, thinking=thinking, facts=facts)


def test_log_probabilities() -> None:
    body = encode(USER, logprobs=3)
    assert (body["top_logprobs"], body["include"]) == (3, ["message.output_text.logprobs"])
    assert "top_logprobs" not in encode(USER, logprobs=0)


def test_another_protocols_settings_are_left_out_and_told() -> None:
    body, warnings = encode_warned(USER, extra={"logit_bias": {}}, dialect="openai_chat")
    assert "logit_bias" not in body
    assert warnings == ("'logit_bias' left out: only openai_chat has it",)


def test_a_conversation_kept_by_the_provider_needs_no_input() -> None:
    assert encode(extra={"previous_response_id": "resp_1"}) == {"model": "m", "previous_response_id": "resp_1"}


def test_names_and_foreign_notes_are_told() -> None:
    part = TextPart("x", metadata={"cache_control": {"type": "ephemeral"}, "gemini": {"thoughtSignature": "s"}})
    body, warnings = encode_warned(ChatMessage("user", (part,), name="Ann"))
    assert body["input"][0]["content"] == [{"type": "input_text", "text": "x"}]
    assert len(warnings) == 3
