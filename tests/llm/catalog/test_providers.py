"""The built-in entries: their URLs are the documented ones, their facts are facts, their files are small."""

import importlib
import json
import re
import time
from pathlib import Path

import pytest

from lambdallm.llm.call import codec_named, path_of, url_of
from lambdallm.llm.catalog import loader
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve, resolve_embedding
from lambdallm.llm.embedding.batches import limits_of
from lambdallm.llm.errors import LLMModelNotFoundError
from lambdallm.llm.types import ChatMessage, ChatRequest, EmbeddingRequest, Thinking

BUILT_IN = Catalog(environ={}, folders=())
FILES = sorted(path for path in Path(loader.__file__).parent.glob("*.json") if path.name != "model_prefixes.json")
ENTRIES = {path.stem: json.loads(path.read_text()) for path in FILES}
WIRES = {"chat": "wire", "stream": "wire", "embed": "embedding_wire", "count_tokens": "count_wire"}
ENVIRON = {
    "AWS_REGION": "us-east-1",
    "AZURE_OPENAI_ENDPOINT": "https://RESOURCE.openai.azure.com/",
    "ANTHROPIC_FOUNDRY_RESOURCE": "RESOURCE",
    "CLOUDFLARE_ACCOUNT_ID": "ACCOUNT",
    "GOOGLE_CLOUD_PROJECT": "PROJECT",
    "OPENAI_COMPATIBLE_BASE_URL": "http://127.0.0.1:9/v1",
}


def url(name, operation="chat", *, wire=None, **environ):
    """Where an operation of a model goes."""
    target = resolve_embedding(name, BUILT_IN) if operation == "embed" else resolve(name, BUILT_IN)
    field = WIRES[operation]
    wire = wire or target.facts.get(field, getattr(target.provider, field))
    return url_of(target, path_of(target, wire, codec_named(wire), operation), None, {**ENVIRON, **environ})


