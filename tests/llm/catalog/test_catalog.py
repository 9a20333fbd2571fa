"""Definitions are data: found on a path, checked as they are read, overlaid by a project's own."""

import json

import pytest

from lambdallm.llm.call import codec_named
from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.errors import ConfigurationError, LLMModelNotFoundError, UnknownProviderError
from lambdallm.llm.models import Model
from lambdallm.llm.types import ChatMessage, ChatRequest, ResponseFormat, Thinking, ToolDefinition

BUILT_IN = Catalog(environ={}, folders=())


def own(tmp_path, name, content):
    (tmp_path / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return Catalog(environ={}, folders=(str(tmp_path),))


def test_every_built_in_definition_reads_and_names_a_codec():
    for provider in BUILT_IN.all():
        assert codec_named(provider.wire or provider.embedding_wire)
        assert all(provider.model(id).id == id for id in provider.models)


@pytest.mark.parametrize("name", ["openai", "anthropic", "bedrock"])
def test_prices_say_where_they_come_from_and_when(name):
    provider = BUILT_IN.provider(name)
    assert provider.source
    assert provider.dated


@pytest.mark.parametrize("model", list(Model))
def test_the_documented_models_are_known_with_their_price(model):
    found = resolve(model, BUILT_IN)
    assert found.provider.name == "bedrock"
    assert found.model.price is not None


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("openai:gpt-4o", "openai/gpt-4o"),
        ("gpt-4o", "openai/gpt-4o"),
        ("openai", "openai/gpt-6-luna"),
        ("claude-haiku-4-5", "anthropic/claude-haiku-4-5"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("openai_compatible/org/model:7b", "openai_compatible/org/model:7b"),
    ],
)
def test_names(name, meant):
    assert resolve(name, BUILT_IN).name == meant


def test_a_dated_or_regional_id_has_the_facts_of_its_model():
    dated = resolve("openai/gpt-5-mini-2025-08-07", BUILT_IN).model
    assert dated.price == resolve("openai/gpt-5-mini", BUILT_IN).model.price
    regional = resolve("eu.anthropic.claude-3-haiku-20240307-v1:0", BUILT_IN).model
    assert regional.price == Price(0.25, 1.25)


def test_a_model_the_definition_does_not_list_is_passed_on_without_facts():
    found = resolve("anthropic/claude-of-tomorrow", BUILT_IN)
    assert (found.model.id, found.model.price) == ("claude-of-tomorrow", None)


def test_an_unknown_model_names_the_nearest():
    with pytest.raises(LLMModelNotFoundError, match=r"'gtp-4o'.*Did you mean 'gpt-4o'"):
        resolve("gtp-4o", BUILT_IN)


def test_an_unknown_provider_names_the_nearest():
    with pytest.raises(UnknownProviderError, match=r"'opnai'.*Did you mean 'openai'"):
        BUILT_IN.provider("opnai")


def test_a_project_adds_a_provider_with_one_entry(tmp_path):
    entry = {"endpoint": "http://127.0.0.1:8000/v1", "wire": "openai_chat", "auth": [{"type": "none"}]}
    known = own(tmp_path, "mine.json", entry)
    assert resolve("mine/any", known).provider.endpoint == "http://127.0.0.1:8000/v1"


def test_a_project_overlays_a_built_in_one(tmp_path):
    models = {"gpt-4o": {"price": {"input": 1, "output": 2}}}
    known = own(tmp_path, "openai.json", {"name": "openai", "endpoint": "https://proxy.example/v1", "models": models})
    found = resolve("openai/gpt-4o", known)
    assert found.provider.endpoint == "https://proxy.example/v1"
    assert found.model.price == Price(1, 2)
    assert resolve("openai/gpt-4o-mini", known).model.price is not None


def test_a_file_that_says_a_price_alone_changes_nothing_else(tmp_path):
    known = own(tmp_path, "openai.json", {"models": {"gpt-4o-mini": {"price": {"input": 1, "output": 2}}}})
    found, before = resolve("openai/gpt-4o-mini", known), resolve("openai/gpt-4o-mini", BUILT_IN)
    assert found.model == before.model.replace(price=Price(1, 2))
    assert found.provider.endpoint == before.provider.endpoint


