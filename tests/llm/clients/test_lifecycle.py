"""What stands around a call: deadlines, hedges, breakers of models, what failed attempts used. Time is simulated."""

import pytest

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.clients.sync import AbstractLLMClient, OpenAIClient
from lambdallm.llm.errors import (
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderConnectionError,
    ProviderResponseError,
    ProviderServerError,
    UnsupportedParameterError,
)
from lambdallm.llm.flow import Sleep
from lambdallm.llm.pricing import PricingManager
from lambdallm.llm.rate_limiting import RateLimiter
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.types import ChatMessage, Choice, Completion, StreamChunk, ToolDefinition, Usage
from lambdallm.testing import Later, Script


def answer(text="Hi."):
    return Completion((Choice(ChatMessage("assistant", text), "stop"),), usage=Usage(10, 5))


class Scripted(AbstractLLMClient):
    """A client whose attempts end as they are told, each after its seconds."""

    provider, default_model = "openai", "gpt-4o"

    def __init__(self, *outcomes, **options):
        super().__init__(**options)
        self.outcomes = list(outcomes)
        self.world = Script()
        self.begun = []

    def _do_complete(self, messages, **options):
        self.begun.append(self.world.clock.monotonic - 1_000)
        seconds, outcome = self.outcomes.pop(0)
        return Later(seconds, Err(outcome) if isinstance(outcome, Exception) else Ok(outcome))

    def call(self, **options):
        asked = self._asked("Hello", options)
        hook = lambda asked: self._do_complete(asked.messages, **self._given(asked))  # noqa: E731
        return self.world.run(self._whole(hook, asked))

    def read(self, streams, *, leave_after=None, **options):
        """The chunks of a stream whose attempts deliver `(seconds, chunk)` each."""
        record = StreamRecord(self._target(None))
        streams = list(streams)

        def begin(_asked):
            self.begun.append(self.world.clock.monotonic - 1_000)
            pieces = iter([*streams.pop(0), (0, None)])
            return lambda: Later(*next(pieces))

        result = self.world.run(self._pieces(begin, self._asked("Hello", options), record), leave_after=leave_after)
        return result, record


def after(seconds):
    yield Sleep(seconds)


OVERLOADED = ProviderServerError("Overloaded.")
PRICE_IN, PRICE_OUT = 2.5e-6, 10e-6


class TestADeadline:
    def test_ends_the_retries_that_would_go_beyond_it(self):
        client = Scripted((0, OVERLOADED), (0, OVERLOADED), (0, answer()))
        error = client.call(deadline=1_002.0).error
        assert (error.attempts, client.begun) == (2, [0, 1])

    def test_is_made_of_the_longest_call(self):
        client = Scripted((1, OVERLOADED), (1, OVERLOADED), (0, answer()), total_timeout=4)
        client.call()
        assert client.begun == [0, 2]

    def test_is_the_earlier_of_both(self):
        client = Scripted((0, OVERLOADED), (0, answer()), total_timeout=60)
        assert client.call(deadline=1_000.5).error is OVERLOADED


class TestAHedge:
    def test_is_not_made_for_what_answers_in_time(self):
        client = Scripted((1, answer()), hedge_seconds=2)
        assert client.call().value.attempts == 1

    def test_overtakes_an_attempt_that_is_late(self):
        client = Scripted((60, answer("slow")), (1, answer("fast")), hedge_seconds=2)
        reply = client.call().value
        assert (reply.text, reply.attempts) == ("fast", 2)
        assert client.world.clock.monotonic == 1_003

    def test_counts_the_cancelled_attempt_with_its_input_and_says_so(self):
        client = Scripted((60, answer()), (1, answer()), hedge_seconds=2)
        reply = client.call().value
        assert reply.usage == Usage(20, 5)
        assert reply.cost_usd == pytest.approx(20 * PRICE_IN + 5 * PRICE_OUT)
        assert "cancelled for a faster one" in reply.warnings[0]

    def test_counts_both_answers_where_they_come_together(self):
        client = Scripted((3, answer()), (1, answer()), hedge_seconds=2)
        reply = client.call().value
        assert (reply.attempts, reply.usage, reply.warnings) == (2, Usage(20, 10), ())
        assert reply.cost_usd == pytest.approx(2 * (10 * PRICE_IN + 5 * PRICE_OUT))

    def test_leaves_a_stream_that_began_first(self):
        client = Scripted(hedge_seconds=2)
        slow = [(30, StreamChunk("slow"))]
        fast = [(1, StreamChunk("fa")), (1, StreamChunk("st", usage=Usage(10, 5)))]
        result, record = client.read([slow, fast])
        assert result == Ok(None)
        assert [chunk.delta for chunk in client.world.emitted] == ["fa", "st"]
        reply = record.completion()
        assert (reply.text, reply.attempts, reply.usage) == ("fast", 2, Usage(20, 5))
        assert reply.time_to_first_token_ms == 3_000

    def test_is_no_failure_of_the_one_it_overtook(self):
        client = Scripted((60, answer()), (1, answer()), hedge_seconds=2)
        client.call()
        assert client.circuit_breaker.failures == 0


