"""Converse, requests: given values, expect bodies; every body is one that botocore accepts and would send itself."""

from __future__ import annotations

import base64
import functools
import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.llm.errors import InvalidRequestError, UnsupportedParameterError
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
from lambdallm.llm.wire.bedrock_converse import PATHS, encode_request
from recorded import recordings

HI = ChatMessage("user", "Hi")
WEATHER = ToolDefinition("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
CALL = ToolCall("t1", "weather", {"city": "Bergen"})
CLAUDE = {
    "json_schema": True,
    "top_k_field": "top_k",
    "single_tool_calls": {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    "thinking": {
        "enabled": {"thinking": {"type": "enabled", "budget_tokens": "{budget_tokens}"}},
        "budgets": {"low": 1024, "high": 16000, "default": 4096},
    },
}
NOVA = {
    "top_k_field": "inferenceConfig.topK",
    "thinking": {
        "enabled": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "{effort}"}},
        "disabled": {"reasoningConfig": {"type": "disabled"}},
        "efforts": {"minimal": "low", "default": "low"},
    },
}


@functools.cache
def converse() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse")


def with_bytes(shape: Any, value: Any) -> Any:
    """A body as botocore's caller gives it: blobs as bytes. Keys unknown to the shape are left for it to find."""
    if shape is None or value is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict) and not getattr(shape, "is_document_type", False):
        return {key: with_bytes(shape.members.get(key), item) for key, item in value.items()}
    if shape.type_name == "list":
        return [with_bytes(shape.member, item) for item in value]
    return base64.b64decode(value, validate=True) if shape.type_name == "blob" else value


def through_botocore(body: dict[str, Any]) -> dict[str, Any]:
    """The body that botocore would send for the same parameters, once its validator has accepted them."""
    from botocore.serialize import create_serializer
    from botocore.validate import ParamValidator

    operation = converse()
    parameters = {"modelId": "a.model", **with_bytes(operation.input_shape, body)}
    report = ParamValidator().validate(parameters, operation.input_shape)
    assert not report.has_errors(), report.generate_report()
    sent: dict[str, Any] = json.loads(
        create_serializer("rest-json").serialize_to_request(parameters, operation)["body"]
    )
    return sent


def encode(request: ChatRequest, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode_request(request, facts or {}).body)
    assert through_botocore(body) == body
    return body


def blocks(*parts: Any, role: Any = "user") -> list[Any]:
    content: list[Any] = encode(ChatRequest("m", (ChatMessage(role, parts),)))["messages"][0]["content"]
    return content


def asked(**settings: Any) -> ChatRequest:
    return ChatRequest("m", (HI,), **settings)


