"""Thinking survives a conversation with tools: what a provider sent goes back to it, with its proof, where it was.

Every recorded answer that thinks is put into the next request of the same conversation, with results for its calls,
and encoded for the provider that gave it, by the facts of its own entry in the catalog.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from judge import recorded as decoded
from lambdallm.llm.catalog.loader import catalog
from lambdallm.llm.catalog.resolve import targeted
from lambdallm.llm.errors import UnsupportedParameterError
from lambdallm.llm.types import ChatMessage, ChatRequest, ReasoningPart, ToolCall, ToolDefinition, ToolResult
from lambdallm.testing.conformance.table import find
from recorded import recordings

SCHEMA = {"type": "object", "properties": {}}


def thinks(exchange: dict[str, Any]) -> bool:
    expected = exchange.get("expected") or {}
    signed = "thinking_signature" in exchange["features"]
    return expected.get("kind") == "chat" and (bool(expected.get("thinking")) or signed)


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


def facts_of(exchange: dict[str, Any]) -> dict[str, Any]:
    provider = catalog().find(exchange.get("vendor") or exchange["provider"])
    return {} if provider is None else dict(targeted(provider, exchange.get("model") or "m").facts)


@pytest.mark.corpus
@recordings("*/*", holds=thinks)
def test_what_was_thought_goes_back(path: Path) -> None:
    found = decoded(path)
    assert found is not None
    assert found.answer is not None
    row = find(found.exchange["provider"], found.exchange["api"])
    assert row is not None
    wire = row.for_model(found.exchange.get("model") or "").codec
    message = found.answer.message
    results = tuple(ToolResult(call.id, "42", call.name) for call in message.tool_calls)
    tools = tuple(ToolDefinition(name, parameters=SCHEMA) for name in {call.name for call in message.tool_calls})
    request = ChatRequest(
        found.exchange.get("model") or "m",
        (ChatMessage("user", "Hi"), message, ChatMessage("tool", results) if results else ChatMessage("user", "Go on")),
        tools=tools,
        max_tokens=8000,
    )
    facts = {"max_output_tokens": 8000, **facts_of(found.exchange)}
    try:
        encoded = importlib.import_module(f"lambdallm.llm.wire.{wire}").encode_request(request, facts)
    except UnsupportedParameterError:
        if not wire.startswith("bedrock_invoke"):
            raise
        return  # a body that is a prompt has no tools
    body = json.loads(encoded.body)
    said = "\n".join(strings(body))
    assert [call.name in said for call in message.tool_calls] == [True] * len(results)
    if any("reasoning" in warning or "thinking" in warning for warning in encoded.warnings):
        return
    for part in message.parts:
        if isinstance(part, ReasoningPart):
            for proof in (part.text, part.signature, part.encrypted):
                assert not proof or proof in said or all(line in said for line in proof.split("\n\n"))
        if isinstance(part, ToolCall) and (notes := part.metadata.get("gemini")):
            assert [text in said for text in strings(dict(notes))].count(False) == 0
