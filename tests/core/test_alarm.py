"""One alarm for a whole stream: it cuts off a wait at the deadline, and nothing else."""

import asyncio
from time import monotonic
from types import SimpleNamespace

import pytest

from events import event
from lambdallm import handler
from lambdallm.core.alarm import Alarm
from lambdallm.llm.errors import DeadlineExceededError
from lambdallm.llm.result import Err
from lambdallm.testing import MockLambdaContext


def invocation(seconds, *streams):
    return SimpleNamespace(deadline=monotonic() + seconds, streams=list(streams))


def timed_out(outcome):
    return type(outcome) is Err and type(outcome.error) is DeadlineExceededError


async def never():
    await asyncio.Event().wait()


async def at_once():
    return "piece"


def test_it_is_set_once_for_all_pieces():
    async def run():
        alarm = Alarm(invocation(60.0), at_once)
        assert await alarm.next() == "piece"
        first = alarm._handle
        assert await alarm.next() == "piece"
        assert alarm._handle is first
        alarm.stop()
        assert first.cancelled()

    asyncio.run(run())


def test_it_cuts_off_a_wait_and_leaves_the_task_whole():
    async def run():
        assert timed_out(await Alarm(invocation(0.01), never).next())
        assert asyncio.current_task().cancelling() == 0

    asyncio.run(run())


def test_what_takes_no_notice_is_what_was_asked_for():
    async def stubborn():
        try:
            await never()
        except asyncio.CancelledError:
            return "piece"

    async def run():
        assert await Alarm(invocation(0.01), stubborn).next() == "piece"
        assert asyncio.current_task().cancelling() == 0

    asyncio.run(run())


def test_what_rings_while_nobody_waits_rings_in_the_next_wait():
    async def run():
        asked = iter((at_once, never))
        context = invocation(60.0)
        alarm = Alarm(context, lambda: next(asked)())
        assert await alarm.next() == "piece"
        alarm._ring(0.0)
        context.deadline = 0.0
        assert timed_out(await alarm.next())

    asyncio.run(run())


def test_a_deadline_that_was_moved_counts():
    async def run():
        context = invocation(60.0)
        asked = iter((at_once, never))
        alarm = Alarm(context, lambda: next(asked)())
        await alarm.next()
        context.deadline = monotonic() + 0.01
        assert timed_out(await alarm.next())

    asyncio.run(run())


def test_a_model_s_stream_has_a_moment_to_end_by_itself():
    async def run():
        context = invocation(0.0, "a model's stream")

        async def ends():
            for _ in range(5):  # turns of the loop, in the first of which it rings
                await asyncio.sleep(0)
            context.streams.clear()
            return "whole"

        assert await Alarm(context, ends).next() == "whole"
        context = invocation(0.0, "a model's stream")
        assert timed_out(await Alarm(context, never).next())

    asyncio.run(run())


def test_somebody_else_s_cancellation_stays_one():
    async def run():
        task = asyncio.ensure_future(Alarm(invocation(60.0), never).next())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_nothing_of_a_stream_stays_in_the_loop():
    from lambdallm.core.loop import environment_loop

    class Reading(MockLambdaContext):
        accepts_stream = True

    @handler()
    async def function(event, context):
        yield "one"
        yield "two"

    async def left():
        return [each for each in asyncio.get_running_loop()._scheduled if not each.cancelled()]

    assert list(function(event("function_url"), Reading())) == [b"one", b"two"]
    stream = function(event("function_url"), Reading())
    next(iter(stream))
    stream.close()
    assert environment_loop.run(left()) == []
