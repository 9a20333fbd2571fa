"""Vertex's `:predict`: settings of each text beside those of all, usage added up from statistics."""

import json

from lambdallm.llm.types import EmbeddingRequest
from lambdallm.llm.wire.vertex_embeddings import decode_response, encode_request


def sent(**settings):
    return json.loads(encode_request(EmbeddingRequest("text-embedding-005", ("a", "b"), **settings), {}).body)


def row(*values, tokens=None):
    counted = {} if tokens is None else {"statistics": {"token_count": tokens, "truncated": False}}
    return {"embeddings": {"values": list(values), **counted}}


def decode(answer):
    return decode_response(200, (), json.dumps(answer).encode()).unwrap()


def test_the_least_request():
    assert sent() == {"instances": [{"content": "a"}, {"content": "b"}]}


def test_every_setting():
    body = sent(input_type="document", dimensions=256, extra={"title": "T", "autoTruncate": False})
    instances = [{"content": text, "task_type": "RETRIEVAL_DOCUMENT", "title": "T"} for text in ("a", "b")]
    assert body == {"instances": instances, "parameters": {"outputDimensionality": 256, "autoTruncate": False}}


def test_usage_is_what_the_texts_add_up_to():
    answer = {"predictions": [row(1.0, tokens=3), row(2.0, tokens=4)], "metadata": {"billableCharacterCount": 9}}
    found = decode(answer | {"deployedModelId": "7"})
    assert (found.usage.input_tokens, found.usage.native) == (7, {"billableCharacterCount": 9})
    assert found.metadata == {"deployedModelId": "7"}


def test_a_text_without_statistics_leaves_usage_unknown():
    assert decode({"predictions": [row(1.0, tokens=3), row(2.0)]}).usage is None


def test_answers_of_embed_content_are_read_too():
    answer = {"embedding": {"values": [1.0]}, "usageMetadata": {"promptTokenCount": 4}}
    assert decode(answer).usage.input_tokens == 4
