"""InvokeModel, requests of every body: given values, expect bodies, prompts and headers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.call import codec_named
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
from lambdallm.llm.wire.codec import Encoded

FIXTURES = Path(__file__).parents[2] / "fixtures" / "bedrock_invoke"
PROMPTS = json.loads((FIXTURES / "prompts.json").read_bytes())
HI = ChatMessage("user", "Hi")
WEATHER = ToolDefinition(
    "weather",
    "The weather.",
    {
        "type": "object",
        "properties": {"city": {"type": "string", "description": "Where."}, "days": {"type": "integer"}},
        "required": ["city"],
    },
)
CALL = ToolCall("t1", "weather", {"city": "Bergen"})
OF_PROMPTS = ("ai21_text", "anthropic_text", "cohere_text", "deepseek", "llama", "mistral", "titan")
CHAT = (*OF_PROMPTS, "anthropic", "chat", "cohere", "mistral_chat", "nova")


def encoded(name: str, request: ChatRequest, facts: dict[str, Any] | None = None) -> Encoded:
    result: Encoded = codec_named(f"bedrock_invoke.{name}").encode_request(request, facts or {})
    return result


def encode(name: str, request: ChatRequest, facts: dict[str, Any] | None = None) -> dict[str, Any]:
    written = encoded(name, request, facts)
    assert written.warnings == ()
    body: dict[str, Any] = json.loads(written.body)
    return body


def asked(**settings: Any) -> ChatRequest:
    return ChatRequest("m", (HI,), **settings)


def talk(*turns: tuple[Any, Any]) -> ChatRequest:
    return ChatRequest("m", tuple(ChatMessage(role, content) for role, content in turns))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("titan", {"inputText": "Hi"}),
        ("llama", {"prompt": PROMPTS["llama3"]["one"]}),
        ("mistral", {"prompt": PROMPTS["mistral"]["one"]}),
        ("deepseek", {"prompt": PROMPTS["deepseek"]["one"]}),
        ("cohere_text", {"prompt": "Hi"}),
        ("ai21_text", {"prompt": "Hi"}),
        ("anthropic_text", {"prompt": PROMPTS["claude"]["one"], "max_tokens_to_sample": 4096}),
        ("cohere", {"message": "Hi"}),
        ("nova", {"schemaVersion": "messages-v1", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}),
        ("chat", {"messages": [{"role": "user", "content": "Hi"}]}),
        ("mistral_chat", {"messages": [{"role": "user", "content": "Hi"}]}),
        (
            "anthropic",
            {
                "anthropic_version": "bedrock-2023-05-31",
                "max_tokens": 4096,
                "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
            },
        ),
    ],
)
def test_the_least_request(name: str, body: dict[str, Any]) -> None:
    assert encode(name, asked()) == body
    assert encoded(name, asked()).headers == ()


@pytest.mark.parametrize("name", [name for name in CHAT if name not in ("cohere_text", "ai21_text")])
def test_the_url_says_which_model_and_whether_the_answer_streams(name: str) -> None:
    assert encode(name, asked(stream=True)) == encode(name, asked())


def test_command_streams_in_pieces_only_where_its_body_asks_too() -> None:
    assert encode("cohere_text", asked(stream=True)) == {"prompt": "Hi", "stream": True}


def test_jurassic_does_not_stream() -> None:
    with pytest.raises(UnsupportedParameterError, match="stream"):
        encoded("ai21_text", asked(stream=True))


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        (
            "titan",
            {
                "textGenerationConfig": {
                    "maxTokenCount": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["END"]
                }
            },
        ),
        ("mistral", {"max_tokens": 9, "temperature": 0.0, "top_p": 0.5, "stop": ["END"]}),
        ("deepseek", {"max_tokens": 9, "temperature": 0.0, "top_p": 0.5, "stop": ["END"]}),
        ("cohere_text", {"max_tokens": 9, "temperature": 0.0, "p": 0.5, "stop_sequences": ["END"]}),
        ("cohere", {"max_tokens": 9, "temperature": 0.0, "p": 0.5, "stop_sequences": ["END"]}),
        ("ai21_text", {"maxTokens": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["END"]}),
        ("anthropic_text", {"max_tokens_to_sample": 9, "temperature": 0.0, "top_p": 0.5, "stop_sequences": ["END"]}),
        ("anthropic", {"max_tokens": 9, "temperature": 0.0, "top_p": 0.5, "stop_sequences": ["END"]}),
        ("nova", {"inferenceConfig": {"maxTokens": 9, "temperature": 0.0, "topP": 0.5, "stopSequences": ["END"]}}),
        ("chat", {"max_tokens": 9, "temperature": 0.0, "top_p": 0.5, "stop": ["END"]}),
    ],
)  # fmt: skip
def test_settings(name: str, fields: dict[str, Any]) -> None:
    body = encode(name, asked(max_tokens=9, temperature=0.0, top_p=0.5, stop=("END",)))
    assert {key: body[key] for key in fields} == fields


@pytest.mark.parametrize(
    ("name", "setting", "fields"),
    [
        ("llama", {"max_tokens": 9}, {"max_gen_len": 9}),
        ("mistral", {"top_k": 5}, {"top_k": 5}),
        ("cohere", {"top_k": 5, "seed": 7, "presence_penalty": 0.5}, {"k": 5, "seed": 7, "presence_penalty": 0.5}),
        ("cohere_text", {"n": 2}, {"num_generations": 2}),
        ("ai21_text", {"presence_penalty": 0.5, "n": 2}, {"presencePenalty": {"scale": 0.5}, "numResults": 2}),
        ("nova", {"top_k": 5}, {"inferenceConfig": {"topK": 5}}),
        ("mistral_chat", {"seed": 7}, {"random_seed": 7}),
    ],
)
def test_settings_of_some(name: str, setting: dict[str, Any], fields: dict[str, Any]) -> None:
    body = encode(name, asked(**setting))
    assert {key: body[key] for key in fields} == fields


SETTINGS: dict[str, Any] = {
    "tools": (WEATHER,), "tool_choice": ToolChoice("required"), "parallel_tool_calls": False, "top_k": 5, "seed": 1,
    "presence_penalty": 1.0, "frequency_penalty": 1.0, "n": 2, "logprobs": 0, "user": "u", "stop": ("END",),
    "response_format": ResponseFormat("json"), "thinking": Thinking(effort="low"),
}  # fmt: skip
TAKEN = {
    "llama": (), "titan": ("stop",), "mistral": ("stop", "top_k"), "deepseek": ("stop",),
    "cohere_text": ("stop", "top_k", "n"), "anthropic_text": ("stop", "top_k"),
    "ai21_text": ("stop", "n", "logprobs", "presence_penalty", "frequency_penalty"),
    "cohere": ("stop", "top_k", "seed", "presence_penalty", "frequency_penalty", "tools"),
}  # fmt: skip
REFUSED = [(name, setting) for name, taken in TAKEN.items() for setting in SETTINGS if setting not in taken]


@pytest.mark.parametrize(("name", "setting"), REFUSED)
def test_what_a_body_has_no_word_for_is_named(name: str, setting: str) -> None:
    with pytest.raises(UnsupportedParameterError, match=setting) as caught:
        encoded(name, asked(**{setting: SETTINGS[setting]}))
    assert caught.value.param == setting


@pytest.mark.parametrize("name", sorted(TAKEN))
def test_what_asks_for_nothing_is_no_error(name: str) -> None:
    nothing = asked(
        n=1, presence_penalty=0, frequency_penalty=0.0, response_format=ResponseFormat("text"),
        tool_choice=ToolChoice("auto"), parallel_tool_calls=True,
    )  # fmt: skip
    assert encode(name, nothing) == encode(name, asked())


@pytest.mark.parametrize("name", sorted({*TAKEN, "nova"}))
def test_an_entry_declares_what_its_model_ignores_or_refuses(name: str) -> None:
    written = encoded(name, asked(temperature=0.5), {"ignored": ["temperature"]})
    assert json.loads(written.body) == encode(name, asked())
    assert [warning for warning in written.warnings if "temperature" in warning]
    with pytest.raises(UnsupportedParameterError, match="temperature"):
        encoded(name, asked(temperature=0.5), {"unsupported": ["temperature"]})


def test_an_entry_declares_where_its_model_takes_a_setting() -> None:
    body = encode("llama", asked(stop=("END",), seed=1), {"param_names": {"stop": "stop", "seed": "more.seed"}})
    assert (body["stop"], body["more"]) == (["END"], {"seed": 1})


@pytest.mark.parametrize("name", CHAT)
def test_extra_is_laid_over_the_body(name: str) -> None:
    extra = {"prompt": "mine", "textGenerationConfig": {"topP": 1}, "new": [1]}
    body = encode(name, asked(max_tokens=9, extra=extra))
    assert (body["prompt"], body["new"], body["textGenerationConfig"]["topP"]) == ("mine", [1], 1)
    assert extra == {"prompt": "mine", "textGenerationConfig": {"topP": 1}, "new": [1]}


@pytest.mark.parametrize("name", CHAT)
def test_what_bedrock_itself_is_told_goes_in_headers(name: str) -> None:
    """By the names that Converse has for it, so that a caller need not know which operation is behind a model."""
    extra = {
        "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": "DRAFT", "trace": "enabled"},
        "performanceConfig": {"latency": "optimized"},
        "serviceTier": {"type": "flex"},
        "requestMetadata": {"team": "ä"},
    }
    written = encoded(name, asked(extra=extra))
    assert written.headers == (
        ("X-Amzn-Bedrock-GuardrailIdentifier", "abc"),
        ("X-Amzn-Bedrock-GuardrailVersion", "DRAFT"),
        ("X-Amzn-Bedrock-Trace", "ENABLED"),
        ("X-Amzn-Bedrock-PerformanceConfig-Latency", "optimized"),
        ("X-Amzn-Bedrock-Service-Tier", "flex"),
        ("X-Amzn-Bedrock-Request-Metadata", '{"team": "\\u00e4"}'),
    )
    assert json.loads(written.body) == encode(name, asked())


def test_a_guardrails_further_settings_stay_in_the_body() -> None:
    extra = {"guardrailConfig": {"guardrailIdentifier": "abc", "streamProcessingMode": "async"}}
    assert encode("llama", asked(extra=extra))["amazon-bedrock-guardrailConfig"] == {
        "streamProcessingMode": "ASYNCHRONOUS"
    }


@pytest.mark.parametrize("name", CHAT)
def test_another_protocols_settings_are_left_out_with_a_warning(name: str) -> None:
    written = encoded(name, asked(extra={"safetySettings": []}, dialect="gemini"))
    assert json.loads(written.body) == encode(name, asked())
    assert [warning for warning in written.warnings if "safetySettings" in warning]


# Prompts

CONVERSATION = talk(
    ("system", "Be brief."), ("user", "Where is north?"), ("assistant", "Up."), ("user", " And south? ")
)
TEMPLATES = {
    "llama2": "llama", "llama3": "llama", "llama4": "llama", "mistral": "mistral", "deepseek": "deepseek",
    "claude": "anthropic_text", "titan": "titan", "command": "cohere_text", "transcript": "ai21_text",
}  # fmt: skip


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_conversations_in_the_models_own_template(template: str) -> None:
    """The expected prompts are what the models' published chat templates render."""

    def prompt(request: ChatRequest) -> str:
        body = encode(TEMPLATES[template], request, {"template": template})
        text: str = body.get("prompt", body.get("inputText"))
        return text

    assert prompt(asked()) == PROMPTS[template]["one"]
    assert prompt(CONVERSATION) == PROMPTS[template]["many"]


