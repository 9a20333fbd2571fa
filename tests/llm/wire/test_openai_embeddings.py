"""OpenAI's embeddings: vectors in the order of the texts, however they are sent."""

import json
import math
import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm import AsyncWireClient, WireClient
from lambdallm.llm.errors import ConfigurationError, InvalidRequestError, ProviderResponseError
from lambdallm.llm.types import EmbeddingRequest, Usage
from lambdallm.llm.wire.openai_embeddings import decode_error, decode_response, encode_request
from recorded import recordings

FOLDERS = ("openai/embeddings", "azure/embeddings", "mistral/embeddings", "openrouter/embeddings")


def decode(answer):
    return decode_response(200, (), json.dumps(answer).encode())


def test_the_request():
    request = EmbeddingRequest("m", ("a", "b"), dimensions=2, extra={"encoding_format": "base64"})
    body = json.loads(encode_request(request, {}).body)
    assert body == {"model": "m", "input": ["a", "b"], "dimensions": 2, "encoding_format": "base64"}


@pytest.mark.parametrize("texts", [(), ("a", "")])
def test_nothing_to_embed_is_an_error_before_anything_is_sent(texts):
    with pytest.raises(InvalidRequestError, match=r"No text|Text 1 is empty"):
        encode_request(EmbeddingRequest("m", texts), {})


def test_vectors_come_in_the_order_of_the_texts():
    packed = b64encode(struct.pack("<2f", 0.5, -1.0)).decode()
    rows = [{"index": 1, "embedding": packed}, {"index": 0, "embedding": [1, 2.5]}]
    found = decode({"data": rows, "model": "m", "usage": {"prompt_tokens": 3, "total_tokens": 3}}).unwrap()
    assert found.vectors == ((1, 2.5), (0.5, -1.0))
    assert found.usage.replace(native={}) == Usage(3, native={})


@pytest.mark.parametrize(
    "answer",
    [{}, [], {"data": []}, {"data": [{"embedding": "%%"}]}, {"data": [{"embedding": ["a"]}]}, {"data": [{}]}, 3, None],
)
def test_an_answer_without_vectors_is_an_error(answer):
    assert isinstance(decode(answer).error, ProviderResponseError)


@given(st.binary(max_size=200))
def test_any_bytes_are_vectors_or_an_error(body):
    assert decode_response(200, (), body).is_err()


@pytest.mark.corpus
@recordings(*FOLDERS)
def test_recorded_answers(path):
    exchange = json.loads(path.read_bytes())
    response, expected = exchange["response"], exchange["expected"]
    headers, body = tuple(response["headers"].items()), response["body"].encode()
    if expected["kind"] == "error":
        error = decode_error(response["status"], headers, body)
        assert (error.status, error.message) == (expected["status"], expected["message"])
        return
    vectors = decode_response(200, headers, body).unwrap().vectors
    told = expected["vectors"]
    assert len(vectors) == told["count"]
    for vector, summary in ((vectors[0], told["first"]), (vectors[-1], told["last"])):
        assert len(vector) == summary["dim"]
        assert vector[:4] == pytest.approx(summary["head"], rel=1e-4)
        assert math.hypot(*vector) == pytest.approx(summary["l2"], rel=1e-3)


class TestThroughAClient:
    def test_echo(self):
        found = WireClient("echo").embed(["one two", "one two", "other"]).unwrap()
        assert found.vectors[0] == found.vectors[1] != found.vectors[2]
        assert (found.provider, found.cost_usd) == ("echo", 0)

    def test_the_same_without_blocking(self):
        import asyncio

        found = asyncio.run(AsyncWireClient("echo").embed(["one"]))
        assert len(found.unwrap().vectors) == 1

    def test_a_provider_without_embeddings_says_so(self):
        with pytest.raises(ConfigurationError, match=r"'anthropic'.*embeddings"):
            WireClient("anthropic/claude-haiku-4-5", api_key="k").embed(["a"])

    def test_no_text_is_a_value(self):
        assert isinstance(WireClient("echo").embed([]).error, InvalidRequestError)