def test_the_least_request() -> None:
    assert encode(asked()) == {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


def test_the_model_is_in_the_url() -> None:
    assert PATHS == {"chat": "/model/{model}/converse", "stream": "/model/{model}/converse-stream"}
    assert encode(asked(stream=True)) == encode(asked())


def test_settings() -> None:
    body = encode(asked(max_tokens=9, temperature=0.0, top_p=0.5, stop=("END",)))
    assert body["inferenceConfig"] == {"maxTokens": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["END"]}


def test_system_words_from_anywhere_and_cache_markers_and_guards() -> None:
    system = ChatMessage("system", (TextPart("Be brief.", metadata={"cachePoint": True}),))
    guarded = TextPart("Be kind.", metadata={"guardContent": ["query"]})
    developer = ChatMessage("developer", (guarded, ProviderPart("cachePoint", {"type": "default", "ttl": "1h"})))
    body = encode(ChatRequest("m", (system, HI, developer)))
    assert body["messages"] == [{"role": "user", "content": [{"text": "Hi"}]}]
    assert body["system"] == [
        {"text": "Be brief."},
        {"cachePoint": {"type": "default"}},
        {"guardContent": {"text": {"text": "Be kind.", "qualifiers": ["query"]}}},
        {"cachePoint": {"type": "default", "ttl": "1h"}},
    ]


def test_cache_markers_of_anthropics_protocol() -> None:
    part = TextPart("Long.", metadata={"cache_control": {"type": "ephemeral", "ttl": "1h"}})
    assert blocks(part) == [{"text": "Long."}, {"cachePoint": {"type": "default", "ttl": "1h"}}]


def test_neighbours_of_one_role_become_one_turn() -> None:
    """Converse demands alternation; results of parallel calls belong in one turn of the user's."""
    second = ToolCall("t2", "weather", {"city": "Oslo"})
    body = encode(
        ChatRequest(
            "m",
            (
                HI,
                ChatMessage("user", "Both cities."),
                ChatMessage("assistant", "Let me look."),
                ChatMessage("assistant", (CALL, second)),
                ChatMessage("tool", (ToolResult("t1", "rain"),)),
                ChatMessage("tool", (ToolResult("t2", "no such city", is_error=True),)),
                ChatMessage("user", "And?"),
            ),
            tools=(WEATHER,),
        )
    )
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user"]
    assert body["messages"][2]["content"] == [
        {"toolResult": {"toolUseId": "t1", "content": [{"text": "rain"}]}},
        {"toolResult": {"toolUseId": "t2", "content": [{"text": "no such city"}], "status": "error"}},
        {"text": "And?"},
    ]


def test_empty_texts_and_turns_are_left_out() -> None:
    """Bedrock refuses them."""
    messages = (HI, ChatMessage("assistant", ""), ChatMessage("user", (TextPart(""), TextPart("Well?"))))
    assert encode(ChatRequest("m", messages))["messages"] == [
        {"role": "user", "content": [{"text": "Hi"}, {"text": "Well?"}]}
    ]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (ImagePart(data=b"\x89PNG", media_type="image/png"), {"format": "png", "source": {"bytes": "iVBORw=="}}),
        (ImagePart(data=b"x", media_type="image/jpg"), {"format": "jpeg", "source": {"bytes": "eA=="}}),
        (ImagePart(url="data:image/webp;base64,eA=="), {"format": "webp", "source": {"bytes": "eA=="}}),
        (
            ImagePart(url="s3://bucket/a.JPG", metadata={"bucketOwner": "123456789012"}),
            {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.JPG", "bucketOwner": "123456789012"}}},
        ),
    ],
)
def test_images(part: ImagePart, block: dict[str, Any]) -> None:
    assert blocks(part) == [{"image": block}]


def test_audio() -> None:
    assert blocks(AudioPart(b"x", "audio/x-wav")) == [{"audio": {"format": "wav", "source": {"bytes": "eA=="}}}]


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (
            DocumentPart(data=b"%PDF", media_type="application/pdf", name="annual report.v2.pdf"),
            {"format": "pdf", "name": "annual report-v2-pdf", "source": {"bytes": "JVBERg=="}},
        ),
        (
            DocumentPart(text="Rules.", name="rules", metadata={"context": "HR", "citations": {"enabled": True}}),
            {
                "format": "txt",
                "name": "rules",
                "source": {"text": "Rules."},
                "context": "HR",
                "citations": {"enabled": True},
            },
        ),
        (
            DocumentPart(metadata={"content": [{"text": "One."}, {"text": "Two."}]}),
            {"format": "txt", "name": "Document 1", "source": {"content": [{"text": "One."}, {"text": "Two."}]}},
        ),
        (
            DocumentPart(url="s3://bucket/a.docx", name="目次"),
            {"format": "docx", "name": "Document 1", "source": {"s3Location": {"uri": "s3://bucket/a.docx"}}},
        ),
        (
            DocumentPart(data=b"a,b", name="table.csv"),
            {"format": "csv", "name": "table-csv", "source": {"bytes": "YSxi"}},
        ),
    ],
)
def test_documents(part: DocumentPart, block: dict[str, Any]) -> None:
    assert blocks(part) == [{"document": block}]


def test_documents_without_a_name_are_numbered_through_the_request() -> None:
    document = DocumentPart(data=b"x", media_type="text/plain")
    messages = (ChatMessage("user", (document,)), ChatMessage("assistant", "Ok."), ChatMessage("user", (document,)))
    turns = encode(ChatRequest("m", messages))["messages"]
    assert [turns[i]["content"][0]["document"]["name"] for i in (0, 2)] == ["Document 1", "Document 2"]


