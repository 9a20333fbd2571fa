"""Every adapter over real sockets, blocking and awaiting: what it sends where, and what it makes of the answer."""

import asyncio
import json

import pytest

from lambdallm.llm import embedding
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.embedding import EmbeddingClientProtocol, EmbeddingProviderRegistry, sync
from lambdallm.llm.errors import (
    ConfigurationError,
    InvalidRequestError,
    LLMAuthenticationError,
    LLMError,
    LLMRateLimitError,
    MissingKeyError,
    UnknownProviderError,
)

ROWS = {"data": [{"index": 1, "embedding": [2.0, 3.0]}, {"index": 0, "embedding": [0.5, 1.0]}]}
ONE_EACH = [{"embedding": [0.5, 1.0]}, {"embedding": [2.0, 3.0]}]
BY_TYPE = {"embeddings": {"float": [[0.5, 1.0], [2.0, 3.0]]}}
VALUES = [{"values": [0.5, 1.0]}, {"values": [2.0, 3.0]}]
CASES = {
    "OpenAI": ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"]}, [ROWS]),
    "Mistral": ("/v1/embeddings", {"model": "mistral-embed", "input": ["a", "b"]}, [ROWS]),
    "Voyage": ("/v1/embeddings", {"model": "voyage-3", "input": ["a", "b"]}, [ROWS]),
    "Jina": ("/v1/embeddings", {"model": "jina-embeddings-v3", "input": ["a", "b"]}, [ROWS]),
    "Cohere": (
        "/v1/v2/embed",
        {
            "model": "embed-english-v3.0",
            "texts": ["a", "b"],
            "input_type": "search_document",
            "embedding_types": ["float"],
        },
        [BY_TYPE],
    ),
    "Ollama": (
        "/v1/api/embed",
        {"model": "nomic-embed-text", "input": ["a", "b"]},
        [{"embeddings": [[0.5, 1.0], [2.0, 3.0]]}],
    ),
    "Gemini": (
        "/v1/models/gemini-embedding-001:batchEmbedContents",
        {"requests": [{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": t}]}} for t in "ab"]},
        [{"embeddings": VALUES}],
    ),
    "Vertex": (
        "/v1/publishers/google/models/gemini-embedding-001:predict",
        {"instances": [{"content": "a"}]},
        [{"predictions": [{"embeddings": value}]} for value in VALUES],
    ),
    "Titan": ("/v1/model/amazon.titan-embed-text-v2%3A0/invoke", {"inputText": "a"}, ONE_EACH),
    "BedrockCohere": (
        "/v1/model/cohere.embed-english-v3/invoke",
        {"texts": ["a", "b"], "input_type": "search_document"},
        [{"embeddings": [[0.5, 1.0], [2.0, 3.0]]}],
    ),
}
"""Per adapter: the path and body of its first request, and the answers that give two vectors."""


class Blocking:
    home = sync

    def adapter(self, name, **options):
        self.driver = Driver()
        return getattr(sync, f"{name}EmbeddingAdapter")(driver=self.driver, **options)

    def run(self, value):
        return value

    def close(self):
        self.driver.close()


class Awaiting:
    home = embedding

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def adapter(self, name, **options):
        self.driver = AsyncDriver()
        return getattr(embedding, f"{name}EmbeddingAdapter")(driver=self.driver, **options)

    def run(self, value):
        return self.loop.run_until_complete(value)

    def close(self):
        self.loop.run_until_complete(self.driver.aclose())
        self.loop.close()


@pytest.fixture(params=[Blocking, Awaiting])
def way(request):
    way = request.param()
    way.driver = Driver() if request.param is Blocking else AsyncDriver()
    yield way
    way.close()


@pytest.fixture
def make(way, provider):
    return lambda name, **options: way.adapter(name, **{"api_key": "k", "base_url": provider.url, **options})


@pytest.mark.parametrize("name", CASES)
def test_every_adapter(name, make, way, provider):
    path, body, provider.replies = CASES[name]
    provider.replies = list(provider.replies)
    assert way.run(make(name).embed(["a", "b"])) == [[0.5, 1.0], [2.0, 3.0]]
    assert provider.received[0][0].partition("?")[0] == path
    assert provider.received[0][2].items() >= body.items()


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_raised(name, make, way, provider):
    provider.replies = [(401, {}, {"message": "Wrong key.", "error": {"message": "Wrong key.", "code": 401}})]
    with pytest.raises(LLMAuthenticationError):
        way.run(make(name, max_retries=0).embed(["a", "b"]))


@pytest.mark.parametrize("name", CASES)
def test_adapters_keep_the_contract(name, make):
    adapter = make(name)
    assert isinstance(adapter, EmbeddingClientProtocol)
    assert adapter.model in adapter.get_models()


def test_the_whole_answer(make, way, provider):
    provider.replies = [ROWS | {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 500_000}}]
    found = way.run(make("OpenAI").embed_result(["a", "b"])).unwrap()
    assert (found.usage.input_tokens, found.cost_usd, found.provider) == (500_000, pytest.approx(0.01), "openai")
    assert found.latency_ms > 0


def test_what_goes_wrong_is_a_value_in_a_result(make, way, provider):
    provider.replies = [(429, {"retry-after": "9"}, {"detail": "Slow down."})]
    error = way.run(make("Voyage", max_retries=0).embed_result(["a"])).error
    assert (type(error), error.retry_after) == (LLMRateLimitError, 9.0)


def test_options_of_an_adapter_and_of_a_call(make, way, provider):
    provider.replies = [ROWS, ROWS]
    adapter = make("Voyage", input_type="document", dimensions=256)
    way.run(adapter.embed(["a", "b"]))
    way.run(adapter.embed(["a", "b"], input_type="query"))
    assert [body["input_type"] for _, _, body in provider.received] == ["document", "query"]
    assert [body["output_dimension"] for _, _, body in provider.received] == [256, 256]


def test_another_model(make, way, provider):
    provider.replies = [ROWS]
    way.run(make("OpenAI", model="openai/text-embedding-3-large").embed(["a", "b"]))
    assert provider.received[0][2]["model"] == "text-embedding-3-large"


def test_batches(make, way, provider):
    provider.replies = [{"data": [{"embedding": [float(size)]}]} for size in range(3)]
    assert way.run(make("OpenAI", batch_size=1).embed(["a", "b", "c"])) == [[0.0], [1.0], [2.0]]
    assert [body["input"] for _, _, body in provider.received] == [["a"], ["b"], ["c"]]


def test_no_text(make, way):
    assert isinstance(way.run(make("OpenAI").embed_result([])).error, InvalidRequestError)
    with pytest.raises(InvalidRequestError, match="No text"):
        way.run(make("OpenAI").embed([]))


def test_one_string(make, way):
    with pytest.raises(InvalidRequestError, match="not a list"):
        way.run(make("OpenAI").embed("abc"))


def test_health(make, way, provider):
    provider.replies = [{"data": [{"embedding": [1.0, 2.0]}]}, (401, {}, {"error": {"message": "Wrong key."}})]
    adapter = make("OpenAI")
    well, ill = way.run(adapter.health_check()), way.run(adapter.health_check(timeout=1.0))
    assert (well.healthy, well.provider, well.details["dimensions"]) == (True, "openai", 2)
    assert (ill.healthy, type(ill.error)) == (False, LLMAuthenticationError)


def test_without_a_key_there_is_no_health(way):
    health = way.run(way.adapter("OpenAI").health_check())
    assert (health.healthy, type(health.error)) == (False, MissingKeyError)


@pytest.mark.parametrize(
    ("options", "why"),
    [({"dimension": 3}, "dimensions"), ({"dimensions": 0}, "dimensions is 0"), ({"batch_size": 0}, "batch_size")],
)
def test_options_that_are_none(way, options, why):
    with pytest.raises(ConfigurationError, match=why):
        way.adapter("OpenAI", **options)


class TestAtOnce:
    """Batches of the awaiting adapters may be under way together."""

    def run(self, provider, texts, **options):
        async def call():
            driver = AsyncDriver()
            adapter = embedding.OpenAIEmbeddingAdapter(
                api_key="k", base_url=provider.url, batch_size=1, concurrency=2, driver=driver, **options
            )
            try:
                return await adapter.embed_result(texts)
            finally:
                await driver.aclose()

        return asyncio.run(call())

    def test_order_is_that_of_the_texts(self, provider):
        provider.answer = lambda body: {"data": [{"embedding": [float(len(body["input"][0]))]}]}
        found = self.run(provider, ["a", "bb", "ccc", "dddd"]).unwrap()
        assert [vector[0] for vector in found.vectors] == [1, 2, 3, 4]
        assert (found.requests, provider.connections) == (4, 2)

    def test_the_first_failure_ends_it(self, provider):
        provider.replies = [(400, {}, {"error": {"message": "No."}})] * 6
        error = self.run(provider, list("abcdef")).error
        assert error.message == "No (text 0 of 6)."
        assert len(provider.received) < 6


class Acme(embedding.AbstractEmbeddingAdapter):
    provider, default_model = "acme", "acme-embed-1"

    async def embed(self, texts, **_options):
        if "bad" in texts:
            raise LLMError("No.")
        return [[float(len(text))] for text in texts]


class AcmeBlocking(sync.AbstractEmbeddingAdapter):
    provider, default_model = "acme", "acme-embed-1"

    def embed(self, texts, **_options):
        if "bad" in texts:
            raise LLMError("No.")
        return [[float(len(text))] for text in texts]


@pytest.fixture
def acme(way):
    return Acme() if isinstance(way, Awaiting) else AcmeBlocking()


class TestAnAdapterOfOnesOwn:
    def test_the_rest_follows_from_embed(self, acme, way):
        found = way.run(acme.embed_result(["abc"])).unwrap()
        assert (found.vectors, found.model, found.provider) == (((3.0,),), "acme-embed-1", "acme")
        assert way.run(acme.health_check()).healthy
        assert acme.get_models() == ["acme-embed-1"]
        assert isinstance(acme, EmbeddingClientProtocol)

    def test_its_errors_are_values_in_a_result(self, acme, way):
        assert way.run(acme.embed_result(["bad"])).error.message == "No."

    def test_embed_must_be_written(self, way):
        with pytest.raises(TypeError, match="abstract"):
            type("Half", (way.home.AbstractEmbeddingAdapter,), {})()

    def test_silence_is_no_health(self):
        class Silent(Acme):
            async def embed(self, _texts, **_options):
                await asyncio.sleep(60)

        assert not asyncio.run(Silent().health_check(timeout=0.01)).healthy


class TestRegistry:
    @pytest.mark.parametrize("blocking", [False, True])
    def test_every_named_adapter(self, blocking):
        registry, home = EmbeddingProviderRegistry(blocking=blocking), sync if blocking else embedding
        assert registry.get("openai") is home.OpenAIEmbeddingAdapter
        assert registry.get("titan") is home.TitanEmbeddingAdapter
        assert {registry.get(name).__name__ for name in registry.names() if name in CATALOGUED} <= set(dir(home))

    def test_one_of_ones_own(self):
        registry = EmbeddingProviderRegistry()
        registry.register("acme", Acme)
        assert isinstance(registry.create("acme", model="acme-embed-2"), Acme)
        assert "acme" in registry
        assert "acme" in registry.list()

    def test_a_provider_that_only_the_catalog_knows_needs_no_class(self):
        adapter = EmbeddingProviderRegistry().create("echo")
        assert len(asyncio.run(adapter.embed(["one", "two"]))) == 2

    def test_an_unknown_one_names_the_nearest(self):
        with pytest.raises(UnknownProviderError, match="voyage"):
            EmbeddingProviderRegistry().get("voyager")
        assert "voyager" not in EmbeddingProviderRegistry()

    def test_a_provider_without_embeddings_is_none(self):
        assert "anthropic" not in EmbeddingProviderRegistry()

    def test_what_is_no_class_is_refused(self):
        with pytest.raises(ConfigurationError, match="can't be registered"):
            EmbeddingProviderRegistry().register("acme", Acme())


CATALOGUED = ("openai", "cohere", "voyage", "jina", "local", "gemini", "vertex", "titan", "ollama", "mistral")


def test_a_definition_is_all_that_a_new_provider_needs(provider, tmp_path):
    entry = {
        "endpoint": provider.url, "wire": "openai_chat", "embedding_wire": "openai_embeddings",
        "default_embedding_model": "e1", "auth": [{"type": "none"}], "facts": {"most_texts": 1},
    }  # fmt: skip
    (tmp_path / "acme.json").write_text(json.dumps(entry))
    catalog = Catalog(environ={}, folders=(str(tmp_path),))
    provider.replies = [{"data": [{"embedding": [1.0]}]}, {"data": [{"embedding": [2.0]}]}]
    driver = Driver()
    adapter = sync.CatalogEmbeddingAdapter(provider="acme", catalog=catalog, driver=driver)
    assert adapter.embed(["a", "b"]) == [[1.0], [2.0]]
    driver.close()


def test_the_door_has_every_name():
    assert all(getattr(embedding, name) is not None for name in embedding.__all__)
    assert set(embedding.__all__) == set(embedding._HOMES)
    with pytest.raises(AttributeError, match="nope"):
        embedding.nope  # noqa: B018
