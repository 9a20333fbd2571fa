"""One control for every provider's prompt cache: what each is sent for it, what is said where one can't do it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.call import codec_named
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.coerce import options_of
from lambdallm.llm.errors import ConfigurationError, UnsupportedParameterError
from lambdallm.llm.prompt_cache import cached
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
    ImagePart,
    PromptCache,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import anthropic_messages, bedrock_converse, gemini, openai_chat, openai_responses
from lambdallm.llm.wire.codec import Encoded

BUILT_IN = Catalog(environ={}, folders=())
MARK = {"type": "ephemeral"}
AN_HOUR = {"type": "ephemeral", "ttl": "1h"}
BREAKPOINT = {"mode": "explicit"}
POINT = {"cachePoint": {"type": "default"}}

SYSTEM = ChatMessage("system", "You know the handbook by heart.")
QUESTION = ChatMessage("user", "How long is the notice?")
TOOLS = (ToolDefinition("first"), ToolDefinition("last"))
CONVERSATION = (SYSTEM, QUESTION, ChatMessage("assistant", "Three months."), ChatMessage("user", "And in the trial?"))


def request_for(model: str, cache: PromptCache | None = None, *messages: ChatMessage, **fields: Any) -> ChatRequest:
    return ChatRequest(model, messages or CONVERSATION, prompt_cache=cache or PromptCache(), **fields)


def encoded(model: str, cache: PromptCache | None = None, *messages: ChatMessage, **fields: Any) -> Encoded:
    """A request as the catalog's entry for the model has it written."""
    target = resolve(model, BUILT_IN)
    written: Encoded = codec_named(target.wire).encode_request(
        request_for(target.model.id, cache, *messages, **fields), target.facts
    )
    return written


def sent(model: str, cache: PromptCache | None = None, *messages: ChatMessage, **fields: Any) -> Any:
    written = encoded(model, cache, *messages, **fields)
    assert written.warnings == ()
    return json.loads(written.body)


