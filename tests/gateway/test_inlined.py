"""Functions that give flows: run in the place of the function, with the failures and leavings that drivers tell."""

import pytest

from lambdallm.gateway.inlined import FlowStream, inlined, settling
from lambdallm.llm.errors import ConfigurationError, ProviderServerError
from lambdallm.llm.flow import Emit, Perform, ReaderLeft, Sleep, Start, Tell
from lambdallm.llm.result import Err, Ok
from lambdallm.testing.world import World

NOWHERE = object()


def world():
    return World(lambda effect: NOWHERE)


def asking(function):
    """A flow that performs a function and returns what it gives."""
    return (yield Perform(function))


def waiting(value, seconds=1.0):
    yield Sleep(seconds)
    return value


def failing(error):
    raise error
    yield


class TestWhatAFunctionGives:
    def test_a_flow_is_run_in_its_place(self):
        run = world()
        assert run.run(inlined(asking(lambda: waiting("late", 3)))) == "late"
        assert run.clock.monotonic == 1_003.0
        assert run.of(Perform) == []

    def test_a_value_is_a_value(self):
        assert world().run(inlined(asking(lambda: 7))) == 7

    def test_in_flows_that_are_started_beside_it(self):
        def both():
            task = yield Start(asking(lambda: waiting("late")))
            yield Sleep(5)
            return task.value

        assert world().run(inlined(both())) == "late"

    def test_what_is_awaited_is_left_to_the_driver(self):
        class Awaited:
            def __await__(self):
                """Stand in for a coroutine."""

        run, given = world(), Awaited()
        assert run.run(inlined(asking(lambda: given))) is given
        assert len(run.of(Perform)) == 1

    @pytest.mark.parametrize("error", [ProviderServerError("busy"), ConnectionResetError("gone")])
    def test_a_failed_call_is_a_result(self, error):
        assert isinstance(world().run(inlined(asking(lambda: failing(error)))), Err)

    def test_anything_else_is_raised_and_the_flow_may_settle_its_accounts(self):
        told = []

        def careful():
            try:
                yield Perform(lambda: failing(ConfigurationError("no key")))
            except ReaderLeft as left:
                yield Tell(told.append, left.__cause__)
                raise

        with pytest.raises(ConfigurationError, match="no key") as failure:
            world().run(inlined(careful()))
        assert told == [failure.value]


class TestStreams:
    @staticmethod
    def chunks(*batches, told=None, result=None):
        try:
            for batch in batches:
                yield Sleep(1)
                yield Emit(batch)
        except ReaderLeft:
            yield Tell(told.append, "settled")
            raise
        return result or Ok(None)

    @staticmethod
    def reading(stream):
        found = []
        while (chunk := (yield Perform(stream.next_chunk))) is not None and not isinstance(chunk, Err):
            found.append(chunk)
        return found, chunk

    def test_are_read_one_by_one(self):
        stream = FlowStream(self.chunks((1, 2), (), (3,)), None)
        assert world().run(inlined(self.reading(stream))) == ([1, 2, 3], None)

    def test_end_in_their_error(self):
        error = Err(ProviderServerError("cut"))
        stream = FlowStream(self.chunks((1,), result=error), None)
        assert world().run(inlined(self.reading(stream))) == ([1], error)

    def test_settle_their_accounts_where_the_reader_leaves(self):
        told = []
        stream = FlowStream(self.chunks((1,), (2,), told=told), None)

        def passing():
            while (chunk := (yield Perform(stream.next_chunk))) is not None:
                yield Emit((chunk,))

        run = world()
        run.run(settling(inlined(passing()), lambda: [stream]), leave_after=1)
        assert (run.emitted, told) == ([1], ["settled"])
