"""A call behind a cache: what is stored, what a hit says, and who makes the call where many ask at once."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caching_play import PAID, USAGE, Provider, Slow, answer, asking, given_up, query, together
from lambdallm.llm.caching.caches import LLMCache
from lambdallm.llm.errors import (
    ConfigurationError,
    InvalidRequestError,
    LLMAuthenticationError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    ProviderServerError,
)
from lambdallm.llm.flow import Await, Sleep
from lambdallm.llm.result import Err, Ok
from lambdallm.testing.world import World


@pytest.fixture
def cache():
    return LLMCache()


class TestHits:
    def test_a_second_call_is_answered_without_one(self, cache):
        provider = Provider()
        world = World(lambda effect: None)
        first, second = (world.run(asking(cache, provider)).unwrap() for _ in range(2))
        assert len(provider) == 1
        assert first == answer()
        assert second == answer(cost_usd=0.0, cache="hit", latency_ms=0.0, attempts=0)

    def test_it_costs_nothing_and_says_what_was_used_when_it_was_made(self, cache):
        world = World(lambda effect: None)
        for _ in range(2):
            hit = world.run(asking(cache, Provider())).unwrap()
        assert (hit.cost_usd, hit.usage, hit.cache) == (0.0, USAGE, "hit")

    def test_another_question_is_another_call(self, cache):
        provider = Provider()
        together(asking(cache, provider, query("a")), asking(cache, provider, query("b")))
        assert len(provider) == 2

    def test_tenants_are_kept_apart(self, cache):
        provider = Provider()
        together(asking(cache, provider, query(namespace="a")), asking(cache, provider, query(namespace="b")))
        assert len(provider) == 2

    def test_it_is_forgotten_after_its_time(self):
        cache, provider, world = LLMCache(ttl_seconds=60), Provider(seconds=0), World(lambda effect: None)
        together((0, asking(cache, provider)), (59.9, asking(cache, provider)), world=world)
        assert len(provider) == 1
        together((0.2, asking(cache, provider)), world=world)
        assert len(provider) == 2

    def test_a_call_may_set_another_time(self, cache):
        provider = Provider(seconds=0)
        together((0, asking(cache, provider, ttl_seconds=5)), (5, asking(cache, provider)))
        assert len(provider) == 2

    def test_refresh_asks_again_and_replaces(self, cache):
        provider, world = Provider(answer("old"), answer("new")), World(lambda effect: None)
        world.run(asking(cache, provider))
        assert world.run(asking(cache, provider, refresh=True)).unwrap().text == "new"
        assert world.run(asking(cache, provider)).unwrap().text == "new"
        assert len(provider) == 2

    def test_what_a_caller_does_to_its_answer_harms_no_other(self, cache):
        world, provider = World(lambda effect: None), Provider(answer(metadata={"a": 1}))
        for _ in range(3):
            given = world.run(asking(cache, provider)).unwrap()
            assert given.metadata.pop("a", None) == 1
            provider.outcomes = [None]


class TestWhatIsStored:
    @pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", None])
    def test_whole_good_answers(self, cache, reason):
        together(asking(cache, Provider(answer(reason=reason))))
        assert len(cache) == 1

    @pytest.mark.parametrize("reason", ["content_filter", "refusal", "error", "other", "pause"])
    def test_not_what_was_stopped(self, cache, reason):
        result = together(asking(cache, Provider(answer(reason=reason))))[0]
        assert result == Ok(answer(reason=reason))
        assert len(cache) == 0

    @pytest.mark.parametrize("empty", [answer(""), answer().replace(choices=())])
    def test_not_what_says_nothing(self, cache, empty):
        together(asking(cache, Provider(empty)))
        assert len(cache) == 0

    def test_not_errors(self, cache):
        error = InvalidRequestError("No.")
        assert together(asking(cache, Provider(error))) == [Err(error)]
        assert len(cache) == 0

    def test_an_answer_too_large_is_said_in_the_log(self, caplog):
        cache = LLMCache(max_bytes=1000)
        assert together(asking(cache, Provider(answer("x" * 2000))))[0].is_ok()
        assert len(cache) == 0
        assert "more than the cache holds" in caplog.text

    def test_an_answer_that_is_no_json_is_said_in_the_log(self, cache, caplog):
        assert together(asking(cache, Provider(answer(metadata={"x": object()}))))[0].is_ok()
        assert len(cache) == 0
        assert "was not cached: a object is no JSON" in caplog.text

    def test_an_answer_that_holds_itself_is_said_in_the_log(self, cache, caplog):
        metadata = {}
        metadata["self"] = metadata
        assert together(asking(cache, Provider(answer(metadata=metadata))))[0].is_ok()
        assert "was not cached" in caplog.text

    @pytest.mark.parametrize("damaged", [b"", b"v1 j 00000000 {}", b"v9 j 00000000 {}"])
    def test_one_that_can_t_be_read_is_removed_and_asked_for_again(self, cache, damaged, caplog):
        cache.memory.set(query().key, damaged, None, 0.0)
        provider = Provider(answer(reason="other"))
        assert together(asking(cache, provider))[0].is_ok()
        assert len(provider) == 1
        assert len(cache) == 0
        assert "can't be read" in caplog.text


class TestManyAtOnce:
    def test_one_call_is_made_and_all_have_its_answer(self, cache):
        provider = Provider()
        first, *others = together(*[(number / 10, asking(cache, provider)) for number in range(5)])
        assert provider.begun == [0.0]
        assert first == Ok(answer())
        for number, other in enumerate(others, 1):
            assert other.value.cache == "shared"
            assert other.value == answer(
                cost_usd=0.0, cache="shared", latency_ms=pytest.approx(1000 - number * 100), attempts=0
            )

    def test_what_the_call_cost_is_counted_once(self, cache):
        costs = [result.value.cost_usd for result in together(*[asking(cache, Provider()) for _ in range(9)])]
        assert sum(costs) == PAID

    def test_an_error_of_the_request_is_everybody_s(self, cache):
        provider = Provider(InvalidRequestError("No.", usage=USAGE, cost_usd=1.0))
        first, second, third = (result.error for result in together(*[asking(cache, provider) for _ in range(3)]))
        assert len(provider) == 1
        assert {type(error) for error in (first, second, third)} == {InvalidRequestError}
        assert (first.usage, first.cost_usd, first.sent) == (USAGE, 1.0, True)
        for error in (second, third):
            assert (error.usage, error.cost_usd, error.attempts, error.sent) == (None, 0.0, 0, False)
            assert str(error) == str(first)
        assert second is not third

    @pytest.mark.parametrize("error", [LLMAuthenticationError, LLMQuotaExceededError])
    def test_an_error_of_the_leader_s_account_is_its_own(self, cache, error):
        """Those who wait may have other keys: each hears of its own."""
        provider = Provider(error("No."), answer())
        first, *others = together(*[asking(cache, provider) for _ in range(4)])
        assert isinstance(first.error, error)
        assert [result.value.cache for result in others] == [None] * 3

    def test_after_a_passing_error_one_of_those_who_waited_calls(self, cache):
        provider = Provider(ProviderServerError("Overloaded."), answer())
        results = together(*[asking(cache, provider) for _ in range(9)])
        assert provider.begun == [0.0, 1.0]
        assert provider.most == 1
        assert [result.is_ok() for result in results] == [False] + [True] * 8

    def test_they_don_t_fail_one_after_another_for_hours(self, cache):
        provider = Provider(ProviderServerError("Overloaded."))
        results = together(*[asking(cache, provider) for _ in range(9)])
        assert provider.begun == [0.0, 1.0]
        assert all(isinstance(result.error, ProviderServerError) for result in results)

    def test_after_a_caller_gives_up_one_of_those_who_waited_calls(self, cache):
        provider = Provider(seconds=10)
        results = together(given_up(asking(cache, provider), 3), *[(1, asking(cache, provider)) for _ in range(4)])
        assert provider.begun == [0.0, 3.0]
        assert provider.most == 1
        assert [result.value.cache for result in results[1:]] == [None, "shared", "shared", "shared"]

    def test_one_who_waits_may_give_up_too(self, cache):
        provider = Provider()
        results = together(asking(cache, provider), given_up(asking(cache, provider), 0.5), asking(cache, provider))
        assert [None if result is None else result.value.cache for result in results] == [None, None, "shared"]

    def test_a_bug_is_its_caller_s_own(self, cache):
        def broken():
            yield Sleep(1)
            raise ConfigurationError("No key.")

        provider = Provider()
        provider.call = broken
        with pytest.raises(ConfigurationError):
            together(asking(cache, provider))
        assert len(cache.flights) == 0
        assert together(asking(cache, Provider()))[0].is_ok()

    def test_nobody_waits_beyond_its_deadline(self, cache):
        """A call of its own then says itself that no time is left."""
        provider = Provider(seconds=10)
        together(asking(cache, provider), (1, asking(cache, provider, deadline=1004.0)))
        assert provider.begun == [0.0, 4.0]

    def test_who_wants_it_fresh_follows_nobody_who_takes_it_stored(self, cache):
        provider = Provider()
        results = together(asking(cache, provider), *[asking(cache, provider, refresh=True) for _ in range(3)])
        assert provider.begun == [0.0, 0.0]
        assert [result.value.cache for result in results] == [None, None, "shared", "shared"]

    def test_what_was_stopped_by_a_filter_is_shared_and_not_stored(self, cache):
        provider = Provider(answer(reason="content_filter"))
        assert [r.value.finish_reason for r in together(*[asking(cache, provider) for _ in range(3)])] == [
            "content_filter"
        ] * 3
        assert len(provider) == 1
        assert len(cache) == 0


def test_those_who_wait_have_the_answer_before_it_is_stored(cache):
    cache.answers.store = Slow(cache.memory, 5.0)
    provider, world = Provider(), World(lambda effect: None)
    shared = together(
        (0, asking(cache, provider)), (1, asking(cache, provider)), (8, asking(cache, provider)), world=world
    )
    assert provider.begun == [5.0]
    assert [round(result.value.latency_ms) for result in shared[1:]] == [5000, 0]
    assert len(cache.flights) == 0


def test_a_hit_is_looked_up_once_for_all_who_ask_at_once(cache):
    world = World(lambda effect: None)
    world.run(asking(cache, Provider()))
    cache.answers.store = Slow(cache.memory, 1.0)
    results = together(*[asking(cache, Provider()) for _ in range(3)], world=world)
    assert [result.value.cache for result in results] == ["hit"] * 3
    assert [effect for effect in world.effects if isinstance(effect, Await)]


outcomes = st.sampled_from(
    [answer(), answer(reason="refusal"), LLMRateLimitError("Slow down."), InvalidRequestError("No.")]
)
callers = st.lists(
    st.tuples(st.integers(0, 12), st.none() | st.integers(1, 8), st.none() | st.integers(1, 20)), min_size=1, max_size=8
)


@given(callers, st.lists(outcomes, min_size=1, max_size=8), st.integers(0, 4))
def test_whoever_comes_gives_up_or_fails_one_calls_at_a_time_and_everybody_hears(callers, outcomes, seconds):
    """In any world: no lost wake-up, no two calls at a time but those whose deadline came, each cost counted once."""
    cache, provider = LLMCache(), Provider(*outcomes, seconds=float(seconds))
    flows, alone = [], 0
    for start, patience, deadline in callers:
        limit = None if deadline is None else 1000.0 + start + deadline
        alone += limit is not None
        flow = asking(cache, provider, deadline=limit)
        flows.append((float(start), flow if patience is None else given_up(flow, patience)))
    results = together(*flows)
    assert provider.most <= 1 + alone
    assert provider.under_way == len(cache.flights) == 0
    for (_, patience, _), result in zip(callers, results, strict=True):
        assert patience is not None or isinstance(result, (Ok, Err))
    answers = [result.value for result in results if isinstance(result, Ok)]
    assert all((found.cache is None) == (found.cost_usd == PAID) for found in answers)
    assert sum(found.cache is None for found in answers) <= len(provider)


def test_the_log_is_quiet_when_nothing_is_wrong(cache, caplog):
    with caplog.at_level(logging.DEBUG):
        together(*[asking(cache, Provider()) for _ in range(3)])
    assert not caplog.records
