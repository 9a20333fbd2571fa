"""What is asked in the Anthropic Messages protocol: given a request, expect a body."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

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
    RefusalPart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire.anthropic_messages import encode_request
from lambdallm.llm.wire.codec import Encoded

if TYPE_CHECKING:
    from lambdallm.llm.types import Part

HELLO = (ChatMessage("user", "Hello"),)
TURN = [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]
CACHE = {"cache_control": {"type": "ephemeral"}}


def encoded(*messages: ChatMessage, facts: dict[str, Any] | None = None, **fields: Any) -> Encoded:
    return encode_request(ChatRequest("claude-x", messages or HELLO, **fields), facts or {})


def body(*messages: ChatMessage, **fields: Any) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(encoded(*messages, **fields).body)
    return parsed


def content(*parts: Part, role: Any = "user") -> list[dict[str, Any]]:
    (turn,) = body(ChatMessage(role, parts))["messages"]
    blocks: list[dict[str, Any]] = turn["content"]
    return blocks


def refuses(**fields: Any) -> str | None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(**fields)
    return caught.value.param


# Model, version, limits


def test_the_least_request() -> None:
    assert body() == {"model": "claude-x", "max_tokens": 4096, "messages": TURN}
    assert encoded().headers == (("anthropic-version", "2023-06-01"),)


def test_max_tokens_from_the_request_else_from_the_model() -> None:
    assert body(facts={"max_output_tokens": 64000})["max_tokens"] == 64000
    assert body(facts={"max_output_tokens": 64000}, max_tokens=9)["max_tokens"] == 9


def test_a_cloud_that_names_the_model_in_the_url() -> None:
    facts = {"model_in_body": False, "anthropic_version": "bedrock-2023-05-31", "stream_in_body": False,
             "anthropic_beta": ["a"], "beta_in_body": True}  # fmt: skip
    got = encoded(facts=facts, stream=True, extra={"anthropic_beta": "b"})
    assert got.headers == ()
    assert json.loads(got.body) == {
        "anthropic_version": "bedrock-2023-05-31", "anthropic_beta": ["a", "b"], "max_tokens": 4096, "messages": TURN,
    }  # fmt: skip


def test_beta_features_are_a_header() -> None:
    got = encoded(facts={"anthropic_beta": ["a"]}, extra={"anthropic_beta": ["b", "a"]})
    assert got.headers[1] == ("anthropic-beta", "a,b")
    assert "anthropic_beta" not in json.loads(got.body)


def test_settings_under_their_names() -> None:
    got = body(temperature=0.5, top_p=0.9, top_k=4, stop=("END",), user="u1", stream=True)
    got = {key: value for key, value in got.items() if key not in ("model", "max_tokens", "messages")}
    assert got == {"temperature": 0.5, "top_p": 0.9, "top_k": 4, "stop_sequences": ["END"], "stream": True,
                   "metadata": {"user_id": "u1"}}  # fmt: skip


def test_extra_is_merged_last() -> None:
    got = body(user="u1", temperature=1.0, extra={"service_tier": "auto", "temperature": 0.1, "metadata": {"x": 1}})
    assert (got["service_tier"], got["temperature"]) == ("auto", 0.1)
    assert got["metadata"] == {"user_id": "u1", "x": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", 1), ("n", 2), ("logprobs", 3), ("presence_penalty", 0.5), ("frequency_penalty", -0.5)],
)
def test_what_the_protocol_has_no_field_for(name: str, value: Any) -> None:
    assert refuses(**{name: value}) == name
    got = encoded(facts={"ignored": [name]}, **{name: value})
    assert json.loads(got.body) == body()
    assert got.warnings[0].startswith(name)


def test_asking_for_what_happens_anyway() -> None:
    assert body(n=1, presence_penalty=0, frequency_penalty=0.0) == body()


def test_what_the_model_refuses() -> None:
    assert refuses(temperature=0.5, facts={"unsupported": ["temperature"]}) == "temperature"


# Messages


def test_system_and_developer_messages_are_lifted() -> None:
    assert body(ChatMessage("system", "Be kind."), *HELLO)["system"] == "Be kind."
    got = body(ChatMessage("system", (TextPart("A", metadata=CACHE),)), ChatMessage("developer", "B"), *HELLO)
    assert got["system"] == [{"type": "text", "text": "A", **CACHE}, {"type": "text", "text": "B"}]
    assert got["messages"] == TURN


def test_a_system_message_between_turns() -> None:
    messages = (*HELLO, ChatMessage("system", "Now in French."))
    lifted = encoded(*messages)
    assert json.loads(lifted.body)["system"] == "Now in French."
    assert lifted.warnings == ("messages[1]: a system message between turns was moved to the front.",)
    placed = encoded(*messages, facts={"system_in_messages": True})
    assert json.loads(placed.body)["messages"][1]["role"] == "system"
    assert placed.warnings == ()


def test_a_system_message_that_only_its_place_can_hold() -> None:
    part = ProviderPart("tool_addition", {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "f"}})
    got = encoded(*HELLO, ChatMessage("system", (part,)))
    assert json.loads(got.body)["messages"][1] == {"role": "system", "content": [dict(part.value)]}
    assert got.warnings == ()


def test_neighbouring_turns_of_one_role_are_one() -> None:
    call = (ToolCall("a", "f", {}), ToolCall("b", "g", {"x": 1}))
    got = body(
        *HELLO,
        ChatMessage("assistant", call),
        ChatMessage("tool", (ToolResult("a", "one"),)),
        ChatMessage("tool", (ToolResult("b", "two", is_error=True),)),
        ChatMessage("user", "Go on."),
    )
    assert [turn["role"] for turn in got["messages"]] == ["user", "assistant", "user"]
    assert got["messages"][2]["content"] == [
        {"type": "tool_result", "tool_use_id": "a", "content": "one"},
        {"type": "tool_result", "tool_use_id": "b", "content": "two", "is_error": True},
        {"type": "text", "text": "Go on."},
    ]


def test_empty_text_and_empty_turns_are_left_out() -> None:
    assert body(ChatMessage("assistant", ""), *HELLO, ChatMessage("user", (TextPart(""),)))["messages"] == TURN


def test_a_name_is_left_out_with_a_warning() -> None:
    assert encoded(ChatMessage("user", "Hello", name="ann")).warnings[0].startswith("messages[0].name")


def test_a_cache_marker_on_a_message_goes_to_its_last_block() -> None:
    message = ChatMessage("user", (TextPart("a"), TextPart("b")), metadata=CACHE)
    assert body(message)["messages"][0]["content"] == [
        {"type": "text", "text": "a"},
        {"type": "text", "text": "b", **CACHE},
    ]


# Parts

BASE64_PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (ImagePart(data=PNG), {"type": "image", "source": BASE64_PNG}),
        (ImagePart(data=b"x", media_type="image/webp", metadata=CACHE),
         {"type": "image", "source": {"type": "base64", "media_type": "image/webp", "data": "eA=="}, **CACHE}),
        (ImagePart(url="https://i.example/a.png"),
         {"type": "image", "source": {"type": "url", "url": "https://i.example/a.png"}}),
        (ImagePart(url="data:image/png;base64,iVBORw0KGgo="), {"type": "image", "source": BASE64_PNG}),
        (ImagePart(metadata={"source": {"type": "file", "file_id": "f"}}),
         {"type": "image", "source": {"type": "file", "file_id": "f"}}),
        (DocumentPart(data=b"%PDF-", name="A", metadata={"citations": {"enabled": True}}),
         {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
          "title": "A", "citations": {"enabled": True}}),
        (DocumentPart(data=b"a,b", media_type="text/csv"),
         {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a,b"}}),
        (DocumentPart(text="words"),
         {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}}),
        (DocumentPart(url="https://d.example/a.pdf"),
         {"type": "document", "source": {"type": "url", "url": "https://d.example/a.pdf"}}),
        (DocumentPart(file_id="f"), {"type": "document", "source": {"type": "file", "file_id": "f"}}),
        (ToolResult("t", (TextPart("see"), ImagePart(data=PNG)), metadata=CACHE),
         {"type": "tool_result", "tool_use_id": "t",
          "content": [{"type": "text", "text": "see"}, {"type": "image", "source": BASE64_PNG}], **CACHE}),
        (ToolResult("t"), {"type": "tool_result", "tool_use_id": "t"}),
    ],
)  # fmt: skip
def test_user_parts(part: Part, block: dict[str, Any]) -> None:
    assert content(part) == [block]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (TextPart("Rain.", ({"type": "char_location"},)),
         {"type": "text", "text": "Rain.", "citations": [{"type": "char_location"}]}),
        (ReasoningPart("Hm.", "sig"), {"type": "thinking", "thinking": "Hm.", "signature": "sig"}),
        (ReasoningPart(encrypted="data"), {"type": "redacted_thinking", "data": "data"}),
        (RefusalPart("No."), {"type": "text", "text": "No."}),
        (ToolCall("t", "f", {"a": 1}, metadata={"caller": {"type": "direct"}}),
         {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}, "caller": {"type": "direct"}}),
        (ToolCall("t", "f"), {"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        (ToolCall.from_json("t", "f", '{"a": '),
         {"type": "tool_use", "id": "t", "name": "f", "input": {"INVALID_JSON": '{"a": '}}),
        (ToolCall.from_json("t", "f", "[1]"),
         {"type": "tool_use", "id": "t", "name": "f", "input": {"INVALID_JSON": [1]}}),
        (ProviderPart("mcp_tool_use", {"type": "mcp_tool_use", "id": "m", "input": {}}),
         {"type": "mcp_tool_use", "id": "m", "input": {}}),
    ],
)  # fmt: skip
def test_assistant_parts(part: Part, block: dict[str, Any]) -> None:
    assert content(part, role="assistant") == [block]


@pytest.mark.parametrize("part", [ReasoningPart("Hm."), ReasoningPart("s", encrypted="e", id="rs_1")])
def test_a_thought_from_elsewhere_is_left_out_with_a_warning(part: Part) -> None:
    got = encoded(*HELLO, ChatMessage("assistant", (part, TextPart("Hi."))))
    assert json.loads(got.body)["messages"][1]["content"] == [{"type": "text", "text": "Hi."}]
    assert got.warnings[0].startswith("thinking")


@pytest.mark.parametrize(
    "part",
    [AudioPart(b"x", "audio/wav"), ImagePart(), ImagePart(data=b"?"), DocumentPart(),
     DocumentPart(data=b"PK", media_type="application/msword")],
)  # fmt: skip
def test_parts_that_can_not_be_sent(part: Part) -> None:
    with pytest.raises(UnsupportedParameterError):
        content(part)


def test_what_another_protocol_left_on_a_part_is_left_out_with_a_warning() -> None:
    part = ToolCall("t", "f", {}, metadata={"openai_chat": {"kind": "x"}, "anthropic_messages": {"new": 1}})
    got = encoded(*HELLO, ChatMessage("assistant", (part,)))
    (block,) = json.loads(got.body)["messages"][1]["content"]
    assert block == {"type": "tool_use", "id": "t", "name": "f", "input": {}, "new": 1}
    assert got.warnings == ("'kind' of messages[1] left out: only openai_chat has it",)


@pytest.mark.parametrize(
    ("part", "warning"),
    [
        (ProviderPart("fileSearch", {"a": 1}, "gemini"), "'fileSearch' of messages[1] left out: only gemini has it"),
        (ReasoningPart("Hm.", "sig", metadata={"bedrock_converse": {}}),
         "thinking of messages[1] left out: its proof is of bedrock_converse"),
        (ReasoningPart(encrypted="e", metadata={"openai_responses": {"x": 1}}),
         "thinking of messages[1] left out: its proof is of openai_responses"),
        (TextPart("", ({"type": "url_citation"},)), "1 citations of messages[1] left out: another protocol made them"),
        (TextPart("", metadata={"prefix": True}), None),
    ],
)  # fmt: skip
def test_what_another_protocol_made_is_left_out_with_a_warning(part: Part, warning: str | None) -> None:
    got = encoded(*HELLO, ChatMessage("assistant", (part, TextPart("Hi."))))
    assert json.loads(got.body)["messages"][1]["content"] == [{"type": "text", "text": "Hi."}]
    assert got.warnings == ((warning,) if warning else ())


def test_what_a_person_asked_for_and_the_protocol_has_no_word_for() -> None:
    message = ChatMessage(
        "user", (TextPart("Hi", metadata={"prefix": True}),), metadata={"openai_chat": {"x": 1}, "y": 2}
    )
    assert encoded(message).warnings == (
        "'prefix' of messages[0] left out: a 'text' block has no such field",
        "'x' of messages[0] left out: only openai_chat has it",
        "'y' of messages[0] left out: a message has no such field",
    )


def test_notes_on_settings_go_back_to_their_own_protocol() -> None:
    notes = {"anthropic_messages": {"display": "omitted", "form": {"x": 1}}, "gemini": {"y": 2}}
    got = encoded(thinking=Thinking(metadata=notes), tools=(ToolDefinition("f", metadata=notes),),
                  tool_choice=ToolChoice("auto", metadata=notes))  # fmt: skip
    written = json.loads(got.body)
    assert written["thinking"] == {"type": "adaptive", "display": "omitted"}
    assert written["tools"][0]["display"] == written["tool_choice"]["display"] == "omitted"
    assert got.warnings == tuple(
        f"'y' of {where} left out: only gemini has it" for where in ("thinking", "tools[0]", "tool_choice")
    )


def test_another_protocols_settings_are_left_out_with_a_warning() -> None:
    got = encoded(extra={"logit_bias": {}}, dialect="openai_chat")
    assert json.loads(got.body) == body()
    assert got.warnings == ("'logit_bias' left out: only openai_chat has it",)


def test_another_protocols_hosted_tool_is_refused() -> None:
    assert refuses(tools=(ToolDefinition("f"), ProviderPart("googleSearch", {}, "gemini"))) == "tools[1]"


def test_ids_of_calls_are_made_to_fit() -> None:
    call, result = ToolCall("functions.f:0", "f", {}), ToolResult("functions.f:0", "ok")
    turns = body(*HELLO, ChatMessage("assistant", (call,)), ChatMessage("tool", (result,)))["messages"]
    id = turns[1]["content"][0]["id"]
    assert re.fullmatch("[a-zA-Z0-9_-]+", id)
    assert turns[2]["content"][0]["tool_use_id"] == id


def test_half_a_surrogate_pair_is_still_json() -> None:
    assert body(ChatMessage("user", "a\ud800"))["messages"][0]["content"][0]["text"] == "a\ud800"


# Tools

TOOL = ToolDefinition("f", "Does it.", {"type": "object", "properties": {}})


def test_tools() -> None:
    search = ProviderPart("web_search_20250305", {"name": "web_search", "max_uses": 2})
    got = body(tools=(TOOL.replace(strict=True, metadata=CACHE), ToolDefinition("g"), search))["tools"]
    assert got == [
        {"name": "f", "description": "Does it.", "input_schema": {"type": "object", "properties": {}}, "strict": True,
         **CACHE},
        {"name": "g", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (ToolChoice("auto"), None, {"type": "auto"}),
        (ToolChoice("required"), False, {"type": "any", "disable_parallel_tool_use": True}),
        (ToolChoice("tool", "f"), True, {"type": "tool", "name": "f", "disable_parallel_tool_use": False}),
        (ToolChoice("none"), False, {"type": "none"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        (None, True, None),
    ],
)
def test_tool_choice(choice: ToolChoice | None, parallel: bool | None, expected: Any) -> None:
    assert body(tools=(TOOL,), tool_choice=choice, parallel_tool_calls=parallel).get("tool_choice") == expected


# Thinking and structured answers


@pytest.mark.parametrize(
    ("asked", "facts", "thinking", "effort"),
    [
        (Thinking(budget_tokens=2000), {}, {"type": "enabled", "budget_tokens": 2000}, None),
        (Thinking(effort="high"), {}, {"type": "adaptive"}, "high"),
        (Thinking(metadata={"display": "summarized"}), {}, {"type": "adaptive", "display": "summarized"}, None),
        (Thinking(enabled=False), {}, {"type": "disabled"}, None),
        (Thinking(effort="none"), {}, {"type": "disabled"}, None),
        (Thinking(enabled=False), {"thinking": []}, None, None),
        (Thinking(enabled=False), {"thinking": ["adaptive", "between_tools"]}, {"type": "between_tools"}, None),
        (Thinking(effort="low"), {"thinking": ["enabled"]}, {"type": "enabled", "budget_tokens": 2048}, None),
        (Thinking(), {"thinking": ["enabled"]}, {"type": "enabled", "budget_tokens": 8192}, None),
        (Thinking(effort="low"), {"thinking": ["enabled"], "effort": ["low", "high"]},
         {"type": "enabled", "budget_tokens": 2048}, "low"),
        (Thinking(budget_tokens=9000), {"thinking": ["adaptive"]}, {"type": "adaptive"}, "medium"),
    ],
)  # fmt: skip
def test_thinking(asked: Thinking, facts: dict[str, Any], thinking: Any, effort: str | None) -> None:
    got = body(thinking=asked, facts=facts)
    assert (got.get("thinking"), got.get("output_config", {}).get("effort")) == (thinking, effort)


@pytest.mark.parametrize(
    ("asked", "facts"),
    [
        (Thinking(), {"thinking": []}),
        (Thinking(enabled=False), {"thinking": ["adaptive"]}),
        (Thinking(effort="max"), {"effort": ["low", "high"]}),
    ],
)
def test_thinking_that_the_model_can_not_do(asked: Thinking, facts: dict[str, Any]) -> None:
    assert refuses(thinking=asked, facts=facts) in ("thinking", "thinking.effort")


def test_changed_thinking_is_said() -> None:
    assert "minimal" in encoded(thinking=Thinking(effort="minimal")).warnings[0]
    facts = {"thinking": ["adaptive"]}
    assert "9000" in encoded(thinking=Thinking(budget_tokens=9000), facts=facts).warnings[0]


def test_room_for_the_answer_beyond_the_thoughts() -> None:
    """The API refuses a budget that isn't below `max_tokens`."""
    assert body(thinking=Thinking(budget_tokens=8000))["max_tokens"] == 12096
    got = body(thinking=Thinking(effort="high"), facts={"thinking": ["enabled"]}, max_tokens=6000)
    assert (got["thinking"]["budget_tokens"], got["max_tokens"]) == (3000, 6000)


def test_an_answer_that_matches_a_schema() -> None:
    form = ResponseFormat("json_schema", {"type": "object"}, description="A dog.")
    got = body(response_format=form, thinking=Thinking(effort="low"), facts={"json_schema": True})
    assert got["output_config"] == {
        "effort": "low",
        "format": {"type": "json_schema", "schema": {"type": "object", "description": "A dog."}},
    }


def test_an_answer_in_a_form_that_can_not_be_asked_for() -> None:
    assert refuses(response_format=ResponseFormat("json_schema", {"type": "object"})) == "response_format"
    assert refuses(response_format=ResponseFormat("json"), facts={"json_schema": True}) == "response_format"
    assert body(response_format=ResponseFormat("text")) == body()