@pytest.mark.parametrize(
    ("name", "neutral"),
    [("a  b\tc", "a b-c"), ("x" * 300, "x" * 200), ("[a] (b)-c_d", "[a] (b)-c_d"), ("...", "Document 1")],
)
def test_names_of_documents_are_made_neutral(name: str, neutral: str) -> None:
    part = DocumentPart(data=b"x", media_type="text/plain", name=name)
    assert blocks(part)[0]["document"]["name"] == neutral


def test_what_a_tool_answers() -> None:
    parts = (
        TextPart("See:"),
        ProviderPart("json", {"type": "json", "n": 1}),
        ImagePart(data=b"x", media_type="image/png"),
        DocumentPart(data=b"x", media_type="text/csv"),
        ProviderPart("video", {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}),
    )
    (block,) = blocks(ToolResult("t1", parts), role="tool")
    assert block["toolResult"]["content"] == [
        {"text": "See:"},
        {"json": {"type": "json", "n": 1}},
        {"image": {"format": "png", "source": {"bytes": "eA=="}}},
        {"document": {"format": "csv", "name": "Document 1", "source": {"bytes": "eA=="}}},
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/a.mp4"}}}},
    ]


def test_what_an_assistant_said() -> None:
    parts = (
        ReasoningPart("Hm.", "sig"),
        ReasoningPart(encrypted="cmVk"),
        TextPart("It rains.", ({"title": "almanac"},)),
        RefusalPart("I won't."),
        CALL,
        ToolCall("t2", "now", None, ""),
        ToolCall("t3", "weather", None, '{"city": '),
    )
    assert blocks(*parts, role="assistant") == [
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "sig"}}},
        {"reasoningContent": {"redactedContent": "cmVk"}},
        {"citationsContent": {"content": [{"text": "It rains."}], "citations": [{"title": "almanac"}]}},
        {"text": "I won't."},
        {"toolUse": {"toolUseId": "t1", "name": "weather", "input": {"city": "Bergen"}}},
        {"toolUse": {"toolUseId": "t2", "name": "now", "input": {}}},
        {"toolUse": {"toolUseId": "t3", "name": "weather", "input": {"INVALID_JSON": '{"city": '}}},
    ]


def test_citations_of_another_protocol_leave_their_text() -> None:
    part = TextPart("It rains.", ({"type": "char_location", "cited_text": "rain"},))
    assert blocks(part, role="assistant") == [{"text": "It rains."}]


def test_bytes_in_a_providers_own_block_become_base64() -> None:
    assert blocks(ProviderPart("video", {"format": "mp4", "source": {"bytes": b"x"}})) == [
        {"video": {"format": "mp4", "source": {"bytes": "eA=="}}}
    ]


@pytest.mark.parametrize(
    ("part", "named"),
    [
        (ImagePart(url="https://example.com/a.png"), "https://example.com/a.png"),
        (ImagePart(data=b"x", media_type="image/tiff"), "image/tiff"),
        (ImagePart(), "''"),
        (DocumentPart(data=b"x", media_type="application/zip"), "application/zip"),
        (DocumentPart(file_id="file-1"), "file-1"),
        (AudioPart(b"x", "audio/midi"), "audio/midi"),
        (ProviderPart("server_tool_use", {"type": "server_tool_use", "id": "1"}), "server_tool_use"),
        (ProviderPart("thing", {"type": "thing"}), "thing"),
    ],
)
def test_parts_that_bedrock_has_no_place_for(part: Any, named: str) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encode_request(ChatRequest("m", (ChatMessage("user", (part,)),)), {})
    assert named in str(caught.value)


def test_tools() -> None:
    strict = ToolDefinition("now", strict=True, metadata={"cachePoint": True})
    request = asked(tools=(WEATHER, strict, ProviderPart("systemTool", {"name": "nova_grounding"})))
    assert encode(request)["toolConfig"] == {
        "tools": [
            {
                "toolSpec": {
                    "name": "weather",
                    "description": "The weather.",
                    "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
                }
            },
            {
                "toolSpec": {
                    "name": "now",
                    "inputSchema": {"json": {"type": "object", "properties": {}}},
                    "strict": True,
                }
            },
            {"cachePoint": {"type": "default"}},
            {"systemTool": {"name": "nova_grounding"}},
        ]
    }


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("tool", "weather"), {"tool": {"name": "weather"}}),
    ],
)
def test_tool_choice(choice: ToolChoice, wire: dict[str, Any]) -> None:
    assert encode(asked(tools=(WEATHER,), tool_choice=choice))["toolConfig"]["toolChoice"] == wire


