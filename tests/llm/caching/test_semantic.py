"""Answers found by meaning: when, at what cost, and never for a question that is asked of something else."""

import asyncio

import pytest

from caching_play import CHUNKS, PAID, TARGET, Provider, Reader, Slow, answer, asking, query, together
from lambdallm.llm import embedding
from lambdallm.llm.caching import LLMCache, SemanticCache
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.embedding import sync
from lambdallm.llm.errors import ConfigurationError, ProviderServerError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import (
    EMPTY,
    ChatMessage,
    ChatRequest,
    Embeddings,
    ImagePart,
    TextPart,
    ToolDefinition,
    ToolResult,
)
from lambdallm.testing.world import World

VECTORS = {"hello": (1.0, 0.0), "hi there": (0.96, 0.28), "goodbye": (0.0, 1.0), "": (0.5, 0.5)}
EMBEDDED = 0.001


class Embedder:
    """Knows a few texts' vectors; `asked` are those it was asked for."""

    def __init__(self, cost=EMBEDDED, error=None):
        self.asked, self._cost, self.error = [], cost, error

    def embed(self, texts):
        return [list(vector) for vector in self.embed_result(texts).unwrap().vectors]

    def embed_result(self, texts):
        self.asked += texts
        if self.error is not None:
            return Err(self.error)
        return Ok(Embeddings(tuple(VECTORS[text] for text in texts), cost_usd=self._cost))


class Plain:
    """One that has vectors and nothing else."""

    def embed(self, texts):
        return [list(VECTORS[text]) for text in texts]


@pytest.fixture
def embedder():
    return Embedder()


@pytest.fixture
def cache(embedder):
    return SemanticCache(embedder, threshold=0.95)


def ask(cache, *texts, **options):
    """The answers to texts, one after another."""
    world, provider = World(lambda effect: None), Provider()
    return [world.run(asking(cache, provider, query(text), **options)).unwrap() for text in texts]


def with_request(**changes):
    asked = query("hello")
    return asked.replace(request=asked.request.replace(**changes))


class TestFinding:
    def test_a_question_near_enough_has_the_same_answer(self, cache):
        first, second = ask(cache, "hello", "hi there")
        assert first == answer(cost_usd=PAID + EMBEDDED)
        assert second.text == "Hello!"
        assert second.cache == "semantic"
        assert second.metadata["semantic_cache"] == {"similarity": 0.96}
        assert second.usage == first.usage

    def test_one_that_is_not_near_enough_is_asked(self, cache):
        assert [found.cache for found in ask(cache, "hello", "goodbye")] == [None, None]

    def test_the_same_question_is_found_without_a_vector(self, cache, embedder):
        assert [found.cache for found in ask(cache, "hello", "hello")] == [None, "hit"]
        assert embedder.asked == ["hello"]

    def test_a_stream_is_found_too(self, cache):
        provider, world = Provider(CHUNKS), World(lambda effect: None)
        readers = [Reader(cache, provider, query(text)) for text in ("hello", "hi there")]
        for reader in readers:
            together(reader.read(), world=world)
        assert len(provider) == 1
        assert readers[1].chunks == CHUNKS
        assert readers[0].completion.cost_usd == PAID + EMBEDDED
        assert (readers[1].completion.cache, readers[1].completion.cost_usd) == ("semantic", EMBEDDED)

    def test_an_answer_that_is_gone_is_not_found_again(self, embedder):
        cache = SemanticCache(embedder, cache=LLMCache(max_entries=1))
        assert [found.cache for found in ask(cache, "hello", "goodbye", "hi there")] == [None, None, None]
        assert len(cache.nearest) == 2

    def test_those_who_ask_at_once_share_the_search_and_one_pays_for_it(self, cache, embedder):
        ask(cache, "hello")
        cache.answers.store = Slow(cache.answers.store, 1.0)
        found = [result.value for result in together(*[asking(cache, Provider(), query("hi there")) for _ in "abc"])]
        assert [one.cache for one in found] == ["semantic"] * 3
        assert [one.metadata["semantic_cache"]["similarity"] for one in found] == [0.96] * 3
        assert [one.cost_usd for one in found] == [EMBEDDED, 0.0, 0.0]
        assert embedder.asked == ["hello", "hi there"]

    def test_refresh_looks_for_nothing(self, cache, embedder):
        assert ask(cache, "hello", refresh=True)[0] == answer()
        assert embedder.asked == []