class TestBreakers:
    def test_a_model_that_fails_does_not_block_the_others(self):
        client = Scripted(*[(0, OVERLOADED)] * 2, (0, answer()), failure_threshold=2, max_retries=0)
        client.call()
        client.call()
        assert isinstance(client.call().error, CircuitOpenError)
        assert client.call(model="gpt-4o-mini").value.text == "Hi."

    def test_what_never_reached_the_provider_blocks_them_all(self):
        lost = ProviderConnectionError("No route.")
        client = Scripted(*[(0, lost)] * 2, failure_threshold=2, max_retries=0)
        client.call()
        client.call(model="gpt-4o-mini")
        error = client.call(model="o3").error
        assert isinstance(error, CircuitOpenError)
        assert not error.sent
        assert len(client.begun) == 2

    def test_a_refused_call_is_no_attempt(self):
        client = Scripted((0, OVERLOADED), failure_threshold=1, max_retries=0)
        client.call()
        assert len(client.begun) == 1
        assert client.call().error.attempts == 0
        assert len(client.begun) == 1

    def test_what_was_not_sent_proves_nothing(self):
        """A half-open breaker must not close over a request that never left."""
        client = Scripted((0, OVERLOADED), (0, UnsupportedParameterError("n=3")), failure_threshold=1, max_retries=0)
        client.call()
        client.world.run(after(31))
        assert client.call().error.attempts == 0
        assert client.circuit_breaker.state == "open"
        assert not client.circuit_breaker.refuses(client.world.clock.monotonic)

    def test_no_connection_is_a_failure_also_where_trying_again_is_no_use(self):
        client = Scripted((0, ProviderConnectionError("Bad certificate.", retryable=False)), failure_threshold=1)
        client.call()
        assert client.circuit_breaker.state == "open"


class TestWhatFailedAttemptsUsed:
    GARBLED = ProviderResponseError("Garbled.", usage=Usage(10, 3))

    def test_is_on_the_answer(self):
        reply = Scripted((0, self.GARBLED), (0, answer())).call().value
        assert reply.usage == Usage(20, 8)
        assert reply.cost_usd == pytest.approx(20 * PRICE_IN + 8 * PRICE_OUT)

    def test_is_on_the_error(self):
        twice = [(0, ProviderResponseError("Garbled.", usage=Usage(10, 3))) for _ in range(2)]
        error = Scripted(*twice, max_retries=1).call().error
        assert error.usage == Usage(20, 6)
        assert error.cost_usd == pytest.approx(20 * PRICE_IN + 6 * PRICE_OUT)


def test_slots_are_given_back_however_a_call_ends():
    client = Scripted((0, OVERLOADED), (0, answer()), max_concurrency=1, max_retries=0)
    client.call()
    assert client.call().value.text == "Hi."


class TestListeners:
    def test_hear_of_a_call_twice(self):
        heard = []
        Scripted((0, OVERLOADED), (1, answer()), listeners=[heard.append]).call()
        begun, ended = heard
        assert (begun.operation, begun.provider, begun.model) == ("chat", "openai", "gpt-4o")
        assert begun.request.messages == (ChatMessage("user", "Hello"),)
        assert ended.call is begun
        assert (ended.completion.text, ended.completion.attempts, ended.latency_ms) == ("Hi.", 2, 2_000)

    def test_hear_of_a_failure(self):
        heard = []
        Scripted((0, OVERLOADED), listeners=[heard.append], max_retries=0).call()
        assert heard[1].error is OVERLOADED

    def test_hear_of_what_is_raised(self):
        heard = []
        with pytest.raises(DeadlineExceededError):
            Scripted(listeners=[heard.append]).call(deadline=1_000.0)
        assert isinstance(heard[1].error, DeadlineExceededError)

    def test_hear_of_a_stream_that_its_reader_left(self):
        heard = []
        client = Scripted(listeners=[heard.append])
        chunks = [(1, StreamChunk("Once")), (1, StreamChunk(" upon"))]
        client.read([chunks], leave_after=1)
        assert heard[1].error is None
        assert (heard[1].completion.text, heard[1].latency_ms) == ("Once", 1_000)

    def test_hear_of_an_answer_from_the_cache(self):
        heard = []
        client = Scripted((0, answer()), listeners=[heard.append], cache=LLMCache())
        client.call()
        client.call()
        assert [notice.completion.cache for notice in heard[1::2]] == [None, "hit"]


