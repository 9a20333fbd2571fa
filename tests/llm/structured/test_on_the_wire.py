"""What each mode sends to a provider, read at a loopback server; and how streams and refusals come back from one."""

import json
from dataclasses import dataclass

import pytest

from lambdallm.llm.errors import UnsupportedParameterError
from scripted_extractors import Awaiting, Blocking

both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


@dataclass
class Sentiment:
    label: str
    score: float = 1.0


VALUE = Sentiment("good", 0.9)
DATA = {"label": "good", "score": 0.9}
JSON = json.dumps(DATA)
OBJECT = {"type": "object", "additionalProperties": False}
LABEL, NUMBER = {"label": {"type": "string"}}, {"score": {"type": "number"}}
LOOSE = OBJECT | {"properties": LABEL | NUMBER, "required": ["label"]}
STRICT = OBJECT | {
    "properties": LABEL | {"score": {"type": ["number", "null"]}},
    "required": ["label", "score"],
}


def openai(text=None, arguments=None):
    call = {"id": "c", "type": "function", "function": {"name": "Sentiment", "arguments": arguments}}
    message = {"role": "assistant", "content": text} | ({"tool_calls": [call]} if arguments else {})
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if arguments else "stop"}
    return {"id": "1", "model": "m", "choices": [choice], "usage": {"prompt_tokens": 9, "completion_tokens": 4}}


def anthropic(*content):
    usage = {"input_tokens": 9, "output_tokens": 4}
    return {"id": "1", "type": "message", "role": "assistant", "model": "m", "content": list(content),
            "stop_reason": "end_turn", "usage": usage}  # fmt: skip


def gemini(part):
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP"}
    return {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4}}


