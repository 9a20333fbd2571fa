"""The key: everything that changes the answer, nothing that does not."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.caching.key import CacheQuery, cache_key, queried
from lambdallm.llm.call import CallSettings
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    DocumentPart,
    ImagePart,
    PromptCache,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.testing.script import Script

ASKED = ChatRequest("gpt-4o", (ChatMessage("user", "Hi"),))


def key(request, **where):
    return cache_key(request, **{"provider": "openai", **where})


def said(*parts, role="user", **fields):
    return key(ASKED.replace(messages=(ChatMessage(role, parts, **fields),)))


def query(request=ASKED, model="openai/gpt-4o", environ=None, **where):
    return Script(environ=environ).run(queried(request, resolve(model), **where))


CHANGES = {
    "messages": [(ChatMessage("user", "Ho"),), (ChatMessage("system", "Hi"),), (), ASKED.messages * 2],
    "tools": [(ToolDefinition("f"),), (ToolDefinition("f", "does"),), (ProviderPart("web_search"),)],
    "tool_choice": [ToolChoice("auto"), ToolChoice("none"), ToolChoice("tool", "f")],
    "parallel_tool_calls": [True, False],
    "max_tokens": [1, 2],
    "temperature": [0, 0.1, 1],
    "top_p": [0.1, 1],
    "top_k": [1, 2],
    "stop": [("a",), ("a", "b"), ("b", "a")],
    "seed": [0, 1],
    "presence_penalty": [0, 0.5],
    "frequency_penalty": [0, 0.5],
    "n": [1, 2],
    "logprobs": [0, 5],
    "response_format": [ResponseFormat("json"), ResponseFormat("json_schema", {"type": "object"})],
    "thinking": [Thinking(), Thinking(False), Thinking(effort="low"), Thinking(budget_tokens=1024)],
    "extra": [{"a": 1}, {"a": True}, {"a": "1"}, {"b": 1}],
    "dialect": ["openai_chat", "gemini"],
}
INDIFFERENT = {"stream": [True], "user": ["anna"], "prompt_cache": [PromptCache(), PromptCache("1h", key="k")]}


def test_every_field_of_a_request_counts_or_is_known_not_to():
    assert {*CHANGES, *INDIFFERENT, "model"} >= set(ChatRequest._fields)


def test_every_change_of_what_counts_is_another_key():
    changed = [ASKED.replace(**{name: value}) for name, values in CHANGES.items() for value in values]
    changed += [ASKED, ASKED.replace(model="gpt-4o-mini")]
    assert len({key(request) for request in changed}) == len(changed)


@pytest.mark.parametrize("name", INDIFFERENT)
def test_how_and_for_whom_a_call_is_made_does_not_count(name):
    if name in ChatRequest._fields:
        assert {key(ASKED.replace(**{name: value})) for value in INDIFFERENT[name]} == {key(ASKED)}


def test_where_it_is_asked_counts():
    places = [
        {},
        {"provider": "azure"},
        {"endpoint": "http://here"},
        {"wire": "openai_responses"},
        {"namespace": "tenant-1"},
        {"namespace": "tenant-2"},
    ]
    assert len({key(ASKED, **place) for place in places}) == len(places)


def test_a_key_says_its_version_and_nothing_of_what_was_asked():
    version, digest = key(ASKED).split(":")
    assert version == "v1"
    assert len(digest) == 64
    assert set(digest) <= set("0123456789abcdef")


def test_the_key_stays_what_it_is():
    """Changing it throws away what all deployments have stored: raise `VERSION` and this."""
    assert key(ASKED) == "v1:a0693a0f03a5b3aa851d3b3357297cf06190cda9b02e481f765d4ccff4c943f5"


PARTS = [
    TextPart("Hi"),
    TextPart("Hi", citations=({"n": 1},)),
    TextPart("Hi", metadata={"x": 1}),
    RefusalPart("Hi"),
    ReasoningPart("Hi"),
    ReasoningPart("Hi", signature="s"),
    ReasoningPart("Hi", encrypted="s"),
    ImagePart(url="https://x/1"),
    ImagePart(data=b"1", media_type="image/png"),
    ImagePart(data=b"2", media_type="image/png"),
    ImagePart(data=b"1", media_type="image/jpeg"),
    ImagePart(data=b"1", media_type="image/png", detail="low"),
    AudioPart(b"1", "audio/wav"),
    DocumentPart(data=b"1", media_type="application/pdf"),
    DocumentPart(data=b"1", media_type="application/pdf", name="a"),
    DocumentPart(text="1"),
    DocumentPart(file_id="1"),
    ToolCall("1", "f", {"a": 1}),
    ToolCall("2", "f", {"a": 1}),
    ToolCall("1", "g", {"a": 1}),
    ToolCall("1", "f", {"a": 2}),
    ToolCall("1", "f", None, "no json"),
    ToolResult("1", "Hi"),
    ToolResult("1", "Hi", is_error=True),
    ToolResult("1", (ImagePart(data=b"1", media_type="image/png"),)),
    ToolResult("1", (ImagePart(data=b"2", media_type="image/png"),)),
    ProviderPart("x", {"a": 1}),
    ProviderPart("x", {"a": 1}, "gemini"),
]


def test_every_part_and_each_of_its_fields_counts():
    assert len({said(part) for part in PARTS}) == len(PARTS)


def test_text_is_one_text_part():
    assert said(TextPart("Hi")) == key(ASKED)
    assert said() == key(ASKED.replace(messages=(ChatMessage("user", ""),)))
    assert said(TextPart("H"), TextPart("i")) != key(ASKED)


def test_arguments_count_by_value_however_they_are_spelt():
    spelt = ToolCall.from_json("1", "f", '{ "b": 2, "a": 1 }')
    assert said(spelt, role="assistant") == said(ToolCall("1", "f", {"a": 1, "b": 2}), role="assistant")


def test_a_mark_for_the_provider_s_cache_changes_no_answer():
    marked = TextPart("Hi", metadata={"cache_control": {"type": "ephemeral"}})
    assert said(marked) == said(TextPart("Hi")) == said(TextPart("Hi"), ProviderPart("cachePoint"))
    assert said(TextPart("Hi"), metadata={"cachePoint": True}) == said(TextPart("Hi"))


def test_zero_is_zero():
    assert key(ASKED.replace(temperature=0)) == key(ASKED.replace(temperature=0.0))
    assert key(ASKED.replace(temperature=1)) != key(ASKED.replace(temperature=True))


def schema(*names):
    return {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": sorted(names)}


def test_the_order_of_a_schema_s_properties_counts_since_models_write_in_it():
    reasons_first, verdict_first = schema("reasons", "verdict"), schema("verdict", "reasons")
    for ask in (
        lambda form: ASKED.replace(response_format=ResponseFormat("json_schema", form)),
        lambda form: ASKED.replace(tools=(ToolDefinition("f", parameters=form),)),
        lambda form: ASKED.replace(response_format=ResponseFormat("json_schema", {"anyOf": [{"$defs": {"a": form}}]})),
    ):
        assert key(ask(reasons_first)) != key(ask(verdict_first))
        assert key(ask(reasons_first)) == key(ask(dict(reversed(reasons_first.items()))))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def shuffled(value, random):
    if isinstance(value, list):
        return [shuffled(item, random) for item in value]
    if not isinstance(value, dict):
        return value
    items = [(name, shuffled(item, random)) for name, item in value.items()]
    random.shuffle(items)
    return dict(items)


@given(st.dictionaries(st.text(), plain, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_other_mappings_does_not_count(extra, random):
    assert key(ASKED.replace(extra=extra)) == key(ASKED.replace(extra=shuffled(extra, random)))


@given(plain, plain)
def test_two_values_have_one_key_only_if_they_are_one_value(one, other):
    same = key(ASKED.replace(extra={"x": one})) == key(ASKED.replace(extra={"x": other}))
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


@given(st.lists(st.sampled_from(PARTS), max_size=4), st.lists(st.sampled_from(PARTS), max_size=4))
def test_two_contents_have_one_key_only_if_they_are_one_content(one, other):
    assert (said(*one) == said(*other)) == (one == other)


def test_what_is_no_json_is_refused_by_name():
    with pytest.raises(ConfigurationError, match="object object"):
        key(ASKED.replace(extra={"x": object()}))
    itself = {}
    itself["x"] = itself
    for extra in ({1: 1, "x": 2}, itself):
        with pytest.raises(ConfigurationError, match="looked up"):
            key(ASKED.replace(extra=extra))


class TestQueries:
    """The query of a request to a target: the catalog's own names, and what the settings change."""

    def test_it_holds_what_the_key_is_made_of(self):
        assert query() == CacheQuery(ASKED, "openai", "", "openai_chat", "")
        assert query().key == key(ASKED, wire="openai_chat")

    def test_its_key_is_made_of_what_it_holds_and_of_nothing_else(self):
        assert query().replace(namespace="a", key="chosen").key == query(namespace="a").key

    def test_the_model_counts_by_the_catalog_s_name(self):
        assert query(ASKED.replace(model="openai/gpt-4o")).key == query().key
        assert query(model="openai/gpt-4o-mini").key != query().key

    def test_the_provider_s_own_endpoint_and_protocol_need_not_be_named(self):
        own = resolve("openai/gpt-4o")
        assert query(base_url=own.provider.endpoint + "/", wire=own.wire).key == query().key
        assert query(base_url="http://localhost:1/v1").key != query().key
        assert query(wire="openai_responses").key != query().key

    def test_an_endpoint_named_by_the_environment_counts(self):
        elsewhere = {"OPENAI_BASE_URL": "http://localhost:1/v1"}
        assert query(environ=elsewhere).endpoint == "http://localhost:1/v1"

    def test_two_resources_of_one_provider_are_two_places(self):
        places = [query(model="azure/my-deployment", base_url=f"https://{name}.openai.azure.com") for name in "ab"]
        assert places[0].key != places[1].key

    def test_no_setting_of_the_call_is_asked_for(self):
        """Keys, headers, time limits and retries have no way in."""
        assert {"base_url", "wire"} <= set(CallSettings._fields)
        assert set(queried.__annotations__) == {"request", "target", "base_url", "wire", "namespace", "return"}


def test_a_prompt_cache_made_beforehand_is_part_of_the_question():
    one, other = (ASKED.replace(prompt_cache=PromptCache(resource=name)) for name in ("cachedContents/a", "b"))
    assert len({key(ASKED), key(one), key(other)}) == 3
