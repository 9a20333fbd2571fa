"""The first success of several flows, in a world whose time is simulated."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.concurrent import first_of
from lambdallm.llm.errors import ProviderServerError
from lambdallm.llm.flow import Cancel, Emit, Perform, ReaderLeft, Sleep, Start
from lambdallm.llm.result import Err, Ok
from lambdallm.testing import Script


def after(seconds, outcome, log=None, name=""):
    """An attempt that takes its time; `log` hears how it ended."""

    def attempt():
        try:
            yield Sleep(seconds)
        except ReaderLeft:
            if log is not None:
                log.append(f"{name} cancelled")
            raise
        return Err(outcome) if isinstance(outcome, Exception) else Ok(outcome)

    return attempt


def failing(seconds):
    return after(seconds, ProviderServerError(f"after {seconds}"))


def test_the_fastest_wins_and_the_others_are_cancelled():
    log, world = [], Script()
    raced = world.run(first_of([after(3, "slow", log, "slow"), after(1, "fast"), after(2, "middle", log, "middle")]))
    assert (raced.winner, raced.results) == (1, (None, Ok("fast"), None))
    assert log == ["slow cancelled", "middle cancelled"]
    assert world.clock.monotonic == 1_001.0


def test_a_failure_does_not_win():
    raced = Script().run(first_of([failing(1), after(2, "later")]))
    assert raced.winner == 1
    assert isinstance(raced.results[0], Err)


def test_nobody_wins_when_all_fail():
    raced = Script().run(first_of([failing(1), failing(2)]))
    assert raced.winner is None
    assert [type(result) for result in raced.results] == [Err, Err]


def test_no_attempt_is_a_race_that_nobody_wins():
    assert Script().run(first_of([])).winner is None


def test_the_second_starts_only_when_the_first_is_late():
    world = Script()
    raced = world.run(first_of([after(1, "quick"), after(1, "never")], stagger_seconds=2))
    assert raced.results == (Ok("quick"),)
    assert len(world.of(Start)) == 1


def test_a_late_first_is_overtaken():
    world = Script()
    raced = world.run(first_of([after(10, "stuck"), after(1, "hedge")], stagger_seconds=2))
    assert raced.winner == 1
    assert world.clock.monotonic == 1_003.0


def test_a_late_first_may_still_win():
    raced = Script().run(first_of([after(2.5, "late"), after(1, "hedge")], stagger_seconds=2))
    assert raced.winner == 0


def test_the_next_starts_at_once_when_none_is_left_running():
    world = Script()
    raced = world.run(first_of([failing(0.5), after(1, "second")], stagger_seconds=60))
    assert raced.winner == 1
    assert world.clock.monotonic == 1_001.5


def test_without_a_stagger_each_waits_for_the_failure_of_the_one_before():
    world = Script()
    raced = world.run(first_of([failing(5), after(1, "second"), after(0, "third")], stagger_seconds=None))
    assert raced.results[1] == Ok("second")
    assert len(world.of(Start)) == 2


def streaming(seconds, *items):
    def attempt():
        for item in items:
            yield Sleep(seconds)
            yield Emit((item,))
        return Ok(None)

    return attempt


def test_a_stream_wins_with_its_first_chunk_and_goes_on_in_the_starters_flow():
    def reader():
        raced = yield from first_of([streaming(5, "a", "b"), streaming(1, "x", "y")])
        return (yield from raced.rest)

    world = Script()
    assert world.run(reader()) == Ok(None)
    assert world.emitted == ["x", "y"]
    assert len(world.of(Cancel)) == 1


def test_a_stream_that_ends_without_a_chunk_wins_by_its_result():
    raced = Script().run(first_of([streaming(1)]))
    assert raced.winner == 0
    assert raced.rest is None


def test_a_bug_in_an_attempt_is_raised():
    def broken():
        yield Sleep(1)
        raise KeyError("bug")

    with pytest.raises(KeyError):
        Script().run(first_of([broken, after(2, "never mind")]))


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=6),
    st.one_of(st.none(), st.integers(0, 4)),
)
def test_whatever_the_order_each_runs_at_most_once_and_nothing_is_left(attempts, stagger):
    begun, left = [], []

    def attempt(number, seconds, succeeds):
        def flow():
            begun.append(number)
            left.append(number)
            try:
                yield Sleep(seconds)
                yield Perform(lambda: None)
            finally:
                left.remove(number)
            return Ok(number) if succeeds else Err(ProviderServerError("no"))

        return flow

    flows = [attempt(number, *facts) for number, facts in enumerate(attempts)]
    raced = Script().run(first_of(flows, stagger_seconds=stagger))
    assert begun == list(range(len(raced.results)))
    assert left == []
    if raced.winner is None:
        assert len(raced.results) == len(attempts)
        assert not any(succeeds for _, succeeds in attempts)
    else:
        assert raced.results[raced.winner] == Ok(raced.winner)
