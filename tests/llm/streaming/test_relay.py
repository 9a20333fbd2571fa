"""A stream told on to a client of one's own, in the words of the protocol it speaks."""

import json

import pytest

from lambdallm.llm.errors import ConfigurationError, LLMRateLimitError, StreamError
from lambdallm.llm.streaming import SSEStreamAdapter, sync, to_sse
from lambdallm.llm.types import ChatRequest, StreamChunk, ToolCallDelta, Usage

ANSWER = (
    StreamChunk(metadata={"id": "a1", "model": "m1"}),
    StreamChunk(thinking="Hm."),
    StreamChunk("Hel"),
    StreamChunk("lo."),
    StreamChunk(tool_calls=(ToolCallDelta(0, "call_1", "weather", '{"city": '),), block=1),
    StreamChunk(tool_calls=(ToolCallDelta(0, arguments='"Oslo"}'),), block=1),
    StreamChunk(finish_reason="tool_calls", usage=Usage(7, 3)),
)
PROTOCOLS = ("openai_chat", "openai_responses", "anthropic_messages", "gemini")


def told(twin, *chunks, **options):
    return b"".join(twin.list(to_sse(twin.stream(*chunks), **options)))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_client_reads_what_the_stream_said(twin, protocol):
    stream = SSEStreamAdapter(protocol).adapt(told(twin, *ANSWER, protocol=protocol))
    assert "".join(stream.texts()) == "Hello."
    answer = stream.completion
    assert answer.thinking == "Hm."
    assert [(call.name, call.arguments) for call in answer.tool_calls] == [("weather", {"city": "Oslo"})]
    assert (answer.model, answer.usage.input_tokens, answer.usage.output_tokens) == ("m1", 7, 3)


def test_each_piece_goes_out_as_it_comes(twin):
    feed = twin.feed()
    relayed = to_sse(feed)
    for text in ("Hel", "lo."):
        feed.give(StreamChunk(text))
        assert json.dumps(text).encode() in twin.next(relayed)
    feed.give(StopIteration())
    assert twin.list(relayed)[-1].endswith(b"data: [DONE]\n\n")
    assert feed.closed.is_set()


def test_the_same_id_and_time_give_the_same_bytes(twin):
    chunk = StreamChunk("Hi", metadata={})
    first, second = (told(twin, chunk, model="m", id="x", created=1) for _ in range(2))
    assert first == second
    assert b'"id":"x"' in first
    assert b'"created":1,"model":"m"' in first
    assert told(twin, chunk) != told(twin, chunk)


def test_what_the_client_asked_for_decides(twin):
    silent = told(twin, *ANSWER, request=ChatRequest("m", ()))
    assert b'"usage"' not in silent
    assert b'"total_tokens":10' in told(twin, *ANSWER)


def test_a_failure_is_told_in_the_protocols_own_words(twin):
    body = told(twin, StreamChunk("Hel"), LLMRateLimitError("Slow down."))
    stream = SSEStreamAdapter().adapt(body)
    with pytest.raises(StreamError, match="Slow down") as raised:
        list(stream)
    assert raised.value.partial.text == "Hel"
    assert b"[DONE]" not in body


def test_a_bug_is_told_without_its_words_and_raised(twin):
    relayed = to_sse(twin.stream(StreamChunk("Hel"), KeyError("the secret name")))
    sent = [twin.next(relayed), twin.next(relayed)]
    with pytest.raises(KeyError, match="the secret name"):
        twin.next(relayed)
    assert b"The stream broke off" in sent[-1]
    assert b"secret" not in b"".join(sent)


def test_leaving_early_closes_the_stream(twin):
    feed = twin.feed()
    feed.give(StreamChunk("a"))
    relayed = to_sse(feed)
    twin.next(relayed)
    twin.close(relayed)
    assert feed.closed.is_set()


def test_silence_is_filled_with_comments_that_clients_read_over(twin):
    feed = twin.feed()
    relayed = to_sse(feed, keep_alive_seconds=0.01)
    assert twin.next(relayed) == b": keep-alive\n\n"
    feed.give(*ANSWER, StopIteration())
    rest = twin.list(relayed)
    assert "".join(SSEStreamAdapter().adapt([b": keep-alive\n\n", *rest]).texts()) == "Hello."
    assert feed.closed.wait(20)
    assert not twin.is_left()


def test_a_kept_alive_stream_is_let_go_when_its_client_leaves(twin):
    feed = twin.feed()
    relayed = to_sse(feed, keep_alive_seconds=0.01)
    twin.next(relayed)
    twin.close(relayed)
    feed.give(StopIteration())
    assert feed.closed.wait(20)
    assert not twin.is_left()


def test_a_kept_alive_stream_fails_as_others_do(twin):
    assert b"Slow down." in told(twin, LLMRateLimitError("Slow down."), keep_alive_seconds=60)


def test_a_protocol_that_no_client_speaks_is_refused():
    with pytest.raises(ConfigurationError, match=r"'cohere_chat'.*'openai_chat', 'openai_responses'"):
        to_sse([], "cohere_chat")
    assert sync.to_sse is to_sse
