"""A request made in one dialect and sent in another keeps its meaning, or the encoder says what it can't express.

For every recorded request of the four protocols that clients speak to us, and every other one of them: decode it,
encode it for the other, decode that again, and compare what both mean. What is missing must be named by a warning, or
the whole request be refused with the name of the parameter.

Equal in meaning, here: system texts joined; the same turns in the same order, neighbouring texts of one role joined (a
document that is plain text counts as its text), calls with their name and arguments, results with their text and the
call they answer; images, documents and sounds with their bytes or address; the same tools with their schemas; the same
settings. Identifiers may be rewritten where a protocol allows fewer characters, as long as results still answer their
calls. One answer (`n`) and parallel calls are what all do unasked; a choice of tools needs tools. A schema's
own description may be said inside it or beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.llm.errors import CallerError, UnsupportedParameterError
from lambdallm.llm.types import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import anthropic_messages, gemini, openai_chat, openai_responses
from recorded import CORPUS

DIALECTS: dict[str, Any] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic_messages": anthropic_messages,
    "gemini": gemini,
}
FOLDERS = {
    "openai_chat": (
        "openai/chat",
        "mistral/chat",
        "groq/chat",
        "deepseek/chat",
        "openrouter/chat",
        "azure/chat",
        "other/chat",
    ),
    "openai_responses": ("*/responses", "bedrock/openai_responses"),
    "anthropic_messages": ("anthropic/messages", "vertex/anthropic_messages"),
    "gemini": ("gemini/generate_content", "vertex/generate_content"),
}
FACTS: dict[str, dict[str, Any]] = {
    "openai_chat": {"file_urls": True, "tool_result_parts": ["text", "image", "audio", "document"]},
    "openai_responses": {},
    "anthropic_messages": {"json_schema": True, "max_output_tokens": 4096},
    "gemini": {},
}
SETTINGS = (
    "max_tokens", "temperature", "top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty", "n",
    "parallel_tool_calls",
)  # fmt: skip


def paths() -> list[Any]:
    found = [
        (dialect, path)
        for dialect, folders in FOLDERS.items()
        for f in folders
        for path in sorted(CORPUS.glob(f"{f}/*.json"))
    ]
    return [
        pytest.param(one, other, path, id=f"{path.parts[-3]}/{path.parts[-2]}/{path.stem}-{other}")
        for one, path in found
        for other in DIALECTS
        if other != one and json.loads(path.read_bytes())["request"].get("body")
    ] or [pytest.param("", "", None, marks=pytest.mark.skip(reason="no recorded traffic; set LAMBDALLM_CORPUS"))]


@pytest.mark.corpus
@pytest.mark.parametrize(("one", "other", "path"), paths())
def test_a_recorded_request_keeps_its_meaning(one: str, other: str, path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    body = json.dumps(exchange["request"]["body"]).encode()
    try:
        request = DIALECTS[one].decode_request(body, model="m", stream=bool(exchange.get("stream")))
    except CallerError:
        assert exchange["response"]["status"] >= 400, "what the provider took must be read"
        return
    if not _turns(request):
        return  # most protocols have no such request
    try:
        encoded = DIALECTS[other].encode_request(request, FACTS[other])
    except UnsupportedParameterError as refused:
        if refused.param is None:
            raise
        return
    again = DIALECTS[other].decode_request(encoded.body, model="m", stream=request.stream)
    lost = {kind: value for kind, value in missing(request, again).items() if not said(kind, encoded.warnings)}
    assert lost == {}, encoded.warnings


def missing(one: ChatRequest, other: ChatRequest) -> dict[str, Any]:
    """What the second request does not say as the first does, by kind."""
    first, second = meaning(one), meaning(other)
    named = [p.name for m in one.messages for p in m.parts if isinstance(p, DocumentPart) and p.name]
    for told in (first, second):
        told["text"] = [(role, _without(text, named)) for role, text in told["text"]]
    return {kind: (value, second.get(kind)) for kind, value in first.items() if value != second.get(kind)}


def _without(text: str, names: list[str]) -> str:
    """The text without the names of documents, which stand before theirs where a protocol has no place for them."""
    for name in names:
        text = text.replace("".join(name.split()), "")
    return text


def meaning(request: ChatRequest) -> dict[str, Any]:
    told: dict[str, Any] = {
        name: getattr(request, name) for name in SETTINGS if getattr(request, name) not in (None, ())
    }
    for name, default in (("n", 1), ("parallel_tool_calls", True)):
        if told.get(name) == default:
            del told[name]
    told["system"] = "\n".join(_system(request)).split()
    turns = _turns(request)
    for kind in ("text", "call", "result", "media", "is_error", "reasoning", "block", "refusal"):
        told[kind] = [what for who, what in turns if who == kind]
    told["tool"] = [
        (t.name, t.description, _schema(t.parameters)) for t in request.tools if not isinstance(t, ProviderPart)
    ]
    told["hosted"] = [t.type for t in request.tools if isinstance(t, ProviderPart)]
    if request.tool_choice is not None and any(isinstance(t, ToolDefinition) for t in request.tools):
        told["tool_choice"] = (request.tool_choice.mode, request.tool_choice.name)
    if (form := request.response_format) is not None and form.type != "text":
        told["response_format"] = (form.type, _schema(form.schema or {}))
    if request.thinking is not None:
        told["thinking"] = request.thinking.enabled
    return told


def _system(request: ChatRequest) -> list[str]:
    messages = (message for message in request.messages if message.role in ("system", "developer"))
    return [part.text for message in messages for part in message.parts if isinstance(part, TextPart)]


def _schema(schema: Any) -> Any:
    plain = json.loads(json.dumps(schema, default=dict)) or {"type": "object", "properties": {}}
    return {key: value for key, value in plain.items() if key != "description"}


def _turns(request: ChatRequest) -> list[tuple[str, Any]]:
    """The parts of the conversation in order, each under its kind."""
    numbers: dict[str, int] = {}
    turns: list[tuple[str, Any]] = []
    for message in request.messages:
        if message.role in ("system", "developer"):
            continue
        for part in message.parts:
            _add(turns, numbers, "assistant" if message.role == "assistant" else "user", part)
    return turns


_SAME_ROLE = ("reasoning", "block", "call", "media", "refusal")
"""What may stand between two texts that one role says in one turn: some protocols keep the order, some don't."""


