"""A stream behind a cache: replays, live followers, readers that are slow or leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caching_play import CHUNKS, PAID, USAGE, Provider, Reader, answer, asking, query, together
from lambdallm.llm.caching.caches import LLMCache
from lambdallm.llm.errors import InvalidRequestError, ProviderServerError, StreamError
from lambdallm.llm.flow import Sleep
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import as_chunks
from lambdallm.llm.types import StreamChunk
from lambdallm.testing.world import World


@pytest.fixture
def cache():
    return LLMCache()


def following():
    cache = LLMCache()
    cache.follows_streams = True
    return cache


def reading(*readers, world=None):
    """Each reader with the seconds it begins after."""
    return together(*[(start, reader.read()) for start, reader in readers], world=world)


class TestReplays:
    def test_the_same_chunks_come_again_without_the_waits(self, cache):
        provider, world = Provider(CHUNKS), World(lambda effect: None)
        first, second = Reader(cache, provider), Reader(cache, provider)
        reading((0, first), world=world)
        reading((0, second), world=world)
        assert len(provider) == 1
        assert first.chunks == second.chunks == CHUNKS
        assert first.times == [1.0, 2.0, 3.0, 4.0]
        assert second.times == [4.0] * 4

    def test_the_completion_says_that_it_is_a_hit(self, cache):
        provider = Provider(CHUNKS)
        first, second = Reader(cache, provider), Reader(cache, provider)
        reading((0, first), (10, second))
        assert (first.completion.cost_usd, first.completion.cache, first.completion.attempts) == (PAID, None, 1)
        hit = second.completion
        assert (hit.text, hit.usage, hit.cost_usd, hit.cache, hit.attempts) == ("Hello!", USAGE, 0.0, "hit", 0)
        assert (hit.latency_ms, hit.time_to_first_token_ms) == (0.0, 0.0)
        assert hit.replace(cost_usd=PAID, cache=None, attempts=1) == first.completion.replace(
            latency_ms=0.0, time_to_first_token_ms=0.0
        )

    def test_the_completion_is_known_from_the_first_chunk_on(self, cache):
        provider = Provider(CHUNKS)
        leaves = Reader(cache, provider, most=1)
        reading((0, Reader(cache, provider)), (10, leaves))
        assert leaves.completion.text == "Hello!"
        assert leaves.completion.cost_usd == 0.0

    def test_a_stream_answers_a_whole_call(self, cache):
        provider = Provider(CHUNKS)
        reading((0, Reader(cache, provider)))
        whole = together(asking(cache, provider))[0].value
        assert (whole.text, whole.usage, whole.cache, whole.finish_reason) == ("Hello!", USAGE, "hit", "stop")
        assert len(provider) == 1

    def test_a_whole_answer_is_read_as_a_stream(self, cache):
        whole, streamed = Provider(answer()), Provider(CHUNKS)
        together(asking(cache, whole))
        reader = Reader(cache, streamed)
        reading((0, reader))
        assert reader.chunks == tuple(as_chunks(answer()))
        assert reader.completion.cache == "hit"
        assert len(streamed) == 0

    def test_refresh_streams_again(self, cache):
        provider = Provider(CHUNKS)
        reading((0, Reader(cache, provider)), (10, Reader(cache, provider, refresh=True)))
        assert len(provider) == 2


class TestWhatIsStored:
    def test_not_a_stream_that_its_reader_left(self, cache):
        reading((0, Reader(cache, Provider(CHUNKS), most=3)))
        assert len(cache) == len(cache.flights) == 0

    def test_not_a_stream_that_broke_off(self, cache):
        reader = Reader(cache, Provider((*CHUNKS[:2], ProviderServerError("Overloaded."))))
        reading((0, reader))
        assert isinstance(reader.result.error, StreamError)
        assert reader.result.error.partial.text == "Hello"
        assert len(cache) == 0

    def test_not_what_a_filter_stopped(self, cache):
        stopped = (StreamChunk("Hel"), StreamChunk(finish_reason="content_filter"))
        reading((0, Reader(cache, Provider(stopped))))
        assert len(cache) == 0


class TestWaiting:
    """Unless a cache follows streams: nobody's stream breaks off because somebody else left."""

    def test_who_asks_for_a_stream_under_way_gets_it_at_its_end(self):
        cache, provider = LLMCache(), Provider(CHUNKS)
        first, second = Reader(cache, provider), Reader(cache, provider)
        reading((0, first), (0.5, second))
        assert len(provider) == 1
        assert first.chunks == second.chunks == CHUNKS
        assert second.times == [4.0] * len(CHUNKS)
        assert (second.completion.cache, second.completion.cost_usd) == ("shared", 0.0)

    def test_it_is_begun_anew_where_the_first_reader_leaves(self):
        cache, provider = LLMCache(), Provider(CHUNKS)
        leaves, second, third = Reader(cache, provider, most=2), Reader(cache, provider), Reader(cache, provider)
        reading((0, leaves), (0.5, second), (0.5, third))
        assert second.chunks == third.chunks == CHUNKS
        assert len(provider) == 2


