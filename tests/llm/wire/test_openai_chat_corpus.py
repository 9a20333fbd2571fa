"""Recorded requests of every provider that speaks the OpenAI chat protocol: read as a server would, written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.llm.wire.openai_chat import decode_request, encode_request
from recorded import recordings

FACTS = {
    "supports": ["top_k"],
    "cache_mark": "cache_control",
    "file_urls": True,
    "tool_result_parts": ["text", "image", "audio", "document"],
    "tool_result_name": True,
}
"""A provider that takes everything, and declares no form of its own: each thing goes back in the form it came in."""

ALIASES = {"max_completion_tokens": "max_tokens", "random_seed": "seed", "function_call": "tool_choice"}


def facts_for(body: dict[str, Any]) -> dict[str, Any]:
    """Those, with the word for a mark for the prompt cache that the provider has."""
    word = "prompt_cache_breakpoint"
    return FACTS | ({"cache_mark": word} if f'"{word}"' in json.dumps(body) else {})


def is_chat(exchange: dict[str, Any]) -> bool:
    body = exchange["request"].get("body")
    return isinstance(body, dict) and "messages" in body


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """A body without the differences that mean nothing.

    Settings under OpenAI's older or another provider's name; functions as tools; `stream` false, as is the rule; usage
    in streams, which we always ask for; no alternatives to tokens, as is the rule; empty lists of tools and stops.
    """
    fields = {ALIASES.get(key, key): value for key, value in body.items() if value not in (None, [], False)}
    fields["tools"] = [plain_tool(tool) for tool in fields.pop("tools", fields.pop("functions", []))]
    fields["messages"] = [plain_message(message) for message in fields["messages"]]
    fields.pop("stream_options", None)
    if fields.get("top_logprobs") == 0:
        del fields["top_logprobs"]
    if isinstance(choice := fields.get("tool_choice"), dict):
        fields["tool_choice"] = {"type": "function"} | choice
    return fields | ({"parallel_tool_calls": body["parallel_tool_calls"]} if "parallel_tool_calls" in body else {})


def plain_tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A function is the type of a tool; an empty description is none, and no parameters are those of no properties."""
    if "function" not in tool and "name" in tool:
        tool = {"function": tool}
    if "function" not in tool:
        return tool
    function = {"parameters": {"type": "object", "properties": {}}} | tool["function"]
    return tool | {"type": "function", "function": {k: v for k, v in function.items() if v != ""}}


def plain_message(message: dict[str, Any]) -> dict[str, Any]:
    """Text or its one part; nothing, null and no text; a call's place in its list; reasoning under two names."""
    fields = {key: value for key, value in message.items() if value not in (None, [])}
    fields["content"] = plain_content(fields.get("content", ""))
    if "tool_calls" in fields:
        fields["tool_calls"] = [{k: v for k, v in call.items() if k != "index"} for call in fields["tool_calls"]]
    if "reasoning_content" in fields and fields.get("reasoning") == fields["reasoning_content"]:
        del fields["reasoning"]
    return fields


def plain_content(content: Any) -> Any:
    if isinstance(content, str):
        return content
    items = [plain_item(item) for item in content]
    return items[0]["text"] if len(items) == 1 and items[0].keys() == {"type", "text"} else items or ""


def plain_item(item: dict[str, Any]) -> dict[str, Any]:
    """An image's URL alone is its object; a list of no thoughts but one is its text."""
    fields = {key: value for key, value in item.items() if value is not None}
    if isinstance(url := fields.get("image_url"), str):
        fields["image_url"] = {"url": url}
    if isinstance(thinking := fields.get("thinking"), list):
        fields["thinking"] = "".join(thought["text"] for thought in thinking)
    return fields


@pytest.mark.corpus
@recordings("*/chat", "*/openai_compat", "bedrock/openai_chat", holds=is_chat, but=("ollama/chat",))
def test_a_recorded_request_is_written_again_as_it_was(path: Path) -> None:
    body = json.loads(path.read_bytes())["request"]["body"]
    request = decode_request(json.dumps(body).encode(), model=body.get("model") or "named-by-the-url")
    encoded = encode_request(request, facts_for(body))
    assert encoded.warnings == ()
    assert plain(json.loads(encoded.body)) == {"model": "named-by-the-url"} | plain(body)


@pytest.mark.corpus
@recordings("*/chat", "*/openai_compat", "bedrock/openai_chat", holds=is_chat, but=("ollama/chat",))
def test_nothing_is_left_to_guess(path: Path) -> None:
    """A request read, written and read again is the request."""
    body = json.loads(path.read_bytes())["request"]["body"]
    request = decode_request(json.dumps(body).encode(), model=body.get("model") or "named-by-the-url")
    again = decode_request(encode_request(request, facts_for(body)).body)
    assert again.replace(extra={}, thinking=None, messages=(), tools=()) == request.replace(
        extra={}, thinking=None, messages=(), tools=()
    )
    assert [message.parts for message in again.messages] == [message.parts for message in request.messages]
    assert {k: v for k, v in again.extra.items() if k != "stream_options"} == {
        k: v for k, v in request.extra.items() if k != "stream_options"
    }