@pytest.mark.parametrize("template", sorted(set(TEMPLATES) - {"deepseek"}))
def test_an_assistants_last_words_begin_the_answer(template: str) -> None:
    begun = talk(("user", "Hi"), ("assistant", "Well,"))
    body = encode(TEMPLATES[template], begun, {"template": template})
    assert body.get("prompt", body.get("inputText")) == PROMPTS[template]["begun"]


def test_deepseek_begins_its_answers_itself() -> None:
    with pytest.raises(UnsupportedParameterError, match="begins"):
        encoded("deepseek", talk(("user", "Hi"), ("assistant", "Well,")))


def test_deepseek_forgets_what_it_thought() -> None:
    said = talk(("user", "Hi"), ("assistant", "Easy.\n</think>\n\nHello!"), ("user", "Bye"))
    assert "Easy" not in encode("deepseek", said)["prompt"]
    assert "<｜Assistant｜>Hello!<｜end▁of▁sentence｜>" in encode("deepseek", said)["prompt"]


def test_deepseek_thinks_as_much_as_it_likes() -> None:
    assert encode("deepseek", asked(thinking=Thinking())) == encode("deepseek", asked())
    for thinking in (Thinking(enabled=False), Thinking(budget_tokens=5), Thinking(effort="high")):
        with pytest.raises(UnsupportedParameterError, match="thinks"):
            encoded("deepseek", asked(thinking=thinking))


