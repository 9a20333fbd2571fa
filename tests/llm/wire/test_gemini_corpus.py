"""Recorded exchanges of the Gemini protocol: answers mean what google-genai says, requests lose nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.llm.types import ChatMessage, ChatRequest, Completion
from lambdallm.llm.wire import gemini, gemini_count_tokens
from lambdallm.llm.wire.gemini.fields import camel
from lambdallm.testing.conformance.report import check
from recorded import recordings

CHATS = "*/generate_content"
COUNTS = ("gemini/count_tokens", "vertex/count_tokens")
UNNAMED = ("args", "response", "properties", "labels", "$defs")
"""Objects whose names are somebody's own, in whatever spelling."""


def load(path: Path) -> dict[str, Any]:
    exchange: dict[str, Any] = json.loads(path.read_bytes())
    return exchange


def answered(exchange: dict[str, Any]) -> bool:
    return bool(exchange["response"]["status"] == 200)


def counted_whole(exchange: dict[str, Any]) -> bool:
    return "generateContentRequest" in exchange["request"]["body"]


def normal(body: Any, under: str = "") -> Any:
    """A request's body with what may be said in two ways said in one.

    Names have two spellings, as base64 has two alphabets. A list of one part may be the part. Types and levels are
    words in either case; an empty list, object or text says nothing, nor does a null. A JSON Schema that was sent as
    `parameters` goes back under the same name. All functions may stand in one tool.
    """
    if isinstance(body, list):
        return [normal(item, under) for item in body]
    if isinstance(body, str):
        return _word(body, under)
    if not isinstance(body, dict):
        return body
    named = under in UNNAMED
    said = {key if named else camel(key): value for key, value in body.items()}
    if isinstance(said.get("parts"), dict):
        said["parts"] = [said["parts"]]
    if isinstance(said.get("tools"), list):
        said["tools"] = _tools(said["tools"])
    said = {key: normal(value, "" if named else key) for key, value in said.items()}
    return {key: value for key, value in said.items() if value not in (None, [], {}, "", [{}])}


def _word(text: str, under: str) -> str:
    if under in ("type", "thinkingLevel", "mode"):
        return text.lower()
    return text.translate(str.maketrans("-_", "+/")) if under in ("thoughtSignature", "data") else text


def _tools(tools: list[dict[str, Any]]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for tool in tools:
        for key, value in tool.items():
            known = said.setdefault(camel(key), [] if isinstance(value, list) else {})
            known.extend(value) if isinstance(known, list) else known.update(value)
    return said


@pytest.mark.corpus
@recordings(CHATS, *COUNTS)
def test_the_answer_is_what_the_sdk_reads(path: Path) -> None:
    outcome = check(load(path))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


@pytest.mark.corpus
@recordings(CHATS)
def test_a_request_loses_nothing(path: Path) -> None:
    exchange = load(path)
    body = exchange["request"]["body"]
    request = gemini.decode_request(json.dumps(body).encode(), model=exchange["model"], stream=exchange["stream"])
    encoded = gemini.encode_request(request, {})
    assert normal(json.loads(encoded.body)) == normal(body)
    assert encoded.warnings == ()
    assert (request.model, request.stream, request.dialect) == (exchange["model"], exchange["stream"], "gemini")


@pytest.mark.corpus
@recordings(CHATS)
def test_every_call_has_its_result(path: Path) -> None:
    """Also where neither had an id: a request to another protocol finds them by it."""
    exchange = load(path)
    request = gemini.decode_request(json.dumps(exchange["request"]["body"]).encode(), model=exchange["model"])
    calls = [call.id for message in request.messages for call in message.tool_calls]
    results = [part.call_id for message in request.messages for part in message.parts if hasattr(part, "call_id")]
    assert len(set(calls)) == len(calls)
    assert set(results) <= set(calls)


@pytest.mark.corpus
@recordings(*COUNTS, holds=counted_whole)
def test_a_count_is_asked_as_recorded(path: Path) -> None:
    exchange = load(path)
    body = exchange["request"]["body"]
    request = gemini.decode_request(json.dumps(body["generateContentRequest"]).encode())
    encoded = gemini_count_tokens.encode_request(request, {})
    assert normal(json.loads(encoded.body)) == normal(body)


@pytest.mark.corpus
@recordings(CHATS, holds=answered)
def test_an_answer_goes_back_as_it_came(path: Path) -> None:
    """What a model said, signatures included, is what the next request tells it that it said."""
    exchange = load(path)
    body, encoded = exchange["response"]["body"], []
    answers = _events(body) if exchange["stream"] else [json.loads(body)]
    for event in answers:
        completion: Completion = gemini.decode_response(200, (), json.dumps(event).encode()).unwrap()
        for choice, candidate in zip(completion.choices, event.get("candidates", ()), strict=False):
            said = [part for part in candidate.get("content", {}).get("parts", ()) if part != {"text": ""}]
            request = ChatRequest("m", (ChatMessage("user", "Hi"), choice.message))
            encoded = json.loads(gemini.encode_request(request, {}).body)["contents"][1:]
            assert [normal(turn["parts"]) for turn in encoded] == ([normal(said)] if said else [])


def _events(body: str) -> list[dict[str, Any]]:
    return [json.loads(line[5:]) for line in body.splitlines() if line.startswith("data:")]


@pytest.mark.corpus
@recordings(CHATS, holds=answered)
def test_an_answer_is_written_as_it_came(path: Path) -> None:
    """For a client of the same protocol nothing changes: not what is known of it as a whole, not its parts."""
    exchange = load(path)
    body = exchange["response"]["body"]
    for event in _events(body) if exchange["stream"] else [json.loads(body)]:
        answer = gemini.decode_response(200, (), json.dumps(event).encode()).unwrap()
        written = json.loads(gemini.encode_response(answer, ChatRequest("m", ()), id="i", created=1))
        assert _told(written) == _told({"createTime": "1970-01-01T00:00:01Z"} | event)


def _told(answer: dict[str, Any]) -> Any:
    """An answer without what says nothing: empty text, an empty content's role, the first candidate's number."""
    told: dict[str, Any] = normal(answer)
    for candidate in told.get("candidates", ()):
        content = candidate.get("content", {})
        parts = [part for part in content.get("parts", ()) if part]
        candidate["content"] = {"parts": parts} if parts else {}
        candidate.setdefault("index", 0)
    return told
