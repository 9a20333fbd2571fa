"""When to come back, as each provider says it: `error.retry_after` in seconds, whatever the form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.call import codec_named
from lambdallm.llm.errors import LLMError, LLMRateLimitError
from recorded import CORPUS, needs_corpus

NOON = ("date", "Wed, 21 Oct 2026 12:00:00 GMT")


def failed(wire: str, body: Any, *headers: tuple[str, str], status: int = 429) -> LLMError:
    error: LLMError = codec_named(wire).decode_error(status, headers, json.dumps(body).encode())
    return error


def openai(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "tokens", "param": None, "code": "rate_limit_exceeded"}}


ANTHROPIC = {"type": "error", "error": {"type": "rate_limit_error", "message": "Number of requests has exceeded…"}}
COHERE = {"message": "You are using a Trial key, which is limited to 20 API calls / minute."}
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.074824224s"}


def google(message: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED", "details": list(details)}}


@pytest.mark.parametrize(
    ("wire", "body", "headers", "seconds"),
    [
        pytest.param("openai_chat", openai("Slow down."), [("retry-after-ms", "250"), ("retry-after", "1")], 0.25,
                     id="Azure: milliseconds before seconds"),
        pytest.param("openai_chat", openai("Rate limit reached for gpt-4o. Please try again in 6m0s. Visit …"), [],
                     360.0, id="OpenAI: words"),
        pytest.param("openai_chat", openai("Slow down."),
                     [("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "6m0s"),
                      ("x-ratelimit-remaining-requests", "59"), ("x-ratelimit-reset-requests", "1s")],
                     360.0, id="OpenAI: the limit that is used up"),
        pytest.param("openai_responses", openai("Please try again in 20ms."), [], 0.02, id="OpenAI: Responses"),
        pytest.param("openai_embeddings", openai("Please try again in 1.5s."), [], 1.5, id="OpenAI: embeddings"),
        pytest.param("openai_chat", openai("…exceeded token rate limit… Please retry after 26 seconds."), [], 26.0,
                     id="Azure: words"),
        pytest.param("openai_chat", openai("…Please try again in 7m12.5s. Need more tokens?"), [("retry-after", "433")],
                     433.0, id="Groq: the header before the words"),
        pytest.param("anthropic_messages", ANTHROPIC, [("retry-after", "13")], 13.0, id="Anthropic: seconds"),
        pytest.param("anthropic_messages", ANTHROPIC,
                     [("anthropic-ratelimit-requests-remaining", "0"),
                      ("anthropic-ratelimit-requests-reset", "2026-10-21T12:00:41Z"), NOON], 41.0,
                     id="Anthropic: a date"),
        pytest.param("anthropic_messages", ANTHROPIC,
                     [("anthropic-ratelimit-requests-remaining", "0"),
                      ("anthropic-ratelimit-requests-reset", "2026-10-21T12:00:41Z")], None,
                     id="Anthropic: a date, and nobody says what time it is"),
        pytest.param("gemini", google("Resource exhausted.", RETRY_INFO), [], 34.074824224, id="Google: RetryInfo"),
        pytest.param("gemini", google("…", {**RETRY_INFO, "retryDelay": {"seconds": 34, "nanos": 500000000}}), [], 34.5,
                     id="Google: seconds and nanoseconds"),
        pytest.param("gemini", google("You exceeded your quota. Please retry in 58.934310785s."), [], 58.934310785,
                     id="Google: words"),
        pytest.param("gemini", google("Resource exhausted. Please try again later."), [], None, id="Google: nothing"),
        pytest.param("cohere_chat", COHERE, [("retry-after", "3")], 3.0, id="Cohere"),
        pytest.param("ollama_chat", {"error": "too many requests"}, [("retry-after", "2")], 2.0, id="Ollama's cloud"),
        pytest.param("bedrock_converse", {"message": "Too many requests, please wait before trying again."},
                     [("x-amzn-errortype", "ThrottlingException")], None, id="Bedrock says nothing"),
        pytest.param("bedrock_invoke.anthropic", {"message": "Too many tokens."},
                     [("x-amzn-errortype", "ThrottlingException"), ("retry-after", "4")], 4.0, id="a proxy before it"),
    ],
)  # fmt: skip
def test_a_refusal(wire: str, body: Any, headers: list[tuple[str, str]], seconds: float | None) -> None:
    error = failed(wire, body, *headers)
    assert error.retry_after == pytest.approx(seconds)
    assert isinstance(error, LLMRateLimitError)


@pytest.mark.corpus
@needs_corpus
def test_openrouter_as_recorded() -> None:
    """It resets at a time in milliseconds; the answer says what time it is."""
    (path,) = CORPUS.glob("openrouter/chat/langchaingo-fac30e7e38.json")
    response = json.loads(path.read_bytes())["response"]
    error = codec_named("openai_chat").decode_error(429, tuple(response["headers"].items()), response["body"].encode())
    assert error.retry_after == 26.0


@pytest.mark.parametrize("status", [400, 401, 500, 503])
def test_limits_say_nothing_of_another_failure(status: int) -> None:
    headers = (("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "1m"))
    assert failed("openai_chat", openai("No."), *headers, status=status).retry_after is None


@pytest.mark.parametrize("status", [500, 503, 529])
def test_an_overloaded_server_may_say_when_too(status: int) -> None:
    assert failed("anthropic_messages", ANTHROPIC, ("retry-after", "5"), status=status).retry_after == 5.0


STREAMED = "Rate limit reached for o3. Please try again in 4.5s."


@pytest.mark.parametrize(
    ("wire", "event"),
    [
        ("openai_chat", {"error": {"message": STREAMED, "code": 429}}),
        ("openai_responses", {"type": "error", "code": "rate_limit_exceeded", "message": STREAMED}),
        ("gemini", google(STREAMED)),
        ("gemini", google("Resource exhausted.", {**RETRY_INFO, "retryDelay": "4.5s"})),
    ],
)
def test_an_error_in_a_stream(wire: str, event: dict[str, Any]) -> None:
    decoder = codec_named(wire).StreamDecoder()
    decoder.feed(b"data: " + json.dumps(event).encode() + b"\n\n")
    assert decoder.error is not None
    assert decoder.error.retry_after == 4.5
