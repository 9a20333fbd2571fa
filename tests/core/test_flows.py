"""Flows within flows: what passes through, what is put in the place of an effect, and what is let go."""

import asyncio

import pytest

from lambdallm.core.flows import attempted, cut_at, through
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import NOW, Emit, Open, Sleep
from lambdallm.llm.result import Err, Ok
from lambdallm.testing.script import Script
from lambdallm.transport.types import HttpRequest, Timeouts


def test_effects_are_performed_or_replaced():
    def inner():
        one = yield Sleep(1.0)
        two = yield NOW
        return [one, type(two).__name__]

    def perform(effect):
        if isinstance(effect, Sleep):
            return "replaced"
        return (yield effect)

    assert Script().run(through(inner(), perform)) == ["replaced", "Clock"]


def test_what_an_effect_s_replacement_raises_is_raised_in_the_flow():
    def inner():
        try:
            yield Sleep(1.0)
        except KeyError:
            return "caught"

    def perform(effect):
        yield NOW
        raise KeyError

    assert Script().run(through(inner(), perform)) == "caught"


def test_a_stream_that_is_cut_settles_its_accounts():
    settled = []

    def stream():
        try:
            for number in range(3):
                yield Sleep(1.0)
                yield Emit([number])
        finally:
            settled.append((yield NOW).monotonic)
        return Ok(None)

    world = Script()
    assert world.run(cut_at(stream(), 1_001.5, emits=True)) is None
    assert (world.emitted, settled) == ([0, 1], [1_002.0])


class Opened:
    """A transport whose one answer never ends, and which remembers being closed."""

    status, headers, closed = 200, (), False

    def open(self, request, timeouts):
        return self

    def __iter__(self):
        return iter([b"piece"])

    def close(self):
        self.closed = True


class AsyncOpened(Opened):
    async def open(self, request, timeouts):
        return self

    async def __aiter__(self):
        yield b"piece"

    async def aclose(self):
        self.closed = True


def test_what_a_flow_has_opened_is_closed_when_it_ends():
    def flow():
        yield Open(HttpRequest("GET", "http://localhost/"), Timeouts())
        return "left open"

    transport = Opened()
    assert Driver(transport).run(flow()) == "left open"
    assert transport.closed
    transport = AsyncOpened()
    assert asyncio.run(AsyncDriver(transport).run(flow())) == "left open"
    assert transport.closed


class TestAttempted:
    def test_gives_what_a_function_gives_or_raises(self):
        assert Driver().run(attempted(lambda: 1, awaits=False)) == Ok(1)
        assert isinstance(Driver().run(attempted(lambda: 1 / 0, awaits=False)).error, ZeroDivisionError)

    def test_awaits_where_somebody_can(self):
        async def function():
            raise KeyError

        result = asyncio.run(AsyncDriver().run(attempted(function, awaits=True)))
        assert isinstance(result, Err)
        assert isinstance(result.error, KeyError)
        result = Driver().run(attempted(function, awaits=False))
        assert isinstance(result.error, ConfigurationError)

    def test_what_is_no_exception_ends_the_flow(self):
        class Stop(BaseException):
            pass

        def function():
            raise Stop

        with pytest.raises(Stop):
            Driver().run(attempted(function, awaits=False))