class TestAnthropic:
    """Anthropic's own API, and Claude on Vertex, Azure and Bedrock, where the body is the same."""

    @pytest.mark.parametrize(
        "model", ["anthropic/claude-opus-5-5", "vertex/claude-sonnet-5", "azure_anthropic/claude-haiku-5-5"]
    )
    def test_tools_system_and_the_conversation_so_far_are_marked_at_their_ends(self, model: str) -> None:
        body = sent(model, tools=TOOLS)
        assert [tool.get("cache_control") for tool in body["tools"]] == [None, MARK]
        assert body["system"] == [{"type": "text", "text": SYSTEM.text, "cache_control": MARK}]
        assert [turn["content"][-1].get("cache_control") for turn in body["messages"]] == [None, None, MARK]
        assert "cache_control" not in body

    def test_a_question_that_nobody_goes_on_from(self) -> None:
        body = sent("anthropic/claude-opus-5-5", PromptCache(breakpoints=("tools", "system")), SYSTEM, QUESTION)
        assert body["messages"] == [{"role": "user", "content": [{"type": "text", "text": QUESTION.text}]}]

    def test_an_hour(self) -> None:
        assert sent("anthropic/claude-opus-5-5", PromptCache(ttl="1h"))["system"][0]["cache_control"] == AN_HOUR

    def test_five_minutes_are_what_happens_anyway(self) -> None:
        assert sent("anthropic/claude-opus-5-5", PromptCache(ttl="5m"))["system"][0]["cache_control"] == MARK

    def test_results_of_tools_end_a_conversation_too(self) -> None:
        turns = (
            QUESTION,
            ChatMessage("assistant", (ReasoningPart("Hm.", "s"), ToolCall("c", "last", {}))),
            ChatMessage("tool", (ToolResult("c", "42"),)),
        )
        body = sent("anthropic/claude-opus-5-5", None, *turns)
        assert body["messages"][-1]["content"] == [
            {"type": "tool_result", "tool_use_id": "c", "content": "42", "cache_control": MARK}
        ]

    def test_what_can_t_carry_a_mark_is_passed_over(self) -> None:
        end = ChatMessage("user", (TextPart("Look."), ProviderPart("container_upload", {"file_id": "f"}), TextPart("")))
        thought = ChatMessage("assistant", (ReasoningPart("Hm.", "s"),))
        body = sent("anthropic/claude-opus-5-5", PromptCache(breakpoints=("messages",)), end, thought)
        assert body["messages"][0]["content"][0] == {"type": "text", "text": "Look.", "cache_control": MARK}

    def test_a_mark_of_one_s_own_stays_the_only_one_there(self) -> None:
        messages = (cached(SYSTEM, ttl="1h"), QUESTION)
        body = sent("anthropic/claude-opus-5-5", PromptCache(breakpoints=("system",)), *messages)
        assert body["system"][0]["cache_control"] == AN_HOUR

    def test_four_marks_and_no_more(self) -> None:
        three = tuple(cached(TextPart(text)) for text in "abc")
        written = encoded("anthropic/claude-opus-5-5", None, SYSTEM, ChatMessage("user", (*three, TextPart("d"))))
        assert str(written.body).count("cache_control") == 4
        assert written.warnings == ("'prompt_cache': no mark for the 'messages', 4 parts are marked already",)

    def test_five_marks_are_an_error_that_says_so(self) -> None:
        five = ChatMessage("user", tuple(cached(TextPart(text)) for text in "abcde"))
        with pytest.raises(UnsupportedParameterError, match=r"5 parts .* 4 may be\. Mark fewer") as caught:
            encoded("anthropic/claude-opus-5-5", None, five)
        assert caught.value.param == "prompt_cache"

    def test_a_lifetime_that_it_has_not(self) -> None:
        written = encoded("anthropic/claude-opus-5-5", PromptCache(ttl="24h"))
        assert written.warnings == (
            "'prompt_cache.ttl': '24h' left out: this provider has no such lifetime, it has '5m', '1h'",
        )

    def test_a_lifetime_for_nothing(self) -> None:
        written = encoded("anthropic/claude-opus-5-5", PromptCache(ttl="1h", breakpoints=()))
        assert written.warnings == ("'prompt_cache.ttl': '1h' left out: no place is marked for it",)

    @pytest.mark.parametrize("mark", [{"type": "ephemeral"}, {"type": "ephemeral", "ttl": "5m"}, AN_HOUR])
    def test_a_client_s_mark_on_the_whole_request(self, mark: dict[str, str]) -> None:
        """It goes on as it came to who knows it, and to its last part elsewhere."""
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], "cache_control": mark}
        request = anthropic_messages.decode_request(json.dumps(body).encode())
        assert request.prompt_cache == PromptCache(mark.get("ttl"), breakpoints=("messages",))
        again = json.loads(anthropic_messages.encode_request(request, {}).body)
        assert again["cache_control"] == mark
        elsewhere = json.loads(anthropic_messages.encode_request(request, {"cache_automatic": False}).body)
        assert "cache_control" not in elsewhere
        assert elsewhere["messages"][0]["content"][0]["cache_control"]["type"] == "ephemeral"

    @pytest.mark.parametrize("mark", [{"type": "eternal"}, {"type": "ephemeral", "scope": "all"}, {"ttl": 5}, "yes"])
    def test_a_client_s_mark_that_says_more_stays_as_it_is(self, mark: Any) -> None:
        body = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}], "cache_control": mark}
        request = anthropic_messages.decode_request(json.dumps(body).encode())
        assert (request.prompt_cache, request.extra) == (None, {"cache_control": mark})


