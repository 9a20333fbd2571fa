"""InvokeModel, whole answers and errors of every body: given JSON and headers, expect completions."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm import errors
from lambdallm.llm.call import codec_named
from lambdallm.llm.errors import ConfigurationError, LLMError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import Completion, TextPart
from recorded import recordings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "bedrock_invoke"
ANSWERS = json.loads((FIXTURES / "answers.json").read_bytes())
CHAT = (
    "ai21_text", "anthropic", "anthropic_text", "chat", "cohere", "cohere_text", "deepseek", "llama", "mistral",
    "mistral_chat", "nova", "titan",
)  # fmt: skip
EMBEDDINGS = ("cohere_embeddings", "nova_embeddings", "titan_embeddings")


def codec(name: str) -> Any:
    return codec_named(f"bedrock_invoke.{name}")


def decode(name: str, body: bytes, headers: tuple[tuple[str, str], ...] = ()) -> Completion:
    result = codec(name).decode_response(200, headers, body)
    assert isinstance(result, Ok), result
    answer: Completion = result.value
    return answer


@pytest.mark.parametrize("name", CHAT)
def test_a_catalog_entry_names_a_body(name: str) -> None:
    module = codec(name)
    assert module.PATHS == {"chat": "/model/{model}/invoke", "stream": "/model/{model}/invoke-with-response-stream"}
    assert callable(module.encode_request)
    assert callable(module.decode_error)
    assert module.StreamDecoder().done is False


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_so_it_does_for_embeddings(name: str) -> None:
    assert codec(name).PATHS == {"embed": "/model/{model}/invoke"}


@pytest.mark.parametrize("wire", ["bedrock_invoke", "bedrock_invoke.morse", "morse.titan", "bedrock_invoke..titan"])
def test_a_body_that_nobody_wrote_is_a_mistake_in_the_entry(wire: str) -> None:
    with pytest.raises(ConfigurationError, match="No wire protocol"):
        codec_named(wire)


@pytest.mark.parametrize("case", ANSWERS, ids=lambda case: case["name"])
def test_answers(case: dict[str, Any]) -> None:
    answer = decode(case["codec"], json.dumps(case["body"]).encode(), tuple(case.get("headers", {}).items()))
    told = [[choice.message.text, choice.finish_reason, choice.raw_finish_reason] for choice in answer.choices]
    assert told == case["choices"]
    assert [[call.id, call.name, call.arguments] for call in answer.tool_calls] == case.get("calls", [])
    used = [answer.usage.input_tokens, answer.usage.output_tokens] if answer.usage is not None else None
    assert used == case.get("usage")
    assert answer.id == case.get("id")
    assert dict(answer.metadata) == case.get("metadata", {})
    assert dict(answer.choices[0].metadata) == case.get("choice_metadata", dict(answer.choices[0].metadata))


def test_citations_of_command_r_are_the_texts() -> None:
    (case,) = (case for case in ANSWERS if case["name"] == "command r")
    answer = decode("cohere", json.dumps(case["body"]).encode())
    assert answer.message.parts == (TextPart("North.", tuple(case["body"]["citations"])),)


def test_a_body_that_counts_everything_is_its_own_record() -> None:
    headers = (("x-amzn-bedrock-input-token-count", "99"),)
    body = b'{"generation": "x", "prompt_token_count": 9, "generation_token_count": 2, "stop_reason": "stop"}'
    usage = decode("llama", body, headers).usage
    assert usage is not None
    assert usage.native == {"prompt_token_count": 9, "generation_token_count": 2}


@pytest.mark.parametrize("value", ["", "-1", "1.5", "9" * 40, "٣", "x"])
def test_headers_that_count_nothing(value: str) -> None:
    answer = decode("mistral", b'{"outputs": [{"text": "x"}]}', (("x-amzn-bedrock-input-token-count", value),))
    assert answer.usage is None


@pytest.mark.parametrize("name", CHAT)
def test_errors_are_read_from_their_header(name: str) -> None:
    headers = (
        ("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"),
        ("x-amzn-requestid", "r1"),
    )
    error = codec(name).decode_error(429, headers, b'{"message": "Too many requests."}')
    assert isinstance(error, errors.LLMRateLimitError)
    assert (error.type, error.message, error.request_id) == ("ThrottlingException", "Too many requests.", "r1")


@pytest.mark.parametrize("name", [name for name in CHAT if name not in ("chat", "mistral_chat")])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"results": 1, "outputs": [], "choices": {}}',
    ],
)
def test_what_is_no_answer(name: str, body: bytes) -> None:
    result = codec(name).decode_response(200, (("x-amzn-requestid", "r1"),), body)
    assert isinstance(result, Err)
    assert isinstance(result.error, errors.ProviderResponseError)
    assert result.error.request_id == "r1"


def test_an_error_inside_a_200() -> None:
    result = codec("titan").decode_response(
        200, (), b'{"message": "Malformed input request.", "__type": "a#ValidationException"}'
    )
    assert isinstance(result, Err)
    assert result.error.type == "ValidationException"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(
            ["results", "outputText", "generation", "outputs", "choices", "text", "message", "delta", "content",
             "generations", "completion", "completions", "data", "finishReason", "reason", "stop_reason", "tool_calls",
             "citations", "parameters", "name", "index", "usage", "output", "stopReason", "embedding", "embeddings",
             "embeddingsByType", "float", "tokenCount", "type", "amazon-bedrock-guardrailAction", "id", "finish_reason"]
        ),
        inner, max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("name", [*CHAT, *EMBEDDINGS])
@settings(max_examples=60, deadline=None)
@given(value=JSON)
def test_any_json_gives_an_answer_or_one_of_our_errors(name: str, value: Any) -> None:
    result = codec(name).decode_response(200, (), json.dumps(value).encode())
    assert isinstance(result, Ok) or isinstance(result.error, LLMError)


@pytest.mark.parametrize("name", [*CHAT, *EMBEDDINGS])
@settings(max_examples=30, deadline=None)
@given(status=st.integers(300, 599), body=st.binary(max_size=60))
def test_any_bytes_give_one_of_our_errors(name: str, status: int, body: bytes) -> None:
    assert isinstance(codec(name).decode_error(status, (), body), LLMError)


def bodies_of(record: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Text and reason of each candidate, read by hand: the reference for bodies that no SDK reads."""
    rows: list[tuple[Any, Any]] = []
    rows += [(row["outputText"], row["completionReason"]) for row in record.get("results", ())]
    rows += [(row["text"], row["finish_reason"]) for row in record.get("generations", ())]
    rows += [(row["text"], row["stop_reason"]) for row in record.get("outputs", ())]
    rows += [(row["data"]["text"], row["finishReason"]["reason"]) for row in record.get("completions", ())]
    rows += [(record["generation"], record["stop_reason"])] if "generation" in record else []
    rows += [(record["completion"], record["stop_reason"])] if "completion" in record else []
    rows += [(record["text"], record["finish_reason"])] if "text" in record else []
    rows += [(record["output"]["message"]["content"][0]["text"], record["stopReason"])] if "output" in record else []
    return rows


@pytest.mark.corpus
@recordings("*/invoke_model", holds=lambda exchange: exchange.get("expected") is None and not exchange["stream"])
def test_recorded_answers_that_no_sdk_reads(path: Path) -> None:
    from lambdallm.testing.conformance.table import find

    exchange = json.loads(path.read_bytes())
    row = find(exchange["provider"], "invoke_model")
    assert row is not None
    module = importlib.import_module(f"lambdallm.llm.wire.{row.for_model(exchange['model']).codec}")
    headers = exchange["response"]["headers"]
    answer = module.decode_response(200, tuple(headers.items()), exchange["response"]["body"].encode()).unwrap()
    told = [(choice.message.text, choice.raw_finish_reason) for choice in answer.choices]
    assert told == bodies_of(json.loads(exchange["response"]["body"]))
    assert answer.usage.input_tokens == int(headers["x-amzn-bedrock-input-token-count"])
    assert answer.usage.output_tokens == int(headers["x-amzn-bedrock-output-token-count"])