class TestUrls:
    @pytest.mark.parametrize(
        ("name", "chat", "stream"),
        [
            ("openai/gpt-4o", "https://api.openai.com/v1/chat/completions", None),
            ("openai/gpt-5.5-pro", "https://api.openai.com/v1/responses", None),
            ("openai/gpt-5.3-codex", "https://api.openai.com/v1/responses", None),
            ("anthropic/claude-opus-5-5", "https://api.anthropic.com/v1/messages", None),
            (
                "gemini/gemini-2.5-pro",
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:generateContent",
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
            ),
            ("ollama/llama3.2", "http://localhost:11434/api/chat", None),
            ("ollama_cloud", "https://ollama.com/api/chat", None),
            ("groq/openai/gpt-oss-20b", "https://api.groq.com/openai/v1/chat/completions", None),
            ("mistral/mistral-small-latest", "https://api.mistral.ai/v1/chat/completions", None),
            ("cohere/command-a-03-2025", "https://api.cohere.com/v2/chat", None),
            ("openrouter/anthropic/claude-sonnet-4.6", "https://openrouter.ai/api/v1/chat/completions", None),
            (
                "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
                "https://bedrock-runtime.us-east-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
            ),
            ("bedrock_mantle/openai.gpt-oss-20b", "https://bedrock-mantle.us-east-1.api.aws/v1/chat/completions", None),
            ("bedrock_mantle/openai.gpt-6-sol", "https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses", None),
            (
                "bedrock_mantle/anthropic.claude-opus-5-5",
                "https://bedrock-mantle.us-east-1.api.aws/anthropic/v1/messages",
                None,
            ),
            (
                "vertex/gemini-3.8-flash",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/google/models/gemini-3.8-flash:generateContent",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse",
            ),
            (
                "vertex/claude-sonnet-4-5@20250929",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/anthropic/models/claude-sonnet-4-5%4020250929:streamRawPredict",
            ),
            (
                "vertex/meta/llama-4-scout",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/endpoints/openapi/chat/completions",
                None,
            ),
            (
                "vertex/mistral-medium-3",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/mistralai/models/mistral-medium-3:rawPredict",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/mistralai/models/mistral-medium-3:streamRawPredict",
            ),
            (
                "vertex_express/gemini-3.8-flash",
                "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-3.8-flash:generateContent",
                "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-3.8-flash"
                ":streamGenerateContent?alt=sse",
            ),
            ("azure/gpt-5-mini", "https://RESOURCE.openai.azure.com/openai/v1/chat/completions", None),
            ("azure/gpt-5.5-pro", "https://RESOURCE.openai.azure.com/openai/v1/responses", None),
            (
                "azure_deployments/my deployment",
                "https://RESOURCE.openai.azure.com/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21",
                None,
            ),
            ("azure_anthropic", "https://RESOURCE.services.ai.azure.com/anthropic/v1/messages", None),
            ("cloudflare", "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1/chat/completions", None),
            ("deepseek", "https://api.deepseek.com/chat/completions", None),
            ("together", "https://api.together.xyz/v1/chat/completions", None),
            ("fireworks", "https://api.fireworks.ai/inference/v1/chat/completions", None),
            ("xai", "https://api.x.ai/v1/chat/completions", None),
            ("perplexity", "https://api.perplexity.ai/chat/completions", None),
            ("cerebras", "https://api.cerebras.ai/v1/chat/completions", None),
            ("nvidia", "https://integrate.api.nvidia.com/v1/chat/completions", None),
            ("huggingface", "https://router.huggingface.co/v1/chat/completions", None),
            ("vllm/m", "http://localhost:8000/v1/chat/completions", None),
            ("lmstudio/m", "http://localhost:1234/v1/chat/completions", None),
            ("llamacpp/m", "http://localhost:8080/v1/chat/completions", None),
        ],
    )
    def test_of_chats(self, name, chat, stream):
        assert url(name) == chat
        assert url(name, "stream") == (stream or chat)

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("openai", "https://api.openai.com/v1/embeddings"),
            ("cohere", "https://api.cohere.com/v2/embed"),
            ("voyage", "https://api.voyageai.com/v1/embeddings"),
            ("jina", "https://api.jina.ai/v1/embeddings"),
            ("mistral", "https://api.mistral.ai/v1/embeddings"),
            ("openrouter", "https://openrouter.ai/api/v1/embeddings"),
            ("ollama", "http://localhost:11434/api/embed"),
            (
                "gemini",
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents",
            ),
            (
                "vertex",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/google/models/gemini-embedding-001:predict",
            ),
            (
                "vertex/gemini-embedding-2",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/google/models/gemini-embedding-2:embedContent",
            ),
            (
                "vertex_express",
                "https://aiplatform.googleapis.com/v1/publishers/google/models/gemini-embedding-001:predict",
            ),
            ("bedrock", "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke"),
            (
                "bedrock/cohere.embed-english-v3",
                "https://bedrock-runtime.us-east-1.amazonaws.com/model/cohere.embed-english-v3/invoke",
            ),
            ("azure", "https://RESOURCE.openai.azure.com/openai/v1/embeddings"),
            (
                "azure_deployments",
                "https://RESOURCE.openai.azure.com/openai/deployments/text-embedding-3-small/embeddings"
                "?api-version=2024-10-21",
            ),
            ("cloudflare", "https://api.cloudflare.com/client/v4/accounts/ACCOUNT/ai/v1/embeddings"),
            ("together", "https://api.together.xyz/v1/embeddings"),
            ("fireworks", "https://api.fireworks.ai/inference/v1/embeddings"),
        ],
    )
    def test_of_embeddings(self, name, expected):
        assert url(name, "embed") == expected

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("anthropic", "https://api.anthropic.com/v1/messages/count_tokens"),
            ("azure_anthropic", "https://RESOURCE.services.ai.azure.com/anthropic/v1/messages/count_tokens"),
            (
                "gemini/gemini-2.5-pro",
                "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-pro:countTokens",
            ),
            (
                "vertex/gemini-2.5-pro",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/google/models/gemini-2.5-pro:countTokens",
            ),
            (
                "vertex/claude-sonnet-4-5",
                "https://aiplatform.googleapis.com/v1/projects/PROJECT/locations/global"
                "/publishers/anthropic/models/count-tokens:rawPredict",
            ),
        ],
    )
    def test_of_token_counts(self, name, expected):
        assert url(name, "count_tokens") == expected

    @pytest.mark.parametrize(
        ("name", "wire", "expected"),
        [
            ("openai/gpt-4o", "openai_responses", "https://api.openai.com/v1/responses"),
            ("openai/gpt-3.5-turbo-instruct", "openai_completions", "https://api.openai.com/v1/completions"),
            ("together/m", "openai_completions", "https://api.together.xyz/v1/completions"),
            ("deepseek", "openai_responses", "https://api.deepseek.com/responses"),
            ("xai", "openai_responses", "https://api.x.ai/v1/responses"),
            ("openrouter", "openai_responses", "https://openrouter.ai/api/v1/responses"),
            ("azure/gpt-5", "openai_responses", "https://RESOURCE.openai.azure.com/openai/v1/responses"),
            (
                "azure_deployments/gpt-5",
                "openai_responses",
                "https://RESOURCE.openai.azure.com/openai/responses?api-version=2024-10-21",
            ),
            ("cohere", "cohere_chat_v1", "https://api.cohere.com/v1/chat"),
            ("cohere", "openai_chat", "https://api.cohere.com/compatibility/v1/chat/completions"),
            (
                "gemini",
                "openai_chat",
                "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
            ),
            ("ollama", "openai_chat", "http://localhost:11434/v1/chat/completions"),
            ("ollama", "ollama_generate", "http://localhost:11434/api/generate"),
            (
                "bedrock/anthropic.claude-3-haiku-20240307-v1:0",
                "bedrock_invoke.anthropic",
                "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
            ),
            (
                "bedrock/openai.gpt-oss-20b-1:0",
                "openai_chat",
                "https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions",
            ),
            (
                "bedrock_mantle/openai.gpt-oss-20b",
                "openai_responses",
                "https://bedrock-mantle.us-east-1.api.aws/openai/v1/responses",
            ),
        ],
    )
    def test_of_the_further_protocols_a_provider_speaks(self, name, wire, expected):
        assert url(name, wire=wire) == expected

    @pytest.mark.parametrize(
        ("location", "host"),
        [
            ("global", "aiplatform.googleapis.com"),
            ("us-east5", "us-east5-aiplatform.googleapis.com"),
            ("eu", "aiplatform.eu.rep.googleapis.com"),
        ],
    )
    def test_of_vertex_s_locations(self, location, host):
        found = url("vertex/claude-opus-5", GOOGLE_CLOUD_LOCATION=location)
        assert found == (
            f"https://{host}/v1/projects/PROJECT/locations/{location}/publishers/anthropic/models/claude-opus-5:rawPredict"
        )

    def test_vertex_takes_the_project_of_its_credentials(self):
        key = json.dumps({"type": "service_account", "project_id": "theirs"})
        found = url("vertex", GOOGLE_CLOUD_PROJECT="", GOOGLE_APPLICATION_CREDENTIALS=key)
        assert "/projects/theirs/" in found

    @pytest.mark.parametrize(
        ("environ", "expected"),
        [
            ({"OLLAMA_HOST": "127.0.0.1:11435"}, "http://127.0.0.1:11435/api/chat"),
            ({"OLLAMA_BASE_URL": "https://gpu.example/ollama/"}, "https://gpu.example/ollama/api/chat"),
        ],
    )
    def test_a_local_server_may_be_named_as_it_names_itself(self, environ, expected):
        assert url("ollama", **environ) == expected

    def test_a_regional_bedrock(self):
        assert url("bedrock", AWS_REGION="eu-central-1").startswith("https://bedrock-runtime.eu-central-1.amazonaws")

    def test_every_provider_is_in_these_tables(self):
        told = Path(__file__).read_text()
        without = {"echo", "local", "litellm", "openai_compatible"}
        assert [
            name for name in ENTRIES if name not in without and f'"{name}/' not in told and f'("{name}"' not in told
        ] == []