class TestBedrock:
    def test_claude(self) -> None:
        body = sent("bedrock/us.anthropic.claude-opus-5", PromptCache(ttl="1h"), tools=TOOLS)
        hour = {"cachePoint": {"type": "default", "ttl": "1h"}}
        assert body["system"] == [{"text": SYSTEM.text}, hour]
        assert body["toolConfig"]["tools"][-1] == hour
        assert [turn["content"][-1] == hour for turn in body["messages"]] == [False, False, True]

    @pytest.mark.parametrize(
        "model", ["anthropic.claude-3-7-sonnet-20250219-v1:0", "anthropic.claude-sonnet-4-20250514-v1:0"]
    )
    def test_older_claudes_keep_for_five_minutes(self, model: str) -> None:
        assert sent(f"bedrock/{model}", PromptCache(ttl="5m"))["system"][-1] == POINT
        assert encoded(f"bedrock/{model}", PromptCache(ttl="1h")).warnings == (
            "'prompt_cache.ttl': '1h' left out: this provider has no such lifetime, it has '5m'",
        )

    def test_nova_takes_none_among_tools(self) -> None:
        body = sent("bedrock/us.amazon.nova-lite-v1:0", tools=TOOLS)
        assert POINT not in body["toolConfig"]["tools"]
        assert body["system"][-1] == body["messages"][-1]["content"][-1] == POINT

    def test_nova_in_its_own_body(self) -> None:
        target = resolve("bedrock/us.amazon.nova-lite-v1:0", BUILT_IN)
        nova = codec_named("bedrock_invoke.nova")
        body = json.loads(nova.encode_request(request_for(target.model.id), target.facts).body)
        assert body["system"][-1] == POINT

    def test_claude_in_its_own_body(self) -> None:
        target = resolve("bedrock/us.anthropic.claude-opus-5", BUILT_IN)
        claude = codec_named("bedrock_invoke.anthropic")
        body = json.loads(claude.encode_request(request_for(target.model.id), target.facts).body)
        assert body["system"][-1]["cache_control"] == MARK

    @pytest.mark.parametrize(
        "model",
        ["meta.llama3-3-70b-instruct-v1:0", "anthropic.claude-3-haiku-20240307-v1:0", "openai.gpt-oss-120b-1:0"],
    )
    def test_a_model_without_marks(self, model: str) -> None:
        written = encoded(f"bedrock/{model}")
        assert b"cachePoint" not in written.body
        assert written.warnings == ("'prompt_cache' left out: this model takes no marks for a prompt cache",)

    def test_marks_of_a_client_s_do_not_reach_a_model_without(self) -> None:
        """Bedrock refuses them: what was written for Claude would fail with every other model."""
        target = resolve("bedrock/meta.llama3-3-70b-instruct-v1:0", BUILT_IN)
        request = ChatRequest(target.model.id, (cached(SYSTEM), cached(QUESTION)), tools=(cached(TOOLS[0]),))
        written = bedrock_converse.encode_request(request, target.facts)
        assert b"cachePoint" not in written.body
        assert written.warnings == tuple(
            f"the cache marker of {where} left out: this model takes none there"
            for where in ("messages[1]", "messages[0]", "tools[0]")
        )

    def test_a_profile_of_one_s_own(self) -> None:
        """What model stands behind it nobody knows; the two kinds that take marks take these."""
        body = sent("bedrock/arn:aws:bedrock:eu-west-1:000000000000:application-inference-profile/abc")
        assert body["system"][-1] == POINT


