"""Voyage's embeddings: its own words in the request, OpenAI's shape in the answer, a usage that is only a total."""

import json

import pytest

from lambdallm.llm.errors import InvalidRequestError, LLMRateLimitError, UnsupportedParameterError
from lambdallm.llm.types import EmbeddingRequest
from lambdallm.llm.wire.voyage_embeddings import decode_error, decode_response, encode_request


def sent(**settings):
    encoded = encode_request(EmbeddingRequest("voyage-3", ("a",), **settings), {})
    return json.loads(encoded.body), encoded.warnings


def test_the_request():
    extra = {"truncation": False, "output_dtype": "int8"}
    body, warnings = sent(input_type="document", dimensions=256, extra=extra)
    assert body == {"model": "voyage-3", "input": ["a"], "input_type": "document", "output_dimension": 256, **extra}
    assert warnings == ()


def test_floats_come_in_base64():
    assert sent()[0] == {"model": "voyage-3", "input": ["a"], "encoding_format": "base64"}


@pytest.mark.parametrize("kind", ["classification", "clustering", "similarity"])
def test_other_types_of_input_are_left_out_with_a_warning(kind):
    body, warnings = sent(input_type=kind)
    assert "input_type" not in body
    assert kind in warnings[0]


def test_integers_in_base64_are_refused():
    with pytest.raises(UnsupportedParameterError, match="encoding_format"):
        sent(extra={"encoding_format": "base64", "output_dtype": "ubinary"})


def test_a_total_is_the_input():
    body = b'{"data": [{"embedding": "AAAAPw==", "index": 0}], "model": "voyage-3", "usage": {"total_tokens": 4}}'
    found = decode_response(200, (), body).unwrap()
    assert (found.vectors, found.model, found.usage.input_tokens) == (((0.5,),), "voyage-3", 4)


def test_nothing_used_is_known_to_be_nothing():
    found = decode_response(200, (), b'{"data": [{"embedding": [1]}], "usage": {"total_tokens": 0}}').unwrap()
    assert found.usage.input_tokens == 0


def test_errors():
    refused = decode_error(400, (), b'{"detail": "Model nope is not supported."}')
    assert (type(refused), refused.message) == (InvalidRequestError, "Model nope is not supported.")
    limited = decode_error(429, (("retry-after", "7"),), b'{"detail": "Slow down."}')
    assert (type(limited), limited.retry_after) == (LLMRateLimitError, 7.0)