def test_a_prompt_of_ones_own() -> None:
    prompt = talk(("user", "<s>[INST] Mine [/INST]"))
    assert encode("mistral", prompt, {"template": "plain"}) == {"prompt": "<s>[INST] Mine [/INST]"}


def test_a_template_that_nobody_knows() -> None:
    with pytest.raises(UnsupportedParameterError, match="llama5"):
        encoded("llama", asked(), {"template": "llama5"})


@pytest.mark.parametrize("name", OF_PROMPTS)
def test_nobody_speaks_in_anothers_name(name: str) -> None:
    """A model's own marks in what people say would end their turn and begin another's."""
    module = codec_named(f"bedrock_invoke.{name}")
    for label, template in module.TEMPLATES.items():
        for mark in template.marks:
            written = encoded(name, talk(("user", f"a {mark} b")), {"template": label})
            empty = encoded(name, talk(("user", "a b")), {"template": label})
            assert written.body.decode().count(mark) == empty.body.decode().count(mark)
            assert [warning for warning in written.warnings if "broken by a space" in warning]


def test_not_even_in_pieces() -> None:
    said = talk(("user", (TextPart("a<|eot"), TextPart("_id|>b"))))
    assert encoded("llama", said).body.decode().count("<|eot_id|>") == 1
    said = talk(("user", "a"), ("user", "Assistant: b"))
    assert encoded("anthropic_text", said).body.decode().count("Assistant:") == 2
    assert "\\n \\nAssistant: b" in encoded("anthropic_text", said).body.decode()


