"""Jina's embeddings: a task for each type of input, and rows that may hold several types of vector."""

import json
from pathlib import Path

import pytest

from lambdallm.llm.errors import LLMAuthenticationError, LLMModelNotFoundError
from lambdallm.llm.types import EmbeddingRequest
from lambdallm.llm.wire.jina_embeddings import decode_error, decode_response, encode_request

FIXTURES = Path(__file__).parents[2] / "fixtures" / "embeddings"


def decode(name):
    return decode_response(200, (), (FIXTURES / name).read_bytes()).unwrap()


@pytest.mark.parametrize(
    ("kind", "task"),
    [
        ("query", "retrieval.query"),
        ("document", "retrieval.passage"),
        ("classification", "classification"),
        ("clustering", "separation"),
        ("similarity", "text-matching"),
        ("retrieval.passage", "retrieval.passage"),
    ],
)
def test_a_type_of_input_is_a_task(kind, task):
    encoded = encode_request(EmbeddingRequest("jina-embeddings-v3", ("a",), input_type=kind), {})
    assert json.loads(encoded.body)["task"] == task


def test_every_setting():
    extra = {"embedding_type": "binary", "late_chunking": True, "truncate": True}
    body = json.loads(encode_request(EmbeddingRequest("m", ("a",), dimensions=64, extra=extra), {}).body)
    assert body == {"model": "m", "input": ["a"], "dimensions": 64, **extra}


def test_models_without_tasks():
    request = EmbeddingRequest("jina-embeddings-v2-base-en", ("a",), input_type="query")
    encoded = encode_request(request, {"ignored": ["input_type"]})
    assert (b"task" in encoded.body, len(encoded.warnings)) == (False, 1)


def test_an_answer():
    found = decode("jina.json")
    assert found.vectors == ((0.5, -1.0), (1.0, 0.25))
    assert (found.model, found.usage.input_tokens, found.by_type) == ("jina-embeddings-v3", 12, {})


def test_an_answer_of_several_types():
    found = decode("jina_typed.json")
    assert found.by_type == {"binary": ((5, 6), (-1, 3)), "base64": ((0.5, -1.0), (1.0, 0.25))}
    assert (found.vectors, found.usage.input_tokens) == (((5, 6), (-1, 3)), 7)


def test_a_type_that_one_row_lacks_is_left_out():
    rows = [{"embeddings": {"float": [1.0], "binary": [1]}}, {"embeddings": {"float": [2.0]}}]
    found = decode_response(200, (), json.dumps({"data": rows}).encode()).unwrap()
    assert found.by_type == {"float": ((1.0,), (2.0,))}


def test_errors():
    assert isinstance(decode_error(401, (), b'{"detail": "Invalid API key"}'), LLMAuthenticationError)
    body = b'{"error": {"code": "INPUT_MODEL_NOT_FOUND", "message": "Model \'x\' not found"}}'
    assert isinstance(decode_error(400, (), body), LLMModelNotFoundError)
