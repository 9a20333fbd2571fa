"""Embeddings over InvokeModel: given texts, expect bodies; given answers, expect vectors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.errors import InvalidRequestError, ProviderResponseError, UnsupportedParameterError
from lambdallm.llm.result import Err
from lambdallm.llm.types import EmbeddingRequest, Embeddings
from lambdallm.llm.wire.bedrock_invoke import cohere_embeddings, nova_embeddings, titan_embeddings

COUNTED = (("x-amzn-bedrock-input-token-count", "4"),)


def encode(codec: Any, facts: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    request = EmbeddingRequest("m", settings.pop("texts", ("Hi",)), **settings)
    body: dict[str, Any] = json.loads(codec.encode_request(request, facts or {}).body)
    return body


def decode(codec: Any, answer: Any, headers: tuple[tuple[str, str], ...] = ()) -> Embeddings:
    found: Embeddings = codec.decode_response(200, headers, json.dumps(answer).encode()).unwrap()
    return found


@pytest.mark.parametrize(("codec", "most"), [(titan_embeddings, 1), (nova_embeddings, 1), (cohere_embeddings, 96)])
def test_a_call_holds_so_many_texts(codec: Any, most: int) -> None:
    assert most == codec.MOST_TEXTS
    assert encode(codec, texts=("Hi",) * most)
    with pytest.raises(InvalidRequestError, match=f"Send {most} in a call"):
        encode(codec, texts=("Hi",) * (most + 1))
    with pytest.raises(InvalidRequestError, match="nothing to embed"):
        encode(codec, texts=())


def test_titan_requests() -> None:
    assert encode(titan_embeddings) == {"inputText": "Hi"}
    body = encode(titan_embeddings, dimensions=256, extra={"normalize": False, "embeddingTypes": ["binary"]})
    assert body == {"inputText": "Hi", "dimensions": 256, "normalize": False, "embeddingTypes": ["binary"]}


def test_titans_first_version_has_one_size() -> None:
    with pytest.raises(UnsupportedParameterError, match="dimensions"):
        encode(titan_embeddings, {"dimensions_param": None}, dimensions=256)


def test_titans_multimodal_model_keeps_its_size_elsewhere() -> None:
    facts = {"dimensions_param": "embeddingConfig.outputEmbeddingLength"}
    assert encode(titan_embeddings, facts, dimensions=256) == {
        "inputText": "Hi",
        "embeddingConfig": {"outputEmbeddingLength": 256},
    }


def test_titan_makes_no_difference_between_queries_and_documents() -> None:
    written = titan_embeddings.encode_request(EmbeddingRequest("m", ("Hi",), input_type="query"), {})
    assert json.loads(written.body) == {"inputText": "Hi"}
    assert [warning for warning in written.warnings if "'input_type' 'query'" in warning]


def test_titan_answers() -> None:
    answer = decode(titan_embeddings, {"embedding": [1, 0.5], "inputTextTokenCount": 3, "message": "x"}, COUNTED)
    assert answer.vectors == ((1, 0.5),)
    assert answer.usage is not None
    assert answer.usage.input_tokens == 3
    assert answer.metadata["message"] == "x"


def test_titans_vectors_by_type() -> None:
    both = decode(titan_embeddings, {"embedding": [0.5], "embeddingsByType": {"float": [0.5], "binary": [1, 0]}})
    assert (both.vectors, both.by_type) == (((0.5,),), {"float": ((0.5,),), "binary": ((1, 0),)})
    assert decode(titan_embeddings, {"embeddingsByType": {"binary": [1, 0]}}).vectors == ((1, 0),)
    assert not decode(titan_embeddings, {"embedding": [0.5], "embeddingsByType": {"float": [0.5]}}).by_type


def test_cohere_requests() -> None:
    assert encode(cohere_embeddings) == {"texts": ["Hi"], "input_type": "search_document"}
    body = encode(cohere_embeddings, input_type="query", dimensions=512, extra={"truncate": "NONE", "max_tokens": 9})
    assert body == {
        "texts": ["Hi"], "input_type": "search_query", "output_dimension": 512, "truncate": "NONE", "max_tokens": 9
    }  # fmt: skip


@pytest.mark.parametrize(
    "embeddings", [[[0.5], [0.25]], {"float": [[0.5], [0.25]]}, {"int8": [[1], [2]], "float": [[0.5], [0.25]]}]
)
def test_cohere_answers(embeddings: Any) -> None:
    answer = decode(cohere_embeddings, {"id": "a", "embeddings": embeddings, "texts": ["hi", "ho"]}, COUNTED)
    assert answer.vectors == ((0.5,), (0.25,))
    assert answer.usage is not None
    assert answer.usage.input_tokens == 4
    assert set(answer.by_type) == (set(embeddings) if len(embeddings) == 2 and "int8" in embeddings else set())
    assert "texts" not in answer.metadata


def test_nova_requests() -> None:
    assert encode(nova_embeddings, dimensions=384, input_type="query") == {
        "taskType": "SINGLE_EMBEDDING",
        "singleEmbeddingParams": {
            "embeddingPurpose": "GENERIC_RETRIEVAL",
            "embeddingDimension": 384,
            "text": {"truncationMode": "END", "value": "Hi"},
        },
    }
    params = encode(nova_embeddings, extra={"text": {"truncationMode": "NONE"}})["singleEmbeddingParams"]
    assert params["text"] == {"truncationMode": "NONE", "value": "Hi"}
    assert params["embeddingPurpose"] == "GENERIC_INDEX"


def test_nova_answers() -> None:
    answer = decode(nova_embeddings, {"embeddings": [{"embeddingType": "TEXT", "embedding": [0.5]}]}, COUNTED)
    assert answer.vectors == ((0.5,),)
    assert answer.usage is not None
    assert answer.usage.input_tokens == 4


@pytest.mark.parametrize("codec", [titan_embeddings, cohere_embeddings, nova_embeddings])
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{}", b'{"embedding": []}', b'{"embeddings": [[]]}', b'{"embeddings": {"float": 1}}',
     b'{"embedding": ["a"]}', b'{"embeddings": [{"embedding": "?"}]}', b"[" * 100_000],
)  # fmt: skip
def test_what_holds_no_vectors(codec: Any, body: bytes) -> None:
    result = codec.decode_response(200, (("x-amzn-requestid", "r1"),), body)
    assert isinstance(result, Err)
    assert isinstance(result.error, ProviderResponseError)
    assert result.error.request_id == "r1"


@pytest.mark.parametrize("codec", [titan_embeddings, cohere_embeddings, nova_embeddings])
def test_errors(codec: Any) -> None:
    headers = (("x-amzn-errortype", "ValidationException:http://internal.amazon.com/"),)
    error = codec.decode_error(400, headers, b'{"message": "Malformed input request"}')
    assert (type(error), error.type) == (InvalidRequestError, "ValidationException")