def test_no_tool_may_be_called() -> None:
    """Converse has no word for it. Sending no tools says the same, unless earlier turns hold calls."""
    none = ToolChoice("none")
    assert "toolConfig" not in encode(asked(tools=(WEATHER,), tool_choice=none))
    messages = (HI, ChatMessage("assistant", (CALL,)), ChatMessage("tool", (ToolResult("t1", "rain"),)))
    with pytest.raises(UnsupportedParameterError, match="tool_choice"):
        encode_request(ChatRequest("m", messages, tools=(WEATHER,), tool_choice=none), {})


def test_one_tool_call_at_a_time() -> None:
    assert encode(asked(tools=(WEATHER,), parallel_tool_calls=True)) == encode(asked(tools=(WEATHER,)))
    one = asked(tools=(WEATHER,), parallel_tool_calls=False)
    assert encode(one, CLAUDE)["additionalModelRequestFields"] == CLAUDE["single_tool_calls"]
    with pytest.raises(UnsupportedParameterError, match="parallel_tool_calls"):
        encode_request(one, {})


def test_top_k_goes_where_the_model_reads_it() -> None:
    assert encode(asked(top_k=5), CLAUDE)["additionalModelRequestFields"] == {"top_k": 5}
    assert encode(asked(top_k=5), NOVA)["additionalModelRequestFields"] == {"inferenceConfig": {"topK": 5}}


@pytest.mark.parametrize(
    "settings",
    [
        {"top_k": 5},
        {"seed": 1},
        {"n": 2},
        {"logprobs": 0},
        {"presence_penalty": 0.0},
        {"frequency_penalty": 1.0},
        {"user": "u"},
        {"response_format": ResponseFormat("json")},
        {"response_format": ResponseFormat("json_schema", {"type": "object"})},
        {"thinking": Thinking()},
    ],
)
def test_what_converse_has_no_word_for_is_named(settings: dict[str, Any]) -> None:
    (name,) = settings
    with pytest.raises(UnsupportedParameterError, match=name) as caught:
        encode_request(asked(**settings), {})
    assert caught.value.param == name


def test_what_asks_for_nothing_is_no_error() -> None:
    assert encode(asked(n=1, response_format=ResponseFormat("text"), thinking=Thinking(enabled=False))) == encode(
        asked()
    )


@pytest.mark.parametrize(
    ("facts", "thinking", "fields"),
    [
        (CLAUDE, Thinking(budget_tokens=2000), {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
        (CLAUDE, Thinking(effort="high"), {"thinking": {"type": "enabled", "budget_tokens": 16000}}),
        (CLAUDE, Thinking(), {"thinking": {"type": "enabled", "budget_tokens": 4096}}),
        (NOVA, Thinking(effort="high"), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}),
        (NOVA, Thinking(effort="minimal"), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (NOVA, Thinking(), {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}}),
        (NOVA, Thinking(enabled=False), {"reasoningConfig": {"type": "disabled"}}),
        (NOVA, Thinking(effort="none"), {"reasoningConfig": {"type": "disabled"}}),
        (
            {"thinking": {"enabled": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "{effort}"}}}},
            Thinking(),
            {"thinking": {"type": "adaptive"}},
        ),
    ],
)
def test_thinking_in_the_models_own_words(facts: dict[str, Any], thinking: Thinking, fields: dict[str, Any]) -> None:
    assert encode(asked(thinking=thinking), facts)["additionalModelRequestFields"] == fields


@pytest.mark.parametrize(
    ("facts", "thinking", "named"),
    [
        (NOVA, Thinking(budget_tokens=2000), "thinking.budget_tokens"),
        (CLAUDE, Thinking(effort="xhigh"), "thinking.effort"),
        ({"thinking": {"enabled": {"reasoning": True}}}, Thinking(effort="low"), "thinking.effort"),
        ({"thinking": {"enabled": {"reasoning": True}, "disabled": None}}, Thinking(enabled=False), "thinking"),
    ],
)
def test_thinking_that_the_model_can_not_measure(facts: dict[str, Any], thinking: Thinking, named: str) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encode_request(asked(thinking=thinking), facts)
    assert caught.value.param == named


