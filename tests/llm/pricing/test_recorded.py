"""What recorded calls cost: by us, and by each provider's published rule applied to its own record.

The rules are written down here once more, from the providers' pages and without our codecs: which of a record's counts
lie inside others, and which beside them. The neighbours' most reported bug is a token that is paid for twice.
"""

import base64
import json

import pytest

from lambdallm.llm.call import codec_named
from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.pricing.cost import cost_usd
from lambdallm.llm.result import Ok
from recorded import recordings

INPUT, OUTPUT, READ, WRITE, HOUR, SOUND, SOUND_READ, SOUND_MADE, SEARCH = 3.0, 17.0, 0.5, 4.0, 7.0, 29.0, 2.5, 61.0, 1e4
PRICE = Price(INPUT, OUTPUT, READ, WRITE, rates={
    "cache_write_1h": HOUR, "audio_input": SOUND, "audio_cached": SOUND_READ, "audio_output": SOUND_MADE,
    "web_search": SEARCH, "file_search": 0.0,
})  # fmt: skip


def at(record, *path):
    for name in path:
        record = record.get(name) if isinstance(record, dict) else None
    return record or 0


def openai_chat(native, answer):
    """ "Usage": details are inside their counts; where the total has more, thoughts or sound are beside them."""
    given, made = at(native, "prompt_tokens"), at(native, "completion_tokens")
    thought = at(native, "completion_tokens_details", "reasoning_tokens")
    heard = at(native, "prompt_tokens_details", "audio_tokens")
    beyond = at(native, "total_tokens") - given - made
    given, made = given + heard * (beyond == heard), made + thought * (beyond == thought)
    read = at(native, "prompt_tokens_details", "cached_tokens") or at(native, "prompt_cache_hit_tokens")
    read = read or at(native, "num_cached_tokens")
    written = at(native, "prompt_tokens_details", "cache_write_tokens")
    cost = (given - read - written) * INPUT + read * READ + written * WRITE + made * OUTPUT
    spoken = at(native, "completion_tokens_details", "audio_tokens")
    return cost + heard * (SOUND - INPUT) + spoken * (SOUND_MADE - OUTPUT)


def openai_responses(native, answer):
    """As in chat, under other names; each search that a hosted tool made is charged as well."""
    given, made = at(native, "input_tokens"), at(native, "output_tokens")
    read, written = (at(native, "input_tokens_details", name) for name in ("cached_tokens", "cache_write_tokens"))
    searches = [item for item in at(answer, "output") or [] if item.get("type") == "web_search_call"]
    free = [item for item in searches if at(item, "action", "type") in ("open_page", "find", "find_in_page")]
    cost = (given - read - written) * INPUT + read * READ + written * WRITE + made * OUTPUT
    return cost + (len(searches) - len(free)) * SEARCH


def anthropic_messages(native, answer):
    """ "Prompt caching": the three counts of input lie beside one another; those kept for an hour are in the writes."""
    hour = at(native, "cache_creation", "ephemeral_1h_input_tokens")
    cost = at(native, "input_tokens") * INPUT + at(native, "output_tokens") * OUTPUT
    cost += at(native, "cache_read_input_tokens") * READ + at(native, "cache_creation_input_tokens") * WRITE
    return cost + hour * (HOUR - WRITE) + at(native, "server_tool_use", "web_search_requests") * SEARCH


def bedrock_converse(native, answer):
    """ "TokenUsage": the three counts of input lie beside one another."""
    cost = at(native, "inputTokens") * INPUT + at(native, "outputTokens") * OUTPUT
    return cost + at(native, "cacheReadInputTokens") * READ + at(native, "cacheWriteInputTokens") * WRITE


def gemini(native, answer):
    """ "UsageMetadata": cached input is inside the prompt; thoughts and what tools fed in are beside the others."""
    given = at(native, "promptTokenCount") + at(native, "toolUsePromptTokenCount")
    made = at(native, "candidatesTokenCount") + at(native, "thoughtsTokenCount")
    read = at(native, "cachedContentTokenCount")
    sound = {name: sum(e.get("tokenCount", 0) for e in at(native, name) or [] if e.get("modality") == "AUDIO")
             for name in ("promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails")}  # fmt: skip
    cost = (given - read) * INPUT + read * READ + made * OUTPUT
    cost += (sound["promptTokensDetails"] - sound["cacheTokensDetails"]) * (SOUND - INPUT)
    cost += sound["cacheTokensDetails"] * (SOUND_READ - READ)
    return cost + sound["candidatesTokensDetails"] * (SOUND_MADE - OUTPUT)