class TestACache:
    def test_answers_what_was_asked_before(self):
        client = Scripted((0, answer()), cache=LLMCache())
        client.call()
        reply = client.call().value
        assert (reply.text, reply.cache, reply.cost_usd, reply.usage) == ("Hi.", "hit", 0.0, Usage(10, 5))

    def test_may_be_passed_by_or_refreshed(self):
        client = Scripted((0, answer("1")), (0, answer("2")), (0, answer("3")), cache=LLMCache())
        assert client.call().value.text == "1"
        assert client.call(cache=False).value.text == "2"
        assert client.call().value.text == "1"
        assert client.call(cache="refresh").value.text == "3"
        assert client.call().value.text == "3"

    def test_tells_other_settings_apart(self):
        client = Scripted((0, answer("1")), (0, answer("2")), cache=LLMCache())
        client.call(temperature=0)
        assert client.call(temperature=1).value.text == "2"

    def test_replays_a_stream_as_one(self):
        client = Scripted(cache=LLMCache())
        chunks = [(1, StreamChunk("H")), (1, StreamChunk("i.", finish_reason="stop", usage=Usage(10, 5)))]
        client.read([chunks])
        _, record = client.read([])
        assert [chunk.delta for chunk in client.world.emitted if chunk.delta] == ["H", "i."] * 2
        assert (record.completion().cache, record.completion().cost_usd) == ("hit", 0.0)

    def test_takes_no_word_it_does_not_know(self):
        with pytest.raises(ConfigurationError, match="'always'"):
            Scripted(cache=LLMCache()).call(cache="always")


class TestLimits:
    def test_refuse_before_anything_is_sent(self):
        client = Scripted((0, answer()), requests_per_minute=1)
        client.call()
        error = client.call().error
        assert isinstance(error, LLMRateLimitError)
        assert (error.sent, error.attempts, len(client.begun)) == (False, 0, 1)
        assert error.retry_after == pytest.approx(60)

    def test_are_the_provider_s_or_each_model_s(self):
        client = Scripted((0, answer()), (0, answer()), requests_per_minute=1)
        client.call()
        assert isinstance(client.call(model="gpt-4o-mini").error, LLMRateLimitError)
        client = Scripted((0, answer()), (0, answer()), rate_limiter=RateLimiter(1, key="model"))
        client.call()
        assert client.call(model="gpt-4o-mini").value.text == "Hi."

    def test_count_tools_too(self):
        tool = ToolDefinition("look", "Look it up. " * 1000)
        client = Scripted((0, answer()), (0, answer()), tokens_per_minute=700)
        assert client.call(max_tokens=10).value.text == "Hi."
        error = client.call(max_tokens=10, tools=[tool]).error
        assert (error.code, error.attempts) == ("tokens/minute", 0)

    def test_estimate_a_call_s_tokens_once_for_all_of_its_attempts(self):
        class Counter:
            calls = 0

            def count_messages(self, messages, model=None):
                self.calls += 1
                return 10

        counter = Counter()
        limits = {"tokens_per_minute": 10_000, "check_token_limit": False}
        client = Scripted((0, OVERLOADED), (0, OVERLOADED), (0, answer()), token_counter=counter, **limits)
        assert client.call().value.attempts == 3
        assert counter.calls == 1

    def test_are_given_back_where_nothing_could_be_sent(self):
        """Two calls without a key take nothing of the one request there is."""
        client = OpenAIClient(requests_per_minute=1, tokens_per_minute=600)
        for _ in range(2):
            with pytest.raises(MissingKeyError):
                client.complete("Hello")

    def test_are_not_taken_by_the_cache(self):
        client = Scripted((0, answer()), requests_per_minute=1, cache=LLMCache())
        client.call()
        assert client.call().value.cache == "hit"

    def test_count_what_a_left_stream_had_used(self):
        client = Scripted(tokens_per_minute=1_000)
        chunks = [(0, StreamChunk("H", usage=Usage(10, 5))), (1, StreamChunk("i."))]
        client.read([chunks], leave_after=1)
        chunks[1] = (0, StreamChunk("i.", finish_reason="stop"))
        result, _ = client.read([chunks], max_tokens=900)
        assert result == Ok(None)


def test_prices_of_ones_own_are_what_a_call_costs():
    client = Scripted((0, answer()), pricing=PricingManager({"openai/gpt-4o": {"input": 1.0, "output": 2.0}}))
    assert client.call().value.cost_usd == pytest.approx((10 * 1.0 + 5 * 2.0) / 1e6)


def test_namespaces_do_not_share_answers():
    cache = LLMCache()
    one = Scripted((0, answer("1")), cache=cache, cache_namespace="a")
    other = Scripted((0, answer("2")), cache=cache, cache_namespace="b")
    assert (one.call().value.text, other.call().value.text) == ("1", "2")
