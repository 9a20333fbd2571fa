"""What every codec of embeddings does: nothing empty is sent, answers keep the texts' order, any bytes are survived."""

import importlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import InvalidRequestError, LLMError, ProviderResponseError, UnsupportedParameterError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import EmbeddingRequest
from lambdallm.testing.conformance.report import check
from recorded import recordings

ONES, TWOS = [1.0, 0.0], [0, 2.5]

ANSWERS = {
    "openai_embeddings": {"data": [{"index": 1, "embedding": TWOS}, {"index": 0, "embedding": ONES}]},
    "voyage_embeddings": {"data": [{"index": 1, "embedding": TWOS}, {"index": 0, "embedding": ONES}]},
    "jina_embeddings": {"data": [{"index": 1, "embedding": TWOS}, {"index": 0, "embedding": ONES}]},
    "cohere_embeddings": {"embeddings": {"float": [ONES, TWOS]}},
    "gemini_embeddings": {"embeddings": [{"values": ONES}, {"values": TWOS}]},
    "vertex_embeddings": {"predictions": [{"embeddings": {"values": ONES}}, {"embeddings": {"values": TWOS}}]},
    "ollama_embeddings": {"embeddings": [ONES, TWOS]},
}
"""The least answer of each protocol: two vectors, no usage, no model."""

every_codec = pytest.mark.parametrize("name", ANSWERS)


def codec(name):
    return importlib.import_module(f"lambdallm.llm.wire.{name}")


def decoded(name, answer):
    return codec(name).decode_response(200, (), answer if isinstance(answer, bytes) else json.dumps(answer).encode())


@every_codec
def test_it_has_what_a_codec_of_embeddings_has(name):
    speaks = codec(name)
    assert speaks.PATHS["embed"].startswith("/")
    assert speaks.MOST_TEXTS >= 1


@every_codec
@pytest.mark.parametrize(("texts", "why"), [((), "No text"), (("a", ""), "Text 1 is empty"), (("a", 3), "Text 1 is 3")])
def test_nothing_to_embed_is_an_error_before_anything_is_sent(name, texts, why):
    with pytest.raises(InvalidRequestError, match=why):
        codec(name).encode_request(EmbeddingRequest("m", texts), {})


@every_codec
def test_the_least_answer(name):
    found = decoded(name, ANSWERS[name]).unwrap()
    assert found.vectors == ((1.0, 0.0), (0, 2.5))
    assert (found.usage, found.model) == (None, None)


@every_codec
def test_what_one_provider_alone_knows_goes_along(name):
    body = codec(name).encode_request(EmbeddingRequest("m", ("a",), extra={"novelty": [1]}), {}).body
    assert b'"novelty":[1]' in body


@every_codec
def test_half_a_surrogate_pair_is_sent(name):
    body = codec(name).encode_request(EmbeddingRequest("m", ("\ud83d",)), {}).body
    assert rb"\ud83d" in body


@every_codec
def test_an_input_type_that_is_none_is_an_error(name):
    with pytest.raises(InvalidRequestError, match=r"'qurey'.*query"):
        codec(name).encode_request(EmbeddingRequest("m", ("a",), input_type="qurey"), {})


@every_codec
def test_a_model_of_one_size_refuses_another(name):
    with pytest.raises(UnsupportedParameterError, match="dimensions"):
        codec(name).encode_request(EmbeddingRequest("m", ("a",), dimensions=3), {"dimensions_param": None})


@every_codec
@pytest.mark.parametrize("listed", ["ignored", "unsupported"])
def test_the_entry_says_what_a_model_ignores_and_refuses(name, listed):
    request, facts = EmbeddingRequest("m", ("a",), dimensions=3, input_type="query"), {listed: ["dimensions"]}
    if listed == "unsupported":
        with pytest.raises(UnsupportedParameterError, match="dimensions"):
            codec(name).encode_request(request, facts)
        return
    encoded = codec(name).encode_request(request, facts)
    assert b":3" not in encoded.body
    assert any("'dimensions'" in warning for warning in encoded.warnings)


@every_codec
def test_words_before_the_text_stand_for_a_type(name):
    facts = {"input_prefixes": {"query": "query: "}}
    encoded = codec(name).encode_request(EmbeddingRequest("m", ("rain",), input_type="query"), facts)
    assert b'"query: rain"' in encoded.body
    assert encoded.warnings == ()


@every_codec
@pytest.mark.parametrize(
    "answer",
    [b"", b"{}", b"[]", b"3", b"null", b'"x"', b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"<html>"],
    ids=repr,
)
def test_what_is_no_answer_is_an_error(name, answer):
    assert isinstance(decoded(name, answer), Err)