class TestOpenAI:
    @pytest.mark.parametrize("model", ["openai/gpt-4o", "azure/gpt-5.2", "openai/gpt-5.3-codex"])
    def test_caching_is_automatic(self, model: str) -> None:
        asked, plain = encoded(model), encoded(model).body
        assert (asked.warnings, asked.headers) == ((), ())
        target = resolve(model, BUILT_IN)
        bare = request_for(target.model.id).replace(prompt_cache=None)
        assert codec_named(target.wire).encode_request(bare, target.facts).body == plain

    @pytest.mark.parametrize("model", ["openai/gpt-5.2", "openai/gpt-5.3-codex", "azure/gpt-4.1"])
    def test_a_key_and_a_day(self, model: str) -> None:
        body = sent(model, PromptCache(ttl="24h", key="handbook"))
        assert (body["prompt_cache_key"], body["prompt_cache_retention"]) == ("handbook", "24h")

    @pytest.mark.parametrize("model", ["openai/gpt-4o", "openai/gpt-5-mini", "openai/o3"])
    def test_models_that_keep_for_minutes(self, model: str) -> None:
        assert sent(model, PromptCache(ttl="5m"))
        (warning,) = encoded(model, PromptCache(ttl="24h")).warnings
        assert warning.startswith("'prompt_cache.ttl': '24h' left out")

    def test_newer_models_find_again_what_ends_at_a_breakpoint(self) -> None:
        """They put one at the newest message by themselves; the one at the system's end serves other conversations."""
        body = sent("openai/gpt-5.6-sol", PromptCache(ttl="30m"))
        assert body["messages"][0]["content"] == [
            {"type": "text", "text": SYSTEM.text, "prompt_cache_breakpoint": BREAKPOINT}
        ]
        assert json.dumps(body).count("prompt_cache") == 1

    def test_a_breakpoint_may_be_kept_longer(self) -> None:
        body = sent("openai/gpt-6-luna", PromptCache(ttl="12h"))
        assert body["messages"][0]["content"][0]["prompt_cache_breakpoint"] == {"mode": "explicit", "ttl": "12h"}

    def test_the_same_in_the_responses_protocol(self) -> None:
        facts = resolve("openai/gpt-5.6-sol", BUILT_IN).facts
        encoded = openai_responses.encode_request(request_for("gpt-5.6-sol", PromptCache(key="k")), facts)
        body = json.loads(encoded.body)
        assert body["input"][0]["content"] == [
            {"type": "input_text", "text": SYSTEM.text, "prompt_cache_breakpoint": BREAKPOINT}
        ]
        assert (body["prompt_cache_key"], encoded.warnings) == ("k", ())

    @pytest.mark.parametrize("codec", [openai_chat, openai_responses])
    def test_marks_stand_on_content_alone(self, codec: Any) -> None:
        facts = {"cache_mark": "prompt_cache_breakpoint"}
        picture = cached(ImagePart("https://example.org/a.png"), ttl="1h")
        request = ChatRequest("m", (ChatMessage("user", (picture, cached(TextPart("?")))),), tools=(cached(TOOLS[0]),))
        written = codec.encode_request(request, facts)
        assert str(written.body).count("prompt_cache_breakpoint") == 2
        lifetime, mark = sorted(written.warnings, key=lambda warning: "'ttl'" not in warning)
        assert lifetime.startswith("'ttl' '1h' of the 'cache_control' of ")
        assert mark.startswith("'cache_control' of tool")
        assert b"cache_control" not in written.body

    @pytest.mark.parametrize("codec", [openai_chat, openai_responses])
    def test_a_client_s_settings_go_on_as_they_came(self, codec: Any) -> None:
        fields = {
            "prompt_cache_key": "k",
            "prompt_cache_retention": "24h",
            "prompt_cache_options": {"mode": "implicit"},
        }
        turns = [{"role": "user", "content": "Hi"}]
        body = {"model": "m", "messages": turns, "input": turns, **fields}
        request = codec.decode_request(json.dumps(body).encode())
        assert request.prompt_cache == PromptCache("24h", "k", ())
        assert fields.items() <= json.loads(codec.encode_request(request, {}).body).items()

    @pytest.mark.parametrize("fields", [{"prompt_cache_key": 5}, {"prompt_cache_retention": "in_memory"}])
    def test_a_client_s_other_words_stay_as_they_are(self, fields: dict[str, Any]) -> None:
        body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}
        request = openai_chat.decode_request(json.dumps(body).encode())
        assert (request.prompt_cache, request.extra) == (None, fields)

    def test_a_client_s_settings_are_echoed(self) -> None:
        body = {"model": "m", "input": "Hi", "prompt_cache_key": "k", "prompt_cache_retention": "24h"}
        request = openai_responses.decode_request(json.dumps(body).encode())
        answer = Completion((Choice(ChatMessage("assistant", "Hello")),))
        told = json.loads(openai_responses.encode_response(answer, request, id="resp_1", created=1))
        assert (told["prompt_cache_key"], told["prompt_cache_retention"]) == ("k", "24h")

    @pytest.mark.parametrize(
        ("codec", "part"),
        [
            (openai_chat, {"type": "text", "text": "Long."}),
            (openai_chat, {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}),
            (openai_responses, {"type": "input_text", "text": "Long."}),
            (openai_responses, {"type": "input_image", "image_url": "https://example.org/a.png"}),
            (openai_responses, {"type": "input_file", "file_id": "file-1"}),
        ],
    )
    @pytest.mark.parametrize("breakpoint", [BREAKPOINT, {"mode": "explicit", "ttl": "12h"}])
    def test_a_client_s_breakpoint_is_a_mark_that_all_protocols_know(
        self, codec: Any, part: dict[str, Any], breakpoint: dict[str, str]
    ) -> None:
        turns = [{"role": "user", "content": [part | {"prompt_cache_breakpoint": breakpoint}]}]
        request = codec.decode_request(json.dumps({"model": "m", "messages": turns, "input": turns}).encode())
        (read,) = request.messages[0].parts
        assert read.metadata["cache_control"] == MARK | {k: v for k, v in breakpoint.items() if k == "ttl"}
        assert breakpoint in [
            item.get("prompt_cache_breakpoint") for item in content_of(codec.encode_request(request, {}))
        ]
        if isinstance(read, TextPart):
            body = json.loads(anthropic_messages.encode_request(request.replace(max_tokens=5), {}).body)
            assert body["messages"][0]["content"][0]["cache_control"]["type"] == "ephemeral"

    def test_a_breakpoint_of_another_form_stays_as_it_is(self) -> None:
        part = {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "fuzzy"}}
        turns = [{"role": "user", "content": [part]}]
        request = openai_chat.decode_request(json.dumps({"model": "m", "messages": turns}).encode())
        assert content_of(openai_chat.encode_request(request, {})) == [part]


