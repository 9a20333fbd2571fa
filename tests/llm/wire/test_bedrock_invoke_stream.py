"""InvokeModelWithResponseStream: given payloads in their frames, expect chunks, wherever the bytes are split."""

from __future__ import annotations

import base64
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.aws.eventstream import encode_message
from lambdallm.llm import errors
from lambdallm.llm.call import codec_named
from lambdallm.llm.errors import LLMError, StreamError
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import Completion, ReasoningPart, StreamChunk
from recorded import recordings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "bedrock_invoke"
STREAMS = json.loads((FIXTURES / "streams.json").read_bytes())
CHAT = sorted({case["codec"] for case in STREAMS} | {"ai21_text", "anthropic_text"})
METRICS = "amazon-bedrock-invocationMetrics"

every_stream = pytest.mark.parametrize("case", STREAMS, ids=lambda case: case["name"])


def frame(payload: Any, padding: str = "abcdef") -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}
    return encode_message(headers, json.dumps({"bytes": base64.b64encode(data).decode(), "p": padding}).encode())


def exception(name: str, payload: Any) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return encode_message(headers, json.dumps(payload).encode())


def body_of(case: dict[str, Any]) -> bytes:
    return b"".join(map(frame, case["payloads"]))


def decode(name: str, *pieces: bytes) -> tuple[list[StreamChunk], Any]:
    decoder = codec_named(f"bedrock_invoke.{name}").StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)] + decoder.close()
    return chunks, decoder


def completion(chunks: list[StreamChunk]) -> Completion:
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


@every_stream
def test_streams(case: dict[str, Any]) -> None:
    chunks, decoder = decode(case["codec"], body_of(case))
    assert (decoder.error, decoder.done) == (None, True)
    answer = completion(chunks)
    assert (answer.text, answer.thinking) == (case["text"], case.get("thinking"))
    assert [answer.finish_reason, answer.raw_finish_reason] == case["finish"]
    assert answer.usage is not None
    assert [answer.usage.input_tokens, answer.usage.output_tokens] == case["usage"]
    assert [[call.id, call.name, call.arguments] for call in answer.tool_calls] == case.get("calls", [])
    assert answer.id == case.get("id")
    cited = [citation for part in answer.message.parts for citation in getattr(part, "citations", ())]
    assert cited == case.get("citations", [])
    assert answer.metadata.get(METRICS) == case.get("metrics", case["payloads"][-1].get(METRICS))


@every_stream
def test_split_anywhere(case: dict[str, Any]) -> None:
    body = body_of(case)
    expected, _ = decode(case["codec"], body)
    assert decode(case["codec"], *(body[i : i + 1] for i in range(len(body))))[0] == expected
    for cut in range(0, len(body), 13):
        assert decode(case["codec"], body[:cut], body[cut:])[0] == expected


@every_stream
def test_a_piece_comes_as_soon_as_its_frame_is_whole(case: dict[str, Any]) -> None:
    decoder = codec_named(f"bedrock_invoke.{case['codec']}").StreamDecoder()
    came = [text for payload in case["payloads"] if (text := "".join(c.delta for c in decoder.feed(frame(payload))))]
    assert "".join(came) == case["text"]
    assert not any(chunk.delta for chunk in decoder.close())


@every_stream
def test_a_stream_without_its_last_frames_is_not_whole(case: dict[str, Any]) -> None:
    finish = next((n for n, p in enumerate(case["payloads"]) if case["finish"][1] in json.dumps(p)), 0)
    chunks, decoder = decode(case["codec"], *map(frame, case["payloads"][:finish]))
    assert isinstance(decoder.error, StreamError)
    assert not decoder.done
    assert case["text"].startswith(completion(chunks).text)


@every_stream
def test_a_stream_cut_inside_a_frame(case: dict[str, Any]) -> None:
    _, decoder = decode(case["codec"], body_of(case)[:-5])
    assert isinstance(decoder.error, StreamError)
    assert "malformed" in decoder.error.message


