"""One client over a long life, in a world that hypothesis steers: calls, streams, readers who leave, callers who
cancel, time that passes, a provider whose mood changes. After every step the policies' promises are looked at.
"""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.flow import Emit, ReaderLeft
from lambdallm.llm.notices import CallStarted
from lambdallm.llm.result import Ok

from .test_simulation import MODELS, Simulated, _told_cost, cost, policies

moods = st.tuples(
    st.sampled_from([0, 0.1, 0.5, 3, 20, 100]),
    st.sampled_from(["ok", "ok", "overloaded", "limited", "lost", "garbled", "refused"]),
)
calls = st.fixed_dictionaries(
    {
        "model": st.sampled_from(MODELS),
        "prompt": st.sampled_from("abc"),
        "patience": st.sampled_from([None, None, 0.2, 2, 10, 60]),
        "streams": st.booleans(),
    }
)


class Moody(Simulated):
    """A client of a provider that does as its mood is when it is asked."""

    def __init__(self, **options):
        super().__init__([], [], **options)
        self.mood = (0, "ok")

    def begin(self, number, model):
        self.script = [self.mood]
        return super().begin(number, model)


def left_after(flow, items):
    """The flow of a stream whose reader leaves after so many items."""
    step, outcome, left = flow.send, None, items
    try:
        while True:
            effect, step = step(outcome), flow.send
            left -= isinstance(effect, Emit)
            try:
                outcome = yield effect
                if isinstance(effect, Emit) and left == 0:
                    raise ReaderLeft
            except ReaderLeft as gone:
                step, outcome = flow.throw, gone
    except StopIteration as end:
        return end.value


class LongLife(RuleBasedStateMachine):
    @initialize(policy=policies(), cached=st.booleans())
    def made(self, policy, cached):
        self.policy, self.notices, self.tasks, self.given_up = policy, [], [], set()
        self.client = Moody(cache=LLMCache() if cached else None, listeners=[self.notices.append], **policy)

    @rule(mood=moods)
    def the_provider_s_mood_changes(self, mood):
        self.client.mood = mood

    @rule(call=calls, leaves_after=st.sampled_from([None, None, 1]))
    def somebody_calls(self, call, leaves_after):
        client = self.client
        client.callers.append({**call, "at": client.now() - 1_000})
        flow = client.call(len(self.tasks))
        if leaves_after is not None and call["streams"]:
            self.given_up.add(len(self.tasks))
            flow = left_after(flow, leaves_after)
        self.tasks.append(client.world.begin(flow))
        client.world.pass_time(0)

    @rule(seconds=st.sampled_from([0.05, 0.3, 1, 3, 31, 100]))
    def time_passes(self, seconds):
        self.client.world.pass_time(seconds)

    @precondition(lambda self: self.under_way())
    @rule(data=st.data())
    def a_caller_cancels(self, data):
        number = data.draw(st.sampled_from(self.under_way()))
        self.given_up.add(number)
        self.tasks[number].own.stop()

    def under_way(self):
        return [number for number, task in enumerate(self.tasks) if not task.signal.fired]

    def attempts_of(self, number):
        return [attempt for attempt in self.client.attempts if attempt.caller == number]

    @invariant()
    def nothing_has_a_bug(self):
        for task in self.tasks:
            if task.failure is not None:
                raise task.failure

    @invariant()
    def attempts_are_bounded_and_in_time(self):
        most = (self.policy["max_retries"] + 1) * (2 if self.policy["hedge_seconds"] else 1)
        for number, caller in enumerate(self.client.callers):
            mine = self.attempts_of(number)
            assert len(mine) <= most
            if caller["patience"] is not None:
                assert all(one.begun <= 1_000 + caller["at"] + caller["patience"] for one in mine)

    @invariant()
    def nobody_is_asked_through_an_open_breaker(self):
        assert not any(attempt.state == "open" for attempt in self.client.attempts)

    @invariant()
    def the_rate_is_kept_in_every_window(self):
        rate = self.policy["requests_per_minute"]
        times = [] if rate is None else [attempt.begun for attempt in self.client.attempts]
        for first, begun in enumerate(times):
            for last in range(first, len(times)):
                assert last - first + 1 <= rate + (times[last] - begun) * rate / 60 + 1e-6

    @invariant()
    def slots_are_those_of_calls_under_way(self):
        slots, hedge = self.client._policies.slots, 2 if self.policy["hedge_seconds"] else 1
        if slots is not None:
            assert slots.busy <= slots.max_concurrency
            assert slots.busy + slots.waiting <= hedge * len(self.under_way())

    @invariant()
    def flights_are_those_of_calls_under_way(self):
        cache = self.client._policies.cache
        if cache is not None:
            assert len(cache.flights) <= len(self.under_way())

    @invariant()
    def every_call_is_told_of_once_at_its_beginning_and_once_at_its_end(self):
        begun = [notice.id for notice in self.notices if isinstance(notice, CallStarted)]
        ended = [notice.call.id for notice in self.notices if not isinstance(notice, CallStarted)]
        assert len(begun) == len(set(begun)) == len(self.tasks)
        assert len(ended) == len(set(ended)) == len(self.tasks) - len(self.under_way())

    def teardown(self):
        """Whatever has happened, everybody gets an answer, and what was paid is what they were told."""
        if not hasattr(self, "client"):
            return
        self.client.world.pass_time(1_000_000)
        assert not self.under_way()
        if self.policy["hedge_seconds"] is None and self.client._policies.cache is None:
            self.everything_is_paid_for_once()

    def everything_is_paid_for_once(self):
        for number, task in enumerate(self.tasks):
            told = None if number in self.given_up else _told_cost(task.value)
            if told is None:
                continue
            model = self.client.callers[number]["model"]
            used = [cost(attempt.used, model) for attempt in self.attempts_of(number) if attempt.used is not None]
            assert told == pytest.approx(sum(used), abs=1e-12)
            assert isinstance(task.value, Ok) or task.value.error.attempts == len(self.attempts_of(number))


TestLongLife = LongLife.TestCase
TestLongLife.settings = settings(max_examples=200, stateful_step_count=30)