def test_the_documented_configuration_file_loads_as_it_stands(tmp_path):
    entry = {
        "endpoint": "https://api.anthropic.com/v1/messages",
        "secret_path": "/ai-agent/llm-secrets/{env}/anthropic",
        "model_id": "claude-3-sonnet",
        "request_transformer": "anthropic_request",
        "response_transformer": "anthropic_response",
        "auth_type": "x-api-key",
        "auth_header": "x-api-key",
        "timeout": 30,
    }
    provider = own(tmp_path, "provider_configs.json", {"anthropic": entry}).provider("anthropic")
    assert (provider.wire, provider.default_model, provider.timeout) == ("anthropic_messages", "claude-3-sonnet", 30)
    assert provider.auth[0].header == "x-api-key"
    assert provider.secret_path == "/ai-agent/llm-secrets/{env}/anthropic"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "mine.json is not JSON"),
        ("[1]", "holds no JSON object"),
        ({"endpoint": "x", "wire": "openai_chat", "timeuot": 3}, r"'timeuot'.*'timeout'"),
        ({"endpoint": "x"}, "no 'wire'"),
        ({"endpoint": "x", "wire": "openai_chat", "timeout": -1}, "timeout is -1"),
        ({"endpoint": 3, "wire": "openai_chat"}, "endpoint is 3"),
        ({"endpoint": "x", "wire": "openai_chat", "auth": ["bearer"]}, "auth is 'bearer'"),
        (
            {"mine": {"endpoint": "x", "request_transformer": "openai_request", "auth_type": "magic"}},
            "auth_type is 'magic'",
        ),
        ({"endpoint": "x", "wire": "openai_chat", "auth": [{"type": "googel"}]}, r"type 'googel'.*'google'"),
        ({"endpoint": "x", "wire": "openai_chat", "variables": ["A"]}, "variables is .*JSON object"),
        ({"endpoint": "x", "wire": "openai_chat", "endpoints": "y"}, "endpoints is 'y'"),
    ],
)
def test_a_mistake_in_a_definition_names_the_place_and_the_fix(tmp_path, content, message):
    with pytest.raises(ConfigurationError, match=message):
        own(tmp_path, "mine.json", content).provider("mine")


def test_a_named_place_that_does_not_exist_is_an_error():
    with pytest.raises(ConfigurationError, match="/no/such"):
        Catalog(environ={"LAMBDALLM_PROVIDERS": "/no/such"}, folders=())


def test_an_unknown_protocol_is_named():
    with pytest.raises(ConfigurationError, match="'morse'"):
        codec_named("morse")


def test_a_family_s_facts_hold_for_all_its_models_and_regions():
    assert resolve("us.anthropic.claude-3-haiku-20240307-v1:0", BUILT_IN).facts["top_k_field"] == "top_k"
    assert resolve("anthropic.claude-3-haiku-20240307-v1:0", BUILT_IN).facts["json_schema"] is False
    assert resolve("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", BUILT_IN).facts["json_schema"] is True


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("anthropic.claude-sonnet-4-5-20250929-v1:0", {"top_k": 5, "thinking": Thinking(effort="low")}),
        (
            "anthropic.claude-sonnet-4-5-20250929-v1:0",
            {"response_format": ResponseFormat("json_schema", {"type": "object"})},
        ),
        ("anthropic.claude-3-haiku-20240307-v1:0", {"parallel_tool_calls": False, "tools": (ToolDefinition("t"),)}),
        ("amazon.nova-2-lite-v1:0", {"top_k": 5, "thinking": Thinking(effort="high")}),
        ("openai.gpt-oss-20b-1:0", {"thinking": Thinking(effort="low")}),
        ("anthropic/claude-sonnet-4-5", {"thinking": Thinking(budget_tokens=2048), "max_tokens": 4096}),
        ("openai/gpt-5-mini", {"thinking": Thinking(effort="low"), "max_tokens": 9}),
        ("local", {"top_k": 5, "seed": 1}),
    ],
)
def test_what_a_definition_declares_its_codec_can_send(model, options):
    target = resolve(model, BUILT_IN)
    request = ChatRequest(target.model.id, (ChatMessage("user", "Hi"),), **options)
    assert codec_named(target.provider.wire).encode_request(request, target.facts).body