def test_percent_signs_are_text() -> None:
    assert "100 % sure %s" in encode("llama", talk(("user", "100 % sure %s")))["prompt"]


def test_neighbours_of_one_role_are_one_turn() -> None:
    said = talk(("system", "A."), ("developer", "B."), ("user", "One."), ("user", "Two."))
    assert (
        encode("llama", said)["prompt"]
        == encode("llama", talk(("system", "A.\n\nB."), ("user", "One.\n\nTwo.")))["prompt"]
    )


@pytest.mark.parametrize("name", ["mistral", "cohere"])
def test_a_system_message_between_turns_moves_to_the_front_with_a_warning(name: str) -> None:
    written = encoded(name, talk(("user", "One."), ("assistant", "Two."), ("system", "Be brief."), ("user", "Three.")))
    front = encode(name, talk(("system", "Be brief."), ("user", "One."), ("assistant", "Two."), ("user", "Three.")))
    assert json.loads(written.body) == front
    assert written.warnings == ("messages[2]: a system message between turns was moved to the front",)


def test_documents_of_text_are_text() -> None:
    said = talk(("user", (DocumentPart(text="Rules.", name="rules"), TextPart(" Why?"))))
    assert encode("titan", said) == {"inputText": "rules\n\nRules. Why?"}


def test_llama_sees_pictures() -> None:
    picture = talk(("user", (ImagePart(data=b"x", media_type="image/png"), TextPart("What?"))))
    body = encode("llama", picture)
    assert body["images"] == ["eA=="]
    assert "<|image|>What?" in body["prompt"]
    by_url = talk(("user", (ImagePart(url="data:image/png;base64,eA=="),)))
    assert encode("llama", by_url)["images"] == ["eA=="]
    with pytest.raises(UnsupportedParameterError, match="does not fetch"):
        encoded("llama", talk(("user", (ImagePart(url="https://example.com/a.png"),))))


