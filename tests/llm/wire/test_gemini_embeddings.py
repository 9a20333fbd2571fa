"""Gemini's embeddings: a batch of requests, or one text as the whole body; tasks, or words before the text."""

import json

import pytest

from lambdallm.llm.errors import LLMAuthenticationError, LLMModelNotFoundError, UnsupportedParameterError
from lambdallm.llm.types import EmbeddingRequest
from lambdallm.llm.wire.gemini_embeddings import decode_error, decode_response, encode_request


def sent(*texts, facts=None, **settings):
    encoded = encode_request(EmbeddingRequest("gemini-embedding-001", texts or ("a",), **settings), facts or {})
    return json.loads(encoded.body)


def test_each_text_is_a_request_with_all_settings():
    body = sent("a", "b", input_type="document", dimensions=768, extra={"title": "T"})
    settings = {"taskType": "RETRIEVAL_DOCUMENT", "outputDimensionality": 768, "title": "T"}
    model = "models/gemini-embedding-001"
    assert body["requests"] == [
        {"model": model, "content": {"parts": [{"text": text}]}, **settings} for text in ("a", "b")
    ]


@pytest.mark.parametrize(
    ("kind", "task"),
    [("query", "RETRIEVAL_QUERY"), ("similarity", "SEMANTIC_SIMILARITY"), ("clustering", "CLUSTERING")],
)
def test_a_type_of_input_is_a_task(kind, task):
    assert sent(input_type=kind)["requests"][0]["taskType"] == task


def test_one_text_alone():
    body = sent("a", facts={"embed_one": True}, dimensions=768)
    assert body == {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 768}


def test_one_text_alone_on_vertex():
    body = sent("a", facts={"embed_one": True, "embed_config": "embedContentConfig"}, dimensions=768)
    assert body == {"content": {"parts": [{"text": "a"}]}, "embedContentConfig": {"outputDimensionality": 768}}


def test_two_texts_where_one_is_taken():
    with pytest.raises(UnsupportedParameterError, match="one text"):
        sent("a", "b", facts={"embed_one": True})


def test_newer_models_read_what_a_text_is_for_before_the_text():
    body = sent("rain", facts={"input_prefixes": {"query": "task: search result | query: "}}, input_type="query")
    (item,) = body["requests"]
    assert item["content"] == {"parts": [{"text": "task: search result | query: rain"}]}
    assert "taskType" not in item


def test_answers_to_many_and_to_one():
    usage = {"promptTokenCount": 4, "totalTokenCount": 4}
    many = json.dumps({"embeddings": [{"values": [1.0]}, {"values": [2.0]}]}).encode()
    one = json.dumps({"embedding": {"values": [1.0]}, "usageMetadata": usage, "truncated": False}).encode()
    assert decode_response(200, (), many).unwrap().vectors == ((1.0,), (2.0,))
    found = decode_response(200, (), one).unwrap()
    assert (found.vectors, found.usage.input_tokens, found.metadata) == (((1.0,),), 4, {"truncated": False})


def test_errors():
    body = b'{"error": {"code": 404, "message": "models/x is not found", "status": "NOT_FOUND"}}'
    missing = decode_error(404, (), body)
    assert (type(missing), missing.type, missing.code) == (LLMModelNotFoundError, "NOT_FOUND", 404)
    denied = {"error": {"code": 401, "message": "No.", "status": "UNAUTHENTICATED"}}
    assert isinstance(decode_response(200, (), json.dumps(denied).encode()).error, LLMAuthenticationError)
