"""What providers were seen to accept, our entries accept: the same URLs, and no setting refused that was taken."""

import json
import re
from urllib.parse import unquote

from lambdallm.llm.call import codec_named, path_of, url_of
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from recorded import recordings

BUILT_IN = Catalog(environ={}, folders=())
SPOKEN = {
    "openai/chat": ("openai", "openai_chat"),
    "openai/responses": ("openai", "openai_responses"),
    "openai/completions": ("openai", "openai_completions"),
    "openai/embeddings": ("openai", "openai_embeddings"),
    "azure/responses": ("azure", "openai_responses"),
    "anthropic/messages": ("anthropic", "anthropic_messages"),
    "anthropic/count_tokens": ("anthropic", "anthropic_count_tokens"),
    "gemini/generate_content": ("gemini", "gemini"),
    "gemini/count_tokens": ("gemini", "gemini_count_tokens"),
    "gemini/embeddings": ("gemini", "gemini_embeddings"),
    "gemini/openai_compat": ("gemini", "openai_chat"),
    "vertex/anthropic_messages": ("vertex", "anthropic_messages"),
    "vertex/generate_content": ("vertex", "gemini"),
    "bedrock/converse": ("bedrock", "bedrock_converse"),
    "bedrock/invoke_model": ("bedrock", "bedrock_invoke.anthropic"),
    "bedrock/openai_responses": ("bedrock_mantle", "openai_responses"),
    "bedrock/openai_chat": ("bedrock_mantle", "openai_chat"),
    "cloudflare/chat": ("cloudflare", "openai_chat"),
    "cohere/chat_v1": ("cohere", "cohere_chat_v1"),
    "cohere/chat_v2": ("cohere", "cohere_chat"),
    "cohere/openai_compat": ("cohere", "openai_chat"),
    "deepseek/chat": ("deepseek", "openai_chat"),
    "deepseek/responses": ("deepseek", "openai_responses"),
    "fireworks/chat": ("fireworks", "openai_chat"),
    "groq/chat": ("groq", "openai_chat"),
    "mistral/chat": ("mistral", "openai_chat"),
    "mistral/embeddings": ("mistral", "openai_embeddings"),
    "ollama/chat": ("ollama", "ollama_chat"),
    "ollama/generate": ("ollama", "ollama_generate"),
    "ollama/embeddings": ("ollama", "ollama_embeddings"),
    "openrouter/chat": ("openrouter", "openai_chat"),
    "openrouter/responses": ("openrouter", "openai_responses"),
    "openrouter/embeddings": ("openrouter", "openai_embeddings"),
    "together/chat": ("together", "openai_chat"),
    "together/completions": ("together", "openai_completions"),
    "voyage/embeddings": ("voyage", "voyage_embeddings"),
}
OLDER = (
    "api.cohere.ai", "127.0.0.1", "/deployments/", "/beta/", "beta=true", "cognitiveservices", "test-location",
    "bedrock-mantle.us-east-1.api.aws/v1", "v1beta1/publishers", "aiplatform.googleapis.com/v1/publishers",
)  # fmt: skip
"""Other hosts, versions and forms of the same endpoints."""


def accepted(exchange):
    return exchange["response"]["status"] == 200 and isinstance(exchange["request"].get("body"), dict)


def told(path):
    exchange = json.loads(path.read_bytes())
    provider, wire = SPOKEN["/".join(path.parts[-3:-1])]
    request = exchange["request"]
    model = request["body"].get("model") or unquote(exchange["model"] or "any")
    return request, resolve(f"{provider}/{model}", BUILT_IN), wire, bool(exchange["stream"])


def place(url):
    """The variables that a recorded URL was made with."""
    region = re.search(r"bedrock-(?:runtime|mantle)\.([\w-]+)\.", url)
    location = re.search(r"/locations/([\w-]+)/", url)
    return {
        "AWS_REGION": region[1] if region else "us-east-1",
        "GOOGLE_CLOUD_LOCATION": location[1] if location else "global",
        "GOOGLE_CLOUD_PROJECT": "PROJECT",
        "CLOUDFLARE_ACCOUNT_ID": "ACCOUNT",
        "AZURE_OPENAI_ENDPOINT": "https://RESOURCE.openai.azure.com",
    }


@recordings(*SPOKEN, holds=lambda e: accepted(e) and not any(mark in e["request"]["url"] for mark in OLDER))
def test_the_url_is_the_one_that_answered(path):
    request, target, wire, stream = told(path)
    codec = codec_named(wire)
    operation = next(name for name in ("stream" if stream else "chat", "embed", "count_tokens") if name in codec.PATHS)
    ours = url_of(target, path_of(target, wire, codec, operation), None, place(request["url"]))
    assert plain(ours) == plain(request["url"])


def plain(url):
    """A URL without what clients differ in: Vertex's version, the form of Gemini's streams, needless encoding."""
    version = url.replace("/v1beta1/", "/v1/") if "aiplatform" in url else url
    return unquote(version.removesuffix("?alt=sse"))


@recordings(*SPOKEN, holds=accepted)
def test_no_setting_is_refused_that_was_taken(path):
    request, target, wire, stream = told(path)
    codec = codec_named(wire)
    if not hasattr(codec, "decode_request") or wire.endswith(("_count_tokens", "_embeddings")):
        return
    asked = codec.decode_request(json.dumps(request["body"]).encode(), model=target.model.id, stream=stream)
    encoded = codec.encode_request(asked, target.facts)
    lost = [warning for warning in encoded.warnings if "ignore" in warning and "temperature" not in warning]
    assert lost == []


def test_every_folder_names_a_provider_and_a_protocol():
    for provider, wire in SPOKEN.values():
        assert BUILT_IN.find(provider) is not None
        assert codec_named(wire)
