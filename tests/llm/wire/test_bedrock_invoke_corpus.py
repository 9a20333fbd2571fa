"""Recorded requests of InvokeModel: what we write for the same request is what was sent, and nothing is lost.

Two bodies mean the same when they are the same after `meaning`: the defaults that we always write are added, an empty
list is no list, text alone is one text block, Nova's older `max_new_tokens` is `maxTokens`.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.llm.call import codec_named
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    EmbeddingRequest,
    ImagePart,
    ProviderPart,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire.anthropic_messages import decode_request as decode_messages
from lambdallm.testing.conformance.table import find
from recorded import recordings

GUARDRAIL_HEADERS = {
    "x-amzn-bedrock-guardrailidentifier": "guardrailIdentifier",
    "x-amzn-bedrock-guardrailversion": "guardrailVersion",
    "x-amzn-bedrock-trace": "trace",
}

PLACES: dict[str, dict[str, str]] = {
    "titan": {"max_tokens": "maxTokenCount", "temperature": "temperature", "top_p": "topP", "stop": "stopSequences"},
    "llama": {"max_tokens": "max_gen_len", "temperature": "temperature", "top_p": "top_p"},
    "mistral": {"max_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p", "stop": "stop"},
    "cohere_text": {
        "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k", "stop": "stop_sequences",
    },
    "cohere": {
        "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k", "stop": "stop_sequences",
    },
    "ai21_text": {"max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP"},
    "anthropic_text": {
        "max_tokens": "max_tokens_to_sample", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    },
    "nova": {
        "max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP", "top_k": "topK",
        "stop": "stopSequences",
    },
}  # fmt: skip
"""Where each body has its settings, told a second time: by the names in the user guide."""


def settings_in(fields: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of a request among a body's fields, and the fields that are none."""
    places = {place: ours for ours, place in PLACES[name].items()}
    settings = {places[key]: value for key, value in fields.items() if key in places}
    if "stop" in settings:
        settings["stop"] = tuple(settings["stop"])
    return settings, {key: value for key, value in fields.items() if key not in places}


def prompt_request(body: dict[str, Any], name: str) -> tuple[ChatRequest, dict[str, Any]]:
    """A prompt is the only message, and brings its own template."""
    field = "inputText" if name == "titan" else "prompt"
    fields = {key: value for key, value in body.items() if key != field}
    config = fields.pop("textGenerationConfig", {})
    settings, rest = settings_in(fields | config, name)
    message = ChatMessage("user", body[field])
    return ChatRequest("m", (message,), **settings, extra=rest), {"template": "plain"}


def nova_request(body: dict[str, Any], name: str) -> tuple[ChatRequest, dict[str, Any]]:
    settings, rest = settings_in(meaning(body).get("inferenceConfig", {}), name)
    turns = [ChatMessage(turn["role"], tuple(map(nova_part, turn["content"]))) for turn in body["messages"]]
    system = tuple(TextPart(block["text"]) for block in body.get("system", ()))
    tools = (tool["toolSpec"] for tool in body.get("toolConfig", {}).get("tools", ()))
    described = tuple(ToolDefinition(t["name"], t["description"], t["inputSchema"]["json"]) for t in tools)
    extra = {"inferenceConfig": rest} if rest else {}
    return ChatRequest("m", (ChatMessage("system", system), *turns), described, **settings, extra=extra), {}


def nova_part(block: dict[str, Any]) -> Any:
    ((kind, value),) = block.items()
    if kind == "text":
        return TextPart(value)
    if kind == "image":
        return ImagePart(data=base64.b64decode(value["source"]["bytes"]), media_type=f"image/{value['format']}")
    if kind == "toolUse":
        return ToolCall(value["toolUseId"], value["name"], value["input"])
    content = tuple(ProviderPart(next(iter(item)), item) for item in value["content"])
    return ToolResult(value["toolUseId"], content)


def command_r_request(body: dict[str, Any], name: str) -> tuple[ChatRequest, dict[str, Any]]:
    settings, rest = settings_in(body, name)
    return ChatRequest("m", (ChatMessage("user", rest.pop("message")),), **settings, extra=rest), {}


def claude_request(body: dict[str, Any], _name: str) -> tuple[ChatRequest, dict[str, Any]]:
    """By the decoder of Anthropic's own protocol; the endpoint's fields are the codec's to add."""
    request = decode_messages(json.dumps(body).encode(), model="m", stream=False)
    return request, {"system_in_messages": True, "thinking": ["enabled"], "effort": []}