def test_a_schema_travels_as_text() -> None:
    wanted = ResponseFormat("json_schema", {"type": "object"}, name="City", description="A city.")
    form = encode(asked(response_format=wanted), CLAUDE)["outputConfig"]["textFormat"]
    assert form == {
        "type": "json_schema",
        "structure": {"jsonSchema": {"schema": '{"type":"object"}', "name": "City", "description": "A city."}},
    }


def test_extra_is_laid_over_the_rest() -> None:
    extra = {
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "1"},
        "performanceConfig": {"latency": "optimized"},
        "requestMetadata": {"team": "a"},
        "serviceTier": {"type": "flex"},
        "additionalModelResponseFieldPaths": ["/stop_sequence"],
        "additionalModelRequestFields": {"anthropic_beta": ["x"], "top_k": 7},
        "inferenceConfig": {"maxTokens": 10},
    }
    body = encode(asked(top_k=5, max_tokens=9, temperature=0.5, extra=extra), CLAUDE)
    assert body["additionalModelRequestFields"] == {"top_k": 7, "anthropic_beta": ["x"]}
    assert body["inferenceConfig"] == {"maxTokens": 10, "temperature": 0.5}
    assert {name: body[name] for name in ("guardrailConfig", "performanceConfig", "serviceTier")} == {
        name: extra[name] for name in ("guardrailConfig", "performanceConfig", "serviceTier")
    }


def test_encoding_changes_nothing_it_was_given() -> None:
    extra = {"additionalModelRequestFields": {"a": {"b": 1}}}
    facts = {"thinking": {"enabled": {"a": {"c": 2}}}, "top_k_field": "a.d"}
    before = json.dumps([extra, facts])
    body = encode(asked(thinking=Thinking(), top_k=3, extra=extra), facts)
    assert body["additionalModelRequestFields"] == {"a": {"b": 1, "c": 2, "d": 3}}
    assert json.dumps([extra, facts]) == before


@pytest.mark.parametrize("value", [object(), float("nan")])
def test_values_that_are_no_json(value: object) -> None:
    with pytest.raises(InvalidRequestError, match="JSON"):
        encode_request(asked(extra={"requestMetadata": value}), {})


def test_lone_surrogates_do_not_break_the_body() -> None:
    assert blocks(TextPart("\ud83d")) == [{"text": "\ud83d"}]


def as_request(body: dict[str, Any]) -> ChatRequest:
    """A recorded request in our values, block for block."""
    turns = [
        ChatMessage(turn["role"], tuple(ProviderPart(next(iter(block)), block) for block in turn["content"]))
        for turn in body["messages"]
    ]
    system = tuple(ProviderPart(next(iter(block)), block) for block in body.get("system", ()))
    known = ("messages", "system", "inferenceConfig", "toolConfig")
    settings = body.get("inferenceConfig", {})
    tools = body.get("toolConfig", {})
    choice = next(iter(tools.get("toolChoice", {"": None})))
    return ChatRequest(
        "m",
        (ChatMessage("system", system), *turns),
        tools=tuple(ProviderPart(next(iter(tool)), tool) for tool in tools.get("tools", ())),
        tool_choice=ToolChoice({"auto": "auto", "any": "required", "tool": "tool"}[choice], _name(tools))
        if choice
        else None,
        max_tokens=settings.get("maxTokens"),
        temperature=settings.get("temperature"),
        top_p=settings.get("topP"),
        stop=tuple(settings.get("stopSequences", ())),
        extra={key: value for key, value in body.items() if key not in known},
    )


def _name(tools: dict[str, Any]) -> str | None:
    name: str | None = tools["toolChoice"].get("tool", {}).get("name")
    return name


