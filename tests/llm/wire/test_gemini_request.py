"""Requests of the Gemini protocol: written for a provider, read from a client."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import InvalidRequestError, UnsupportedParameterError
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
from lambdallm.llm.wire import gemini
from lambdallm.llm.wire.gemini.carried import carrier_of_thought
from lambdallm.llm.wire.gemini.schema import from_openapi, to_openapi

PNG = b"\x89PNG\r\n\x1a\n"
USER = ChatMessage("user", "Hi")


def asking(*messages: ChatMessage, **settings: Any) -> ChatRequest:
    return ChatRequest("gemini-x", messages or (USER,), **settings)


def encoded(request: ChatRequest, **facts: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    found = gemini.encode_request(request, facts)
    return json.loads(found.body), found.warnings


def body(request: ChatRequest, **facts: Any) -> dict[str, Any]:
    """The body of a request that loses nothing."""
    found, warnings = encoded(request, **facts)
    assert warnings == ()
    return found


def part(value: Any, **facts: Any) -> Any:
    return body(asking(ChatMessage("user", (value,))), **facts)["contents"][0]["parts"][0]


def config(**settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = body(asking(**settings))["generationConfig"]
    return found


def read(said: dict[str, Any], **url: Any) -> ChatRequest:
    return gemini.decode_request(json.dumps(said).encode(), **{"model": "m", **url})


# Messages


def test_a_conversation() -> None:
    call = ToolCall("c1", "weather", {"city": "Rome"})
    found = body(
        asking(
            ChatMessage("system", "Be brief."),
            ChatMessage("developer", "Be kind."),
            USER,
            ChatMessage("assistant", (TextPart("Let me see."), call, ToolCall("c2", "time", {}))),
            ChatMessage("tool", (ToolResult("c1", "sunny"),)),
            ChatMessage("tool", (ToolResult("c2", '{"hour": 9}'),)),
            ChatMessage("user", "So?"),
        )
    )
    assert found["systemInstruction"] == {"parts": [{"text": "Be brief."}, {"text": "Be kind."}]}
    assert [turn["role"] for turn in found["contents"]] == ["user", "model", "user", "user"]
    assert found["contents"][1]["parts"][1] == {
        "functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}}
    }
    assert found["contents"][2]["parts"] == [
        {"functionResponse": {"id": "c1", "name": "weather", "response": {"output": "sunny"}}},
        {"functionResponse": {"id": "c2", "name": "time", "response": {"hour": 9}}},
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ImagePart(data=PNG), {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}),
        (ImagePart(url="data:image/webp;base64,AAAA"), {"inlineData": {"mimeType": "image/webp", "data": "AAAA"}}),
        (ImagePart(url="https://a.example/b.JPG?x=1"),
         {"fileData": {"mimeType": "image/jpeg", "fileUri": "https://a.example/b.JPG?x=1"}}),
        (ImagePart(url="gs://bucket/b", media_type="image/png"),
         {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/b"}}),
        (AudioPart(b"abc", "audio/wav"), {"inlineData": {"mimeType": "audio/wav", "data": "YWJj"}}),
        (DocumentPart(b"%PDF-1"), {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0x"}}),
        (DocumentPart(b"abc", "video/mp4"), {"inlineData": {"mimeType": "video/mp4", "data": "YWJj"}}),
        (DocumentPart(text="Words.", name="a.txt"), {"text": "a.txt\n\nWords."}),
        (DocumentPart(file_id="files/x1", media_type="application/pdf"),
         {"fileData": {"mimeType": "application/pdf", "fileUri": "files/x1"}}),
        (DocumentPart(url="https://youtu.be/x"), {"fileData": {"fileUri": "https://youtu.be/x"}}),
        (TextPart("Hi", metadata={"gemini": {"partMetadata": {"a": 1}}}), {"text": "Hi", "partMetadata": {"a": 1}}),
        (DocumentPart(b"abc", "video/mp4", metadata={"video_metadata": {"fps": 2}}),
         {"inlineData": {"mimeType": "video/mp4", "data": "YWJj"}, "videoMetadata": {"fps": 2}}),
        (ProviderPart("executableCode", {"executableCode": {"code": "1"}}, "gemini"),
         {"executableCode": {"code": "1"}}),
        (ProviderPart("executableCode", {"code": "1"}), {"executableCode": {"code": "1"}}),
    ],
)  # fmt: skip
def test_a_part(value: Any, expected: Any) -> None:
    assert part(value) == expected


def test_an_images_detail() -> None:
    image = ImagePart(data=PNG, detail="low")
    assert part(image, media_resolution=True)["mediaResolution"] == {"level": "MEDIA_RESOLUTION_LOW"}
    assert "detail" in encoded(asking(ChatMessage("user", (image,))))[1][0]


@pytest.mark.parametrize("value", [ImagePart(), ImagePart(data=b"?"), DocumentPart(), ToolResult("unknown", "x")])
def test_a_part_that_can_not_be_sent(value: Any) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        part(value)
    assert caught.value.param == "messages[0]"


def test_files_of_anyone() -> None:
    for url in ("gs://b/c.png", "https://generativelanguage.googleapis.com/v1beta/files/x", "https://youtu.be/x"):
        assert part(DocumentPart(url=url), file_urls=False)["fileData"]["fileUri"] == url
    with pytest.raises(UnsupportedParameterError):
        part(DocumentPart(url="https://a.example/b.pdf"), file_urls=False)


def test_a_system_message_between_turns_moves() -> None:
    found, warnings = encoded(asking(USER, ChatMessage("system", "Now be brief.")))
    assert found["systemInstruction"] == {"parts": [{"text": "Now be brief."}]}
    assert warnings == ("messages[1]: a system message between turns was moved to the front",)


def test_a_model_without_system_instructions() -> None:
    found, warnings = encoded(asking(ChatMessage("system", "Be brief."), USER), system_instruction=False)
    assert found == {"contents": [{"role": "user", "parts": [{"text": "Be brief."}, {"text": "Hi"}]}]}
    assert len(warnings) == 1


# Signatures


def test_signatures_go_back_where_they_came() -> None:
    noted = {"gemini": {"thoughtSignature": "c2ln"}}
    parts = (
        ReasoningPart("Hm.", "c2ln", metadata={"gemini": {}}),
        TextPart("", metadata=noted),
        ToolCall("1", "f", {}, metadata=noted),
    )
    assert body(asking(ChatMessage("assistant", parts)))["contents"][0]["parts"] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "c2ln"},
    ]


def test_a_foreign_signature_is_left_out() -> None:
    thought = ReasoningPart("Hm.", "theirs", metadata={"anthropic_messages": {}})
    hidden = ReasoningPart(encrypted="theirs", metadata={"anthropic_messages": {}})
    found, warnings = encoded(asking(ChatMessage("assistant", (thought, hidden, TextPart("Yes.")))))
    assert found["contents"][0]["parts"] == [{"text": "Hm.", "thought": True}, {"text": "Yes."}]
    assert warnings == ("the proof of messages[0] left out: only anthropic_messages can read it",)


def test_a_person_vouches_for_an_unnamed_signature() -> None:
    assert part(ReasoningPart("Hm.", "c2ln")) == {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"}


def test_calls_of_other_models_where_signatures_are_demanded() -> None:
    """The first call of a turn is what the API checks."""
    foreign = ChatMessage("assistant", (TextPart("I"), ToolCall("1", "f", {}), ToolCall("2", "f", {})))
    own = ChatMessage("assistant", (ToolCall("3", "f", {}, metadata={"gemini": {"thoughtSignature": "c2ln"}}),))
    found = body(asking(USER, foreign, USER, own), signature_placeholder="skip")
    calls = [part.get("thoughtSignature") for turn in found["contents"] for part in turn["parts"] if "text" not in part]
    assert calls == ["skip", None, "c2ln"]


# Tools' results


@pytest.mark.parametrize(
    ("result", "response"),
    [
        (ToolResult("1", "sunny"), {"output": "sunny"}),
        (ToolResult("1", ""), {"output": ""}),
        (ToolResult("1", "no such city", is_error=True), {"error": "no such city"}),
        (ToolResult("1", '{"a": [1]}'), {"a": [1]}),
        (ToolResult("1", '{"a": NaN}'), {"output": '{"a": NaN}'}),
        (ToolResult("1", "[1]"), {"output": "[1]"}),
        (ToolResult("1", (TextPart("a"), TextPart("b"))), {"output": "ab"}),
    ],
)
def test_what_a_tool_answered(result: ToolResult, response: Any) -> None:
    call = ChatMessage("assistant", (ToolCall("1", "f", {}),))
    said = body(asking(call, ChatMessage("tool", (result,))))["contents"][1]["parts"][0]["functionResponse"]
    assert said == {"id": "1", "name": "f", "response": response}


def test_images_in_a_result() -> None:
    result = ToolResult("1", (TextPart("Look:"), ImagePart(data=PNG)), name="shot")
    image = {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}
    inside = body(asking(ChatMessage("tool", (result,))))["contents"][0]["parts"]
    assert inside == [
        {"functionResponse": {"id": "1", "name": "shot", "response": {"output": "Look:"}, "parts": [image]}}
    ]
    after, warnings = encoded(asking(ChatMessage("tool", (result,))), tool_result_parts=False)
    assert after["contents"][0]["parts"][1] == image
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("call", "args"),
    [
        (ToolCall("1", "f", {"a": 1}, '{"a": 1}'), {"a": 1}),
        (ToolCall("1", "f", None, ""), {}),
        (ToolCall("1", "f", None, "{oops"), {"INVALID_JSON": "{oops"}),
        (ToolCall("1", "f", [1], "[1]"), {"INVALID_JSON": [1]}),
    ],
)
def test_arguments_are_an_object(call: ToolCall, args: Any) -> None:
    assert part(call)["functionCall"]["args"] == args


# Settings


def test_every_setting() -> None:
    found = config(
        max_tokens=9, temperature=0.5, top_p=0.9, top_k=40, stop=("a",), seed=7, presence_penalty=0.1,
        frequency_penalty=0.2, n=2, logprobs=3,
    )  # fmt: skip
    assert found == {
        "maxOutputTokens": 9, "temperature": 0.5, "topP": 0.9, "topK": 40, "stopSequences": ["a"], "seed": 7,
        "presencePenalty": 0.1, "frequencyPenalty": 0.2, "candidateCount": 2, "responseLogprobs": True, "logprobs": 3,
    }  # fmt: skip
    assert read({"contents": [{"parts": [{"text": "Hi"}]}], "generationConfig": found}).replace(
        dialect=None
    ) == ChatRequest("m", (ChatMessage("user", (TextPart("Hi"),)),), max_tokens=9, temperature=0.5, top_p=0.9,
                     top_k=40, stop=("a",), seed=7, presence_penalty=0.1, frequency_penalty=0.2, n=2, logprobs=3,
                     extra={})  # fmt: skip


def test_what_has_no_field() -> None:
    assert encoded(asking(user="u1"))[1] == ("'user' was left out: the protocol has no such field",)
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(asking(parallel_tool_calls=False))
    assert caught.value.param == "parallel_tool_calls"
    assert encoded(asking(parallel_tool_calls=False), ignored=["parallel_tool_calls"])[1]
    with pytest.raises(UnsupportedParameterError):
        encoded(asking(seed=1), unsupported=["seed"])


SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": ["integer", "null"], "exclusiveMinimum": 0}, "kind": {"const": "a"},
                   "tree": {"$ref": "#/$defs/leaf"}},
    "additionalProperties": False,
    "$defs": {"leaf": {"type": "string"}},
}  # fmt: skip


def test_tools() -> None:
    tool = ToolDefinition("add", "Adds.", SCHEMA)
    bare = ToolDefinition("now")
    hosted = (ProviderPart("googleSearch"), ProviderPart("url_context", {}, "gemini"))
    found = body(asking(tools=(tool, hosted[0], bare, hosted[1])))
    assert found["tools"] == [
        {"functionDeclarations": [{"name": "add", "description": "Adds.", "parametersJsonSchema": SCHEMA},
                                  {"name": "now"}]},
        {"googleSearch": {}},
        {"urlContext": {}},
    ]  # fmt: skip


def test_tools_of_another_protocol_are_left_out() -> None:
    found, warnings = encoded(asking(tools=(ProviderPart("web_search", {}, "openai_responses"),)))
    assert found["tools"] == []
    assert warnings == ("tools[0]: 'web_search' left out: only openai_responses has it",)


def test_schemas_in_the_words_of_openapi() -> None:
    found, warnings = encoded(asking(tools=(ToolDefinition("add", "Adds.", SCHEMA),)), schemas="openapi")
    assert found["tools"][0]["functionDeclarations"][0]["parameters"] == {
        "type": "OBJECT",
        "properties": {
            "n": {"type": "INTEGER", "nullable": True}, "kind": {"enum": ["a"]}, "tree": {"type": "STRING"},
        },
    }  # fmt: skip
    assert [warning.split(" ")[0] for warning in warnings] == ["'exclusiveMinimum'", "'additionalProperties'"]


LOOPS = (
    {"$ref": "#"},
    {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}},
    {"properties": {"next": {"$ref": "#"}}},
    {"allOf": [{"$ref": "#"}]},
    {"$defs": {f"d{n}": {"properties": {k: {"$ref": f"#/$defs/d{n + 1}"} for k in "ab"}} for n in range(60)},
     "$ref": "#/$defs/d0"},
    {"$ref": "#/$defs/none"},
)  # fmt: skip


@pytest.mark.parametrize("schema", LOOPS, ids=range(len(LOOPS)))
def test_a_schema_that_openapi_can_not_say(schema: dict[str, Any]) -> None:
    """References to itself, or a few that would unfold into billions."""
    with pytest.raises(UnsupportedParameterError) as caught:
        to_openapi(schema, "parameters", [])
    assert caught.value.param == "parameters"


def test_openapi_as_json_schema() -> None:
    said = {
        "type": "OBJECT",
        "properties": {"any_of": {"type": "STRING", "nullable": True}, "b": {"any_of": [{"type": "INTEGER"}]}},
        "min_properties": "1",
        "property_ordering": ["b"],
    }
    assert from_openapi(said) == {
        "type": "object",
        "properties": {"any_of": {"type": ["string", "null"]}, "b": {"anyOf": [{"type": "integer"}]}},
        "minProperties": 1,
        "propertyOrdering": ["b"],
    }


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (ToolChoice("auto"), {"mode": "AUTO"}),
        (ToolChoice("none"), {"mode": "NONE"}),
        (ToolChoice("required"), {"mode": "ANY"}),
        (ToolChoice("tool", "add"), {"mode": "ANY", "allowedFunctionNames": ["add"]}),
        (ToolChoice("auto", metadata={"gemini": {"mode": "VALIDATED"}}), {"mode": "VALIDATED"}),
        (ToolChoice("required", metadata={"gemini": {"allowedFunctionNames": ["a", "b"]}}),
         {"mode": "ANY", "allowedFunctionNames": ["a", "b"]}),
    ],
)  # fmt: skip
def test_a_choice_and_back(choice: ToolChoice, expected: Any) -> None:
    found = body(asking(tool_choice=choice))["toolConfig"]
    assert found == {"functionCallingConfig": expected}
    assert read({"contents": [{"parts": [{"text": "Hi"}]}], "toolConfig": found}).tool_choice == choice


def test_strict_tools() -> None:
    strict = ToolDefinition("add", "Adds.", SCHEMA, strict=True)
    assert "'strict' of tools[0]" in encoded(asking(tools=(strict,)))[1][0]
    found = body(asking(tools=(strict,)), validated=True)
    assert found["toolConfig"] == {"functionCallingConfig": {"mode": "VALIDATED"}}


@pytest.mark.parametrize(
    ("format", "facts", "expected"),
    [
        (ResponseFormat("text"), {}, {}),
        (ResponseFormat("json"), {}, {"responseMimeType": "application/json"}),
        (ResponseFormat("json_schema", {"type": "string"}, description="A word."), {},
         {"responseMimeType": "application/json",
          "responseJsonSchema": {"type": "string", "description": "A word."}}),
        (ResponseFormat("json_schema", {"type": "string"}), {"schemas": "openapi"},
         {"responseMimeType": "application/json", "responseSchema": {"type": "STRING"}}),
    ],
)  # fmt: skip
def test_the_form_of_the_answer(format: ResponseFormat, facts: Any, expected: Any) -> None:
    assert body(asking(response_format=format), **facts).get("generationConfig", {}) == expected


def test_a_model_without_schemas() -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        body(asking(response_format=ResponseFormat("json_schema", {"type": "string"})), json_schema=False)
    assert caught.value.param == "response_format"


@pytest.mark.parametrize(
    ("thinking", "facts", "expected", "warned"),
    [
        (Thinking(), {}, {"includeThoughts": True}, 0),
        (Thinking(budget_tokens=99), {}, {"includeThoughts": True, "thinkingBudget": 99}, 0),
        (Thinking(effort="high"), {}, {"includeThoughts": True, "thinkingLevel": "HIGH"}, 0),
        (Thinking(effort="max"), {}, {"includeThoughts": True, "thinkingLevel": "HIGH"}, 1),
        (Thinking(effort="medium"), {"thinking_levels": ["low", "high"]},
         {"includeThoughts": True, "thinkingLevel": "HIGH"}, 1),
        (Thinking(effort="low"), {"thinking": ["budget"]}, {"includeThoughts": True, "thinkingBudget": 1024}, 0),
        (Thinking(effort="low"), {"thinking": ["budget"], "thinking_budgets": {"low": 5}},
         {"includeThoughts": True, "thinkingBudget": 5}, 0),
        (Thinking(budget_tokens=9000), {"thinking": ["level"]},
         {"includeThoughts": True, "thinkingLevel": "MEDIUM"}, 1),
        (Thinking(effort="low", budget_tokens=9), {}, {"includeThoughts": True, "thinkingBudget": 9}, 1),
        (Thinking(metadata={"include_thoughts": False}), {}, {"includeThoughts": False}, 0),
        (Thinking(False), {}, {"thinkingBudget": 0}, 0),
        (Thinking(effort="none"), {"thinking": ["budget"]}, {"thinkingBudget": 0}, 0),
        (Thinking(False), {"thinking": ["level"]}, {"thinkingLevel": "MINIMAL"}, 1),
        (Thinking(False), {"thinking": []}, None, 0),
    ],
)  # fmt: skip
def test_how_much_to_think(thinking: Thinking, facts: Any, expected: Any, warned: int) -> None:
    found, warnings = encoded(asking(thinking=thinking), **facts)
    assert found.get("generationConfig", {}).get("thinkingConfig") == expected
    assert len(warnings) == warned


@pytest.mark.parametrize(
    ("thinking", "facts"),
    [(Thinking(), {"thinking": []}), (Thinking(False), {"thinking_off": False}),
     (Thinking(False), {"thinking": ["level"], "thinking_levels": ["low", "high"]})],
)  # fmt: skip
def test_thinking_that_can_not_be_asked(thinking: Thinking, facts: Any) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(asking(thinking=thinking), **facts)
    assert caught.value.param == "thinking"


def test_extra_is_merged() -> None:
    extra = {"safetySettings": [], "generationConfig": {"responseModalities": ["IMAGE"], "thinkingConfig": {"x": 1}}}
    found = body(asking(temperature=0.1, thinking=Thinking(budget_tokens=1), extra=extra))
    assert found["safetySettings"] == []
    assert found["generationConfig"] == {
        "temperature": 0.1, "responseModalities": ["IMAGE"],
        "thinkingConfig": {"thinkingBudget": 1, "includeThoughts": True, "x": 1},
    }  # fmt: skip


def test_extra_of_another_protocol_is_left_out() -> None:
    found, warnings = encoded(asking(extra={"store": True}, dialect="openai_chat"))
    assert found.keys() == {"contents"}
    assert warnings == ("'store' left out: only openai_chat has it",)


def test_notes_of_another_protocol_are_left_out() -> None:
    text = TextPart("Hi", metadata={"anthropic_messages": {"cache_control": {"type": "ephemeral"}}, "tone": "warm"})
    found, warnings = encoded(asking(ChatMessage("user", (text,), name="Ann")))
    assert found["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]
    assert len(warnings) == 3


# From a client


def test_a_request_in_either_spelling() -> None:
    found = read(
        {
            "contents": [
                {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "iVBORw0KGgo"}}]},
                {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"snake_key": 1}}}]},
                {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"result": "ok"}}}]},
            ],
            "system_instruction": {"parts": {"text": "Be brief."}},
            "tools": [{"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]},
                      {"google_search": {}}],
            "generation_config": {"max_output_tokens": 5.0, "thinking_config": {"thinking_budget": "0"},
                                  "speech_config": {"a_b": 1}},
            "safety_settings": [{"category": "C"}],
        },
        stream=True,
    )  # fmt: skip
    assert [message.role for message in found.messages] == ["system", "user", "assistant", "tool"]
    assert found.messages[1].parts == (ImagePart(None, PNG, "image/png"),)
    assert found.messages[2].tool_calls[0].arguments == {"snake_key": 1}
    (result,) = found.messages[3].parts
    assert isinstance(result, ToolResult)
    assert (result.call_id, result.content) == (found.messages[2].tool_calls[0].id, "ok")
    assert found.tools[0] == ToolDefinition(
        "f", "", {"type": "object"}, metadata={"gemini": {"form": {"schemas": "openapi"}}}
    )
    assert found.tools[1] == ProviderPart("googleSearch", {"googleSearch": {}}, "gemini")
    assert (found.max_tokens, found.thinking, found.stream) == (5, Thinking(False), True)
    assert found.extra == {
        "safetySettings": [{"category": "C"}], "generationConfig": {"speechConfig": {"a_b": 1}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"thinkingLevel": "LOW"}, Thinking(effort="low")),
        ({"thinkingBudget": 100}, Thinking(budget_tokens=100)),
        ({"thinkingBudget": 0}, Thinking(False)),
        ({"thinkingBudget": -1}, Thinking(metadata={"gemini": {"thinkingBudget": -1}})),
        ({"includeThoughts": True}, Thinking(metadata={"gemini": {"includeThoughts": True}})),
        ({"includeThoughts": False}, None),
    ],
)
def test_thinking_and_back(said: Any, expected: Thinking | None) -> None:
    sent = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"thinkingConfig": said}}
    found = read(sent)
    assert found.thinking == expected
    assert body(found) == sent


def test_results_without_ids_answer_calls_in_order() -> None:
    call, result = {"functionCall": {"name": "f"}}, {"functionResponse": {"name": "f", "response": {}}}
    other = {"functionCall": {"name": "g", "id": "call_0"}}
    found = read({"contents": [
        {"role": "model", "parts": [other, call, call]}, {"role": "function", "parts": [result, result]},
        {"role": "model", "parts": [call]}, {"role": "user", "parts": [result]},
    ]})  # fmt: skip
    results = [part.call_id for message in found.messages for part in message.parts if isinstance(part, ToolResult)]
    assert results == [call.id for message in found.messages for call in message.tool_calls if call.name == "f"]


def test_a_url_names_the_model() -> None:
    said = {"contents": [{"parts": [{"text": "Hi"}]}], "model": "models/from-body"}
    assert read(said, model=None).model == "from-body"
    assert read(said, model="publishers/google/models/gemini-x").model == "gemini-x"
    assert read(said, model="tunedModels/mine").model == "tunedModels/mine"
    assert read(said, model="fireworks/accounts/x/models/y").model == "fireworks/accounts/x/models/y"
    assert not read(said).stream


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": 5}, "contents"),
        ({"contents": [{"role": "system", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"role": 5, "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [5]}]}, "contents[0].parts[0]"),
        ({"contents": [{"parts": [{"text": 5}]}]}, "contents[0].parts[0].text"),
        ({"contents": [{"parts": [{"inlineData": {"mimeType": "a/b", "data": "?"}}]}]},
         "contents[0].parts[0].inlineData.data"),
        ({"contents": [{"parts": [{"fileData": {}}]}]}, "contents[0].parts[0].fileData.fileUri"),
        ({"contents": [{"parts": [{"functionCall": {"name": "f", "args": []}}]}]},
         "contents[0].parts[0].functionCall.args"),
        ({"contents": [{"parts": [{"functionCall": {}}]}]}, "contents[0].parts[0].functionCall.name"),
        ({"contents": [{"parts": []}], "generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ({"contents": [{"parts": []}], "generationConfig": {"maxOutputTokens": 1.5}},
         "generationConfig.maxOutputTokens"),
        ({"contents": [{"parts": []}], "generationConfig": {"stopSequences": [5]}},
         "generationConfig.stopSequences[0]"),
        ({"contents": [{"parts": []}], "tools": [{"functionDeclarations": [{}]}]},
         "tools[0].functionDeclarations[0].name"),
        ({"contents": [{"parts": []}], "toolConfig": {"functionCallingConfig": {"mode": 5}}},
         "toolConfig.functionCallingConfig.mode"),
        ({"contents": [{"parts": []}], "systemInstruction": 5}, "systemInstruction"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_named(said: Any, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read(said)
    assert caught.value.param == param


@pytest.mark.parametrize("said", [b"", b"{", b"[]", b"[" * 100_000, b'{"contents": ' + b"[" * 100_000, b"\xff"])
def test_no_request_at_all(said: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        gemini.decode_request(said, model="m")


# Proofs that a client carries


def test_a_streamed_thought_comes_back_whole() -> None:
    thought = ReasoningPart("One two.", "sig", metadata={"anthropic_messages": {}})
    carrier = carrier_of_thought(thought, "One two.")
    pieces = [{"text": "One ", "thought": True}, {"text": "two.", "thought": True}]
    proof = {"text": "", "thought": True, "thoughtSignature": carrier}
    in_one = [{"role": "model", "parts": [*pieces, proof, {"text": "Yes."}]}]
    in_turns = [{"role": "model", "parts": [part]} for part in (*pieces, proof, {"text": "Yes."})]
    for contents in (in_one, in_turns, [{"role": "model", "parts": [proof, {"text": "Yes."}]}]):
        parts = [part for message in read({"contents": contents}).messages for part in message.parts]
        assert parts == [thought, TextPart("Yes.")]


def test_a_carrier_that_was_tampered_with_is_no_proof() -> None:
    thought = ReasoningPart("Hm.", "sig", metadata={"anthropic_messages": {}})
    carrier = carrier_of_thought(thought, "Hm.")
    assert carrier is not None
    part = {"text": "Hm.", "thought": True, "thoughtSignature": carrier[:-9]}
    (found,) = read({"contents": [{"role": "model", "parts": [part]}]}).messages[0].parts
    assert isinstance(found, ReasoningPart)
    assert found.signature == carrier[:-9]


# Anything at all

KEYS = ("contents", "role", "parts", "text", "thought", "thought_signature", "function_call", "functionResponse",
        "name", "args", "response", "id", "inlineData", "mime_type", "data", "fileData", "file_uri",
        "systemInstruction", "tools", "functionDeclarations", "parameters", "toolConfig", "functionCallingConfig",
        "mode", "generationConfig", "thinkingConfig", "thinkingBudget", "responseSchema", "stopSequences", "topK",
        "type", "properties", "anyOf", "allowedFunctionNames", "model")  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 10) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(("", "x", "user", "model", "ANY", "c2ln", "image/png", "STRING")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=25,
)  # fmt: skip
TURNS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3), max_size=3)


@given(VALUES | st.builds(lambda parts, rest: {**rest, "contents": [{"parts": parts}]}, TURNS,
                          st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)))  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_any_request_is_read_and_written_or_refused(said: Any) -> None:
    try:
        request = gemini.decode_request(json.dumps(said).encode(), model="m")
        gemini.encode_request(request, {})
        gemini.encode_request(request.replace(dialect=None), {"schemas": "openapi"})
    except InvalidRequestError:
        pass
