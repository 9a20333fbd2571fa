"""Bytes that somebody else received, as a stream of ours: known protocols, and formats of one's own."""

import asyncio
import io
import json

import pytest

from lambdallm.llm.errors import (
    ConfigurationError,
    LLMContentFilterError,
    LLMError,
    LLMRateLimitError,
    ProviderConnectionError,
    ProviderServerError,
    StreamError,
)
from lambdallm.llm.streaming import AbstractStreamingAdapter, SSEStreamAdapter, sync
from lambdallm.llm.types import StreamChunk, Usage
from lambdallm.testing.conformance import decode
from lambdallm.testing.conformance.report import check
from recorded import recordings

BODY = (
    b'data: {"id":"c1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"H\xc3\xa9"}}]}\n\n'
    b'data: {"id":"c1","model":"gpt-4o-2024-08-06","choices":[{"index":0,"delta":{"content":"llo."},'
    b'"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}\n\n'
    b"data: [DONE]\n\n"
)
FIRST = BODY[: BODY.index(b"\n\n") + 2]
ADAPTER = SSEStreamAdapter("openai_chat")


def read(twin, stream):
    """The stream's text, once it is read."""
    return "".join(twin.list(stream.texts()))


def error_of(twin, stream):
    with pytest.raises(Exception) as raised:
        twin.list(stream)
    return raised.value


def test_events_become_chunks_and_an_answer(twin):
    stream = ADAPTER.adapt(twin.stream(BODY))
    assert read(twin, stream) == "Héllo."
    assert stream.completion.text == "Héllo."
    assert stream.completion.usage.replace(native={}) == Usage(9, 2)
    assert (stream.completion.id, stream.completion.finish_reason) == ("c1", "stop")
    assert stream.completion.latency_ms >= stream.completion.time_to_first_token_ms >= 0


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_pieces_may_be_split_anywhere(twin, size):
    pieces = [BODY[start : start + size] for start in range(0, len(BODY), size)]
    assert read(twin, ADAPTER.adapt(twin.stream(*pieces))) == "Héllo."


@pytest.mark.parametrize("form", [bytearray, memoryview, bytes.decode])
def test_pieces_may_be_text_or_any_kind_of_bytes(twin, form):
    assert read(twin, ADAPTER.adapt(twin.stream(form(FIRST), form(BODY[len(FIRST) :])))) == "Héllo."


def test_lines_may_have_lost_their_ends(twin):
    """`iter_lines` of every HTTP library gives them so."""
    assert read(twin, ADAPTER.adapt(twin.stream(*BODY.decode().splitlines()), lines=True)) == "Héllo."


def test_empty_pieces_are_no_end(twin):
    assert read(twin, ADAPTER.adapt(twin.stream(b"", FIRST, b"", "", BODY[len(FIRST) :]))) == "Héllo."


def test_bytes_that_are_there_and_files_are_read_as_well(twin):
    for source in (BODY, BODY.decode(), io.BytesIO(BODY), [BODY]):
        assert "".join(ADAPTER.adapt(source).texts()) == "Héllo."


def test_an_adapter_serves_any_number_of_streams(twin):
    streams = [ADAPTER.adapt(twin.stream(BODY)) for _ in range(3)]
    begun = [twin.next(stream).delta for stream in streams]
    assert [text + read(twin, stream) for text, stream in zip(begun, streams, strict=True)] == ["Héllo."] * 3


def test_the_end_of_the_stream_closes_its_source(twin):
    feed = twin.feed()
    feed.give(BODY)
    twin.list(ADAPTER.adapt(feed))
    assert feed.closed.is_set()


def test_leaving_early_closes_the_source(twin):
    feed = twin.feed()
    feed.give(FIRST)
    stream = ADAPTER.adapt(feed)
    twin.next(stream)
    twin.close(stream)
    assert feed.closed.is_set()
    assert stream.completion.text == "Hé"


def test_a_model_gives_the_answer_its_provider_and_its_price(twin):
    stream = SSEStreamAdapter("openai_chat", model="openai/gpt-4o").adapt(twin.stream(BODY))
    read(twin, stream)
    assert stream.completion.provider == "openai"
    assert stream.completion.cost_usd == pytest.approx((9 * 2.5 + 2 * 10) / 1e6)