@pytest.mark.parametrize(
    ("name", "leaf", "retryable"),
    [
        ("throttlingException", errors.LLMRateLimitError, True),
        ("internalServerException", errors.ProviderServerError, True),
        ("serviceUnavailableException", errors.ProviderServerError, True),
        ("modelStreamErrorException", errors.ProviderServerError, True),
        ("modelTimeoutException", errors.ProviderTimeoutError, True),
        ("validationException", errors.InvalidRequestError, False),
    ],
)
@pytest.mark.parametrize("codec", ["anthropic", "llama", "nova", "chat"])
def test_exceptions_end_the_stream(codec: str, name: str, leaf: type, retryable: bool) -> None:
    case = next(case for case in STREAMS if case["codec"] == codec)
    begun = [frame(payload) for payload in case["payloads"][:2]]
    chunks, decoder = decode(codec, *begun, exception(name, {"message": "Broken."}), frame(case["payloads"][-1]))
    error = decoder.error
    assert isinstance(error, StreamError)
    assert (error.message, error.type, error.retryable) == ("Broken.", name, retryable)
    assert isinstance(error.__cause__, leaf)
    assert chunks == decode(codec, *begun)[0][: len(chunks)]


def test_an_error_of_the_models_own_inside_a_stream() -> None:
    said = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    _, decoder = decode("anthropic", frame(said))
    assert isinstance(decoder.error, StreamError)
    assert (decoder.error.type, decoder.error.retryable) == ("overloaded_error", True)


def test_a_claude_message_is_whole_when_it_stops() -> None:
    (case,) = (case for case in STREAMS if case["name"] == "claude")
    _, decoder = decode("anthropic", *map(frame, case["payloads"][:-1]))
    assert isinstance(decoder.error, StreamError)


def test_without_metrics_a_finish_reason_ends_the_answer() -> None:
    chunks, decoder = decode("llama", frame({"generation": "x", "stop_reason": "stop", "prompt_token_count": 2}))
    assert (decoder.error, decoder.done) == (None, True)
    assert completion(chunks).usage is not None


def test_with_metrics_an_answer_may_end_without_a_reason() -> None:
    chunks, decoder = decode("mistral", frame({"outputs": [{"text": "x"}], METRICS: {"outputTokenCount": 1}}))
    assert (decoder.error, decoder.done, completion(chunks).finish_reason) == (None, True, None)


def test_a_cut_stream_that_a_guardrail_only_edits_is_not_taken_for_blocked() -> None:
    edited = {"amazon-bedrock-guardrailAction": "INTERVENED"}
    _, decoder = decode("titan", frame({"outputText": "a", **edited}), frame({"outputText": "b", **edited}))
    assert isinstance(decoder.error, StreamError)


def test_an_edited_beginning_is_not_taken_for_blocked_once_more_has_come() -> None:
    first = {"generation": "a", "amazon-bedrock-guardrailAction": "INTERVENED"}
    _, decoder = decode("llama", frame(first), frame({"generation": "b"}))
    assert isinstance(decoder.error, StreamError)


def test_bytes_that_are_no_text_do_no_harm_beside_bedrocks_own_fields() -> None:
    event = b'{"choices": [{"index": 0, "delta": {"content": "%s"}, "finish_reason": "stop"}], "amazon-bedrock-x": 1}'
    for text in (b"\xff", b"\n"):
        _, decoder = decode("chat", frame({"choices": [{"delta": {}}]}), frame(event % text))
        assert decoder.done != (decoder.error is not None)


def test_what_a_guardrail_did_is_told_once() -> None:
    edited = {"amazon-bedrock-guardrailAction": "INTERVENED"}
    chunks, _ = decode("titan", frame({"outputText": "a", **edited}), frame({"outputText": "b", **edited}))
    assert [chunk.metadata for chunk in chunks if chunk.metadata] == [edited]


def test_a_signature_goes_with_its_thought() -> None:
    (case,) = (case for case in STREAMS if case["name"] == "claude")
    part = completion(decode("anthropic", body_of(case))[0]).message.parts[0]
    assert isinstance(part, ReasoningPart)
    assert (part.text, part.signature) == ("Easy.", "c2ln")


def test_several_candidates_are_told_apart() -> None:
    rows = [{"index": 1, "text": "b", "is_finished": False}, {"index": 0, "text": "a", "is_finished": False}]
    ends = [{"index": n, "finish_reason": "COMPLETE", "is_finished": True} for n in (0, 1)]
    answer = completion(decode("cohere_text", *map(frame, (*rows, *ends)))[0])
    assert [(c.index, c.message.text, c.finish_reason) for c in answer.choices] == [(0, "a", "stop"), (1, "b", "stop")]


def test_events_of_other_types_are_read_over() -> None:
    other = encode_message({":event-type": "initial-response", ":message-type": "event"}, b"{}")
    end = frame({"generation": "x", "stop_reason": "stop"})
    assert completion(decode("llama", other, end)[0]).text == "x"


