"""Bytes shaped like real answers of OpenAI and of Bedrock; the stub makes its answers of them once, when it starts."""

from __future__ import annotations

import json
import struct
import zlib

EVENTS = 203
"""How many events a stream has: 199 pieces of text, and those that begin and end it."""

WORDS = [f" word{number}" for number in range(199)]
TEXT = "".join(WORDS)
MODEL = "gpt-4o-mini-2024-07-18"
PAD = "abcdefghijklmnopqrstuvwxyzABCDEFG"
"""What Bedrock fills its events up with."""

OPENAI_HEADERS = """\
Date: Tue, 04 Nov 2025 12:00:00 GMT
Connection: keep-alive
access-control-expose-headers: X-Request-ID
openai-organization: example-org
openai-processing-ms: 412
openai-project: proj_4s0nkDg2Vb0SDFaNYhRFd8Tv
openai-version: 2020-10-01
x-envoy-upstream-service-time: 431
x-ratelimit-limit-requests: 10000
x-ratelimit-limit-tokens: 10000000
x-ratelimit-remaining-requests: 9999
x-ratelimit-remaining-tokens: 9999993
x-ratelimit-reset-requests: 6ms
x-ratelimit-reset-tokens: 0s
x-request-id: req_6b0f2d8a54c54d6ab6b6c0c6e6b1d9f3
cf-cache-status: DYNAMIC
strict-transport-security: max-age=31536000; includeSubDomains; preload
X-Content-Type-Options: nosniff
Server: cloudflare
CF-RAY: 99912a3b4c5d6e7f-FRA
alt-svc: h3=":443"; ma=86400
"""
BEDROCK_HEADERS = """\
Date: Tue, 04 Nov 2025 12:00:00 GMT
Connection: keep-alive
x-amzn-RequestId: 7f7b3e7e-0c3f-4f3c-9a57-2f5d2c1a8a10
"""


def responses() -> dict[str, list[bytes]]:
    """Whole answers by the name of an operation, as the pieces they are written in: the head, then each chunk."""
    return {
        "chat": [_whole(OPENAI_HEADERS, chat())],
        "chat_stream": _chunked(OPENAI_HEADERS, "text/event-stream; charset=utf-8", sse_events()),
        "converse": [_whole(BEDROCK_HEADERS, converse())],
        "converse_stream": _chunked(BEDROCK_HEADERS, "application/vnd.amazon.eventstream", converse_events()),
    }


def sse_events() -> list[bytes]:
    """The 203 events of a streamed chat completion, about 250 bytes each."""
    return [b"data: " + as_json(value) + b"\n\n" for value in chat_events(WORDS)] + [b"data: [DONE]\n\n"]


def chat_events(words: list[str]) -> list[dict]:
    """The values of a streamed chat completion that says these words."""
    values = [_chunk({"role": "assistant", "content": "", "refusal": None})]
    values += [_chunk({"content": word}) for word in words]
    return [*values, _chunk({}, finish_reason="stop"), {**_chunk({}), "choices": [], "usage": _usage()}]


def _chunk(delta: dict, finish_reason: str | None = None) -> dict:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    padding = PAD[: 1 + len(str(delta)) * 5 % 12]  # as OpenAI hides how long a text is
    return {**_head("chat.completion.chunk"), "choices": [choice], "usage": None, "obfuscation": padding}


def chat() -> dict:
    """A whole chat completion."""
    message = {"role": "assistant", "content": TEXT[:1100], "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**_head("chat.completion"), "choices": [choice], "usage": _usage(), "service_tier": "default"}


def _head(kind: str) -> dict:
    identity = {"id": "chatcmpl-CYRbLZgDq2bCxTRWq1Y8oVAQWGT3S", "object": kind, "created": 1762257600}
    return {**identity, "model": MODEL, "system_fingerprint": "fp_560af6e559"}


def _usage() -> dict:
    details = {"accepted_prediction_tokens": 0, "audio_tokens": 0, "reasoning_tokens": 0}
    return {
        "prompt_tokens": 8,
        "completion_tokens": 199,
        "total_tokens": 207,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {**details, "rejected_prediction_tokens": 0},
    }


def converse() -> dict:
    """A whole answer of Converse."""
    message = {"role": "assistant", "content": [{"text": TEXT[:1100]}]}
    usage = {"inputTokens": 8, "outputTokens": 199, "totalTokens": 207}
    return {"metrics": {"latencyMs": 412}, "output": {"message": message}, "stopReason": "end_turn", "usage": usage}


def converse_events() -> list[bytes]:
    """The 203 messages of a streamed answer of Converse."""
    return [frame(name, as_json(value)) for name, value in converse_values(WORDS)]


def converse_values(words: list[str]) -> list[tuple[str, dict]]:
    """The named values of a stream of Converse that says these words."""
    usage = {"inputTokens": 8, "outputTokens": 199, "totalTokens": 207}
    events = [("messageStart", {"p": PAD, "role": "assistant"})]
    events += [("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": w}, "p": PAD}) for w in words]
    events += [("contentBlockStop", {"contentBlockIndex": 0, "p": PAD})]
    events += [("messageStop", {"p": PAD, "stopReason": "end_turn"})]
    return [*events, ("metadata", {"metrics": {"latencyMs": 412}, "p": PAD, "usage": usage})]


def frame(event: str, payload: bytes) -> bytes:
    """One message of AWS's event stream: lengths and their checksum, headers, payload, checksum of all."""
    named = ((":event-type", event), (":content-type", "application/json"), (":message-type", "event"))
    headers = b"".join(_frame_header(name, value) for name, value in named)
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _frame_header(name: str, value: str) -> bytes:
    return bytes((len(name),)) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()


def as_json(value: dict) -> bytes:
    """Compact JSON in UTF-8."""
    return json.dumps(value, separators=(",", ":")).encode()


def _whole(headers: str, value: dict) -> bytes:
    body = as_json(value)
    return _start(headers, "application/json", f"Content-Length: {len(body)}") + body


def _chunked(headers: str, kind: str, pieces: list[bytes]) -> list[bytes]:
    """The head and each piece as a chunk of its own; the last one ends the body too, as servers do."""
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    chunks[-1] += b"0\r\n\r\n"
    return [_start(headers, kind, "Transfer-Encoding: chunked"), *chunks]


def _start(headers: str, kind: str, framing: str) -> bytes:
    lines = f"HTTP/1.1 200 OK\nContent-Type: {kind}\n{framing}\n{headers}\n"
    return lines.replace("\n", "\r\n").encode()
