"""What codecs read of money beside plain counts: service tiers, kinds priced apart, charges, runs within a call."""

import json

import pytest

from lambdallm.llm.types import Usage
from lambdallm.llm.wire import anthropic_messages, bedrock_converse, gemini, openai_chat, openai_responses
from lambdallm.llm.wire.billing import charged_usd, tier_of


def usage_of(codec, answer):
    return codec.decode_response(200, (), json.dumps(answer).encode()).unwrap().usage


def chat(usage, **beside):
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    return usage_of(openai_chat, {"choices": [choice], "usage": usage, **beside})


def responses(usage, *items, **beside):
    return usage_of(openai_responses, {"status": "completed", "output": list(items), "usage": usage, **beside})


def messages(**usage):
    answer = {"type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": usage}
    return usage_of(anthropic_messages, answer)


def converse(usage, **beside):
    answer = {"output": {"message": {"role": "assistant", "content": []}}, "stopReason": "end_turn", "usage": usage}
    return usage_of(bedrock_converse, answer | beside)


def generated(usage):
    candidate = {"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}
    return usage_of(gemini, {"candidates": [candidate], "usageMetadata": usage})


@pytest.mark.parametrize(
    ("words", "tier"),
    [
        (("default",), None), ((None, "standard", "auto"), None), (("flex",), "flex"),
        (("Priority", "us"), "priority+us"),
        (("flex", "flex"), "flex"), ((["flex"], 3), None), ((), None),
    ],
)  # fmt: skip
def test_words_that_mean_the_price_list_itself_are_no_tier(words, tier):
    assert tier_of(*words) == tier


def test_each_protocol_tells_the_tier_in_its_own_place():
    assert chat({"prompt_tokens": 1}, service_tier="flex").tier == "flex"
    assert chat({"prompt_tokens": 1, "service_tier": "flex"}).tier == "flex"
    assert responses({"input_tokens": 1}, service_tier="priority").tier == "priority"
    assert messages(input_tokens=1, service_tier="batch", inference_geo="us").tier == "batch+us"
    assert messages(input_tokens=1, service_tier="standard", speed="fast").tier == "fast"
    assert converse({"inputTokens": 1}, serviceTier={"type": "flex"}).tier == "flex"
    assert generated({"promptTokenCount": 1, "trafficType": "ON_DEMAND_PRIORITY"}).tier == "priority"
    assert generated({"promptTokenCount": 1, "serviceTier": "flex"}).tier == "flex"


def test_a_stream_tells_it_too():
    decoder = openai_chat.StreamDecoder()
    event = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}, "service_tier": "flex"}
    chunks = decoder.feed(f"data: {json.dumps(event)}\n\n".encode())
    assert [chunk.usage.tier for chunk in chunks if chunk.usage] == ["flex"]


def test_writes_kept_for_an_hour_are_part_of_the_writes():
    native = {"input_tokens": 3, "cache_creation_input_tokens": 100, "output_tokens": 1}
    usage = messages(**native, cache_creation={"ephemeral_5m_input_tokens": 60, "ephemeral_1h_input_tokens": 40})
    assert (usage.input_tokens, usage.cache_write_tokens, usage.details) == (103, 100, {"cache_write_1h": 40})
    details = [{"ttl": "5m", "inputTokens": 60}, {"ttl": "1h", "inputTokens": 40}]
    usage = converse({"inputTokens": 3, "cacheWriteInputTokens": 100, "cacheDetails": details})
    assert (usage.input_tokens, usage.cache_write_tokens, usage.details) == (103, 100, {"cache_write_1h": 40})


def test_sound_and_images_are_told_apart():
    usage = chat({
        "prompt_tokens": 50, "completion_tokens": 20, "total_tokens": 70,
        "prompt_tokens_details": {"audio_tokens": 30}, "completion_tokens_details": {"audio_tokens": 15},
    })  # fmt: skip
    assert (usage.input_tokens, usage.details) == (50, {"audio_input": 30, "audio_output": 15})