REQUESTS = {"nova": nova_request, "cohere": command_r_request, "anthropic": claude_request}
TYPES = {"search_query": "query", "search_document": "document"}


def embedding_request(body: dict[str, Any]) -> EmbeddingRequest:
    fields = dict(body)
    texts = fields.pop("texts", None) or [fields.pop("inputText")]
    size = fields.pop("dimensions", None) or fields.pop("output_dimension", None)
    kind = fields.pop("input_type", None)
    return EmbeddingRequest("m", tuple(texts), size, TYPES.get(kind, kind), extra=fields)


def meaning(body: dict[str, Any]) -> dict[str, Any]:
    """A body without what makes no difference; see the module."""
    same = {key: value for key, value in body.items() if value != []}
    if "schemaVersion" in body or "inferenceConfig" in body:
        config = dict(body.get("inferenceConfig", {}))
        if "max_new_tokens" in config:
            config["maxTokens"] = config.pop("max_new_tokens")
        same |= {"schemaVersion": "messages-v1"} | ({"inferenceConfig": config} if config else {})
    if "textGenerationConfig" in body:
        same["textGenerationConfig"] = {k: v for k, v in body["textGenerationConfig"].items() if v != []}
    if "anthropic_version" in body:
        same["messages"] = [turn | {"content": blocks(turn["content"])} for turn in body["messages"]]
        same |= {"system": blocks(body["system"])} if "system" in body else {}
    return same


def blocks(content: Any) -> Any:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [without_defaults(block) for block in content]


def without_defaults(block: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in block.items() if (key, value) != ("is_error", False)}


def codec_of(exchange: dict[str, Any]) -> str:
    row = find(exchange["provider"], "invoke_model")
    assert row is not None
    name = row.for_model(exchange["model"]).codec.removeprefix("bedrock_invoke.")
    return "anthropic_text" if name == "anthropic" and "prompt" in exchange["request"]["body"] else name


@pytest.mark.corpus
@recordings("*/invoke_model", holds=lambda exchange: isinstance(exchange["request"].get("body"), dict))
def test_recorded_requests_are_written_again(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    recorded, name = exchange["request"]["body"], codec_of(exchange)
    headers = {k.lower(): v for k, v in exchange["request"]["headers"].items()}
    guardrail = {field: headers[header] for header, field in GUARDRAIL_HEADERS.items() if header in headers}
    request: Any
    facts: dict[str, Any] = {}
    if name.endswith("embeddings"):
        request = embedding_request(recorded)
    else:
        request, facts = REQUESTS.get(name, prompt_request)(recorded, name)
    if guardrail:
        request = request.replace(extra={**request.extra, "guardrailConfig": guardrail})
    written = codec_named(f"bedrock_invoke.{name}").encode_request(request, facts)
    assert meaning(json.loads(written.body)) == meaning(recorded)
    assert {k.lower(): v for k, v in written.headers} == {k: headers[k] for k in GUARDRAIL_HEADERS if k in headers}
    assert written.warnings == ()


@pytest.mark.corpus
@recordings(
    "bedrock/invoke_model",
    holds=lambda exchange: "Human:" in str((exchange["request"].get("body") or {}).get("prompt")),
)
def test_recorded_prompts_of_claude_are_its_template(path: Path) -> None:
    """Some wrote it with fewer blanks: the words and their order are the template's."""
    prompt: str = json.loads(path.read_bytes())["request"]["body"]["prompt"]
    said = prompt.partition("Human:")[2].rpartition("Assistant:")[0].strip()
    codec = codec_named("bedrock_invoke.anthropic_text")
    written = json.loads(codec.encode_request(ChatRequest("m", (ChatMessage("user", said),)), {}).body)["prompt"]
    assert "".join(written.split()) == "".join(prompt.split())


@pytest.mark.corpus
@recordings(
    "bedrock/invoke_model",
    holds=lambda exchange: "\nhuman:" in str((exchange["request"].get("body") or {}).get("prompt")),
)
def test_recorded_transcripts_are_ours(path: Path) -> None:
    prompt: str = json.loads(path.read_bytes())["request"]["body"]["prompt"]
    system, _, rest = prompt.partition("\nhuman: ")
    said = rest.rpartition("\nAI: ")[0]
    messages = (ChatMessage("system", system.removeprefix("\nsystem: ")), ChatMessage("user", said))
    codec = codec_named("bedrock_invoke.ai21_text")
    assert json.loads(codec.encode_request(ChatRequest("m", messages), {}).body)["prompt"] == prompt
