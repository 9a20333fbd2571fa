"""Every way a stream can go wrong, in every protocol: a typed error, with what had come so far.

Each protocol is a row: how its stream begins, one piece of text, how it ends, and what its errors look like. Each
fault is a column. The whole pipeline reads them, through a script instead of a network.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from lambdallm.aws.eventstream import encode_message
from lambdallm.llm.call import CallSettings
from lambdallm.llm.catalog.definition import ModelFacts, ProviderDefinition
from lambdallm.llm.catalog.resolve import Target
from lambdallm.llm.errors import (
    LLMError,
    ProviderConnectionError,
    ProviderResponseError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
)
from lambdallm.llm.pipeline import stream_chat
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.types import ChatMessage, ChatRequest
from lambdallm.testing.script import Script

if TYPE_CHECKING:
    from lambdallm.llm.result import Result


def sse(data: Any, event: str = "") -> bytes:
    named = f"event: {event}\n" if event else ""
    return f"{named}data: {json.dumps(data)}\n\n".encode()


def typed(data: dict[str, Any]) -> bytes:
    return sse(data, data["type"])


def line(data: Any) -> bytes:
    return json.dumps(data).encode() + b"\n"


def frame(name: str, data: Any, kind: str = "event") -> bytes:
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    return encode_message(headers, json.dumps(data).encode())


def chunk(data: Any) -> bytes:
    return frame("chunk", {"bytes": b64encode(json.dumps(data).encode()).decode()})


DONE = b"data: [DONE]\n\n"
GARBAGE = b"data: {oops\n\n"
OVERLOADED = {"message": "Overloaded.", "type": "server_error", "code": "overloaded"}


class Protocol(NamedTuple):
    """A protocol's stream. What it has no such thing for is `None`.

    `repeated` is a piece whose second coming can be told from new text; `empty` is a stream without any answer.
    """

    wire: str
    text: bytes
    ends: Sequence[bytes]
    error: bytes | None
    begins: Sequence[bytes] = ()
    garbage: bytes = GARBAGE
    unfinished: Sequence[bytes] | None = ()
    repeated: bytes | None = None
    empty: Sequence[bytes] | None = None
    error_kind: type[LLMError] = ProviderServerError


def anthropic(wire: str, event: Any, error: bytes, garbage: bytes) -> Protocol:
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    opened = event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    delta = {"type": "text_delta", "text": "Hi"}
    stopped = event({"type": "message_stop"})
    return Protocol(
        wire,
        begins=[event({"type": "message_start", "message": message}), opened],
        text=event({"type": "content_block_delta", "index": 0, "delta": delta}),
        ends=[
            event({"type": "content_block_stop", "index": 0}),
            event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}}),
            stopped,
        ],
        error=error,
        garbage=garbage,
        unfinished=[stopped],
        repeated=opened,
    )


def openai_chat(wire: str, event: Any, error: bytes | None, done: Sequence[bytes] = (DONE,)) -> Protocol:
    def piece(**choice: Any) -> bytes:
        return event({"id": "c", "model": "m", "choices": [{"index": 0, "finish_reason": None, **choice}]})

    return Protocol(
        wire,
        text=piece(delta={"content": "Hi"}),
        ends=[piece(delta={}, finish_reason="stop"), *done],
        error=error,
        unfinished=done,
        empty=[event({"id": "c", "model": "m", "choices": []}), *done],
    )


def responses() -> Protocol:
    envelope = {"id": "r", "object": "response", "model": "m", "output": [], "status": "in_progress"}
    item = {"id": "i", "type": "message", "role": "assistant", "content": [], "status": "in_progress"}
    part = {"type": "output_text", "text": "", "annotations": []}
    at = {"item_id": "i", "output_index": 0, "content_index": 0}
    said = {**item, "content": [{**part, "text": "Hi"}], "status": "completed"}
    added = {"type": "response.output_item.added", "output_index": 0, "item": item}
    return Protocol(
        "openai_responses",
        begins=[
            typed({"type": "response.created", "response": envelope}),
            typed(added),
            typed({"type": "response.content_part.added", **at, "part": part}),
        ],
        text=typed({"type": "response.output_text.delta", **at, "delta": "Hi"}),
        ends=[
            typed({"type": "response.output_text.done", **at, "text": "Hi"}),
            typed({"type": "response.output_item.done", "output_index": 0, "item": said}),
            typed({"type": "response.completed", "response": {**envelope, "status": "completed", "output": [said]}}),
        ],
        error=typed({"type": "error", "code": "server_error", "message": "Overloaded.", "param": None}),
        unfinished=[typed({"type": "response.output_text.done", **at, "text": "Hi"})],
        repeated=typed(added),
    )


def gemini() -> Protocol:
    def piece(**more: Any) -> bytes:
        return sse({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hi"}]}, "index": 0, **more}]})

    failed = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}
    return Protocol(
        "gemini",
        text=piece(),
        ends=[sse({"candidates": [{"finishReason": "STOP", "index": 0}]})],
        error=sse(failed),
        empty=[sse({"candidates": []})],
    )


def cohere() -> Protocol:
    opened = {"type": "content-start", "index": 0, "delta": {"message": {"content": {"type": "text", "text": ""}}}}
    failed = {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "Overloaded."}}
    return Protocol(
        "cohere_chat",
        begins=[
            typed({"type": "message-start", "id": "c", "delta": {"message": {"role": "assistant"}}}),
            typed(opened),
        ],
        text=typed({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": "Hi"}}}}),
        ends=[
            typed({"type": "content-end", "index": 0}),
            typed({"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}),
        ],
        error=typed(failed),
        unfinished=[typed({"type": "content-end", "index": 0})],
        repeated=typed(opened),
    )


def cohere_v1() -> Protocol:
    end = {"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": {"text": "Hi"}}
    return Protocol(
        "cohere_chat_v1",
        begins=[line({"is_finished": False, "event_type": "stream-start", "generation_id": "g"})],
        text=line({"is_finished": False, "event_type": "text-generation", "text": "Hi"}),
        ends=[line(end)],
        error=line({**end, "finish_reason": "ERROR", "error": "Overloaded."}),
        garbage=b"{oops\n",
    )


def ollama(wire: str, said: Any) -> Protocol:
    return Protocol(
        wire,
        text=line({"model": "m", **said("Hi"), "done": False}),
        ends=[line({"model": "m", **said(""), "done": True, "done_reason": "stop", "eval_count": 1})],
        error=line({"error": "Overloaded."}),
        garbage=b"{oops\n",
    )


def converse() -> Protocol:
    return Protocol(
        "bedrock_converse",
        begins=[frame("messageStart", {"role": "assistant"})],
        text=frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}}),
        ends=[
            frame("contentBlockStop", {"contentBlockIndex": 0}),
            frame("messageStop", {"stopReason": "end_turn"}),
            frame("metadata", {"usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}}),
        ],
        error=frame("serviceUnavailableException", {"message": "Overloaded."}, "exception"),
        garbage=frame("contentBlockDelta", {})[:-4] + b"oops",
        unfinished=[frame("contentBlockStop", {"contentBlockIndex": 0})],
    )


def invoked(wire: str, said: Any, end: Any) -> Protocol:
    return Protocol(
        f"bedrock_invoke.{wire}",
        text=chunk(said),
        ends=[chunk(end)],
        error=frame("serviceUnavailableException", {"message": "Overloaded."}, "exception"),
        garbage=frame("chunk", {})[:-4] + b"oops",
    )


BROKEN = frame("serviceUnavailableException", {"message": "Overloaded."}, "exception")
PROTOCOLS = [
    openai_chat("openai_chat", sse, sse({"error": OVERLOADED})),
    openai_chat("openai_completions", sse, sse({"error": OVERLOADED}))._replace(
        text=sse({"choices": [{"index": 0, "text": "Hi", "finish_reason": None}]}),
        ends=[sse({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}), DONE],
    ),
    responses(),
    anthropic(
        "anthropic_messages",
        typed,
        typed({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded."}}),
        b"event: content_block_delta\ndata: {oops\n\n",
    ),
    anthropic("bedrock_invoke.anthropic", chunk, BROKEN, frame("chunk", {})[:-4] + b"oops"),
    gemini(),
    cohere(),
    cohere_v1(),
    ollama("ollama_chat", lambda text: {"message": {"role": "assistant", "content": text}}),
    ollama("ollama_generate", lambda text: {"response": text}),
    converse(),
    invoked("llama", {"generation": "Hi", "stop_reason": None}, {"generation": "", "stop_reason": "stop"}),
    invoked(
        "titan",
        {"outputText": "Hi", "index": 0, "completionReason": None},
        {"outputText": "", "index": 0, "completionReason": "FINISH"},
    ),
    openai_chat("bedrock_invoke.chat", chunk, BROKEN, done=())._replace(garbage=frame("chunk", {})[:-4] + b"oops"),
]

every = pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.wire)


def having(field: str) -> pytest.MarkDecorator:
    """The protocols in which such a fault can be."""
    rows = [protocol for protocol in PROTOCOLS if getattr(protocol, field) is not None]
    return pytest.mark.parametrize("protocol", rows, ids=lambda protocol: protocol.wire)


def read(protocol: Protocol, *pieces: bytes | LLMError) -> Result[None, LLMError]:
    """The outcome of a stream of these pieces, and what it had said."""
    provider = ProviderDefinition("acme", "https://acme.example", protocol.wire, auth=())
    target = Target(provider, ModelFacts("m"), {"max_output_tokens": 10})
    record = StreamRecord(target)
    settings = CallSettings(max_retries=0, api_key="k", chunk_timeout=5.0)
    request = ChatRequest("m", (ChatMessage("user", "Hi"),))
    result = Script([(200, pieces)]).run(stream_chat(request, _authorized(target), settings, record))
    if isinstance(result, Ok):
        assert record.completion().text == "Hi"
    return result


def _authorized(target: Target) -> Target:
    from lambdallm.llm.catalog.definition import AuthScheme

    return target.replace(provider=target.provider.replace(auth=(AuthScheme("bearer", env=("K",)),)))


def broken(result: Result[None, LLMError], *kinds: type[LLMError], said: str = "Hi") -> None:
    """Assert that a stream ended with an error of one of these kinds that knows what had come."""
    assert isinstance(result, Err), "no error"
    assert isinstance(result.error, kinds), repr(result.error)
    assert (result.error.partial.text if result.error.partial else "") == said
    assert (result.error.provider, result.error.model) == ("acme", "m")


@every
def test_a_good_stream_is_good(protocol: Protocol) -> None:
    assert read(protocol, *protocol.begins, protocol.text, *protocol.ends).is_ok()


@every
def test_cut_after_a_piece(protocol: Protocol) -> None:
    broken(read(protocol, *protocol.begins, protocol.text), StreamError)


@every
def test_cut_within_a_piece(protocol: Protocol) -> None:
    broken(read(protocol, *protocol.begins, protocol.text, protocol.text[: len(protocol.text) // 2]), StreamError)


@every
def test_cut_before_anything(protocol: Protocol) -> None:
    broken(read(protocol), StreamError, ProviderResponseError, said="")


@every
@pytest.mark.parametrize("lost", [ProviderTimeoutError("Silence."), ProviderConnectionError("Reset.")])
def test_stalled_or_lost_by_the_network(protocol: Protocol, lost: LLMError) -> None:
    broken(read(protocol, *protocol.begins, protocol.text, lost), StreamError)
    result = read(protocol, lost)
    assert result.is_err()
    assert type(result.error) is type(lost), "before anything has come it is the network's own error"


@every
def test_malformed(protocol: Protocol) -> None:
    broken(read(protocol, *protocol.begins, protocol.text, protocol.garbage, *protocol.ends), StreamError)


@every
@pytest.mark.parametrize(
    "junk", [b"<html>502 Bad Gateway</html>", b"\xff\xfe\x00\x01" * 8, b"{}" * 9], ids=["page", "bytes", "json"]
)
def test_no_stream_at_all(protocol: Protocol, junk: bytes) -> None:
    broken(read(protocol, junk), StreamError, ProviderResponseError, said="")


@having("repeated")
def test_an_event_that_comes_twice(protocol: Protocol) -> None:
    assert protocol.repeated is not None
    broken(read(protocol, *protocol.begins, protocol.text, protocol.repeated, *protocol.ends), StreamError)


@having("error")
def test_an_error_event(protocol: Protocol) -> None:
    assert protocol.error is not None
    result = read(protocol, *protocol.begins, protocol.text, protocol.error, *protocol.ends)
    broken(result, protocol.error_kind, StreamError)
    assert "Overloaded." in result.error.message
    broken(read(protocol, protocol.error), protocol.error_kind, StreamError, said="")


@having("unfinished")
def test_no_finish_reason(protocol: Protocol) -> None:
    assert protocol.unfinished is not None
    broken(read(protocol, *protocol.begins, protocol.text, *protocol.unfinished), StreamError)


@having("empty")
def test_no_choices(protocol: Protocol) -> None:
    assert protocol.empty is not None
    broken(read(protocol, *protocol.empty), StreamError, ProviderResponseError, said="")


@every
def test_what_follows_the_end_is_not_read(protocol: Protocol) -> None:
    if protocol.ends[-1] is DONE or protocol.wire.startswith(("anthropic", "openai_responses")):
        assert read(protocol, *protocol.begins, protocol.text, *protocol.ends, protocol.garbage).is_ok()
