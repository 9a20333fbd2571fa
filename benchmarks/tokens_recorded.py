"""Recorded requests and answers with the counts that their providers gave them, beside our estimates."""

from __future__ import annotations

import json
import os
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent

from lambdallm.llm.call import codec_named  # noqa: E402
from lambdallm.llm.errors import LambdaLLMError  # noqa: E402
from lambdallm.llm.pricing.tokens.estimate import EstimatingCounter  # noqa: E402
from lambdallm.llm.pricing.tokens.families import FAMILIES, family_of  # noqa: E402
from lambdallm.llm.types import AudioPart, DocumentPart, ImagePart  # noqa: E402

WIRES = {
    "openai/chat": "openai_chat", "openai/responses": "openai_responses", "azure/chat": "openai_chat",
    "azure/responses": "openai_responses", "anthropic/messages": "anthropic_messages",
    "anthropic/count_tokens": "anthropic_count_tokens", "gemini/generate_content": "gemini",
    "vertex/generate_content": "gemini", "vertex/anthropic_messages": "anthropic_messages",
    "deepseek/chat": "openai_chat", "mistral/chat": "openai_chat", "groq/chat": "openai_chat",
    "together/chat": "openai_chat",
}  # fmt: skip
MEDIA = (ImagePart, AudioPart, DocumentPart)
OUTSIDE = ("cached", "cache_write")
"""Input that Anthropic's own count leaves out."""


def recorded() -> dict[tuple[str, str], list[tuple[int, int]]]:
    """Estimates and counts, by what was counted and the family of models."""
    corpus = Path(os.environ.get("LAMBDALLM_CORPUS", ""))
    found: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    counter = EstimatingCounter()
    for folder, wire in WIRES.items() if os.environ.get("LAMBDALLM_CORPUS") else ():
        for path in sorted((corpus / folder).glob("*.json")):
            for what, model, guess, real in counts(json.loads(path.read_bytes()), wire, counter):
                found[what, family_name(model)].append((guess, real))
    return found


def family_name(model: str) -> str:
    return next(name for name, family in FAMILIES.items() if family == family_of(model))


def counts(exchange: dict, wire: str, counter: EstimatingCounter):
    """Up to two: of the request, and of the answer where that is text alone."""
    expected, body = exchange.get("expected") or {}, exchange["request"].get("body")
    if exchange["response"]["status"] != 200 or not isinstance(body, dict):
        return
    usage, model = expected.get("usage") or {}, body.get("model") or exchange["model"] or ""
    real = expected.get("input_tokens") or usage.get("input") or 0
    if wire == "anthropic_messages":
        real += sum(usage.get(name) or 0 for name in OUTSIDE)
    hosted = "tool_use_prompt_token_count" in json.dumps(usage) and (usage["native"].get("tool_use_prompt_token_count"))
    if real and not hosted and (request := decoded(wire, body, model)) is not None:
        kind = "media" if media_in(request) else "tools" if request.tools else "chat"
        yield kind, model, counter.count_request(request), real
    text, made = expected.get("text"), usage.get("output") or 0
    plain = not any(expected.get(name) for name in ("thinking", "tool_calls", "other_content_blocks", "other_parts"))
    if text and made >= 20 and plain and not usage.get("reasoning") and len(expected.get("choices") or [1]) == 1:
        yield "answer", model, counter.count(text, model), made


def media_in(request) -> bool:
    return any(isinstance(part, MEDIA) for message in request.messages for part in message.parts)


def decoded(wire: str, body: dict, model: str):
    """The request; `None` where it has what this machine can't count: a hosted tool, a file at the provider."""
    options = {} if wire.endswith("count_tokens") else {"stream": False}
    try:
        request = codec_named(wire).decode_request(json.dumps(body).encode(), model=model, **options)
    except LambdaLLMError as error:
        print(error, file=sys.stderr)
        return None
    hosted = any(not hasattr(tool, "parameters") for tool in request.tools)
    return None if hosted or "previous_response_id" in body or "system_instruction_id" in body else request