@pytest.mark.parametrize("name", OF_PROMPTS)
@pytest.mark.parametrize(
    "content",
    [(CALL,), (ToolResult("t1", "rain"),), (AudioPart(b"x", "audio/wav"),), (ProviderPart("search", {}),)],
    ids=["call", "result", "sound", "block"],
)
def test_parts_that_are_no_text_are_named(name: str, content: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match=r"messages\[1\]"):
        encoded(name, talk(("user", "Hi"), ("user", content)))


@pytest.mark.parametrize(
    ("part", "warning"),
    [
        (ReasoningPart("Hm."), "thinking of messages[0] left out"),
        (TextPart("Up.", ({"type": "web"},)), "citations of messages[0] left out"),
        (TextPart("Up.", metadata={"cache_control": {}}), "'cache_control' of messages[0] left out"),
        (TextPart("Up.", metadata={"gemini": {"mine": 1}}), "'mine' of messages[0] left out"),
    ],
)
def test_what_a_prompt_loses_is_said(part: Any, warning: str) -> None:
    (said,) = encoded("llama", talk(("user", (part, TextPart("Hi"))))).warnings
    assert warning in said


def test_names_have_no_place_in_a_prompt() -> None:
    (said,) = encoded("titan", ChatRequest("m", (ChatMessage("user", "Hi", name="Ada"),))).warnings
    assert "'name' of messages[0]" in said


# Command R


def test_command_r_has_the_last_message_apart() -> None:
    assert encode("cohere", CONVERSATION) == {
        "preamble": "Be brief.",
        "chat_history": [
            {"role": "USER", "message": "Where is north?"},
            {"role": "CHATBOT", "message": "Up."},
        ],
        "message": " And south? ",
    }


def test_command_r_calls_tools_and_hears_what_they_answered() -> None:
    request = ChatRequest(
        "m",
        (
            HI,
            ChatMessage("assistant", (TextPart("Let me look."), CALL)),
            ChatMessage("tool", (ToolResult("t1", "rain"),)),
        ),
        tools=(WEATHER,),
    )
    call = {"name": "weather", "parameters": {"city": "Bergen"}}
    assert encode("cohere", request) == {
        "message": "",
        "tool_results": [{"call": call, "outputs": [{"text": "rain"}]}],
        "chat_history": [
            {"role": "USER", "message": "Hi"},
            {"role": "CHATBOT", "message": "Let me look.", "tool_calls": [call]},
        ],
        "tools": [
            {
                "name": "weather",
                "description": "The weather.",
                "parameter_definitions": {
                    "city": {"type": "str", "description": "Where.", "required": True},
                    "days": {"type": "int", "required": False},
                },
            }
        ],
    }


def test_what_a_parameters_definition_can_not_hold_is_said() -> None:
    tool = ToolDefinition("f", "F.", {"properties": {"unit": {"type": "string", "enum": ["C", "F"]}}}, strict=True)
    written = encoded("cohere", asked(tools=(tool,)))
    assert [word for warning in written.warnings for word in ("'enum'", "'strict'") if word in warning] == [
        "'strict'",
        "'enum'",
    ]


