"""Exact counters: from files that are at hand, from the provider, from a registry; never from the network unasked."""

import base64
import hashlib
import json
import os

import pytest

from lambdallm.llm.clients.named import AnthropicClient
from lambdallm.llm.errors import ConfigurationError, MissingExtraError
from lambdallm.llm.pricing.tokens import (
    BestCounter,
    EstimatingCounter,
    HuggingFaceCounter,
    ProviderTokenCounter,
    TiktokenCounter,
    TokenCounterRegistry,
    encodings,
)
from lambdallm.llm.pricing.tokens.sync import ProviderTokenCounter as BlockingProviderTokenCounter
from lambdallm.llm.protocols import TokenCounterProtocol
from lambdallm.llm.result import Ok
from lambdallm.llm.types import ChatMessage, TokenCount

RANKS = {bytes([byte]): byte for byte in range(256)} | {b"lo": 256, b"el": 257, b"llo": 258}
FILE = b"".join(b"%s %d\n" % (base64.b64encode(token), rank) for token, rank in RANKS.items())


@pytest.fixture
def small_encodings(monkeypatch):
    """The known encodings with a small file in place of their own, which weigh megabytes."""
    small = {
        name: known.replace(sha256=hashlib.sha256(FILE).hexdigest()) for name, known in encodings.ENCODINGS.items()
    }
    monkeypatch.setattr(encodings, "ENCODINGS", small)
    monkeypatch.setattr("lambdallm.llm.pricing.tokens.registry.ENCODINGS", small)
    return small


@pytest.fixture
def folder(tmp_path, small_encodings):
    for known in small_encodings.values():
        (tmp_path / known.file).write_bytes(FILE)
    return tmp_path


def test_tiktoken_counts_by_an_encoding_in_a_folder(folder):
    counter = TiktokenCounter(folder=str(folder))
    assert counter.count("Hello", "gpt-4o") == 3  # H, e, llo
    assert counter.count("Hello") == counter.count("Hello", "gpt-3.5-turbo") == 3
    assert counter.count_messages([ChatMessage("user", "Hello")], "gpt-4o") == 3 + 7


def test_a_special_tokens_name_is_text(folder):
    assert TiktokenCounter(folder=str(folder)).count("<|endoftext|>", "gpt-4o") == 13


@pytest.mark.parametrize("variable", ["TIKTOKEN_CACHE_DIR", "LAMBDA_TASK_ROOT"])
def test_the_folder_is_found_by_itself(variable, folder, tmp_path, monkeypatch):
    place = tmp_path if variable == "TIKTOKEN_CACHE_DIR" else tmp_path / "task"
    if variable == "LAMBDA_TASK_ROOT":
        (place / "encodings").mkdir(parents=True)
        for path in folder.glob("*"):
            if path.is_file():
                path.rename(place / "encodings" / path.name)
    monkeypatch.setenv(variable, str(place))
    assert TiktokenCounter().count("Hello", "gpt-4o") == 3


def test_an_encoding_that_is_not_at_hand_is_told_with_how_to_get_it(tmp_path):
    with pytest.raises(ConfigurationError, match="fetch_encodings") as caught:
        TiktokenCounter(folder=str(tmp_path)).count("Hello", "gpt-4o")
    assert repr(str(tmp_path)) in str(caught.value)


def test_a_file_that_is_not_the_encoding_is_told(folder, small_encodings):
    (folder / small_encodings["o200k_base"].file).write_bytes(FILE[:-4])
    with pytest.raises(ConfigurationError, match="Delete it, and fetch it again"):
        TiktokenCounter(folder=str(folder)).count("Hello", "gpt-4o")


def test_a_model_that_tiktoken_does_not_know_is_told_and_can_be_forced(folder):
    with pytest.raises(ConfigurationError, match="'claude-haiku-4-5'"):
        TiktokenCounter(folder=str(folder)).count("Hello", "claude-haiku-4-5")
    assert TiktokenCounter(folder=str(folder), encoding="cl100k_base").count("Hello", "claude-haiku-4-5") == 3
    with pytest.raises(ConfigurationError, match="'r50k' is no encoding"):
        TiktokenCounter(folder=str(folder), encoding="r50k").count("Hello")


@pytest.mark.parametrize(("module", "make"), [
    ("tiktoken", lambda: TiktokenCounter(folder=".").count("Hello")),
    ("tokenizers", lambda: HuggingFaceCounter("tokenizer.json")),
])  # fmt: skip
def test_a_missing_package_is_told(module, make, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingExtraError, match=r"lambdallm\[tokens\]"):
        make()