def test_sound_that_is_counted_beside_the_prompt_is_input():
    """Voxtral: 9 + 375 + 201 = 585."""
    native = {"prompt_tokens": 9, "completion_tokens": 201, "total_tokens": 585}
    usage = chat({**native, "prompt_tokens_details": {"audio_tokens": 375}})
    assert (usage.input_tokens, usage.output_tokens, usage.details) == (384, 201, {"audio_input": 375})


def test_cached_sound_is_apart_from_sound_that_is_not():
    usage = generated({
        "promptTokenCount": 300, "cachedContentTokenCount": 100, "candidatesTokenCount": 60,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}, {"modality": "AUDIO", "tokenCount": 200}],
        "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 80}, {"modality": "TEXT", "tokenCount": 20}],
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 50}],
    })  # fmt: skip
    assert usage.details == {"audio_input": 120, "audio_cached": 80, "image_output": 50}


def test_hosted_searches_are_counted_and_looks_at_pages_are_not():
    search = {"type": "web_search_call", "id": "a", "action": {"type": "search", "query": "x"}}
    page = {"type": "web_search_call", "id": "b", "action": {"type": "open_page", "url": "https://a.example"}}
    file = {"type": "file_search_call", "id": "c", "queries": []}
    assert responses({"input_tokens": 9}, search, search, page, file).details == {"web_search": 2, "file_search": 1}
    assert messages(input_tokens=1, server_tool_use={"web_search_requests": 2}).details == {"web_search": 2}


def test_runs_within_a_call_that_its_counts_leave_out():
    runs = [
        {"type": "message", "input_tokens": 90, "output_tokens": 9},
        {"type": "advisor_message", "model": "claude-fable-5", "input_tokens": 40, "output_tokens": 4},
        {"type": "compaction", "input_tokens": 7, "output_tokens": 2, "cache_read_input_tokens": 3},
    ]
    usage = messages(input_tokens=90, output_tokens=9, iterations=runs)
    assert usage.input_tokens == 90
    assert [(model, used.input_tokens, used.output_tokens) for model, used in usage.others] == [
        ("claude-fable-5", 40, 4), ("", 10, 2),
    ]  # fmt: skip
    fallback = messages(input_tokens=90, iterations=[{"type": "fallback_message", "model": "x", "input_tokens": 90}])
    assert fallback.tier == "fallback"


@pytest.mark.parametrize(
    ("native", "dollars"),
    [
        ({"cost": 0.25}, 0.25),
        ({"cost": 0}, 0.0),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}, 0.21),
        ({"cost": 0.01, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.2}}, 0.01),
        ({"cost": 0.01, "is_byok": True}, None),
        ({"cost": {"input_tokens_cost": 0.1, "total_cost": 0.3}}, 0.3),
        ({"cost_in_usd_ticks": 37_756_000}, 0.0037756),
        ({"cost": "free"}, None),
        ({"cost": True}, None),
        ({"cost": -1}, None),
        ({"cost": [1]}, None),
        ({}, None),
    ],
)
def test_what_a_provider_says_it_charged(native, dollars):
    assert charged_usd(native) == (None if dollars is None else pytest.approx(dollars))
    usage = chat({"prompt_tokens": 1, **native})
    assert usage.charged_usd == charged_usd(native)


def test_odd_values_are_read_as_nothing():
    odd = [None, 3, "x", [], {}, [3], {"audio_tokens": "x"}]
    for value in odd:
        assert (
            chat({"prompt_tokens": 1, "prompt_tokens_details": value, "completion_tokens_details": value}).details == {}
        )
        assert messages(input_tokens=1, iterations=value, server_tool_use=value, service_tier=value).others == ()
        assert converse({"inputTokens": 1, "cacheDetails": value}, serviceTier=value).details == {}
        strange = {"promptTokensDetails": value, "trafficType": value, "serviceTier": value}
        assert generated({"promptTokenCount": 1, **strange}).input_tokens == 1
        assert responses({"input_tokens": 1, "cost": value}, service_tier=value).input_tokens == 1
    assert generated({"promptTokenCount": 5, "promptTokensDetails": [{"modality": []}]}) == Usage(
        5, native={"promptTokenCount": 5, "promptTokensDetails": [{"modality": []}]}
    )
