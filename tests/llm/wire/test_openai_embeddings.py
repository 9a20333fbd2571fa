"""OpenAI's embeddings: vectors in the order of the texts, however they are sent."""

import json
import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm import AsyncWireClient, WireClient
from lambdallm.llm.errors import (
    ConfigurationError,
    InvalidRequestError,
    LLMModelNotFoundError,
    ProviderResponseError,
    UnsupportedParameterError,
)
from lambdallm.llm.types import EmbeddingRequest, Usage
from lambdallm.llm.wire.openai_embeddings import decode_response, encode_request


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


def test_an_error_in_a_200_is_an_error():
    found = decode({"error": {"message": "No such model.", "code": 404}}).error
    assert (type(found), found.message, found.status) == (LLMModelNotFoundError, "No such model.", 404)


def test_what_has_no_field_is_kept():
    found = decode({"id": "e1", "object": "list", "data": [{"embedding": [1.0]}], "provider": "Nearby"}).unwrap()
    assert found.metadata == {"id": "e1", "provider": "Nearby"}


def test_every_setting():
    request = EmbeddingRequest("m", ("a",), dimensions=2, user="u1")
    body = json.loads(encode_request(request, {"encoding_format": "base64"}).body)
    assert body == {"model": "m", "input": ["a"], "dimensions": 2, "user": "u1", "encoding_format": "base64"}


def test_models_of_one_kind_for_all_texts_are_told_so():
    encoded = encode_request(EmbeddingRequest("m", ("a",), input_type="query"), {})
    assert b"query" not in encoded.body
    assert encoded.warnings == ("'input_type' 'query' was left out: this model makes no such difference",)


def test_an_entry_declares_words_and_names_of_its_own():
    facts = {"input_types": {"document": "passage"}, "dimensions_param": "output_dimension"}
    body = json.loads(encode_request(EmbeddingRequest("m", ("a",), dimensions=8, input_type="document"), facts).body)
    assert (body["input_type"], body["output_dimension"]) == ("passage", 8)


def test_integers_in_base64_are_refused_since_an_answer_does_not_say_so():
    extra = {"encoding_format": "base64", "output_dtype": "int8"}
    with pytest.raises(UnsupportedParameterError, match="lists of integers"):
        encode_request(EmbeddingRequest("m", ("a",), extra=extra), {})


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