@pytest.mark.corpus
@recordings("bedrock/converse", holds=lambda exchange: exchange["request"].get("body") is not None)
def test_recorded_requests_are_written_again(path: Path) -> None:
    recorded = json.loads(path.read_bytes())["request"]["body"]
    body = encode_request(as_request(recorded), {}).body
    kept = {key: value for key, value in recorded.items() if value or key == "messages"}
    merged: list[dict[str, Any]] = []
    for turn in recorded["messages"]:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1]["content"] += turn["content"]
        else:
            merged.append({"role": turn["role"], "content": [*turn["content"]]})
    ours = {key: value for key, value in json.loads(body).items() if value or key == "messages"}
    assert ours == kept | {"messages": merged}


# Notes


def warned(*messages: ChatMessage, **settings: Any) -> tuple[str, ...]:
    return encode_request(ChatRequest("m", messages or (HI,), **settings), {}).warnings


@pytest.mark.parametrize(
    ("part", "warning"),
    [
        (ProviderPart("web_search_call", {"a": 1}, "openai_responses"),
         "'web_search_call' of messages[0] left out: only openai_responses has it"),
        (ReasoningPart("Hm.", "sig", metadata={"anthropic_messages": {}}),
         "thinking of messages[0] left out: its proof is of anthropic_messages"),
        (TextPart("", ({"type": "page_location"},)), "1 citations of messages[0] left out: another protocol made them"),
    ],
)  # fmt: skip
def test_what_another_protocol_made_is_left_out_with_a_warning(part: Any, warning: str) -> None:
    message = ChatMessage("assistant", (part, TextPart("Hi")))
    assert encode(ChatRequest("m", (message,)))["messages"][0]["content"] == [{"text": "Hi"}]
    assert warned(message) == (warning,)


def test_fields_without_a_place_are_left_out_with_a_warning() -> None:
    part = TextPart("Hi", metadata={"anthropic_messages": {"x": 1}, "prefix": True})
    message = ChatMessage("user", (part,), name="ann", metadata={"y": 2})
    assert warned(message) == (
        "messages[0].name: 'ann' was left out; Converse has no names.",
        "'x' of messages[0] left out: only anthropic_messages has it",
        "'prefix' of messages[0] left out: Converse has no such field",
        "'y' of messages[0] left out: Converse has no such field",
    )


def test_notes_go_back_to_their_own_protocol() -> None:
    notes = {"bedrock_converse": {"next": 1, "form": {"type": "tool_use"}}}
    call = ChatMessage("assistant", (ToolCall("t", "f", {}, metadata=notes),))
    request = ChatRequest("m", (HI, call), tools=(ToolDefinition("f", metadata=notes),))
    body = json.loads(encode_request(request, {}).body)
    assert body["messages"][1]["content"] == [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}, "next": 1}}]
    assert body["toolConfig"]["tools"][0]["toolSpec"]["next"] == 1


def test_a_cache_marker_on_a_message_comes_after_its_last_block() -> None:
    message = ChatMessage("user", "Hi", metadata={"cache_control": {"type": "ephemeral"}})
    content = encode(ChatRequest("m", (message,)))["messages"][0]["content"]
    assert content == [{"text": "Hi"}, {"cachePoint": {"type": "default"}}]
    assert warned(message) == ()


def test_another_protocols_settings() -> None:
    assert warned(extra={"service_tier": "auto"}, dialect="anthropic_messages") == (
        "'service_tier' left out: only anthropic_messages has it",
    )
    with pytest.raises(UnsupportedParameterError) as caught:
        encode(asked(tools=(ProviderPart("bash_20250124", {"name": "bash"}, "anthropic_messages"),)))
    assert caught.value.param == "tools[0]"
    assert warned(tools=(WEATHER,), tool_choice=ToolChoice("auto", metadata={"gemini": {"x": 1}})) == (
        "'x' of tool_choice left out: only gemini has it",
    )


def test_ids_of_calls_are_made_to_fit() -> None:
    """Bedrock itself gives `functions.f:0`; other letters, and more than 64, it refuses."""
    assert blocks(ToolCall("functions.f:0", "f", {}))[0]["toolUse"]["toolUseId"] == "functions.f:0"
    call, result = blocks(ToolCall("a|" + "b" * 80, "f", {}), ToolResult("a|" + "b" * 80, "ok"))
    assert call["toolUse"]["toolUseId"] == result["toolResult"]["toolUseId"]
    assert len(call["toolUse"]["toolUseId"]) == 64
