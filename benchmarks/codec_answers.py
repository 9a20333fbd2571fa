"""What providers answer in the codec benchmark: bytes shaped like real answers of each, made when a process starts.

A whole answer says `TEXT[:1100]`; a stream says as many words as it is asked to, one an event, between the events that
begin and end it. Bodies are written as their servers write them: Google's and OpenAI's whole answers are indented, and
Google ends lines with `\\r\\n`. Most servers vary an event by more than its text, which spares a decoder nothing: by
padding of a length of its own (OpenAI, Mistral, Bedrock; Anthropic with spaces), by a time (Ollama), a count (Google).
"""

from __future__ import annotations

import json
from binascii import b2a_base64
from dataclasses import dataclass
from struct import pack

from recordings import (
    BEDROCK_HEADERS,
    MODEL,
    OPENAI_HEADERS,
    PAD,
    TEXT,
    as_json,
    chat,
    chat_events,
    converse,
    converse_values,
    frame,
)

SAID = TEXT[:1100]
"""The text of a whole answer."""

TEXTS, DIMENSIONS = 10, 1536
"""How many texts are embedded, in vectors of how many numbers."""

_CREATED = 1762257600


@dataclass(frozen=True)
class Answer:
    """A whole answer and a stream's events, with the JSON texts in them; no events where nothing is streamed."""

    headers: tuple[tuple[str, str], ...]
    whole: bytes
    stream_type: str = ""
    events: tuple[bytes, ...] = ()
    payloads: tuple[bytes, ...] = ()


def answer(kind: str, words: list[str]) -> Answer:
    """The answers of a protocol, by the name of its function here."""
    made: Answer = globals()[kind](words)
    return made


def openai_chat(words: list[str]) -> Answer:
    values = enumerate(chat_events(words))
    payloads = tuple(as_json({**value, "obfuscation": _padding(place)}) for place, value in values)
    return _events_stream(_indented(chat()), payloads, end=b"data: [DONE]\n\n")


def mistral_chat(words: list[str]) -> Answer:
    head = {"id": "20e32172fdff499b8ca3b5d3cf7043a4", "created": _CREATED, "model": "mistral-small-latest"}
    usage = {"prompt_tokens": 8, "total_tokens": 207, "completion_tokens": 199}
    message = {"role": "assistant", "tool_calls": None, "content": SAID}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    whole = as_json({**head, "usage": usage, "object": "chat.completion", "choices": [choice]})
    head["object"] = "chat.completion.chunk"
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    values = [{**head, "choices": [choice], "p": _padding(place)} for place, choice in enumerate(choices)]
    values += [{**head, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "stop"}], "usage": usage}]
    return _events_stream(whole, tuple(map(as_json, values)), end=b"data: [DONE]\n\n")


def openai_responses(words: list[str]) -> Answer:
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    item = {"id": "msg_0650041af59a85d4016a6a8d2a38f08190", "type": "message", "role": "assistant"}
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    full = {**part, "text": "".join(words)}
    done = {**item, "status": "completed", "content": [full]}
    values = [("response.created", {"response": _response("in_progress", [])})]
    values += [("response.in_progress", {"response": _response("in_progress", [])})]
    begun = {**item, "status": "in_progress", "content": []}
    values += [("response.output_item.added", {"item": begun, "output_index": 0})]
    values += [("response.content_part.added", {**at, "part": part})]
    deltas = [{"delta": word, "logprobs": [], "obfuscation": _padding(place)} for place, word in enumerate(words)]
    values += [("response.output_text.delta", {**at, **delta}) for delta in deltas]
    values += [("response.output_text.done", {**at, "logprobs": [], "text": full["text"]})]
    values += [("response.content_part.done", {**at, "part": full})]
    values += [("response.output_item.done", {"item": done, "output_index": 0})]
    values += [("response.completed", {"response": _response("completed", [done])})]
    named = [(name, {"type": name, **value, "sequence_number": n}) for n, (name, value) in enumerate(values)]
    whole = _response("completed", [{**done, "content": [{**part, "text": SAID}]}])
    return _named_stream(_indented(whole), named)