def test_a_model_that_thinks_in_its_text_is_understood(twin):
    body = BODY.replace(b'"H\xc3\xa9"', b'"<think>Hm.</think>So."').replace(b'"llo."', b'""')
    stream = SSEStreamAdapter("openai_chat", model="together/deepseek-ai/DeepSeek-R1").adapt(twin.stream(body))
    twin.list(stream)
    assert (stream.completion.thinking, stream.completion.text) == ("Hm.", "So.")


def test_a_stream_that_breaks_off_says_so_and_keeps_what_had_come(twin):
    error = error_of(twin, ADAPTER.adapt(twin.stream(FIRST)))
    assert type(error) is StreamError
    assert error.partial.text == "Hé"


def test_an_error_in_the_stream_is_a_typed_one(twin):
    body = FIRST + b'data: {"error":{"message":"Overloaded.","type":"server_error"}}\n\n'
    error = error_of(twin, ADAPTER.adapt(twin.stream(body)))
    assert isinstance(error, (StreamError, ProviderServerError))
    assert error.partial.text == "Hé"


def test_what_the_source_raises_is_a_broken_stream(twin):
    error = error_of(twin, ADAPTER.adapt(twin.stream(FIRST, RuntimeError("peer closed connection"))))
    assert type(error) is StreamError
    assert "peer closed connection" in str(error)
    assert error.partial.text == "Hé"
    assert isinstance(error.__cause__, RuntimeError)


def test_a_connection_that_gives_nothing_is_no_stream_yet(twin):
    error = error_of(twin, ADAPTER.adapt(twin.stream(ConnectionResetError("reset by peer"))))
    assert type(error) is ProviderConnectionError
    assert error.partial is None


def test_an_answer_that_is_an_error_is_raised_as_the_provider_meant_it(twin):
    body = json.dumps({"error": {"message": "Slow down.", "type": "tokens"}}).encode()
    for headers in ({"Retry-After": "7"}, [("Retry-After", "7")]):
        stream = ADAPTER.adapt(twin.stream(body[:9], body[9:]), status=429, headers=headers)
        error = error_of(twin, stream)
        assert type(error) is LLMRateLimitError
        assert (error.retry_after, error.status) == (7, 429)
        assert "Slow down." in str(error)


def test_what_gives_no_bytes_is_refused():
    with pytest.raises(ConfigurationError, match=r"<object.*Give an iterable of bytes"):
        ADAPTER.adapt(object())
    with pytest.raises(ConfigurationError, match=r"gave 1\. Give an iterable of bytes"):
        list(ADAPTER.adapt([1, 2]))


def test_a_protocol_that_does_not_exist_or_has_no_streams_is_refused():
    with pytest.raises(ConfigurationError, match=r"'smoke'.*openai_chat"):
        SSEStreamAdapter("smoke")
    with pytest.raises(ConfigurationError, match="'openai_embeddings' has no streams"):
        SSEStreamAdapter("openai_embeddings")


def test_the_blocking_door_has_the_same_adapters():
    assert sync.SSEStreamAdapter is SSEStreamAdapter
    assert sync.AbstractStreamingAdapter is AbstractStreamingAdapter


class Lines(AbstractStreamingAdapter):
    """A format of JSON lines without an end mark."""

    framing = "ndjson"

    def decode(self, data, event):
        said = json.loads(data)
        yield StreamChunk(said["token"], finish_reason="stop" if said.get("last") else None)


class Priced(AbstractStreamingAdapter):
    """A format that tells what was used."""

    framing = "ndjson"

    def decode(self, data, event):
        said = json.loads(data)
        yield StreamChunk(usage=Usage(said["in"], said["out"]))


class Events(AbstractStreamingAdapter):
    """A format of named events with an end mark."""

    end_mark = b"bye"

    def decode(self, data, event):
        if event == "refusal":
            raise LLMContentFilterError("It was blocked.")
        yield StreamChunk(thinking=data.decode()) if event == "thought" else StreamChunk(data.decode())


