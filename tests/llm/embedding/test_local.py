"""Embeddings on this machine: real vectors from ONNX Runtime, sentence-transformers behind the same face."""

import asyncio
import importlib.machinery
import json
import os
import sys
import types
from pathlib import Path

import pytest

from lambdallm import WireClient
from lambdallm.llm import embedding
from lambdallm.llm.embedding import sync
from lambdallm.llm.embedding.local import engines
from lambdallm.llm.embedding.local.folder import SentenceModel, is_sentence_model, located
from lambdallm.llm.errors import (
    ConfigurationError,
    InvalidRequestError,
    MissingExtraError,
    TokenLimitError,
    UnsupportedParameterError,
)

REFERENCE = Path(__file__).parents[2] / "fixtures" / "embeddings" / "all_minilm_l6_v2.json"
"""Vectors that sentence-transformers computes with the model's original 32-bit weights."""


def cosine(one, other):
    product = sum(a * b for a, b in zip(one, other, strict=True))
    return product / (sum(a * a for a in one) * sum(b * b for b in other)) ** 0.5


@pytest.fixture
def _no_engines(monkeypatch):
    """Engines that a test loads are its own."""
    monkeypatch.setattr(engines, "_engines", {})


@pytest.fixture
def folder(embedding_model, tmp_path):
    """A folder with the pulled model, to which a test adds files."""
    for name in ("model.onnx", "tokenizer.json"):
        os.symlink(os.path.join(embedding_model, name), tmp_path / name)
    return tmp_path