def _response(status: str, output: list[dict]) -> dict:
    usage = {
        "input_tokens": 8,
        "input_tokens_details": {"cache_write_tokens": 0, "cached_tokens": 0},
        "output_tokens": 199,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 207,
    }
    return {
        "id": "resp_0650041af59a85d4016a6a8d2957cc8190",
        "object": "response",
        "created_at": _CREATED,
        "status": status,
        "background": False,
        "completed_at": _CREATED + 1 if output else None,
        "error": None,
        "frequency_penalty": 0.0,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": 500,
        "max_tool_calls": None,
        "model": MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 0.2,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage if output else None,
        "user": None,
        "metadata": {},
    }


def anthropic_messages(words: list[str]) -> Answer:
    return _named_stream(as_json(_message()), _message_events(words), spaces=True)


def _message() -> dict:
    usage = {**_INPUT_USAGE, "output_tokens": 199, "service_tier": "standard"}
    content = [{"type": "text", "text": SAID}]
    return {**_MESSAGE, "content": content, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}


_MESSAGE = {
    "model": "claude-haiku-4-5-20251001",
    "id": "msg_01QXP9jaZutTpTq7s7o57wsm",
    "type": "message",
    "role": "assistant",
}
_INPUT_USAGE = {
    "input_tokens": 8,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
}


def _message_events(words: list[str]) -> list[tuple[str, dict]]:
    usage = {**_INPUT_USAGE, "output_tokens": 1, "service_tier": "standard"}
    begun = {**_MESSAGE, "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}
    ended = {"delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": len(words)}}
    deltas = [{"index": 0, "delta": {"type": "text_delta", "text": word}} for word in words]
    values = [("message_start", {"message": begun})]
    values += [("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}), ("ping", {})]
    values += [("content_block_delta", delta) for delta in deltas]
    values += [("content_block_stop", {"index": 0}), ("message_delta", ended), ("message_stop", {})]
    return [(name, {"type": name, **value}) for name, value in values]


def bedrock_messages(words: list[str]) -> Answer:
    """Claude's events by InvokeModelWithResponseStream: each in base64, in a frame of AWS's event stream."""
    inner = [as_json(value) for _, value in _message_events(words)]
    outer = [as_json({"bytes": _base64(value), "p": _padding(place)}) for place, value in enumerate(inner)]
    frames = tuple(frame("chunk", value) for value in outer)
    return Answer(_BEDROCK, as_json(_message()), _EVENT_STREAM, frames, (*inner, *outer))


def bedrock_converse(words: list[str]) -> Answer:
    values = enumerate(converse_values(words))
    padded = [(name, as_json({**value, "p": _padding(place)})) for place, (name, value) in values]
    frames = tuple(frame(name, value) for name, value in padded)
    return Answer(_BEDROCK, as_json(converse()), _EVENT_STREAM, frames, tuple(value for _, value in padded))


def gemini(words: list[str]) -> Answer:
    whole = _indented(_candidates(SAID, 199, "STOP"))
    values = [_candidates(word, place) for place, word in enumerate(words, 1)] + [_candidates("", len(words), "STOP")]
    payloads = tuple(json.dumps(value, separators=(",", ": ")).encode() for value in values)
    events = tuple(b"data: " + payload + b"\r\n\r\n" for payload in payloads)
    return Answer(_OPENAI, whole, "text/event-stream", events, payloads)


def _candidates(text: str, count: int, finish: str | None = None) -> dict:
    said = {"content": {"parts": [{"text": text}], "role": "model"}}
    candidate = {**said, **({"finishReason": finish} if finish else {}), "index": 0}
    usage = {"promptTokenCount": 8, "candidatesTokenCount": count, "totalTokenCount": 8 + count}
    usage |= {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}]}
    identity = {"modelVersion": "gemini-2.5-flash", "responseId": "eoFfauWZG_yY-8YPg7mH-Q4"}
    return {"candidates": [candidate], "usageMetadata": usage, **identity}


