"""Recorded answers of structured calls, read by the schema that was sent with them, whole and while they come."""

import json
from itertools import pairwise

import pytest

from lambdallm.llm.errors import LLMContentFilterError
from lambdallm.llm.streaming import SSEStreamAdapter
from lambdallm.llm.wire.gemini.schema import from_openapi
from lambdallm.testing.conformance import decode
from lambdallm.testing.conformance.table import find
from recorded import recordings
from scripted_extractors import Awaiting, Blocking

PLACES = (
    "response_format.json_schema.schema", "response_format.json_schema", "response_format.schema", "text.format.schema",
    "output_config.format.schema", "output_format.schema", "generationConfig.responseJsonSchema",
    "generationConfig.responseSchema", "format", "outputConfig.textFormat.structure.jsonSchema.schema",
)  # fmt: skip
TOOL = "final_result"
"""What the recording projects call the tool that takes the answer."""


def dig(body, path):
    for step in path.split("."):
        body = body.get(step) if isinstance(body, dict) else None
    return json.loads(body) if isinstance(body, str) and body.startswith("{") else body


def schema_of(exchange):
    """The schema that the answer was to have, and the tool that took it, where the model answered in that way."""
    body, expected = (exchange.get("request") or {}).get("body"), exchange.get("expected") or {}
    if expected.get("kind") != "chat":
        return None
    calls = [call["name"] for call in expected["tool_calls"]]
    formats = [found for path in PLACES if isinstance(found := dig(body, path), dict) and "properties" in found]
    if formats and not calls:
        return from_openapi(formats[0]), None
    tools = [tool for tool in every_tool(body) if tool.get("name") == TOOL]
    if not tools or TOOL not in calls:
        return None
    keys = ("parameters", "input_schema", "parametersJsonSchema", "parameters_json_schema")
    schema = next((tools[0][key] for key in keys if key in tools[0]), None) or tools[0]["inputSchema"]["json"]
    return {**from_openapi(schema), "title": TOOL}, TOOL


def every_tool(body):
    """The definitions of functions in a request, whatever they are wrapped in."""
    listed = [*(dig(body, "tools") or ()), *(dig(body, "toolConfig.tools") or ())]
    for tool in listed:
        yield tool.get("function") or tool.get("toolSpec") or tool
        yield from tool.get("functionDeclarations") or tool.get("function_declarations") or ()


def answers(exchange):
    """The recorded answer: its chunks where it was streamed, else the completion."""
    api = find(exchange["provider"], exchange["api"]).for_model(exchange.get("model") or "")
    codec = decode._codec(api.codec)
    status, headers, body = decode._response(exchange["response"])
    if exchange.get("stream") and not decode._is_whole(codec, body):
        return list(SSEStreamAdapter(api.codec).adapt(body))
    decoded = codec.decode_response(status, headers, body)
    return decoded.unwrap() if hasattr(decoded, "unwrap") else decoded


def begins(part, whole):
    """Whether a partial view is a beginning of the whole."""
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    if isinstance(whole, list):
        return len(part) <= len(whole) and all(map(begins, part, whole))
    if isinstance(whole, dict):
        return list(part) == list(whole)[: len(part)] and all(begins(part[name], whole[name]) for name in part)
    return bool(part == whole)


@pytest.mark.corpus
@pytest.mark.parametrize("kind", [Blocking, Awaiting])
@recordings("*/*", holds=schema_of, but=("gemini/interactions",))
def test_what_a_model_once_answered_is_what_was_asked_for(kind, path):
    exchange = json.loads(path.read_bytes())
    schema, tool = schema_of(exchange)
    recorded = answers(exchange)
    world = kind(recorded, recorded, mode="tool" if tool else "native", max_retries=0)
    if exchange["expected"].get("refusal"):
        assert isinstance(world.extract("Hi", schema).error, LLMContentFilterError)
        return
    partials, stream = world.stream("Hi", schema)
    views = [partial.data for partial in partials]
    assert views[-1] == stream.value
    assert all(begins(one, other) for one, other in pairwise(views))
    assert stream.extraction.usage == stream.extraction.completion.usage
    if not isinstance(recorded, list):
        assert world.extract("Hi", schema).unwrap() == stream.value