def tables(entry):
    """The tables of facts in an entry: its own, of its families, of its models."""
    yield "facts", entry.get("facts", {})
    yield from entry.get("families", {}).items()
    yield from ((id, model.get("facts", {})) for id, model in entry.get("models", {}).items())


def wires(entry):
    """Every protocol that an entry names."""
    own = {entry[field] for field in ("wire", "embedding_wire", "count_wire") if entry.get(field)}
    own |= {facts[f] for _, facts in tables(entry) for f in ("wire", "embedding_wire", "count_wire") if facts.get(f)}
    return own | {path.partition(":")[0] for path in entry.get("paths", {}) if ":" in path}


EVERY_WIRE = sorted({wire for entry in ENTRIES.values() for wire in wires(entry)})
READ_BEFORE_A_CODEC = {
    "wire", "embedding_wire", "count_wire", "paths", "region_prefixes", "thinking_tags", "most_texts", "most_tokens",
    "most_text_tokens", "schema_keywords",
}  # fmt: skip


def documented(wire):
    """The facts that a codec's door tells of: words in backticks, and words that begin an indented line."""
    doors = [f"lambdallm.llm.wire.{wire}"]
    if wire.endswith("_embeddings"):
        doors.append("lambdallm.llm.wire.embedding")
    if wire.startswith("bedrock_invoke"):
        doors += ["lambdallm.llm.wire.bedrock_invoke"]
    text = "\n".join(importlib.import_module(door).__doc__ for door in doors)
    named = set(re.findall(r"`(\w+)`", text)) | set(re.findall(r"^ {4}(\w+) {2,}\S", text, re.MULTILINE))
    beside = [other for other in ("ollama_chat", "anthropic_messages", "gemini", "openai_chat") if other in named]
    return named.union(*(documented(other) for other in beside if other != wire))