def test_a_format_of_ones_own_needs_one_method(twin):
    stream = Lines().adapt(twin.stream(b'{"token":"a"}\n{"tok', b'en":"b"}\n\n', b'{"token":"c","last":true}'))
    assert read(twin, stream) == "abc"
    assert stream.completion.finish_reason == "stop"


def test_a_format_of_ones_own_has_a_price_where_its_model_is_named(twin):
    stream = Priced(model="openai/gpt-4o").adapt(twin.stream(b'{"in":10,"out":4}\n'))
    twin.list(stream)
    assert stream.completion.provider == "openai"
    assert stream.completion.cost_usd == pytest.approx((10 * 2.5 + 4 * 10) / 1e6)


def test_events_have_names_and_an_end(twin):
    stream = Events().adapt(twin.stream(b"event: thought\ndata: Hm.\n\ndata: So.\n\ndata: bye\n\ndata: more\n\n"))
    assert read(twin, stream) == "So."
    assert stream.completion.thinking == "Hm."


def test_without_its_end_mark_a_stream_has_broken_off(twin):
    error = error_of(twin, Events().adapt(twin.stream(b"data: So.\n\ndata: by")))
    assert type(error) is StreamError
    assert error.partial.text == "So.by"


def test_an_event_that_cannot_be_read_ends_the_stream_and_is_quoted(twin):
    error = error_of(twin, Lines().adapt(twin.stream(b'{"token":"a"}\n<html>\n{"token":"b"}\n')))
    assert type(error) is StreamError
    assert "b'<html>'" in str(error)
    assert isinstance(error.__cause__, ValueError)
    assert error.partial.text == "a"


def test_an_error_of_the_formats_own_is_raised_as_it_is(twin):
    error = error_of(twin, Events().adapt(twin.stream(b"data: So.\n\nevent: refusal\ndata: x\n\n")))
    assert type(error) is LLMContentFilterError
    assert error.partial.text == "So."


def test_a_failed_answer_in_a_format_of_ones_own_goes_by_its_status(twin):
    error = error_of(twin, Lines().adapt(twin.stream(b"busy"), status=503))
    assert isinstance(error, ProviderServerError)
    assert "busy" in str(error)
    empty = error_of(twin, Lines().adapt(twin.stream(), status=500))
    assert "status 500" in str(empty)


def test_an_unknown_framing_and_a_missing_method_are_named():
    class Odd(Lines):
        framing = "xml"

    class Empty(AbstractStreamingAdapter):
        pass

    with pytest.raises(ConfigurationError, match=r"'xml'.*'sse', 'ndjson'"):
        Odd().adapt([b"x"])
    with pytest.raises(NotImplementedError, match="Empty must implement decode"):
        Empty().adapt([b"x"])


def blocking(codec, pieces):
    stream = SSEStreamAdapter(codec).adapt(pieces)
    return _read(stream, lambda: list(stream))


def awaiting(codec, pieces):
    async def source():
        for piece in pieces:
            yield piece

    stream = SSEStreamAdapter(codec).adapt(source())

    async def chunks():
        return [chunk async for chunk in stream]

    return _read(stream, lambda: asyncio.run(chunks()))


def _read(stream, reading):
    """The chunks and the error; `reading` gives no chunks where it raises, the record has them."""
    try:
        reading()
    except LLMError as error:
        return stream, error
    return stream, None


@pytest.mark.corpus
@pytest.mark.parametrize("way", [blocking, awaiting])
@recordings("*/*", holds=lambda exchange: exchange.get("stream"), but=("gemini/interactions",))
def test_every_recorded_stream_says_what_its_vendors_sdk_reads(way, path, monkeypatch):
    """Whole, byte by byte and in random pieces, by the comparison that the decoders are held to."""

    def through_an_adapter(codec, body, *, first_identity=False):
        stream, error = way(codec.__name__.removeprefix("lambdallm.llm.wire."), body)
        answer = stream.completion
        if first_identity:
            chunks = stream._record._chunks
            answer = answer.replace(id=decode._first(chunks, "id"), model=decode._first(chunks, "model"))
        return answer, error

    monkeypatch.setattr(decode, "read_stream", through_an_adapter)
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"