@pytest.mark.model
@pytest.mark.usefixtures("embedding_model")
class TestTheModel:
    def test_texts_of_like_meaning_are_near(self):
        eats, bites, stocks = sync.LocalEmbeddingAdapter().embed(
            ["A man is eating food.", "A man is eating a piece of bread.", "Stock markets fell sharply on Friday."]
        )
        assert cosine(eats, bites) > 0.7 > 0.2 > cosine(eats, stocks)
        assert len(eats) == 384
        assert sum(number * number for number in eats) == pytest.approx(1.0, abs=1e-5)

    def test_vectors_are_those_of_sentence_transformers(self):
        """Eight-bit weights turn a vector by a few degrees at most: an index made with one serves the other."""
        known = json.loads(REFERENCE.read_text())["vectors"]
        found = sync.LocalEmbeddingAdapter().embed([each["text"] for each in known])
        assert min(cosine(ours, each["vector"]) for ours, each in zip(found, known, strict=True)) > 0.99

    def test_many_texts_come_back_in_order(self):
        texts = [f"{'word ' * (number % 7)}number {number}" for number in range(70)]
        adapter = sync.LocalEmbeddingAdapter()
        found = adapter.embed_result(texts).unwrap()
        assert (len(found.vectors), found.requests) == (70, 2)
        assert cosine(found.vectors[41], adapter.embed([texts[41]])[0]) > 0.99

    def test_usage_and_cost(self):
        found = sync.LocalEmbeddingAdapter().embed_result(["one two"]).unwrap()
        assert (found.usage.input_tokens, found.cost_usd) == (4, 0)
        assert (found.provider, found.model) == ("local", "all-MiniLM-L6-v2")

    def test_without_blocking(self):
        async def call():
            adapter = embedding.LocalEmbeddingAdapter()
            return await adapter.embed(["one"]), await adapter.health_check()

        vectors, health = asyncio.run(call())
        assert len(vectors[0]) == health.details["dimensions"] == 384
        assert health.healthy

    def test_through_a_client(self):
        found = WireClient("local").embed(["one"], model="local/all-MiniLM-L6-v2").unwrap()
        assert len(found.vectors[0]) == 384

    def test_base64(self):
        adapter = sync.LocalEmbeddingAdapter()
        packed = adapter.embed(["one"], extra={"encoding_format": "base64"})
        assert packed[0] == pytest.approx(adapter.embed(["one"])[0])

    def test_a_text_that_is_too_long_is_refused_unless_cutting_is_allowed(self):
        adapter, long = sync.LocalEmbeddingAdapter(), "word " * 300
        error = adapter.embed_result(["short", long]).error
        assert isinstance(error, TokenLimitError)
        assert "Text 1 has 302 tokens; 'all-MiniLM-L6-v2' reads 256." in error.message
        found = adapter.embed_result([long], extra={"truncate": True}).unwrap()
        assert found.usage.input_tokens == 256

    def test_one_size_of_vector(self):
        error = sync.LocalEmbeddingAdapter().embed_result(["a"], dimensions=8).error
        assert isinstance(error, (InvalidRequestError, UnsupportedParameterError))
        assert "dimensions" in error.message

    def test_a_folder_says_how_vectors_are_made(self, folder):
        (folder / "1_Pooling").mkdir()
        (folder / "modules.json").write_text('[{"type": "sentence_transformers.models.Pooling"}]')
        lengths = {}
        for word in ("cls_token", "max_tokens", "mean_tokens"):
            (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{word}": True}))
            engines._engines.pop((os.getpid(), str(folder)), None)
            (vector,) = sync.LocalEmbeddingAdapter(str(folder)).embed(["It is raining in Bergen."])
            lengths[word] = round(sum(number * number for number in vector) ** 0.5, 2)
        assert len(set(lengths.values())) == 3
        assert 1.0 not in lengths.values()

    def test_a_folder_sets_the_limit(self, folder):
        (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 8}')
        error = sync.LocalEmbeddingAdapter(str(folder)).embed_result(["word " * 9]).error
        assert "has 11 tokens" in error.message

    def test_a_forked_child_loads_its_own(self):
        adapter = sync.LocalEmbeddingAdapter()
        adapter.embed(["one"])
        child = os.fork()
        if child == 0:
            os._exit(0 if len(adapter.embed(["one"])[0]) == 384 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def test_a_damaged_graph_says_what_to_do(self, folder):
        (folder / "model.onnx").unlink()
        (folder / "model.onnx").write_bytes(b"no graph")
        with pytest.raises(ConfigurationError, match="lambdallm local pull --embeddings"):
            sync.LocalEmbeddingAdapter(str(folder)).embed(["a"])


class TestWhichModel:
    @pytest.mark.parametrize("name", ["default", "local", "SmolLM2-135M-Instruct", None, "gpt-4o"])
    def test_the_chat_model_is_none(self, name):
        assert not is_sentence_model(name)

    @pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-mpnet-base-v2", "."])
    def test_the_default_a_hubs_name_and_a_folder_are(self, name):
        assert is_sentence_model(name)

    def test_one_that_is_not_here_is_the_hubs(self, tmp_path):
        environ = {"LAMBDALLM_CACHE": str(tmp_path)}
        hub_name = "sentence-transformers/all-MiniLM-L6-v2"
        assert located("all-MiniLM-L6-v2", environ) == SentenceModel("all-MiniLM-L6-v2", hub_name)
        assert located("BAAI/bge-small-en", environ) == SentenceModel("BAAI/bge-small-en", "BAAI/bge-small-en")

    def test_a_damaged_file_is_named(self, tmp_path):
        (tmp_path / "modules.json").write_text("{")
        with pytest.raises(ConfigurationError, match=r"modules\.json"):
            located(str(tmp_path))


class Transformer:
    """What sentence-transformers' class is to the engine."""

    max_seq_length = 4

    def __init__(self, place):
        if place == "nobody/nothing":
            raise OSError("no such model")
        self.place = place

    def tokenizer(self, texts, **_options):
        return {"input_ids": [text.split() for text in texts]}

    def encode(self, texts, **_options):
        return types.SimpleNamespace(tolist=lambda: [[float(len(text)), 1.0] for text in texts])


@pytest.fixture
def installed(monkeypatch):
    """Pretend that exactly these packages are installed."""

    def only(*names):
        for name in ("onnxruntime", "sentence_transformers"):
            module = types.ModuleType(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            monkeypatch.setitem(sys.modules, name, module if name in names else None)
        monkeypatch.setattr(engines, "_installed", lambda name: name in names)
        if "sentence_transformers" in names:
            sys.modules["sentence_transformers"].SentenceTransformer = Transformer

    return only


@pytest.mark.usefixtures("_no_engines")
class TestWhatRunsIt:
    def test_sentence_transformers_where_there_is_no_graph(self, installed, tmp_path):
        (tmp_path / "config.json").write_text("{}")
        installed("onnxruntime", "sentence_transformers")
        adapter = sync.LocalEmbeddingAdapter(str(tmp_path))
        assert adapter.embed(["abc", "de"]) == [[3.0, 1.0], [2.0, 1.0]]
        assert "reads 4" in adapter.embed_result(["a b c d e"]).error.message

    def test_it_fetches_from_its_hub_what_is_not_here(self, installed, monkeypatch, tmp_path):
        monkeypatch.setenv("LAMBDALLM_CACHE", str(tmp_path))
        installed("sentence_transformers")
        running = engines.engine("all-MiniLM-L6-v2")
        assert running._transformer.place == "sentence-transformers/all-MiniLM-L6-v2"

    @pytest.mark.usefixtures("embedding_model")
    def test_it_is_not_given_a_folder_that_has_a_graph_and_no_weights(self, installed):
        installed("sentence_transformers")
        running = engines.engine("all-MiniLM-L6-v2")
        assert running._transformer.place == "sentence-transformers/all-MiniLM-L6-v2"

    def test_a_model_that_nobody_has(self, installed):
        installed("sentence_transformers")
        with pytest.raises(ConfigurationError, match="nobody/nothing"):
            engines.engine("nobody/nothing")

    def test_nothing_installed(self, installed):
        installed()
        with pytest.raises(MissingExtraError, match=r"lambdallm\[embeddings-onnx\]"):
            sync.LocalEmbeddingAdapter().embed(["a"])

    def test_nothing_pulled(self, installed, monkeypatch, tmp_path):
        monkeypatch.setenv("LAMBDALLM_CACHE", str(tmp_path))
        installed("onnxruntime")
        with pytest.raises(ConfigurationError, match="lambdallm local pull --embeddings"):
            sync.LocalEmbeddingAdapter().embed(["a"])
        assert not sync.LocalEmbeddingAdapter().health_check().healthy