MODERN = (
    "anthropic/claude-opus-5-5", "anthropic/claude-opus-4-7", "vertex/claude-sonnet-5",
    "bedrock/us.anthropic.claude-opus-5", "bedrock_mantle/anthropic.claude-haiku-5-5", "openai/gpt-6.1-sol",
    "openai/o3", "azure/gpt-5-mini",
)  # fmt: skip
"""Models that choose their own sampling."""


class TestFacts:
    @pytest.mark.parametrize("wire", EVERY_WIRE)
    def test_every_protocol_that_is_named_is_spoken(self, wire):
        assert codec_named(wire).PATHS

    @pytest.mark.parametrize("name", sorted(ENTRIES))
    def test_every_fact_is_one_that_a_codec_of_the_entry_reads(self, name):
        known = READ_BEFORE_A_CODEC.union(*(documented(wire) for wire in wires(ENTRIES[name])))
        for where, facts in tables(ENTRIES[name]):
            assert set(facts) <= known, f"{name}, {where}"

    @pytest.mark.parametrize("name", sorted(name for name, entry in ENTRIES.items() if entry.get("wire")))
    def test_a_plain_request_can_be_sent_to_every_listed_model(self, name):
        provider = BUILT_IN.provider(name)
        for id, model in provider.models.items():
            if model.get("output") and "embedding" not in model["output"]:
                target = resolve(f"{name}/{id}", BUILT_IN)
                request = ChatRequest(id, (ChatMessage("user", "Hi"),), max_tokens=2048, temperature=0.5)
                assert codec_named(target.wire).encode_request(request, target.facts).body

    @pytest.mark.parametrize("name", sorted(name for name, e in ENTRIES.items() if e.get("default_embedding_model")))
    def test_texts_can_be_sent_to_every_default_embedding_model(self, name):
        target = resolve_embedding(name, BUILT_IN)
        wire = target.facts.get("embedding_wire", target.provider.embedding_wire)
        assert codec_named(wire).encode_request(EmbeddingRequest(target.model.id, ("Hi",)), target.facts).body
        assert limits_of(target.facts, None)

    @pytest.mark.parametrize(
        "model",
        ["openai/gpt-5-mini", "openai/gpt-6.1-sol", "openai/gpt-5.5-pro", "azure/gpt-5.4",
         "anthropic/claude-opus-5-5", "anthropic/claude-haiku-4-5", "anthropic/claude-sonnet-4-6",
         "vertex/claude-sonnet-5", "gemini/gemini-2.5-flash", "gemini/gemini-3.8-flash",
         "groq/openai/gpt-oss-20b", "mistral/mistral-small-latest", "deepseek/deepseek-flash",
         "xai/grok-4.7", "openrouter/z-ai/glm-5.3", "bedrock/anthropic.claude-opus-5-5", "bedrock/qwen.qwen3-32b-v1:0",
         "bedrock/amazon.nova-2-lite-v1:0", "bedrock/zai.glm-5", "ollama/gpt-oss:20b", "cerebras/gpt-oss-120b",
         "cohere/command-a-plus-05-2026"],
    )  # fmt: skip
    @pytest.mark.parametrize("effort", ["low", "medium", "high"])
    def test_models_that_think_can_be_asked_to(self, model, effort):
        target = resolve(model, BUILT_IN)
        request = ChatRequest(target.model.id, (ChatMessage("user", "Hi"),), thinking=Thinking(effort=effort))
        assert codec_named(target.wire).encode_request(request, target.facts).body
        assert target.model.thinking

    @pytest.mark.parametrize("model", MODERN)
    def test_what_a_model_refuses_is_left_out_and_told(self, model):
        target = resolve(model, BUILT_IN)
        request = ChatRequest(target.model.id, (ChatMessage("user", "Hi"),), temperature=0.2)
        encoded = codec_named(target.wire).encode_request(request, target.facts)
        assert b"temperature" not in encoded.body
        assert any("temperature" in warning for warning in encoded.warnings)

    @pytest.mark.parametrize(
        "model", ["anthropic/claude-haiku-4-5", "bedrock/anthropic.claude-opus-4-6-v1", "openai/gpt-5.4"]
    )
    def test_older_models_take_it(self, model):
        target = resolve(model, BUILT_IN)
        request = ChatRequest(target.model.id, (ChatMessage("user", "Hi"),), temperature=0.2)
        assert b"temperature" in codec_named(target.wire).encode_request(request, target.facts).body

    def test_the_documented_default_embedding_models(self):
        found = {
            name: BUILT_IN.provider(name).default_embedding_model for name in ("openai", "cohere", "voyage", "jina")
        }
        assert found == {
            "openai": "text-embedding-3-small", "cohere": "embed-english-v3.0", "voyage": "voyage-3",
            "jina": "jina-embeddings-v3",
        }  # fmt: skip

    def test_every_provider_says_where_it_is_documented_and_how_its_server_is_renamed(self):
        for name, entry in ENTRIES.items():
            if not entry.get("transport"):
                assert entry["docs"].startswith("https://"), name
                assert entry.get("endpoint_env") or "{resource}" in entry["endpoint"], name