def test_no_tool_may_be_called() -> None:
    assert encode("cohere", asked(tools=(WEATHER,), tool_choice=ToolChoice("none"))) == {"message": "Hi"}


def test_command_r_begins_its_answers_itself() -> None:
    with pytest.raises(UnsupportedParameterError, match="begins"):
        encoded("cohere", talk(("user", "Hi"), ("assistant", "Well,")))


# Nova, Claude, chat


def test_nova_takes_converses_blocks_and_tools() -> None:
    request = ChatRequest(
        "m",
        (
            ChatMessage("system", "Be brief."),
            ChatMessage("user", (TextPart("Look."), ImagePart(data=b"x", media_type="image/png"))),
        ),
        tools=(WEATHER,),
        tool_choice=ToolChoice("tool", "weather"),
    )  # fmt: skip
    body = encode("nova", request)
    assert body["system"] == [{"text": "Be brief."}]
    assert body["messages"][0]["content"][1] == {"image": {"format": "png", "source": {"bytes": "eA=="}}}
    assert body["toolConfig"]["toolChoice"] == {"tool": {"name": "weather"}}
    assert body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"] == {"json": dict(WEATHER.parameters)}


@pytest.mark.parametrize(
    ("thinking", "config"),
    [
        (Thinking(), {"type": "enabled", "maxReasoningEffort": "medium"}),
        (Thinking(effort="high"), {"type": "enabled", "maxReasoningEffort": "high"}),
        (Thinking(enabled=False), {"type": "disabled"}),
    ],
)
def test_nova_thinks_among_its_inference_settings(thinking: Thinking, config: dict[str, Any]) -> None:
    body = encode("nova", asked(thinking=thinking, max_tokens=9))
    assert body["inferenceConfig"] == {"maxTokens": 9, "reasoningConfig": config}


def test_nova_has_no_place_for_a_schema() -> None:
    form = ResponseFormat("json_schema", {"type": "object"})
    for facts in ({}, {"json_schema": True}):
        with pytest.raises(UnsupportedParameterError, match=r"response_format|schema"):
            encoded("nova", asked(response_format=form), facts)


def test_claudes_beta_features_are_in_the_body() -> None:
    body = encode("anthropic", asked(extra={"anthropic_beta": ["context-1m"]}))
    assert body["anthropic_beta"] == ["context-1m"]
    assert "model" not in body


def test_a_tool_that_must_be_called_in_mistrals_word() -> None:
    request = asked(tools=(WEATHER,), tool_choice=ToolChoice("required"))
    assert encode("mistral_chat", request)["tool_choice"] == "any"
    assert encode("chat", request)["tool_choice"] == "required"


def test_the_chat_form_keeps_the_settings_of_its_own_dialect() -> None:
    assert encode("chat", asked(extra={"logit_bias": {}}, dialect="openai_chat"))["logit_bias"] == {}


PARTS = st.sampled_from(
    [TextPart("x"), TextPart(""), TextPart("\ud83d"), CALL, ToolResult("t1", (TextPart("r"),)), ReasoningPart("t", "s"),
     ImagePart(data=b"x", media_type="image/png"), ImagePart(url="https://example.com"), DocumentPart(text="d"),
     AudioPart(b"x", "audio/wav"), ProviderPart("search", {}, "gemini"), TextPart("[INST]", metadata={"x": 1})]
)  # fmt: skip
MESSAGES = st.lists(
    st.builds(
        ChatMessage,
        st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
        st.lists(PARTS, max_size=3).map(tuple) | st.text(max_size=5),
    ),
    max_size=5,
)


@pytest.mark.parametrize("name", CHAT)
@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES)
def test_any_conversation_is_written_or_refused_by_name(name: str, messages: list[ChatMessage]) -> None:
    try:
        written = encoded(name, ChatRequest("m", tuple(messages)))
    except UnsupportedParameterError:
        return
    assert isinstance(json.loads(written.body), dict)