@pytest.fixture
def tokenizer_json(tmp_path):
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    tokenizer = Tokenizer(WordLevel({"hello": 0, "world": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.enable_truncation(2)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path / "tokenizer.json"


def test_a_models_own_tokenizer_counts_whole_texts(tokenizer_json):
    assert HuggingFaceCounter(str(tokenizer_json)).count("hello world hello there") == 4
    assert HuggingFaceCounter(str(tokenizer_json.parent)).count("hello world", "any-model") == 2


def test_a_path_without_a_tokenizer_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"tokenizer\.json"):
        HuggingFaceCounter(str(tmp_path))


class Client:
    """A client that counts a token a character; its answers can be awaited, or not."""

    def __init__(self, awaited):
        self.asked, self._awaited = [], awaited

    def count_tokens(self, messages, **options):
        self.asked.append(options)
        count = sum(len(m.text) for m in messages) if isinstance(messages, list) else len(messages)
        return self._later(count) if self._awaited else Ok(TokenCount(count))

    async def _later(self, count):
        return Ok(TokenCount(count))


def test_the_provider_counts_when_asked():
    client = Client(awaited=False)
    counter = BlockingProviderTokenCounter(client)
    assert isinstance(counter, TokenCounterProtocol)
    assert counter.count("four", "some-model") == 4
    assert counter.count_messages([ChatMessage("user", "three")]) == 5
    assert client.asked == [{"model": "some-model"}, {}]


def test_the_provider_counts_when_awaited():
    import asyncio

    counter = ProviderTokenCounter(Client(awaited=True))

    async def both():
        return await counter.count("four"), await counter.count_messages([ChatMessage("user", "three")], "m")

    assert asyncio.run(both()) == (4, 5)


def test_the_documented_clients_can_count():
    ProviderTokenCounter(AnthropicClient(api_key="-"))


class Fixed:
    def __init__(self, tokens):
        self.tokens = tokens

    def count(self, text, model=None):
        return self.tokens

    def count_messages(self, messages, model=None):
        return self.tokens


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o", 2), ("gpt-4o-mini", 3), ("openai/gpt-4o-mini", 3), ("openai:gpt-4o", 2), ("groq/llama-3.3-70b", 4),
        ("llama-3.3-70b", 1), (None, 1), ("other", 1),
    ],
)  # fmt: skip
def test_the_longest_registered_prefix_decides(model, tokens):
    registry = TokenCounterRegistry(Fixed(1))
    for prefix, count in (("gpt-4o", 2), ("gpt-4o-mini", 3), ("groq/", 4)):
        registry.register(prefix, Fixed(count))
    assert registry.count("text", model) == registry.count_messages([], model) == tokens
    assert isinstance(registry, TokenCounterProtocol)


@pytest.mark.parametrize(("prefix", "counter"), [("", Fixed(1)), ("gpt", "tiktoken"), ("gpt", None)])
def test_what_is_no_counter_is_not_registered(prefix, counter):
    with pytest.raises(ConfigurationError, match="can't be registered"):
        TokenCounterRegistry().register(prefix, counter)


def test_the_best_counter_is_exact_where_it_can_be_and_estimates_elsewhere(folder, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    best = BestCounter()
    assert isinstance(best.counter_for("gpt-4o"), TiktokenCounter)
    assert best.count("Hello", "gpt-4o") == 3
    assert isinstance(best.counter_for("claude-haiku-4-5"), EstimatingCounter)
    assert TokenCounterRegistry().default_counter.count("Hello", "gpt-4o") == 3


def test_without_the_files_the_best_counter_is_the_estimate(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert isinstance(BestCounter().counter_for("gpt-4o"), EstimatingCounter)
    messages = [ChatMessage("user", "Hello"), ChatMessage("assistant", "Hi")]
    assert BestCounter().count_messages(messages, "gpt-4o") == EstimatingCounter().count_messages(messages, "gpt-4o")


# Fetching, on a developer's machine


def wheel(path):
    import gzip
    import zipfile

    with zipfile.ZipFile(path, "w") as archive:
        for name in encodings.ENCODINGS:
            archive.writestr(f"bpe_openai/data/{name}.tiktoken.gz", gzip.compress(FILE))
    return path


@pytest.fixture
def index(tmp_path, monkeypatch, small_encodings):
    """A package index on this machine that has the wheel."""
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
    from threading import Thread

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    place = tmp_path / "index"
    (place / "simple/bpe-openai").mkdir(parents=True)
    wheel(place / encodings._WHEEL)
    (place / "simple/bpe-openai/index.html").write_text(f'<a href="/{encodings._WHEEL}">wheel</a>')
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(place)))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    yield place
    server.shutdown()
    server.server_close()


def test_encodings_are_fetched_once_and_checked(index, tmp_path):
    target = tmp_path / "package" / "encodings"
    paths = encodings.fetch_encodings(str(target))
    assert sorted(os.listdir(target)) == sorted(os.path.basename(path) for path in paths)
    assert TiktokenCounter(folder=str(target)).count("Hello", "gpt-4o") == 3
    (index / encodings._WHEEL).unlink()
    assert encodings.fetch_encodings(str(target)) == paths


def test_a_wheel_with_other_content_is_refused_and_leaves_nothing(index, tmp_path, monkeypatch, small_encodings):
    wrong = {name: known.replace(sha256="0" * 64) for name, known in small_encodings.items()}
    monkeypatch.setattr(encodings, "ENCODINGS", wrong)
    with pytest.raises(ConfigurationError, match="is not the encoding"):
        encodings.fetch_encodings(str(tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == []


def test_weights_are_data_that_json_reads():
    from lambdallm.llm.pricing.tokens.estimate import weights

    assert json.loads(json.dumps(weights())) == weights()