def cohere(native, answer):
    """ "How does Cohere price": what is billed is told apart from what the model saw."""
    return at(native, "billed_units", "input_tokens") * INPUT + at(native, "billed_units", "output_tokens") * OUTPUT


RULES = {
    "openai_chat": openai_chat, "openai_responses": openai_responses, "anthropic_messages": anthropic_messages,
    "bedrock_converse": bedrock_converse, "gemini": gemini, "cohere_chat": cohere, "cohere_chat_v1": cohere,
}  # fmt: skip
FOLDERS = {
    "openai/chat": "openai_chat", "azure/chat": "openai_chat", "deepseek/chat": "openai_chat",
    "groq/chat": "openai_chat", "mistral/chat": "openai_chat", "openrouter/chat": "openai_chat",
    "other/chat": "openai_chat", "together/chat": "openai_chat", "fireworks/chat": "openai_chat",
    "cloudflare/chat": "openai_chat", "gemini/openai_compat": "openai_chat", "cohere/openai_compat": "openai_chat",
    "ollama/openai_compat": "openai_chat", "bedrock/openai_chat": "openai_chat",
    "openai/responses": "openai_responses", "azure/responses": "openai_responses",
    "deepseek/responses": "openai_responses", "openrouter/responses": "openai_responses",
    "bedrock/openai_responses": "openai_responses", "other/responses": "openai_responses",
    "anthropic/messages": "anthropic_messages", "vertex/anthropic_messages": "anthropic_messages",
    "bedrock/converse": "bedrock_converse", "gemini/generate_content": "gemini", "vertex/generate_content": "gemini",
    "cohere/chat_v1": "cohere_chat_v1", "cohere/chat_v2": "cohere_chat",
}  # fmt: skip


def priced(exchange):
    return exchange["response"]["status"] == 200 and bool((exchange.get("expected") or {}).get("usage"))


def decoded(path):
    """The usage of a recorded answer, and the whole answer where it came as JSON."""
    exchange = json.loads(path.read_bytes())
    response = exchange["response"]
    body = base64.b64decode(response["body_b64"]) if "body_b64" in response else (response["body"] or "").encode()
    codec = codec_named(FOLDERS["/".join(path.parts[-3:-1])])
    if not exchange["stream"]:
        result = codec.decode_response(200, tuple(response["headers"].items()), body)
        return result.value.usage if isinstance(result, Ok) else None, json.loads(body)
    decoder = codec.StreamDecoder()
    chunks = [*decoder.feed(body), *decoder.close()]
    return next((chunk.usage for chunk in reversed(chunks) if chunk.usage is not None), None), None


@recordings(*FOLDERS, holds=priced)
def test_a_recorded_call_costs_what_its_provider_charges(path):
    usage, answer = decoded(path)
    if usage is None or (answer is None and "web_search" in usage.details):
        return
    plain = usage.replace(charged_usd=None, tier=None, others=())
    expected = RULES[FOLDERS["/".join(path.parts[-3:-1])]](usage.native, answer) / 1e6
    assert cost_usd(plain, PRICE) == pytest.approx(expected or None)


@recordings(*FOLDERS, holds=priced)
def test_no_kind_counts_more_than_what_it_is_part_of(path):
    usage, _ = decoded(path)
    if usage is None:
        return
    assert usage.cached_tokens + usage.cache_write_tokens <= usage.input_tokens
    assert usage.reasoning_tokens <= usage.output_tokens
    assert usage.details.get("cache_write_1h", 0) <= usage.cache_write_tokens
    assert sum(usage.details.get(f"{kind}_input", 0) for kind in ("audio", "image", "video")) <= usage.input_tokens


@recordings("openrouter/*", "other/responses", holds=priced, but=("openrouter/embeddings",))
def test_what_was_charged_is_what_the_record_says(path):
    usage, _ = decoded(path)
    native = usage.native
    charged = at(native, "cost") + at(native, "cost_details", "upstream_inference_cost") * bool(native.get("is_byok"))
    if "cost_in_usd_ticks" in native:
        charged = native["cost_in_usd_ticks"] / 1e10
    elif "cost" not in native:
        charged = None
    assert usage.charged_usd == (None if charged is None else pytest.approx(charged))


@recordings("openai/*", "anthropic/messages", holds=priced, but=("openai/embeddings", "openai/completions"))
def test_a_service_tier_is_told_where_it_is_not_the_standard_one(path):
    usage, answer = decoded(path)
    if answer is not None:
        named = answer.get("service_tier") or usage.native.get("service_tier")
        assert usage.tier == (named if named in ("flex", "priority") else None)