WORDS = (
    "data", "embedding", "embeddings", "index", "values", "float", "int8", "predictions", "statistics", "usage",
    "token_count", "meta", "billed_units", "input_tokens", "usageMetadata", "promptTokenCount", "prompt_tokens",
    "prompt_eval_count", "model", "error", "message", "code", "status", "details", "metadata",
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("AACAPw==")
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
)


@every_codec
@given(body=st.binary(max_size=200) | TREES.map(lambda tree: json.dumps(tree).encode()), status=st.integers(100, 599))
def test_any_answer_is_vectors_or_an_error(name, body, status):
    result = decoded(name, body)
    if isinstance(result, Ok):
        assert all(type(number) in (int, float) for vector in result.value.vectors for number in vector)
    else:
        assert isinstance(result.error, LLMError)
    assert isinstance(codec(name).decode_error(status, (), body), LLMError)


@every_codec
@given(which=st.data())
def test_an_answer_with_a_piece_of_it_replaced(name, which):
    """Nearly right answers reach further into a decoder than random ones."""
    answer = json.loads(json.dumps(ANSWERS[name]))
    place, spot = answer, None
    for _ in range(which.draw(st.integers(1, 5))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        if not keys:
            break
        spot = (place, which.draw(st.sampled_from(keys)))
        place = spot[0][spot[1]]
    spot[0][spot[1]] = which.draw(TREES)
    result = decoded(name, answer)
    assert isinstance(result, Ok) or isinstance(result.error, (ProviderResponseError, LLMError))


@pytest.mark.corpus
@recordings("*/embeddings")
def test_recorded_answers(path):
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


def meaning(value):
    """A body without what says nothing: nulls, and the list around one text."""
    if isinstance(value, dict):
        return {key: meaning(item) for key, item in value.items() if item is not None}
    return [meaning(item) for item in value] if isinstance(value, list) else value


READERS = {
    "openai_embeddings": lambda body: (body.pop("input"), {"dimensions": body.pop("dimensions", None)}),
    "voyage_embeddings": lambda body: (
        body.pop("input"),
        {"dimensions": body.pop("output_dimension", None), "input_type": body.pop("input_type", None)},
    ),
    "cohere_embeddings": lambda body: (
        body.pop("texts"),
        {"dimensions": body.pop("output_dimension", None), "input_type": body.pop("input_type", None)},
    ),
    "ollama_embeddings": lambda body: (body.pop("input"), {"dimensions": body.pop("dimensions", None)}),
    "gemini_embeddings": lambda body: _gemini_request(body),
    "vertex_embeddings": lambda body: _vertex_request(body),
}
"""How each protocol's recorded body says texts and settings; what is left is `extra`."""

CODECS = {"cohere": "cohere", "gemini": "gemini", "vertex": "vertex", "ollama": "ollama", "voyage": "voyage"}


def _gemini_request(body):
    items = body.pop("requests", None) or [body]
    first = items[0]
    settings = {"dimensions": first.get("outputDimensionality"), "input_type": first.get("taskType")}
    texts = [item["content"]["parts"][0]["text"] for item in items]
    body.clear()
    return texts, settings


def _vertex_request(body):
    instances = body.pop("instances")
    return [each["content"] for each in instances], {"input_type": instances[0].get("task_type")}


@pytest.mark.corpus
@recordings("*/embeddings", holds=lambda exchange: exchange["request"].get("body") is not None)
def test_recorded_requests_are_written_again(path):
    exchange = json.loads(path.read_bytes())
    sent, facts = exchange["request"]["body"], {}
    name = f"{CODECS.get(exchange['provider'], 'openai')}_embeddings"
    if "embedContent" in exchange["request"]["url"] and ":batch" not in exchange["request"]["url"]:
        name, facts = "gemini_embeddings", {"embed_one": True}
    rest = json.loads(json.dumps(sent))
    model = rest.pop("model", exchange["model"])
    texts, settings = READERS[name](rest)
    listed = (texts,) if isinstance(texts, str) else tuple(texts)
    request = EmbeddingRequest(model, listed, extra=meaning(rest), **settings)
    again = json.loads(codec(name).encode_request(request, facts).body)
    wanted = meaning(sent)
    if isinstance(wanted.get("input"), str):
        wanted["input"] = [wanted["input"]]
    if name == "cohere_embeddings":
        wanted.setdefault("embedding_types", ["float"])  # what version 2 answers with when it is not told
    assert again == wanted