class TestFollowing:
    @pytest.fixture
    def cache(self):
        return following()

    def test_chunks_come_to_all_as_they_come_to_the_first(self, cache):
        provider = Provider(CHUNKS)
        first, second, third = (Reader(cache, provider) for _ in range(3))
        reading((0, first), (0.5, second), (2.5, third))
        assert len(provider) == 1
        assert first.chunks == second.chunks == third.chunks == CHUNKS
        assert second.times == [1.0, 2.0, 3.0, 4.0]
        assert third.times == [2.5, 2.5, 3.0, 4.0]

    def test_it_is_paid_once(self, cache):
        provider = Provider(CHUNKS)
        readers = [Reader(cache, provider) for _ in range(3)]
        reading(*[(0, reader) for reader in readers])
        assert [reader.completion.cache for reader in readers] == [None, "shared", "shared"]
        assert sum(reader.completion.cost_usd for reader in readers) == PAID
        assert [reader.completion.attempts for reader in readers] == [1, 0, 0]

    def test_half_way_through_it_costs_nothing_either(self, cache):
        provider = Provider((StreamChunk("H", usage=USAGE), *CHUNKS))
        follower = Reader(cache, provider, most=2)
        reading((0, Reader(cache, provider)), (0, follower))
        assert (follower.completion.cache, follower.completion.cost_usd) == ("shared", 0.0)

    def test_a_slow_follower_holds_nobody_up(self, cache):
        provider = Provider(CHUNKS)
        first, slow = Reader(cache, provider), Reader(cache, provider, pause=10.0)
        reading((0, first), (0, slow))
        assert first.times == [1.0, 2.0, 3.0, 4.0]
        assert slow.times == [1.0, 11.0, 21.0, 31.0]
        assert slow.chunks == CHUNKS

    def test_a_follower_that_leaves_harms_nobody(self, cache):
        provider = Provider(CHUNKS)
        first, leaves, third = Reader(cache, provider), Reader(cache, provider, most=1), Reader(cache, provider)
        reading((0, first), (0, leaves), (0, third))
        assert first.chunks == third.chunks == CHUNKS
        assert len(cache) == 1

    def test_a_whole_call_takes_part_at_the_end(self, cache):
        provider = Provider(CHUNKS)
        results = together((0, Reader(cache, provider).read()), (1, asking(cache, provider)))
        assert len(provider) == 1
        assert (results[1].value.text, results[1].value.cache) == ("Hello!", "shared")

    def test_a_stream_takes_part_in_a_whole_call(self, cache):
        whole, streamed = Provider(answer()), Provider(CHUNKS)
        reader = Reader(cache, streamed)
        together((0, asking(cache, whole)), (0, reader.read()))
        assert len(streamed) == 0
        assert reader.times == [1.0, 1.0, 1.0]
        assert (reader.completion.text, reader.completion.cache) == ("Hello!", "shared")

    def test_one_that_has_nothing_yet_begins_anew_when_the_first_leaves(self, cache):
        provider = Provider(CHUNKS, seconds=1.0)
        leaves, second, third = Reader(cache, provider, most=0), Reader(cache, provider), Reader(cache, provider)
        given_up = Reader(cache, provider)

        def giving_up():
            flow, outcome = given_up._flow, None
            for _ in range(3):
                effect = flow.send(outcome)
                outcome = yield effect
            flow.close()

        together((0, leaves.read()), (0, giving_up()), (0.1, second.read()), (0.1, third.read()))
        assert second.chunks == third.chunks == CHUNKS
        assert provider.most <= 1

    def test_one_in_the_middle_breaks_off_when_the_first_leaves(self, cache):
        provider = Provider(CHUNKS)
        first, second = Reader(cache, provider, most=2), Reader(cache, provider)
        reading((0, first), (0, second))
        assert isinstance(second.result.error, StreamError)
        assert second.result.error.retryable
        assert second.result.error.partial.text == "Hello"
        assert (second.result.error.partial.cost_usd, second.result.error.partial.cache) == (0.0, "shared")

    def test_an_error_in_the_middle_is_everybody_s(self, cache):
        provider = Provider((CHUNKS[0], ProviderServerError("Overloaded.")))
        readers = [Reader(cache, provider) for _ in range(3)]
        reading(*[(0, reader) for reader in readers])
        assert len(provider) == 1
        assert [type(reader.result.error) for reader in readers] == [StreamError] * 3
        assert all(reader.result.error.partial.text == "Hel" for reader in readers)
        assert readers[1].result.error is not readers[2].result.error

    def test_a_passing_error_before_the_first_chunk_makes_another_lead(self, cache):
        provider = Provider((Sleep(1) and ProviderServerError("Overloaded."),), CHUNKS)
        readers = [Reader(cache, provider) for _ in range(3)]
        reading(*[(0, reader) for reader in readers])
        assert provider.begun == [0.0, 1.0]
        assert [reader.chunks for reader in readers] == [(), CHUNKS, CHUNKS]

    def test_an_error_of_the_request_is_everybody_s(self, cache):
        provider = Provider((InvalidRequestError("No."),))
        readers = [Reader(cache, provider) for _ in range(3)]
        reading(*[(0, reader) for reader in readers])
        assert len(provider) == 1
        assert {type(reader.result.error) for reader in readers} == {InvalidRequestError}


