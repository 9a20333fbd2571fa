"""Texts in batches, each tried again on its own: against a script, without waiting."""

import json

import pytest

from lambdallm.llm.call import CallSettings
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.embedding.flow import embed, probe
from lambdallm.llm.errors import (
    ConfigurationError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMAuthenticationError,
    MissingKeyError,
    ProviderResponseError,
    ProviderServerError,
)
from lambdallm.llm.flow import Send, Sleep
from lambdallm.llm.types import EmbeddingRequest, Usage
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse

ENVIRON = {"OPENAI_API_KEY": "not-a-real-key"}
TARGET = resolve("openai/text-embedding-3-small", Catalog(environ={}, folders=()))
TEXTS = ("a", "bb", "ccc", "dddd", "eeeee")


def vectors(*sizes, tokens=5, **more):
    """An answer whose vectors tell the length of their texts."""
    rows = [{"index": place, "embedding": [float(size)]} for place, size in enumerate(sizes)]
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return HttpResponse(200, (), json.dumps({"data": rows, "usage": usage, **more}).encode())


def refusal(status, message="No."):
    return HttpResponse(status, (), json.dumps({"error": {"message": message}}).encode())


def run(replies, texts=TEXTS, target=TARGET, environ=ENVIRON, settings=None, **options):
    script = Script(replies, environ)
    request = EmbeddingRequest(target.model.id, texts)
    return script, script.run(embed(request, target, settings or CallSettings(), **options))


def sent(script):
    return [json.loads(effect.request.body)["input"] for effect in script.of(Send)]


def test_one_request_where_all_fit():
    script, result = run([vectors(1, 2, 3, 4, 5, model="text-embedding-3-small")])
    found = result.unwrap()
    assert [vector[0] for vector in found.vectors] == [1, 2, 3, 4, 5]
    assert (found.provider, found.model, found.requests, found.attempts) == (
        "openai", "text-embedding-3-small", 1, 1,
    )  # fmt: skip
    assert sent(script) == [list(TEXTS)]


def test_batches_keep_the_order_and_add_up():
    script, result = run([vectors(1, 2), vectors(3, 4), vectors(5, tokens=1_000_000 - 10)], batch_size=2)
    found = result.unwrap()
    assert [vector[0] for vector in found.vectors] == [1, 2, 3, 4, 5]
    assert found.usage == Usage(1_000_000)
    assert found.cost_usd == pytest.approx(TARGET.model.price.input)
    assert found.requests == 3
    assert sent(script) == [["a", "bb"], ["ccc", "dddd"], ["eeeee"]]


def test_the_entry_says_how_many_texts_and_tokens_a_request_takes():
    lower = TARGET.replace(facts={**TARGET.facts, "most_texts": 4, "most_tokens": 6})
    script, _ = run([vectors(1, 2, 3), vectors(4, 5)], target=lower)
    assert sent(script) == [["a", "bb", "ccc"], ["dddd", "eeeee"]]


def test_a_batch_is_tried_again_alone():
    script, result = run([vectors(1, 2, 3), refusal(503), vectors(4, 5)], batch_size=3)
    assert result.unwrap().attempts == 3
    assert [len(texts) for texts in sent(script)] == [3, 2, 2]
    assert [effect.seconds for effect in script.of(Sleep)] == [1.0]


def test_an_error_names_the_texts_and_what_was_used_before():
    _, result = run([vectors(1, 2), refusal(401, "Wrong key.")], batch_size=2)
    assert isinstance(result.error, LLMAuthenticationError)
    assert result.error.message == "Wrong key (texts 2 to 3 of 5)."
    assert result.error.usage == Usage(5)
    assert (result.error.provider, result.error.model) == ("openai", "text-embedding-3-small")


def test_an_error_of_one_text():
    _, result = run([refusal(400, "Too long.")], batch_size=1)
    assert result.error.message == "Too long (text 0 of 5)."


def test_an_error_of_all_texts_names_none():
    _, result = run([refusal(400, "Too long.")])
    assert result.error.message == "Too long."


@pytest.mark.parametrize("sizes", [(1,), (1, 2, 3)])
def test_more_or_fewer_vectors_than_texts_are_no_answer(sizes):
    _, result = run([vectors(*sizes)] * 4, texts=("a", "bb"))
    assert isinstance(result.error, ProviderResponseError)
    assert f"{len(sizes)} vectors for 2 texts" in result.error.message


def test_a_provider_that_fails_is_asked_again_only_so_often():
    script, result = run([refusal(500)] * 4)
    assert isinstance(result.error, ProviderServerError)
    assert result.error.attempts == len(script.of(Send)) == 4


@pytest.mark.parametrize("texts", [(), ("a", "b", "")])
def test_nothing_to_embed_is_said_before_the_first_batch(texts):
    with pytest.raises(InvalidRequestError):
        run([], texts=texts, batch_size=1)


def test_no_batch_begins_after_the_deadline():
    with pytest.raises(DeadlineExceededError):
        run([vectors(1)], settings=CallSettings(deadline=1_000.0))


def test_no_key():
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        run([], environ={})


def test_a_provider_without_embeddings():
    target = resolve("anthropic/claude-haiku-4-5", Catalog(environ={}, folders=()))
    with pytest.raises(ConfigurationError, match=r"'anthropic'.*embeddings"):
        run([], target=target)


class TestProbe:
    def run(self, replies, environ=ENVIRON):
        script = Script(replies, environ)
        return script, script.run(probe(TARGET, CallSettings(), 2.5))

    def test_a_provider_that_answers(self):
        script, health = self.run([vectors(4)])
        assert (health.healthy, health.provider, health.error) == (True, "openai", None)
        assert health.details == {"model": "text-embedding-3-small", "dimensions": 1}
        assert script.of(Send)[0].timeouts.total == 2.5

    def test_a_provider_that_does_not_is_asked_once(self):
        script, health = self.run([refusal(503)])
        assert (health.healthy, type(health.error)) == (False, ProviderServerError)
        assert len(script.of(Send)) == 1

    def test_no_key_is_the_callers_fault(self):
        with pytest.raises(MissingKeyError):
            self.run([], environ={})
