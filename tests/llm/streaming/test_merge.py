"""What merging decides, in simulated time: any number of streams, any timing, always the same outcome."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import StreamError
from lambdallm.llm.flow import Cancel, Emit, Sleep
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.inbox import ENDED, Inbox
from lambdallm.llm.streaming.merge import Merge, Source
from lambdallm.llm.types import StreamChunk
from lambdallm.testing.script import Script
from lambdallm.testing.world import Later

HEAD = StreamChunk(metadata={"id": "x"})


class Timed:
    """A stream whose items come after their seconds; `read` counts those that were asked for."""

    def __init__(self, name, *items):
        self._items = list(items)
        self.read, self.closed = 0, False
        self.source = Source(name, self._following, self._close)

    def _following(self):
        self.read += 1
        if not self._items:
            return None
        seconds, item = self._items.pop(0)
        return Later(seconds, Err(item) if isinstance(item, Exception) else item)

    def _close(self):
        self.closed = True


def timed(name, *steps):
    """A stream of texts, chunks and errors, each after its seconds."""
    return Timed(name, *[(s, StreamChunk(said) if isinstance(said, str) else said) for s, said in steps])


def merged(streams, mode="merge", *, raises=False, room=16, reader=0.0):
    """How a merging ends, and what was emitted, as pairs of a name and a text or an error."""
    script = Script()
    merge = Merge([stream.source for stream in streams], mode, raises=raises, room=room)
    result = script.run(slowly(merge.flow(), reader) if reader else merge.flow())
    told = [(item.source, item.error or item.chunk.delta or item.chunk) for item in script.emitted]
    return result, told, merge, script


def slowly(flow, seconds):
    """The flow before a reader that takes its time over each item."""
    outcome = None
    try:
        while True:
            effect = flow.send(outcome)
            outcome = yield effect
            if isinstance(effect, Emit):
                yield Sleep(seconds)
    except StopIteration as end:
        return end.value


def test_chunks_come_as_they_come():
    a, b = timed("a", (1, "a1"), (2, "a2")), timed("b", (2, "b1"), (0.5, "b2"))
    result, told, _, _ = merged([a, b])
    assert result == Ok(None)
    assert told == [("a", "a1"), ("b", "b1"), ("b", "b2"), ("a", "a2")]


def test_in_order_one_stream_follows_the_other_and_none_waits_to_begin():
    a, b = timed("a", (1, "a1"), (2, "a2")), timed("b", (0.1, "b1"), (0.1, "b2"))
    _, told, _, script = merged([a, b], "ordered")
    assert told == [("a", "a1"), ("a", "a2"), ("b", "b1"), ("b", "b2")]
    assert script.clock.monotonic == 1003


def test_a_failure_is_an_item_and_the_others_go_on():
    broken = StreamError("It broke.")
    a, b = timed("a", (1, "a1"), (1, broken)), timed("b", (1.5, "b1"), (3, "b2"))
    result, told, _, _ = merged([a, b])
    assert result == Ok(None)
    assert told == [("a", "a1"), ("b", "b1"), ("a", broken), ("b", "b2")]


def test_a_failure_may_end_everything():
    broken = StreamError("It broke.")
    a, b = timed("a", (1, broken)), timed("b", (0.5, "b1"), (3, "b2"))
    result, told, _, script = merged([a, b], raises=True)
    assert (result, told) == (Err(broken), [("b", "b1")])
    assert script.clock.monotonic == 1001


def test_in_order_a_failure_waits_for_its_turn():
    broken = StreamError("It broke.")
    a, b = timed("a", (2, "a1")), timed("b", (1, broken))
    assert merged([a, b], "ordered")[1] == [("a", "a1"), ("b", broken)]


def test_the_first_to_say_something_goes_on_alone():
    a, b = timed("a", (2, "a1"), (1, "a2")), timed("b", (1, "b1"), (5, "b2"))
    result, told, merge, script = merged([a, b], "first")
    assert (result, told) == (Ok(None), [("b", "b1"), ("b", "b2")])
    assert merge.winner is b.source
    assert a.closed
    assert not b.closed
    assert [effect.task for effect in script.of(Cancel)] == [a.source.task]


def test_a_head_is_nothing_said_and_is_not_lost():
    a, b = timed("a", (1, HEAD), (3, "a1")), timed("b", (2, HEAD), (1, "b1"))
    assert merged([a, b], "first")[1] == [("b", HEAD), ("b", "b1")]


def test_thinking_is_something_said():
    thinking = StreamChunk(thinking="Hm.")
    a, b = timed("a", (1, thinking), (9, "a1")), timed("b", (2, "b1"))
    assert merged([a, b], "first")[1] == [("a", thinking), ("a", "a1")]


def test_one_that_fails_has_not_won():
    a, b = timed("a", (1, HEAD), (1, StreamError("a"))), timed("b", (5, "b1"))
    _, told, merge, _ = merged([a, b], "first", raises=True)
    assert told == [("b", "b1")]
    assert merge.winner is b.source


def test_when_all_fail_the_last_failure_is_the_outcome():
    first, last = StreamError("a"), StreamError("b")
    a, b = timed("a", (2, last)), timed("b", (1, first))
    result, told, merge, _ = merged([a, b], "first", raises=True)
    assert (result, told, merge.winner) == (Err(last), [], None)


def test_the_failures_of_a_race_may_be_items_too():
    first, last = StreamError("a"), StreamError("b")
    a, b = timed("a", (2, last)), timed("b", (1, first))
    assert merged([a, b], "first")[:2] == (Ok(None), [("b", first), ("a", last)])


def test_the_chosen_ones_failure_is_the_outcome():
    broken = StreamError("It broke.")
    a, b = timed("a", (1, "a1"), (1, broken)), timed("b", (1.5, "b1"))
    result, told, _, _ = merged([a, b], "first", raises=True)
    assert (result, told) == (Err(broken), [("a", "a1")])


def test_an_empty_answer_counts_where_there_is_no_other():
    end = StreamChunk(finish_reason="stop")
    a, b = timed("a", (1, end)), timed("b", (2, StreamError("b")))
    result, told, merge, _ = merged([a, b], "first", raises=True)
    assert (result, told) == (Ok(None), [("a", end)])
    assert merge.winner is a.source
    assert merged([timed("a", (1, end)), timed("b", (2, "b1"))], "first")[1] == [("b", "b1")]


def test_nothing_to_merge_is_nothing():
    for mode in ("merge", "ordered", "first"):
        assert merged([], mode, raises=True)[:2] == (Ok(None), [])


def test_a_slow_reader_holds_back_every_stream():
    fast = timed("a", *[(0, str(n)) for n in range(50)])
    asked = []

    def watched(flow):
        outcome = None
        try:
            while True:
                effect = flow.send(outcome)
                outcome = yield effect
                if isinstance(effect, Emit):
                    yield Sleep(1)
                    asked.append(fast.read)
        except StopIteration as end:
            return end.value

    merge = Merge([fast.source], "merge", raises=False, room=4)
    script = Script()
    script.run(watched(merge.flow()))
    assert asked[:10] == [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
    assert [item.chunk.delta for item in script.emitted] == [str(n) for n in range(50)]


def test_a_bug_is_raised_once_the_others_have_ended():
    bug = timed("a")
    bug.source.following = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        merged([bug, timed("b", (1, "b1"))])


steps = st.lists(st.tuples(st.sampled_from([0, 0.5, 1, 2]), st.just("x")), max_size=6)
worlds = st.lists(st.tuples(steps, st.none() | st.sampled_from([0, 1])), min_size=1, max_size=4)
"""Streams: when each chunk comes, and when it fails after them, if it does."""


def told_of(streams, name):
    return [said for source, said in streams if source == name]


@given(worlds, st.integers(1, 4), st.sampled_from([0.0, 0.3, 3.0]), st.sampled_from(["merge", "ordered", "first"]))
def test_whatever_the_timing_each_streams_order_is_kept_and_nothing_is_lost(world, room, reader, mode):
    streams, whole = [], {}
    for number, (chunks, failing) in enumerate(world):
        texts = [(seconds, f"{number}.{place}") for place, (seconds, _) in enumerate(chunks)]
        failure = [] if failing is None else [(failing, StreamError(str(number)))]
        streams.append(timed(str(number), *texts, *failure))
        whole[str(number)] = [said for _, said in (*texts, *failure)]
    result, told, merge, _ = merged(streams, mode, room=room, reader=reader)
    assert result == Ok(None)
    assert all(stream.source.task.signal.fired for stream in streams)
    for name, said in whole.items():
        if merge.winner is None or merge.winner.name == name:
            assert told_of(told, name) == said
        else:
            assert all(isinstance(item, StreamError) for item in told_of(told, name))
    if mode == "ordered":
        assert told == [(name, item) for name, said in whole.items() for item in said]
    if mode == "first" and merge.winner is not None:
        others = [stream for stream in streams if stream.source is not merge.winner]
        assert all(stream.closed for stream in others)


@given(worlds, st.integers(1, 4))
def test_no_stream_is_read_further_than_its_room(world, room):
    streams = [timed(str(n), *[(s, "x") for s, _ in chunks]) for n, (chunks, _) in enumerate(world)]
    flow = Merge([stream.source for stream in streams], "merge", raises=False, room=room).flow()
    emitted = {str(n): 0 for n in range(len(streams))}

    def watched():
        outcome = None
        try:
            while True:
                effect = flow.send(outcome)
                outcome = yield effect
                for item in effect.items if isinstance(effect, Emit) else ():
                    emitted[item.source] += 1
                yield Sleep(0.1)
                for name, stream in zip(emitted, streams, strict=True):
                    assert stream.read - emitted[name] <= room + 1
        except StopIteration:
            return

    Script().run(watched())


def test_an_inbox_says_when_to_wait_and_when_to_go_on():
    inbox = Inbox(2, room=2)
    more = inbox.take()
    assert not more.fired
    assert inbox.put(0, "a") is None
    assert more.fired
    full = inbox.put(0, "b")
    assert not full.fired
    assert inbox.put(1, "c") is None
    assert [inbox.take() for _ in range(2)] == [(0, "a"), (0, "b")]
    assert full.fired
    assert inbox.take() == (1, "c")
    assert not inbox.take().fired


def test_in_turn_the_next_writer_comes_when_the_one_before_has_ended():
    inbox = Inbox(2, room=2, in_turn=True)
    inbox.put(1, "b")
    waiting = inbox.take()
    inbox.put(0, "a")
    assert waiting.fired
    assert inbox.take() == (0, "a")
    inbox.put(0, ENDED)
    assert [inbox.take(), inbox.take()] == [(0, ENDED), (1, "b")]
    inbox.put(1, ENDED)
    assert inbox.take() == (1, ENDED)