class TestSlowFirstReaders:
    """Whoever comes first may take all day over a chunk; nobody has to wait for that."""

    def test_who_comes_while_it_stands_still_makes_a_call_of_its_own(self, cache):
        provider = Provider(CHUNKS)
        slow, second = Reader(cache, provider, pause=100.0), Reader(cache, provider)
        reading((0, slow), (5, second))
        assert provider.begun[1] == pytest.approx(5.25, abs=0.3)
        assert second.chunks == slow.chunks == CHUNKS

    def test_a_whole_call_does_too(self, cache):
        streamed, whole = Provider(CHUNKS), Provider(answer())
        together((0, Reader(cache, streamed, pause=100.0).read()), (5, asking(cache, whole)))
        assert whole.begun == [5.25]

    def test_one_reader_may_read_the_same_stream_twice_in_turns(self, cache):
        """`zip(stream, stream)`: the second can't wait for the first, whose next chunk is asked for after its own."""
        provider = Provider(CHUNKS)
        first, second = Reader(cache, provider), Reader(cache, provider)

        def in_turns():
            turns, outcomes = [first.read(), second.read()], [None, None]
            while turns[1] is not None:
                for which in (0, 1):
                    got = len((first, second)[which].got)
                    try:
                        while len((first, second)[which].got) == got:
                            outcomes[which] = yield turns[which].send(outcomes[which])
                    except StopIteration:
                        turns[which] = None
                        if which == 0:
                            continue
                if turns[0] is None:
                    return

        together(in_turns())
        assert first.chunks == CHUNKS
        assert len(provider) == 2

    def test_who_is_in_the_middle_waits_a_minute_and_says_so(self):
        cache, provider = following(), Provider(CHUNKS)
        first, second = Reader(cache, provider), Reader(cache, provider)

        def stops_half_way():
            flow, outcome = first.read(), None
            while len(first.got) < 2:
                outcome = yield flow.send(outcome)
            yield Sleep(1000.0)
            flow.close()

        together((0, stops_half_way()), (0, second.read()))
        assert "stands still" in str(second.result.error)
        assert second.times == [1.0, 2.0]


events = st.lists(
    st.tuples(st.integers(0, 60), st.sampled_from([0.0, 0.0, 0.1, 3.0]), st.sampled_from([99, 99, 99, 0, 1, 3])),
    min_size=1,
    max_size=7,
)
streams = st.sampled_from(
    [CHUNKS, CHUNKS, (CHUNKS[0], ProviderServerError("Overloaded.")), (InvalidRequestError("No."),)]
)


@given(events, st.lists(streams, min_size=1, max_size=5), st.sampled_from([0.0, 0.5, 2.0]))
def test_every_reader_gets_the_chunks_in_order_or_an_error(readers, streams, seconds):
    cache, provider = LLMCache(), Provider(*streams, seconds=seconds)
    made = [(start / 10, Reader(cache, provider, pause=pause, most=most)) for start, pause, most in readers]
    reading(*made)
    for _, reader in made:
        assert reader.chunks == CHUNKS[: len(reader.chunks)]
        assert reader.result is None or isinstance(reader.result, (Ok, Err))
        assert not isinstance(reader.result, Ok) or reader.chunks == CHUNKS
        assert reader.result is not None or len(reader.chunks) == reader._most
    assert len(cache.flights) == 0
    paid = [reader for _, reader in made if isinstance(reader.result, Ok) and reader.completion.cache is None]
    assert all(reader.completion.cost_usd == PAID for reader in paid)
    assert len(paid) <= len(provider)


def test_other_questions_don_t_wait(cache):
    provider = Provider(CHUNKS)
    readers = [Reader(cache, provider, query(text)) for text in "ab"]
    reading(*[(0, reader) for reader in readers])
    assert [reader.times for reader in readers] == [[1.0, 2.0, 3.0, 4.0]] * 2