def _add(turns: list[tuple[str, Any]], numbers: dict[str, int], role: str, part: Any) -> None:
    match part:
        case TextPart(text=text):
            said = "".join(text.split())
            at = next((n for n in reversed(range(len(turns))) if turns[n][0] not in _SAME_ROLE), None)
            if at is not None and turns[at][0] == "text" and turns[at][1][0] == role:
                turns[at] = ("text", (role, turns[at][1][1] + said))
            elif said:
                turns.append(("text", (role, said)))
        case ToolCall():
            numbers[part.id] = len(numbers)
            turns.append(("call", (part.name, _arguments(part.arguments))))
        case ToolResult():
            content = (TextPart(part.content),) if isinstance(part.content, str) else part.content
            text = "".join("".join(p.text.split()) for p in content if isinstance(p, TextPart))
            turns.append(("result", (numbers.get(part.call_id), text)))
            turns += [("is_error", numbers.get(part.call_id))] if part.is_error else []
            for inner in content:
                if not isinstance(inner, TextPart):
                    _add(turns, numbers, role, inner)
        case ImagePart():
            turns.append(("media", part.data or part.url))
        case DocumentPart(text=str(text)):
            _add(turns, numbers, role, TextPart(text))
        case DocumentPart(data=bytes(data), media_type=str(kind)) if kind.startswith("text/"):
            _add(turns, numbers, role, TextPart(data.decode()))
        case DocumentPart():
            turns.append(("media", part.data or part.url or part.file_id))
        case AudioPart():
            turns.append(("media", part.data))
        case ReasoningPart():
            turns += [("reasoning", part.text)] if part.text else []
        case RefusalPart():
            turns.append(("refusal", part.text))
        case ProviderPart():
            turns.append(("block", part.type))


def _arguments(given: Any) -> Any:
    """Arguments that are no object have no place in some protocols; there they are under a name of their own."""
    return given if isinstance(given, dict) and "INVALID_JSON" not in given else {}


WORDS = {
    "reasoning": ("reasoning", "thinking", "thought"),
    "stop": ("stop",),
    "system": ("system", "developer", "instructions"),
    "media": ("image", "document", "audio", "file"),
    "block": ("left out",),
    "hosted": ("tools[",),
    "response_format": ("response_format", "schema"),
    "result": ("tool result", "result"),
    "tool": ("strict", "tools", "schema"),
}
"""The words by which a warning names a kind of loss; else it is the kind's own name."""


def said(kind: str, warnings: tuple[str, ...]) -> bool:
    """Whether a warning tells of such a loss."""
    return any(word in warning.lower() for word in WORDS.get(kind, (kind,)) for warning in warnings)