class TestScope:
    """Everything but the last user text must be equal."""

    @pytest.mark.parametrize(
        "changes",
        [
            {"model": "gpt-4o-mini"},
            {"temperature": 0.5},
            {"tools": (ToolDefinition("f"),)},
            {"messages": (ChatMessage("system", "Be brief."), ChatMessage("user", "hello"))},
            {"messages": (ChatMessage("user", (TextPart("hello"), ImagePart(url="https://x"))),)},
        ],
    )
    def test_another_scope_has_other_answers(self, cache, changes):
        ask(cache, "hello")
        asked = with_request(**changes)
        assert together(asking(cache, Provider(), asked))[0].value.cache is None

    def test_tenants_are_kept_apart(self, cache):
        provider = Provider()
        together(asking(cache, provider, query("hello", namespace="a")))
        assert together(asking(cache, provider, query("hi there", namespace="b")))[0].value.cache is None
        assert together(asking(cache, provider, query("hi there", namespace="a")))[0].value.cache == "semantic"

    @pytest.mark.parametrize(
        "messages",
        [
            (),
            (ChatMessage("assistant", "hello"),),
            (ChatMessage("user", " "),),
            (ChatMessage("user", (TextPart("hello"), TextPart("again"))),),
            (ChatMessage("tool", (ToolResult("1", "hello"),)),),
        ],
    )
    def test_what_is_no_single_question_is_found_by_its_words_alone(self, cache, embedder, messages):
        together(asking(cache, Provider(), with_request(messages=messages)))
        assert embedder.asked == []


class TestCosts:
    def test_a_found_answer_costs_its_question_s_vector(self, cache):
        assert ask(cache, "hello", "hi there")[1].cost_usd == EMBEDDED

    def test_what_is_not_known_is_not_zero(self):
        assert [found.cost_usd for found in ask(SemanticCache(Embedder(cost=None)), "hello", "hi there")] == [None] * 2
        assert ask(SemanticCache(Plain()), "hello")[0].cost_usd is None

    def test_an_error_carries_it_too(self, cache):
        error = ProviderServerError("Overloaded.", cost_usd=1.0)
        assert together(asking(cache, Provider(error), query("hello")))[0].error.cost_usd == 1.0 + EMBEDDED


class TestFailures:
    @pytest.mark.parametrize("error", [ProviderServerError("Overloaded."), OSError("gone"), ValueError("bug")])
    def test_without_vectors_equal_questions_are_found_and_the_log_says_so(self, error, caplog):
        embedder = Embedder(error=error)
        found = ask(SemanticCache(embedder), "hello", "hello", "hi there")
        assert [one.cache for one in found] == [None, "hit", None]
        assert [one.cost_usd for one in found] == [PAID, 0.0, PAID]
        assert caplog.text.count("only equal questions are found") == 1
        assert embedder.asked == ["hello"]

    @pytest.mark.parametrize("threshold", [0, -0.1, 1.1])
    def test_a_threshold_that_is_no_cosine_is_refused(self, embedder, threshold):
        with pytest.raises(ConfigurationError, match="threshold is"):
            SemanticCache(embedder, threshold=threshold)

    def test_no_room_is_refused(self, embedder):
        with pytest.raises(ConfigurationError, match="max_entries is 0"):
            SemanticCache(embedder, max_entries=0)


PAIRS = [
    ("How do I reset my password?", "I forgot my password. How can I reset it?", True),
    ("How do I reset my password?", "What are your opening hours?", False),
]


@pytest.mark.model
@pytest.mark.usefixtures("embedding_model")
@pytest.mark.parametrize("kind", ["blocking", "awaiting"])
def test_with_a_real_model_the_same_question_in_other_words_is_found(kind):
    adapter = (sync if kind == "blocking" else embedding).LocalEmbeddingAdapter()
    cache = SemanticCache(adapter, threshold=0.8)

    def run(text):
        flow = asking(cache, Provider(seconds=0), query(text))
        return (Driver().run(flow) if kind == "blocking" else asyncio.run(AsyncDriver().run(flow))).unwrap()

    for first, second, same in PAIRS:
        run(first)
        found = run(second)
        assert (found.cache == "semantic") is same, found.metadata
        assert found.cost_usd == (0.0 if same else PAID)


def test_the_play_s_price_is_the_catalog_s():
    assert TARGET.model.price.input * 10 + TARGET.model.price.output * 2 == pytest.approx(PAID * 1e6)
    assert ChatRequest("m", ()).extra is EMPTY
