"""Slots: never more than there are, handed on in order, never lost, whoever gives up and whenever."""

import asyncio
import threading

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError, LLMRateLimitError
from lambdallm.llm.flow import Await, Clock, Now, Sleep
from lambdallm.llm.rate_limiting import ConcurrencyLimit, sync
from lambdallm.llm.result import Err, Ok


class Crowd(RuleBasedStateMachine):
    """Callers by hand: each is a flow that has a slot, waits for one, or was told to go on and has not yet."""

    def __init__(self):
        super().__init__()
        self.limit = ConcurrencyLimit(3, max_waiting=5, max_wait_seconds=60.0)
        self.inside, self.order = 0, []
        self.waiting = []

    @rule()
    def come(self):
        flow = self.limit.enter()
        try:
            effect = next(flow)
        except StopIteration as end:
            if end.value.is_ok():
                self.inside += 1
            else:
                assert len(self.limit._queue) == 5
            return
        assert isinstance(effect, Await)
        self.waiting.append((flow, effect.signals[0]))

    @precondition(lambda self: self.inside)
    @rule()
    def leave(self):
        fired = [signal for _, signal in self.waiting if signal.fired]
        self.inside -= 1
        self.limit.leave()
        handed = [signal for _, signal in self.waiting if signal.fired and signal not in fired]
        queued = [signal for _, signal in self.waiting if signal not in fired]
        assert handed == queued[:1], "the one who has waited longest is next"

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), how=st.sampled_from(["goes on", "cancelled", "out of time"]))
    def end_a_wait(self, data, how):
        """In any order: drivers resume flows when they get to it."""
        flow, signal = self.waiting[data.draw(st.integers(0, len(self.waiting) - 1))]
        if how == "goes on" and not signal.fired:
            return
        self.waiting = [pair for pair in self.waiting if pair[0] is not flow]
        if how == "cancelled":
            flow.close()
            return
        handed = signal.fired
        with pytest.raises(StopIteration) as end:
            flow.send(None)
        assert end.value.value.is_ok() == handed
        self.inside += handed

    @invariant()
    def slots_add_up(self):
        handed = sum(signal.fired for _, signal in self.waiting)
        assert self.inside + handed == self.limit.busy <= 3
        assert self.limit.waiting == len(self.waiting) - handed
        assert not self.limit.waiting or self.limit.busy == 3, "a slot is free and somebody waits"


TestCrowd = Crowd.TestCase
TestCrowd.settings = settings(max_examples=200, stateful_step_count=40)


def refusing(*, max_wait_seconds=None, max_waiting=None):
    limit = ConcurrencyLimit(1, max_waiting=max_waiting, max_wait_seconds=max_wait_seconds)
    assert Driver().run(limit.enter()).is_ok()
    return limit


def test_a_full_queue_refuses_before_any_call():
    error = Driver().run(refusing(max_waiting=0).enter()).error
    assert isinstance(error, LLMRateLimitError)
    assert (error.sent, error.retryable, error.code) == (False, True, "concurrency")
    assert "All of the 1 calls that may be under way are, and 0 wait already." in str(error)


@pytest.mark.parametrize("driver", [lambda f: Driver().run(f), lambda f: asyncio.run(AsyncDriver().run(f))])
def test_a_wait_ends_in_time(driver):
    limit = refusing(max_wait_seconds=0.01)
    assert "within 0.01 s" in str(driver(limit.enter()).error)
    assert (limit.busy, limit.waiting) == (1, 0)


def test_a_wait_ends_before_the_deadline():
    limit = refusing(max_wait_seconds=100)
    flow = limit.enter(deadline=1_010.0)
    assert isinstance(next(flow), Now)
    assert flow.send(Clock(1_000.0, 0.0)).seconds == 10.0
    flow.close()


def test_threads_and_event_loops_share_one_limit():
    """Eight threads, half of them with a loop, each making calls at once; never more than three are under way."""
    limit, under_way, most = ConcurrencyLimit(3), [], []

    def call():
        under_way.append(1)
        most.append(len(under_way))
        yield Sleep(0.001)
        under_way.pop()
        return Ok(None)

    def blocking():
        driver = Driver()
        for _ in range(10):
            driver.run(limit.during(call)).unwrap()

    async def awaiting():
        driver = AsyncDriver()
        await asyncio.gather(*(driver.run(limit.during(call)) for _ in range(10)))

    threads = [threading.Thread(target=blocking) for _ in range(4)]
    threads += [threading.Thread(target=lambda: asyncio.run(awaiting())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(most) == 80
    assert max(most) <= 3
    assert (limit.busy, limit.waiting) == (0, 0)


def test_a_cancelled_task_leaves_no_slot_behind():
    limit = refusing()

    async def run():
        driver = AsyncDriver()
        tasks = [asyncio.ensure_future(driver.run(limit.enter())) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert limit.waiting == 3
        limit.leave()
        tasks[0].cancel()
        tasks[1].cancel()
        await asyncio.gather(*tasks[:2], return_exceptions=True)
        return await tasks[2]

    assert asyncio.run(run()).is_ok()
    assert (limit.busy, limit.waiting) == (1, 0)


def test_a_slot_is_free_again_however_the_attempt_ends():
    limit = ConcurrencyLimit(1)

    def broken():
        raise RuntimeError("a bug")
        yield

    with pytest.raises(RuntimeError, match="a bug"):
        Driver().run(limit.during(broken))
    assert limit.busy == 0
    limit.leave()
    assert limit.busy == 0, "leaving twice makes no slot"


def test_an_attempt_without_a_slot_is_not_made():
    result = Driver().run(refusing(max_waiting=0).during(lambda: pytest.fail("it was made")))
    assert isinstance(result, Err)


def test_as_a_block():
    limit = sync.ConcurrencyLimit(1, max_waiting=0)
    with limit, pytest.raises(LLMRateLimitError), limit:
        pytest.fail("there is one slot")
    assert limit.busy == 0

    async def awaiting():
        limit = ConcurrencyLimit(1, max_waiting=0)
        async with limit:
            with pytest.raises(LLMRateLimitError):
                await limit.__aenter__()
        return limit

    assert asyncio.run(awaiting()).busy == 0


@pytest.mark.parametrize("options", [{"max_concurrency": 0}, {"max_concurrency": 1, "max_waiting": -1}])
def test_nonsense_is_refused(options):
    with pytest.raises(ConfigurationError):
        ConcurrencyLimit(**options)


def test_a_fork_begins_with_no_call_under_way():
    limit = refusing(max_waiting=0)
    limit.renew()  # as every child does
    assert Driver().run(limit.enter()).is_ok()
    assert limit.busy == 1
