"""Ollama's embeddings: vectors at the top, usage beside times, errors as plain text."""

import json

from lambdallm.llm.errors import LLMModelNotFoundError
from lambdallm.llm.types import EmbeddingRequest
from lambdallm.llm.wire.ollama_embeddings import decode_error, decode_response, encode_request


def decode(answer):
    return decode_response(200, (), json.dumps(answer).encode()).unwrap()


def test_the_request():
    extra = {"truncate": False, "options": {"num_ctx": 512}, "keep_alive": "5m"}
    body = json.loads(encode_request(EmbeddingRequest("nomic-embed-text", ("a",), dimensions=64, extra=extra), {}).body)
    assert body == {"model": "nomic-embed-text", "input": ["a"], "dimensions": 64, **extra}


def test_an_answer():
    found = decode({"model": "m", "embeddings": [[0.5]], "total_duration": 9, "prompt_eval_count": 4})
    assert (found.vectors, found.model, found.usage.input_tokens) == (((0.5,),), "m", 4)
    assert found.metadata == {"total_duration": 9}


def test_the_one_vector_of_older_servers():
    found = decode({"embedding": [0.5]})
    assert (found.vectors, found.usage) == (((0.5,),), None)


def test_errors():
    error = decode_error(404, (), b'{"error": "model \\"x\\" not found, try pulling it first"}')
    assert (type(error), error.message) == (LLMModelNotFoundError, 'model "x" not found, try pulling it first')
