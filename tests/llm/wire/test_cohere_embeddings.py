"""Cohere's embeddings: vectors by type, and an input type that is never missing."""

import json

import pytest

from lambdallm.llm.errors import LLMModelNotFoundError, TokenLimitError
from lambdallm.llm.types import EmbeddingRequest
from lambdallm.llm.wire.cohere_embeddings import decode_error, decode_response, encode_request


def sent(**settings):
    encoded = encode_request(EmbeddingRequest("embed-v4.0", ("a", "b"), **settings), {})
    return json.loads(encoded.body), encoded.warnings


def decode(answer):
    return decode_response(200, (), json.dumps(answer).encode()).unwrap()


def test_texts_are_documents_unless_something_else_is_said():
    assert sent() == (
        {"model": "embed-v4.0", "texts": ["a", "b"], "input_type": "search_document", "embedding_types": ["float"]},
        (),
    )


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [("query", "search_query"), ("clustering", "clustering"), ("search_query", "search_query")],
)
def test_input_types_in_our_words_and_in_theirs(ours, theirs):
    assert sent(input_type=ours)[0]["input_type"] == theirs


def test_what_cohere_has_no_word_for_is_left_out_with_a_warning():
    body, warnings = sent(input_type="similarity", user="u1")
    assert body["input_type"] == "search_document"
    assert [warning.split()[0] for warning in warnings] == ["'input_type'", "'user'"]


def test_dimensions_types_and_truncation():
    extra = {"embedding_types": ["int8", "float"], "truncate": "END"}
    body, _ = sent(dimensions=256, extra=extra)
    assert (body["output_dimension"], body["embedding_types"], body["truncate"]) == (256, ["int8", "float"], "END")


def test_vectors_by_type():
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4}}
    answer = {"id": "e1", "texts": ["a"], "meta": meta, "embeddings": {"int8": [[1, -2]], "float": [[0.5, -1.0]]}}
    found = decode(answer)
    assert found.vectors == ((0.5, -1.0),)
    assert found.by_type == {"int8": ((1, -2),), "float": ((0.5, -1.0),)}
    assert (found.usage.input_tokens, found.usage.native, found.metadata) == (4, meta, {"id": "e1"})


def test_a_record_that_bills_nothing_is_kept():
    meta = {"api_version": {"version": "1"}}
    found = decode({"meta": meta, "embeddings": [[0.5, -1.0]]})
    assert (found.usage, found.metadata) == (None, {"meta": meta})


def test_without_floats_the_first_type_stands_for_them():
    assert decode({"embeddings": {"ubinary": [[255, 0]], "int8": [[1, 2]], "uint8": None}}).vectors == ((255, 0),)


def test_base64_is_floats():
    assert decode({"embeddings": {"base64": ["AAAAPwAAgL8="]}}).vectors == ((0.5, -1.0),)


def test_a_plain_list_of_version_1():
    found = decode({"embeddings": [[0.5]], "response_type": "embeddings_floats"})
    assert (found.vectors, found.by_type, found.usage) == (((0.5,),), {}, None)


def test_errors():
    missing = decode_error(404, (), b'{"id": "x1", "message": "model \'m\' not found"}')
    assert (type(missing), missing.request_id) == (LLMModelNotFoundError, "x1")
    assert isinstance(decode_error(400, (), b'{"message": "too many tokens: 600 > 512"}'), TokenLimitError)