def content_of(written: Encoded) -> list[dict[str, Any]]:
    """The first message's content, in either of OpenAI's dialects."""
    body = json.loads(written.body)
    content: list[dict[str, Any]] = (body.get("messages") or body["input"])[0]["content"]
    return content


class TestGemini:
    def test_a_cache_made_beforehand_is_named(self) -> None:
        body = sent("gemini/gemini-2.5-flash", PromptCache(resource="cachedContents/abc"), QUESTION)
        assert body["cachedContent"] == "cachedContents/abc"

    def test_prompts_are_kept_without_asking(self) -> None:
        assert "cachedContent" not in sent("gemini/gemini-2.5-flash")

    def test_how_long_can_t_be_asked(self) -> None:
        (warning,) = encoded("vertex/gemini-3.5-flash", PromptCache(ttl="1h")).warnings
        assert (
            warning == "'prompt_cache.ttl': '1h' left out: this provider has no such lifetime, it decides that itself"
        )

    def test_a_client_s_cache_goes_on(self) -> None:
        body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "cachedContent": "cachedContents/abc"}
        request = gemini.decode_request(json.dumps(body).encode(), model="m")
        assert request.prompt_cache == PromptCache(breakpoints=(), resource="cachedContents/abc")
        assert json.loads(gemini.encode_request(request, {}).body) == body

    @pytest.mark.parametrize(
        "model",
        ["openai/gpt-4o", "anthropic/claude-opus-5-5", "bedrock/us.anthropic.claude-opus-5",
         "cohere/command-a-03-2025", "ollama/llama3.2"],
    )  # fmt: skip
    def test_elsewhere_its_content_would_be_missing(self, model: str) -> None:
        with pytest.raises(UnsupportedParameterError, match=r"resource='cachedContents/abc'.* Send its content"):
            encoded(model, PromptCache(resource="cachedContents/abc"))


class TestOthers:
    @pytest.mark.parametrize(
        ("model", "field"),
        [
            ("mistral/mistral-small-latest", "prompt_cache_key"),
            ("fireworks/accounts/fireworks/models/gpt-oss-20b", "prompt_cache_key"),
            ("openrouter/deepseek/deepseek-v4-pro", "session_id"),
        ],
    )
    def test_a_key_in_the_body(self, model: str, field: str) -> None:
        assert sent(model, PromptCache(key="handbook"))[field] == "handbook"

    @pytest.mark.parametrize(
        ("model", "header"),
        [
            ("xai/grok-4.3", "x-grok-conv-id"),
            ("cloudflare/@cf/meta/llama-3.3-70b-instruct-fp8-fast", "x-session-affinity"),
        ],
    )
    def test_a_key_in_a_header(self, model: str, header: str) -> None:
        assert encoded(model, PromptCache(key="handbook")).headers == ((header, "handbook"),)
        assert encoded(model).headers == ()

    def test_a_key_in_the_body_of_a_responses_request(self) -> None:
        facts = resolve("xai/grok-4.3", BUILT_IN).facts
        written = openai_responses.encode_request(request_for("grok-4.3", PromptCache(key="k")), facts)
        assert (json.loads(written.body)["prompt_cache_key"], written.headers) == ("k", ())

    @pytest.mark.parametrize("key", ["a\r\nX-Evil: 1", "schl\u00fcssel", "a\x00"])
    def test_a_key_that_no_header_can_hold(self, key: str) -> None:
        with pytest.raises(UnsupportedParameterError, match=r"x-grok-conv-id.*Use printable ASCII"):
            encoded("xai/grok-4.3", PromptCache(key=key))

    @pytest.mark.parametrize(
        "model",
        ["groq/openai/gpt-oss-20b", "deepseek/deepseek-flash", "together/openai/gpt-oss-120b", "cerebras/gpt-oss-120b",
         "cohere/command-a-03-2025", "ollama/llama3.2", "gemini/gemini-2.5-flash", "perplexity/sonar"],
    )  # fmt: skip
    def test_who_keeps_prompts_without_asking_is_asked_for_nothing(self, model: str) -> None:
        asked, plain = (json.dumps(sent(model, cache)) for cache in (PromptCache(key="secret"), PromptCache()))
        assert asked == plain
        assert "cache" not in asked

    def test_lifetimes_that_hold_anyway_need_no_word(self) -> None:
        assert sent("groq/openai/gpt-oss-20b", PromptCache(ttl="1h"))

    def test_openrouter_marks_for_claude(self) -> None:
        body = sent("openrouter/anthropic/claude-opus-5.5", PromptCache(ttl="1h"), tools=TOOLS)
        assert body["tools"][-1]["cache_control"] == AN_HOUR
        assert body["messages"][0]["content"] == [{"type": "text", "text": SYSTEM.text, "cache_control": AN_HOUR}]
        assert body["messages"][-1]["content"][-1]["cache_control"] == AN_HOUR

    def test_openrouter_marks_for_openai_in_its_words(self) -> None:
        assert "prompt_cache_breakpoint" in sent("openrouter/openai/gpt-5.6-sol")["messages"][0]["content"][0]


