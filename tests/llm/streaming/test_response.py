"""A stream that is counted, timed and added up while it is read; blocking and awaiting alike."""

import itertools
import sys
import threading

import pytest

from lambdallm.llm.errors import ConfigurationError, LLMRateLimitError, ProviderConnectionError, StreamError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming import sync
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.streaming.stream import AsyncChatStream, ChatStream
from lambdallm.llm.types import Completion, StreamChunk, ToolCallDelta, Usage

ANSWER = (
    StreamChunk(metadata={"id": "a1", "model": "m"}),
    StreamChunk(thinking="Hm."),
    StreamChunk("Hel"),
    StreamChunk("lo.", tool_calls=(ToolCallDelta(0, "t", "f", "{}"),)),
    StreamChunk(finish_reason="stop", usage=Usage(7, 3)),
)


def ticking(*seconds):
    """A clock that says these readings, then the last one for ever."""
    readings = itertools.chain(seconds, itertools.repeat(seconds[-1]))
    return lambda: next(readings)


def test_answer_and_thinking_are_told_apart(twin):
    response = twin.StreamingResponse(twin.stream(*ANSWER))
    assert tuple(twin.list(response)) == ANSWER
    assert (response.content, response.thinking) == ("Hello.", "Hm.")
    assert [call.name for call in response.tool_calls] == ["f"]
    assert response.finish_reason == "stop"
    assert response.completion.id == "a1"
    assert response.error is None
    assert response.ended


def test_chunks_and_tokens_are_counted(twin):
    response = twin.StreamingResponse(twin.stream(*ANSWER))
    twin.list(response)
    assert response.total_chunks == 5
    assert (response.usage, response.total_tokens) == (Usage(7, 3), 10)


def test_tokens_that_nobody_told_are_unknown_not_zero(twin):
    response = twin.StreamingResponse(twin.stream(StreamChunk("Hi")))
    twin.list(response)
    assert response.total_tokens is None
    assert response.usage is None


def test_times_count_from_the_first_question(twin):
    response = twin.StreamingResponse(
        twin.stream(StreamChunk("a"), StreamChunk("b")), clock=ticking(100.0, 100.25, 100.5, 101.0)
    )
    assert response.total_latency_ms is None
    twin.next(response)
    assert (response.time_to_first_chunk_ms, response.total_latency_ms) == (250, 250)
    twin.list(response)
    assert (response.time_to_first_chunk_ms, response.total_latency_ms) == (250, 1000)
    assert response.chunks_per_second == 2
    assert (response.completion.time_to_first_token_ms, response.completion.latency_ms) == (250, 1000)


def test_a_stream_that_took_no_time_has_no_rate(twin):
    response = twin.StreamingResponse(twin.stream(StreamChunk("a")), clock=ticking(5.0))
    assert response.chunks_per_second is None
    twin.list(response)
    assert response.chunks_per_second is None


def test_what_has_come_is_known_at_any_time(twin):
    response = twin.StreamingResponse(twin.stream(*ANSWER))
    for _ in range(3):
        twin.next(response)
    assert (response.content, response.total_chunks, response.ended) == ("Hel", 3, False)
    assert response.result is None
    assert response.completion.latency_ms is None


def test_collecting_gives_the_whole_answer(twin):
    response = twin.StreamingResponse(twin.stream(*ANSWER))
    twin.next(response)
    result = twin.result(response.collect())
    assert isinstance(result, Ok)
    assert result.value.text == "Hello."
    assert response.result == result


def test_an_error_is_raised_and_kept_with_what_had_come(twin):
    response = twin.StreamingResponse(twin.stream(*ANSWER[:3], StreamError("It broke.")))
    for _ in range(3):
        twin.next(response)
    with pytest.raises(StreamError, match="It broke") as raised:
        twin.next(response)
    assert response.error is raised.value
    assert raised.value.partial.text == response.content == "Hel"
    assert response.total_chunks == 3
    assert twin.list(response) == []


def test_collecting_gives_the_error_however_often(twin):
    response = twin.StreamingResponse(twin.stream(StreamChunk("a"), LLMRateLimitError("Slow down.")))
    first, second = twin.result(response.collect()), twin.result(response.collect())
    assert first == second == Err(response.error)
    assert response.result == first


def test_what_a_stream_raises_that_is_not_ours_becomes_a_stream_error(twin):
    response = twin.StreamingResponse(twin.stream(StreamChunk("a"), KeyError("x")))
    result = twin.result(response.collect())
    assert type(result.error) is StreamError
    assert isinstance(result.error.__cause__, KeyError)
    assert result.error.partial.text == "a"
    assert type(twin.result(twin.StreamingResponse(twin.stream(OSError("reset"))).collect()).error) is (
        ProviderConnectionError
    )


def test_a_wrong_setting_is_raised_also_by_collecting(twin):
    response = twin.StreamingResponse(twin.stream(ConfigurationError("No key.")))
    with pytest.raises(ConfigurationError, match="No key"):
        twin.result(response.collect())
    assert isinstance(response.error, ConfigurationError)


def test_closing_early_closes_the_stream_and_is_no_whole_answer(twin):
    feed = twin.feed()
    feed.give(StreamChunk("a"))
    response = twin.StreamingResponse(feed)
    twin.next(response)
    twin.close(response)
    assert feed.closed.is_set()
    assert twin.list(response) == []
    result = twin.result(response.collect())
    assert isinstance(result, Err)
    assert result.error.partial.text == "a"
    assert response.result is None


def test_a_stream_that_knows_its_price_tells_it(twin):
    class Priced(StreamRecord):
        def completion(self):
            return Completion((), cost_usd=0.25, provider="acme")

    kinds = {"Blocking": ChatStream, "Awaiting": AsyncChatStream}
    stream = kinds[type(twin).__name__](twin.stream(*ANSWER), Priced(None))
    response = twin.StreamingResponse(stream)
    assert twin.result(response.collect()).value.cost_usd == 0.25
    assert response.total_chunks == 5


def test_a_cancelled_read_is_no_end(twin):
    """What broke off for no fault of the stream's is not taken for a whole answer."""

    class Stopped(BaseException):
        pass

    response = twin.StreamingResponse(twin.stream(StreamChunk("a"), Stopped()))
    twin.next(response)
    with pytest.raises(Stopped):
        twin.next(response)
    assert response.ended
    assert response.result is None


def test_one_thread_may_ask_what_another_is_reading():
    """As the aggregator's reader does; the switches between them are as frequent as can be."""
    pieces = (StreamChunk("x", block=number) for number in range(3000))
    response = sync.StreamingResponse(pieces)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        reading = threading.Thread(target=response.collect)
        reading.start()
        while not response.ended:
            assert set(response.content) <= {"x"}
        reading.join()
    finally:
        sys.setswitchinterval(before)
    assert response.content == "x" * 3000