class TestModels:
    def test_there_are_many_with_limits_capabilities_and_price(self):
        known = [BUILT_IN.provider(name).model(id) for name, entry in ENTRIES.items() for id in entry.get("models", {})]
        whole = [model for model in known if model.context_window and model.price and model.input and model.output]
        assert len(whole) >= 300
        assert sum(bool(model.max_output_tokens) for model in known) >= 200

    @pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if len(entry.get("models", {})) > 3])
    def test_facts_say_where_they_come_from_and_when(self, name):
        assert "genai-prices" in ENTRIES[name]["source"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", ENTRIES[name]["dated"])

    @pytest.mark.parametrize("name", sorted(ENTRIES))
    def test_defaults_are_listed_where_models_are(self, name):
        entry = ENTRIES[name]
        if len(entry.get("models", {})) > 3:
            assert entry.get("default_model") is None or entry["default_model"] in entry["models"]

    def test_prices_and_limits_are_sane(self):
        for name, entry in ENTRIES.items():
            for id, row in entry.get("models", {}).items():
                model = BUILT_IN.provider(name).model(id)
                assert model.context_window is None or 128 <= model.context_window <= 12_000_000, id
                assert not model.max_output_tokens or model.max_output_tokens <= model.context_window, id
                if model.price:
                    assert 0 <= model.price.input <= 200, id
                    assert 0 <= model.price.output <= 700, id
                    assert model.price.cached is None or model.price.cached <= model.price.input, id
                assert "id" not in row

    def test_a_regional_call_costs_what_its_region_does(self):
        anywhere = resolve("bedrock/global.anthropic.claude-opus-5-5", BUILT_IN).model
        in_europe = resolve("bedrock/eu.anthropic.claude-opus-5-5", BUILT_IN).model
        assert in_europe.price.input == pytest.approx(anywhere.price.input * 1.1)
        assert in_europe.context_window == anywhere.context_window

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_a_file_is_read_in_no_time(self, path):
        """A cold start reads one of them; 0.3 ms is what the largest may take on the machine this is measured on."""
        data = path.read_bytes()
        assert len(data) < 34_000
        best = min(timed(data) for _ in range(50))
        assert best < 0.0012, "four times the target: test machines are slow"


def timed(data):
    begun = time.perf_counter()
    json.loads(data)
    return time.perf_counter() - begun


class TestBareIds:
    @pytest.mark.parametrize(
        ("id", "provider"),
        [
            ("gpt-4o", "openai"), ("gpt-7-of-tomorrow", "openai"), ("o3", "openai"),
            ("text-embedding-3-small", "openai"),
            ("claude-opus-5", "anthropic"), ("gemini-2.5-pro", "gemini"), ("mistral-large-latest", "mistral"),
            ("command-a-03-2025", "cohere"), ("deepseek-flash", "deepseek"), ("grok-4.3", "xai"),
            ("sonar-pro", "perplexity"),
            ("@cf/openai/gpt-oss-20b", "cloudflare"), ("accounts/fireworks/models/gpt-oss-20b", "fireworks"),
            ("us.anthropic.claude-opus-5", "bedrock"), ("meta.llama3-8b-instruct-v1:0", "bedrock"),
            ("arn:aws:bedrock:us-east-1:000000000000:inference-profile/x", "bedrock"), ("voyage-3", "voyage"),
        ],
    )  # fmt: skip
    def test_an_id_finds_its_provider(self, id, provider):
        assert resolve(id, BUILT_IN).provider.name == provider

    def test_the_prefixes_of_all_entries_are_in_one_file_and_each_is_one_provider_s(self):
        written = json.loads((FILES[0].parent / "model_prefixes.json").read_text())
        claims = [(prefix, name) for name, entry in ENTRIES.items() for prefix in entry.get("model_prefixes", ())]
        assert len(dict(claims)) == len(claims)
        assert written == dict(claims)

    def test_a_claimed_id_is_found_without_reading_other_entries(self, monkeypatch):
        read = []
        monkeypatch.setattr(loader, "_read", lambda name, found=loader._read: read.append(name) or found(name))
        resolve("gpt-4o", Catalog(environ={}, folders=()))
        assert read == ["gpt-4o.json", "model_prefixes.json", "openai.json"]

    def test_an_id_that_its_claimant_does_not_list_is_the_only_other_provider_s_that_does(self):
        assert resolve("gpt-oss-120b", BUILT_IN).provider.name == "cerebras"
        assert resolve("claude-of-tomorrow", BUILT_IN).provider.name == "anthropic"

    def test_a_project_s_own_provider_comes_first(self, tmp_path):
        known = own(tmp_path, mine={"models": {"gpt-4o": {}}})
        assert resolve("gpt-4o", known).provider.name == "mine"
        assert resolve("gpt-4o-mini", known).provider.name == "openai"

    def test_a_project_s_own_prefix_comes_first(self, tmp_path):
        assert resolve("gpt-4-acme", own(tmp_path, mine={"model_prefixes": "gpt-4-acme"})).provider.name == "mine"

    def test_an_id_that_several_list_is_an_error_naming_them(self, tmp_path):
        known = own(tmp_path, mine={"models": {"m": {}}}, other={"models": {"m": {}}})
        with pytest.raises(LLMModelNotFoundError, match=r"Several providers.*'mine/m' or 'other/m'"):
            resolve("m", known)


def own(folder, **entries):
    """The built-in catalog with entries of a project's own."""
    for name, entry in entries.items():
        (folder / f"{name}.json").write_text(
            json.dumps({"endpoint": "https://a.example", "wire": "openai_chat", **entry})
        )
    return Catalog(environ={}, folders=(str(folder),))