class TestAsking:
    """`prompt_cache=` of a call."""

    @pytest.mark.parametrize(
        ("given", "meant"),
        [(True, PromptCache()), (False, None), ("1h", PromptCache("1h")), (PromptCache(key="k"), PromptCache(key="k"))],
    )
    def test_its_forms(self, given: Any, meant: PromptCache | None) -> None:
        assert options_of({"prompt_cache": given}) == {"prompt_cache": meant}

    @pytest.mark.parametrize(
        "given", [5, "", {"ttl": "1h"}, PromptCache(breakpoints=("sytem",)), PromptCache(breakpoints="system")]
    )  # type: ignore[arg-type] # what is tested
    def test_what_it_does_not_mean(self, given: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"prompt_cache.*Use "):
            options_of({"prompt_cache": given})

    def test_marking(self) -> None:
        assert cached(ChatMessage("user", "Long.")).parts == (TextPart("Long.", metadata={"cache_control": MARK}),)
        assert cached(TOOLS[0], ttl="1h").metadata == {"cache_control": AN_HOUR}
        picture = cached(ChatMessage("user", (TextPart("a"), ImagePart("u", metadata={"k": 1}))))
        assert [part.metadata for part in picture.parts] == [{}, {"k": 1, "cache_control": MARK}]  # type: ignore[union-attr] # both have some
        with pytest.raises(ConfigurationError, match="has no part to mark"):
            cached(ChatMessage("user"))


PARTS = st.one_of(
    st.builds(TextPart, st.sampled_from(["", "a", "b"])),
    st.builds(lambda: cached(TextPart("marked"))),
    st.builds(lambda: ReasoningPart("Hm.", "s")),
    st.builds(lambda: ToolCall("c", "f", {})),
    st.builds(lambda: ToolResult("c", "42")),
    st.builds(lambda: ProviderPart("mystery", {})),
)
MESSAGES = st.lists(
    st.builds(
        ChatMessage, st.sampled_from(["system", "user", "assistant", "tool"]),
        st.sampled_from(["", "a"]) | st.lists(PARTS, max_size=3).map(tuple),
    ),
    min_size=1, max_size=6,
).map(tuple)  # fmt: skip
CACHES = st.builds(
    PromptCache,
    st.sampled_from([None, "5m", "1h", "24h", "forever"]),
    st.none() | st.just("k"),
    st.lists(st.sampled_from(["tools", "system", "messages"]), unique=True).map(tuple),
)
MARKED = b'"cache_control"'
TOOL_LISTS = st.lists(st.sampled_from([*TOOLS, cached(TOOLS[0]), ProviderPart("search", {})]), max_size=3).map(tuple)


@given(MESSAGES, CACHES, TOOL_LISTS)
def test_no_conversation_gets_more_than_four_marks_or_another_word(
    messages: tuple[ChatMessage, ...], cache: PromptCache, tools: tuple[Any, ...]
) -> None:
    request = ChatRequest("m", messages, tools=tools, prompt_cache=cache, max_tokens=5)
    try:
        written = anthropic_messages.encode_request(request, {})
    except UnsupportedParameterError:
        assert anthropic_messages.encode_request(request.replace(prompt_cache=None), {}).body.count(MARKED) > 4
        return
    assert written.body.count(MARKED) <= 4
    bare = anthropic_messages.encode_request(request.replace(prompt_cache=None), {})
    assert without_marks(json.loads(written.body)) == without_marks(json.loads(bare.body))


def without_marks(value: Any) -> Any:
    """A body without marks; a text alone in its list is the text."""
    if isinstance(value, list):
        return [without_marks(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {key: without_marks(item) for key, item in value.items() if key != "cache_control"}
    if isinstance(system := fields.get("system"), list) and len(system) == 1 and system[0].keys() == {"type", "text"}:
        fields["system"] = system[0]["text"]
    return fields