def converse(block):
    message = {"role": "assistant", "content": [block]}
    return {"output": {"message": message}, "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 4}}


ANSWERS = {
    "OpenAIClient": {"text": openai(JSON), "tool": openai(arguments=JSON)},
    "AnthropicClient": {
        "text": anthropic({"type": "text", "text": JSON}),
        "tool": anthropic({"type": "tool_use", "id": "c", "name": "Sentiment", "input": DATA}),
    },
    "GeminiClient": {
        "text": gemini({"text": JSON}),
        "tool": gemini({"functionCall": {"name": "Sentiment", "args": DATA}}),
    },
    "BedrockClient": {
        "text": converse({"text": JSON}),
        "tool": converse({"toolUse": {"toolUseId": "c", "name": "Sentiment", "input": DATA}}),
    },
}
MODELS = {
    "OpenAIClient": "gpt-4o",
    "AnthropicClient": "claude-haiku-4-5",
    "GeminiClient": "gemini-2.5-flash",
    "BedrockClient": "anthropic.claude-haiku-4-5-20251001-v1:0",
}


@pytest.fixture
def options(provider, monkeypatch):
    """What makes a client of each provider call the loopback server."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.setenv(f"AWS_{name}", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    root = provider.url.removesuffix("/v1")
    bases = {"OpenAIClient": provider.url}

    def of(name, model=None):
        key = {} if name == "BedrockClient" else {"api_key": "k"}
        return {"base_url": bases.get(name, root), "model": model or MODELS[name], "max_retries": 0, **key}

    return of


def dig(body, path):
    for step in path.split("."):
        body = body[int(step) if step.isdecimal() else step]
    return body


FORMS = [
    ("OpenAIClient", "native", "response_format",
     {"type": "json_schema", "json_schema": {"name": "Sentiment", "schema": STRICT, "strict": True}}),
    ("OpenAIClient", "tool", "tools.0.function.parameters", STRICT),
    ("OpenAIClient", "tool", "tools.0.function.strict", True),
    ("OpenAIClient", "tool", "tool_choice", {"type": "function", "function": {"name": "Sentiment"}}),
    ("OpenAIClient", "json", "response_format", {"type": "json_object"}),
    ("AnthropicClient", "native", "output_config.format", {"type": "json_schema", "schema": LOOSE}),
    ("AnthropicClient", "tool", "tools.0.input_schema", LOOSE),
    ("AnthropicClient", "tool", "tools.0.strict", True),
    ("AnthropicClient", "tool", "tool_choice", {"type": "tool", "name": "Sentiment"}),
    ("GeminiClient", "native", "generationConfig",
     {"responseMimeType": "application/json", "responseJsonSchema": LOOSE}),
    ("GeminiClient", "tool", "tools.0.functionDeclarations.0.parametersJsonSchema", LOOSE),
    ("GeminiClient", "tool", "toolConfig.functionCallingConfig",
     {"mode": "ANY", "allowedFunctionNames": ["Sentiment"]}),
    ("GeminiClient", "json", "generationConfig", {"responseMimeType": "application/json"}),
    ("BedrockClient", "native", "outputConfig.textFormat.structure.jsonSchema.name", "Sentiment"),
    ("BedrockClient", "tool", "toolConfig.tools.0.toolSpec.inputSchema", {"json": LOOSE}),
    ("BedrockClient", "tool", "toolConfig.toolChoice", {"tool": {"name": "Sentiment"}}),
]  # fmt: skip


@both
@pytest.mark.parametrize(("name", "mode", "path", "expected"), FORMS)
def test_what_a_mode_sends(kind, provider, options, name, mode, path, expected):
    provider.replies = [ANSWERS[name]["tool" if mode == "tool" else "text"]]
    full = kind.over(name, lambda its: its.extract_full("I love it!", Sentiment, mode=mode), **options(name)).unwrap()
    assert (full.value, full.mode, full.usage.total_tokens) == (VALUE, mode, 13)
    assert full.cost_usd > 0
    assert dig(provider.received[0][2], path) == expected


@both
@pytest.mark.parametrize("name", list(MODELS))
def test_prompted_mode_sends_words_alone(kind, provider, options, name):
    provider.replies = [ANSWERS[name]["text"]]
    value = kind.over(name, lambda its: its.extract("I love it!", Sentiment, mode="prompted"), **options(name))
    assert value.unwrap() == VALUE
    body = provider.received[0][2]
    assert "matching this JSON Schema" in json.dumps(body)
    assert not {"response_format", "output_config", "generationConfig", "outputConfig", "tools"} & body.keys()


@both
@pytest.mark.parametrize(
    ("name", "model", "mode"),
    [
        ("OpenAIClient", "gpt-4o", "native"),
        ("AnthropicClient", "claude-haiku-4-5", "native"),
        ("AnthropicClient", "claude-3-5-haiku-20241022", "tool"),
        ("GeminiClient", "gemini-2.5-flash", "native"),
        ("BedrockClient", "anthropic.claude-haiku-4-5-20251001-v1:0", "native"),
        ("BedrockClient", "amazon.nova-pro-v1:0", "tool"),
    ],
)
def test_auto_takes_what_the_facts_promise(kind, provider, options, name, model, mode):
    provider.replies = [ANSWERS[name]["tool" if mode == "tool" else "text"]]
    full = kind.over(name, lambda its: its.extract_full("I love it!", Sentiment), **options(name, model)).unwrap()
    assert (full.value, full.mode, full.attempts, full.warnings) == (VALUE, mode, 1, ())


@both
def test_a_model_that_takes_no_schema_gets_a_tool(kind, provider, options):
    provider.replies = [openai(arguments=JSON)]
    client = options("OpenAIClient", "deepseek-v4-flash")
    full = kind.over("DeepSeekClient", lambda its: its.extract_full("I love it!", Sentiment), **client).unwrap()
    assert (full.value, full.mode, full.attempts) == (VALUE, "tool", 1)
    assert "strict" not in provider.received[0][2]["tools"][0]["function"]


@both
@pytest.mark.parametrize(
    ("name", "output_model", "mode"),
    [("OpenAIClient", dict[str, float], "native"), ("AnthropicClient", dict[str, float], "tool")],
)
def test_free_keys_are_not_told_strictly(kind, provider, options, name, output_model, mode):
    """OpenAI takes such a schema when it need not be strict; Claude's structured outputs take none, its tools do."""
    answers = {"native": openai('{"good": 0.9}')}
    answers["tool"] = anthropic({"type": "tool_use", "id": "c", "name": "answer", "input": {"good": 0.9}})
    provider.replies = [answers[mode]]
    full = kind.over(name, lambda its: its.extract_full("I love it!", output_model), **options(name)).unwrap()
    assert (full.value, full.mode) == ({"good": 0.9}, mode)
    assert '"strict"' not in json.dumps(provider.received[0][2])


@both
def test_a_model_nobody_knows_is_asked_natively_and_in_words(kind, provider, options):
    """Some servers read over a response_format they don't know: then the words are what the model hears of it."""
    provider.replies = [openai(JSON)]
    client = options("OpenAIClient", "acme-1")
    full = kind.over("TogetherClient", lambda its: its.extract_full("I love it!", Sentiment), **client).unwrap()
    assert full.mode == "native"
    body = provider.received[0][2]
    assert body["response_format"]["type"] == "json_schema"
    assert "matching this JSON Schema" in body["messages"][0]["content"]


@both
def test_a_refusal_at_run_time_costs_nothing_and_counts(kind, provider, options):
    refused = {"error": {"message": "'response_format' of type 'json_schema' is not supported.", "code": None}}
    provider.replies = [(400, {}, refused), openai(arguments=JSON)]
    client = options("OpenAIClient")
    full = kind.over("OpenAIClient", lambda its: its.extract_full("I love it!", Sentiment), **client).unwrap()
    assert (full.value, full.mode, full.attempts) == (VALUE, "tool", 2)
    assert full.cost_usd == pytest.approx(9 * 2.5e-6 + 4 * 10e-6)


@both
def test_forcing_what_the_facts_deny_is_the_encoders_to_refuse(kind, provider, options):
    client = options("AnthropicClient", "claude-3-5-haiku-20241022")

    def forced(its):
        return its.extract("I love it!", Sentiment, mode="native")

    assert isinstance(kind.over("AnthropicClient", forced, **client).error, UnsupportedParameterError)
    assert provider.received == []


@both
def test_forcing_what_goes_through_warns(kind, provider, options):
    provider.replies = [{"message": {"content": JSON}, "done": True, "done_reason": "stop"}]
    client = options("OllamaClient", "llama3.2") | {"api_key": None}
    denied = "the model's facts deny it"

    def forced(its):
        its.llm_client._targets[None] = (target := its.llm_client._target(None)).replace(
            model=target.model.replace(json_schema=False)
        )
        return its.extract_full("I love it!", Sentiment, mode="native")

    full = kind.over("OllamaClient", forced, **client).unwrap()
    assert full.value == VALUE
    assert any(denied in warning for warning in full.warnings)
    assert provider.received[0][2]["format"]["required"] == ["label"]


@both
def test_a_re_ask_sends_the_conversation_back(kind, provider, options):
    wrong = anthropic({"type": "tool_use", "id": "c", "name": "Sentiment", "input": {"label": 3}})
    provider.replies = [wrong, ANSWERS["AnthropicClient"]["tool"]]
    client = options("AnthropicClient")
    full = kind.over("AnthropicClient", lambda its: its.extract_full("Hi", Sentiment, mode="tool"), **client).unwrap()
    assert (full.value, full.attempts, full.usage.total_tokens) == (VALUE, 2, 26)
    _, call, result = provider.received[1][2]["messages"]
    assert call["content"][0] == {"type": "tool_use", "id": "c", "name": "Sentiment", "input": {"label": 3}}
    assert (result["content"][0]["type"], result["content"][0]["is_error"]) == ("tool_result", True)
    assert "$.label: expected string, got 3" in json.dumps(result)


def events(*events):
    return [f"data: {json.dumps(event)}\n\n".encode() for event in events] + [b"data: [DONE]\n\n"]


@both
@pytest.mark.parametrize("mode", ["native", "tool"])
def test_a_stream_grows_from_the_wire(kind, provider, options, mode):
    cut = [JSON[at : at + 6] for at in range(0, len(JSON), 6)]
    deltas = [{"content": piece} for piece in cut]
    if mode == "tool":
        deltas = [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in cut]
        deltas.insert(0, {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "Sentiment", "arguments": ""}}]})
    choices = [[{"index": 0, "delta": delta}] for delta in deltas]
    end = [{"index": 0, "delta": {}, "finish_reason": "stop"}]
    provider.replies = [events(*({"choices": choice} for choice in [*choices, end]))]
    seen, value = kind.streamed("OpenAIClient", "Hi", Sentiment, client=options("OpenAIClient"), mode=mode)
    assert value == VALUE
    assert seen[0] == {}
    assert {"label": "good"} in seen
    assert seen[-1] == DATA
    assert provider.received[0][2]["stream"] is True