def cohere_chat(words: list[str]) -> Answer:
    usage = {"billed_units": {"input_tokens": 8, "output_tokens": 199}}
    usage |= {"tokens": {"input_tokens": 70, "output_tokens": 199}, "cached_tokens": 0}
    ended = {"finish_reason": "COMPLETE", "usage": usage}
    id = "c9216b71-fc8a-4107-be45-168630df7a3f"
    whole = {"id": id, "message": {"role": "assistant", "content": [{"type": "text", "text": SAID}]}, **ended}
    opened = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    values = [("message-start", {"id": id, "delta": {"message": opened}})]
    values += [("content-start", {"index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}})]
    values += [("content-delta", {"index": 0, "delta": {"message": {"content": {"text": word}}}}) for word in words]
    values += [("content-end", {"index": 0}), ("message-end", {"delta": ended})]
    return _named_stream(as_json(whole), [(name, {"type": name, **value}) for name, value in values])


def ollama_chat(words: list[str]) -> Answer:
    head = {"model": "llama3.2", "created_at": "2025-08-20T13:47:55.53015Z"}
    counts = {"total_duration": 1133984833, "load_duration": 62397708, "prompt_eval_count": 8}
    counts |= {"prompt_eval_duration": 25573416, "eval_count": 199, "eval_duration": 1045723375}
    ended = {"done_reason": "stop", "done": True, **counts}
    said = [{"message": {"role": "assistant", "content": word}, "done": False} for word in words]
    times = (f"2025-08-20T13:47:54.{490267 + 997 * place:06}Z" for place in range(len(words)))
    lines = [{**head, "created_at": time, **line} for time, line in zip(times, said, strict=True)]
    lines += [{**head, "message": {"role": "assistant", "content": ""}, **ended}]
    payloads = tuple(map(as_json, lines))
    whole = as_json({**head, "message": {"role": "assistant", "content": SAID}, **ended})
    return Answer(_OPENAI, whole, "application/x-ndjson", tuple(line + b"\n" for line in payloads), payloads)


def openai_embeddings(_words: list[str]) -> Answer:
    """Vectors in base64, which OpenAI's SDK asks for, and so do we."""
    vector = _base64(pack(f"<{DIMENSIONS}f", *(number / DIMENSIONS for number in range(DIMENSIONS))))
    rows = [{"object": "embedding", "index": index, "embedding": vector} for index in range(TEXTS)]
    usage = {"prompt_tokens": 900, "total_tokens": 900}
    return Answer(
        _OPENAI, _indented({"object": "list", "data": rows, "model": "text-embedding-3-small", "usage": usage})
    )


def _events_stream(whole: bytes, payloads: tuple[bytes, ...], end: bytes) -> Answer:
    events = (*(b"data: " + payload + b"\n\n" for payload in payloads), end)
    return Answer(_OPENAI, whole, "text/event-stream; charset=utf-8", events, payloads)


def _named_stream(whole: bytes, values: list[tuple[str, dict]], *, spaces: bool = False) -> Answer:
    padding = (b" " * len(_padding(place)) if spaces else b"" for place in range(len(values)))
    payloads = tuple(as_json(value)[:-1] + pad + b"}" for (_, value), pad in zip(values, padding, strict=True))
    events = zip(values, payloads, strict=True)
    written = tuple(b"event: %b\ndata: %b\n\n" % (name.encode(), payload) for (name, _), payload in events)
    return Answer(_OPENAI, whole, "text/event-stream; charset=utf-8", written, payloads)


def _padding(place: int) -> str:
    """Padding as long as chance would have it, the same in every run."""
    return PAD[: place * 7919 % 31 // 2]


def _indented(value: dict) -> bytes:
    return json.dumps(value, indent=2).encode()


def _base64(data: bytes) -> str:
    return b2a_base64(data, newline=False).decode()


def _headers(lines: str) -> tuple[tuple[str, str], ...]:
    named = (line.partition(": ") for line in lines.splitlines())
    return tuple((name, value) for name, _, value in named)


_OPENAI, _BEDROCK = _headers(OPENAI_HEADERS), _headers(BEDROCK_HEADERS)
_EVENT_STREAM = "application/vnd.amazon.eventstream"