@pytest.mark.parametrize("payload", [b"", b"null", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
@pytest.mark.parametrize("name", CHAT)
def test_payloads_that_are_no_objects(name: str, payload: bytes) -> None:
    for pieces in ([frame(payload)], [frame({"completion": "x"}), frame(payload)]):
        decoder = decode(name, *pieces)[1]
        assert isinstance(decoder.error, StreamError)


@pytest.mark.parametrize("message", [b"", b"{}", b"[]", b'{"bytes": 1}', b'{"bytes": "?"}', b'{"bytes": "YQ"}'])
def test_chunks_that_hold_no_bytes(message: bytes) -> None:
    headers = {":event-type": "chunk", ":message-type": "event"}
    assert isinstance(decode("llama", encode_message(headers, message))[1].error, StreamError)


def test_a_payload_may_be_written_over_several_lines() -> None:
    payload = json.dumps({"choices": [{"index": 0, "delta": {"content": "a\nb"}, "finish_reason": "stop"}]}, indent=1)
    assert completion(decode("chat", frame(payload.replace("\n", "\r\n").encode()))[0]).text == "a\nb"


def test_nothing_comes_after_the_end() -> None:
    case = next(case for case in STREAMS if case["codec"] == "titan")
    decoder = codec_named("bedrock_invoke.titan").StreamDecoder()
    decoder.feed(body_of(case))
    assert decoder.feed(body_of(case)) == []
    assert decoder.close() == []


PAYLOADS = [json.dumps(payload) for case in STREAMS for payload in case["payloads"]]
WORDS = sorted({key for case in STREAMS for payload in case["payloads"] for key in payload})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*WORDS, "delta", "index", "text", "usage"]), inner, max_size=3)
    ),
    max_leaves=10,
)
FRAMES = (
    st.sampled_from(PAYLOADS).map(lambda text: frame(text.encode()))
    | st.dictionaries(st.sampled_from(WORDS), VALUES, max_size=4).map(frame)
    | VALUES.map(frame)
    | st.tuples(st.sampled_from(PAYLOADS), st.integers(0, 80)).map(lambda pair: frame(pair[0][: pair[1]].encode()))
    | st.dictionaries(st.sampled_from(["message", "originalStatusCode"]), VALUES).map(lambda v: exception("x", v))
    | st.binary(max_size=40)
)


@pytest.mark.parametrize("name", CHAT)
@settings(max_examples=80, deadline=None)
@given(frames=st.lists(FRAMES, max_size=8), cut=st.integers(1, 60))
def test_any_bytes_give_chunks_or_one_of_our_errors(name: str, frames: list[bytes], cut: int) -> None:
    body = b"".join(frames)
    chunks, decoder = decode(name, body)
    assert decoder.done != (decoder.error is not None)
    assert decoder.error is None or isinstance(decoder.error, LLMError)
    completion(chunks)
    again, other = decode(name, *(body[i : i + cut] for i in range(0, len(body), cut)))
    assert (again, str(other.error)) == (chunks, str(decoder.error))


def test_memory_stays_with_the_input() -> None:
    body = b"".join(frame({"generation": "x" * 100, "generation_token_count": n}) for n in range(3000))
    decoder = codec_named("bedrock_invoke.llama").StreamDecoder()
    tracemalloc.start()
    for start in range(0, len(body), 1000):
        decoder.feed(body[start : start + 1000])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 300_000


@pytest.mark.corpus
@recordings("*/invoke_model", holds=lambda exchange: exchange["response"].get("body_b64") is not None)
def test_recorded_streams_say_what_their_payloads_do(path: Path) -> None:
    """Every text in a payload is in the answer, in order, and nothing else."""
    from lambdallm.llm.wire.bedrock_invoke.frames import Payloads
    from lambdallm.testing.conformance.table import find

    exchange = json.loads(path.read_bytes())
    row = find(exchange["provider"], "invoke_model")
    assert row is not None
    body = base64.b64decode(exchange["response"]["body_b64"])
    chunks, decoder = decode(row.for_model(exchange["model"]).codec.removeprefix("bedrock_invoke."), body)
    answer = completion(chunks)
    assert (decoder.error, decoder.done) == (None, True)
    assert answer.text == "".join(text_in(json.loads(payload)) for payload in Payloads().feed(body))
    assert answer.finish_reason is not None
    assert answer.usage is not None


def text_in(payload: dict[str, Any]) -> str:
    delta = payload.get("contentBlockDelta", payload).get("delta", {})
    places: list[dict[str, Any]] = [payload, delta, *payload.get("generations", ()), *payload.get("outputs", ())]
    names = ("outputText", "generation", "completion", "text")
    return "".join(place[name] for place in places for name in names if isinstance(place.get(name), str))
