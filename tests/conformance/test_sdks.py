"""What each vendor's SDK makes of answers that few recordings show: exceptions, what it drops and what it overlooks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.testing.conformance import decode_exchange

VECTORS = {"embeddings": {"float": [[0.5, 1.0]]}}


def told(api: str, body: Any, *, status: int = 200, stream: bool = False) -> dict[str, Any]:
    provider, _, name = api.partition("/")
    response = {"status": status, "headers": {}, "body": body if isinstance(body, str) else json.dumps(body)}
    return decode_exchange({"id": "x", "provider": provider, "api": name, "stream": stream, "response": response})


def sse(*events: Any) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in events)


@pytest.mark.parametrize(
    ("api", "status", "name"),
    [
        ("anthropic/messages", 500, "InternalServerError"),
        ("anthropic/messages", 503, "ServiceUnavailableError"),
        ("anthropic/messages", 529, "OverloadedError"),
        ("anthropic/count_tokens", 418, "APIStatusError"),
        ("voyage/embeddings", 429, "RateLimitError"),
        ("voyage/embeddings", 500, "ServerError"),
        ("voyage/embeddings", 503, "ServiceUnavailableError"),
        ("gemini/generate_content", 429, "ClientError"),
        ("vertex/generate_content", 503, "ServerError"),
    ],
)
def test_exceptions(api: str, status: int, name: str) -> None:
    assert told(api, {"error": {"message": "No."}, "detail": "No."}, status=status)["sdk_exception"] == name


@pytest.mark.parametrize(
    ("api", "name"),
    [
        ("anthropic/messages", "InternalServerError"),
        ("gemini/embeddings", "ServerError"),
        ("cohere/chat_v2", "ApiError"),
        ("ollama/chat", "ResponseError"),
    ],
)
def test_a_page_in_place_of_an_answer_is_the_message(api: str, name: str) -> None:
    found = told(api, "<html><title>500</title></html>\n", status=500)
    assert (found["sdk_exception"], found["message"]) == (name, "<html><title>500</title></html>")


@pytest.mark.parametrize(("code", "name"), [(429, "ClientError"), (503, "ServerError")])
def test_gemini_raises_by_code_inside_a_stream(code: int, name: str) -> None:
    error = {"error": {"code": code, "message": "No.", "status": "S"}}
    found = told(
        "gemini/generate_content", sse({"candidates": [{"content": {"parts": [{"text": "a"}]}}]}, error), stream=True
    )
    assert (found["kind"], found["sdk_exception"], found["status"]) == ("stream_error", name, None)
    assert (found["code"], found["partial"]["text"]) == (code, "a")


def test_gemini_drops_parts_that_its_type_does_not_know() -> None:
    parts = [{"tomorrow": {}}, {"executableCode": {"code": "1"}}]
    found = told("gemini/generate_content", {"candidates": [{"content": {"parts": parts}, "finishReason": "STOP"}]})
    assert found["other_parts"] == ["executable_code"]


def test_mistral_takes_an_error_as_a_reason_to_finish() -> None:
    found = told(
        "mistral/chat",
        sse({"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "error"}]}),
        stream=True,
    )
    assert (found["kind"], found["text"], found["finish_reason"]) == ("chat", "a", "error")


@pytest.mark.parametrize("version", ["1", "2"])
def test_cohere_adds_up_what_version_1_bills(version: str) -> None:
    meta = {"api_version": {"version": version}, "billed_units": {"input_tokens": 3, "image_tokens": 0}}
    native = told("cohere/embeddings", {**VECTORS, "meta": meta})["usage"]["native"]
    assert native["billed_units"]["input_tokens"] == 3
    assert ("image_tokens" in native["billed_units"], native.get("warnings")) == (
        (False, []) if version == "1" else (True, None)
    )


@pytest.mark.parametrize(("api", "answer"), [("cohere/embeddings", VECTORS), ("cohere/chat_v1", {"text": "Hi."})])
def test_cohere_shows_a_record_that_counts_nothing(api: str, answer: dict[str, Any]) -> None:
    usage = told(api, {**answer, "meta": {"api_version": {"version": "2"}}})["usage"]
    assert (usage["input"], usage["native"]) == (None, {"api_version": {"version": "2"}})
