"""The store in memory against a plain model of it: what is found, what had to go, what it weighs."""

import threading

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from lambdallm.llm.caching.memory import MemoryStore
from lambdallm.llm.errors import ConfigurationError
from lambdallm.testing.script import Script

KEYS = st.sampled_from(["a", "bb", "ccc", "dddd", "eeeee"])
ENTRIES, BYTES = 3, 40


class AgainstAModel(RuleBasedStateMachine):
    """The model is a list of (key, value, expiry), the most recently used last."""

    def __init__(self):
        super().__init__()
        self.store = MemoryStore(ENTRIES, BYTES)
        self.model = []
        self.now = 1000.0
        self.evicted = 0

    def taken(self, key):
        found = [item for item in self.model if item[0] == key]
        self.model = [item for item in self.model if item[0] != key]
        return found[0] if found else None

    @rule(key=KEYS, value=st.binary(max_size=45), ttl=st.none() | st.integers(1, 5))
    def set(self, key, value, ttl):
        fits = len(key) + len(value) <= BYTES
        assert self.store.set(key, value, ttl, self.now) is fits
        self.taken(key)
        if fits:
            self.model.append((key, value, None if ttl is None else self.now + ttl))
        while len(self.model) > ENTRIES or self.weight() > BYTES:
            self.model.pop(0)
            self.evicted += 1

    @rule(key=KEYS)
    def get(self, key):
        item = self.taken(key)
        alive = item is not None and (item[2] is None or self.now < item[2])
        assert self.store.get(key, self.now) == (item[1] if alive else None)
        if alive:
            self.model.append(item)

    @rule(key=KEYS)
    def delete(self, key):
        self.taken(key)
        self.store.delete(key)

    @rule(seconds=st.integers(0, 3))
    def wait(self, seconds):
        self.now += seconds

    @precondition(lambda self: len(self.model) == ENTRIES)
    @rule()
    def clear(self):
        self.model = []
        self.store.clear()

    def weight(self):
        return sum(len(key) + len(value) for key, value, _ in self.model)

    @invariant()
    def weighs_what_it_holds(self):
        assert self.store.size_bytes == self.weight() <= BYTES
        assert len(self.store) == len(self.model) <= ENTRIES
        assert self.store.evictions == self.evicted


TestAgainstAModel = AgainstAModel.TestCase


def test_an_answer_is_gone_at_the_end_of_its_time_and_not_before():
    store = MemoryStore()
    store.set("a", b"1", 10, now=1000.0)
    assert store.get("a", now=1009.999) == b"1"
    assert store.get("a", now=1010.0) is None
    assert len(store) == store.size_bytes == 0


def test_the_least_recently_used_goes_first():
    store = MemoryStore(max_entries=2)
    for key in "ab":
        store.set(key, b"1", None, 0.0)
    store.get("a", 0.0)
    store.set("c", b"1", None, 0.0)
    assert [store.get(key, 0.0) for key in "abc"] == [b"1", None, b"1"]


def test_one_too_large_is_not_held_and_what_it_was_to_replace_is_gone():
    store = MemoryStore(max_bytes=4)
    assert store.set("a", b"123", None, 0.0)
    assert not store.set("a", b"1234", None, 0.0)
    assert store.get("a", 0.0) is None
    assert store.evictions == 0


def test_without_bounds_everything_is_held():
    store = MemoryStore(None, None)
    for number in range(2000):
        store.set(str(number), bytes(1000), None, 0.0)
    assert len(store) == 2000


@pytest.mark.parametrize("bound", ["max_entries", "max_bytes"])
def test_a_bound_of_nothing_is_refused(bound):
    with pytest.raises(ConfigurationError, match=f"{bound} is 0"):
        MemoryStore(**{bound: 0})


def test_its_flows_read_the_wall_clock():
    """The monotonic clock may stand still while a Lambda environment is frozen."""
    store, script = MemoryStore(), Script()
    script.run(store.save("a", b"1", 10))
    script.clock = script.clock.replace(wall=script.clock.wall + 10)
    assert script.run(store.load("a")) is None


def test_threads_share_it_without_losing_count():
    store = MemoryStore(max_entries=50, max_bytes=2_000)

    def work(seed):
        for number in range(1500):
            key = str((number * seed) % 97)
            if number % 3:
                store.set(key, bytes(number % 90), 5, 0.0)
            else:
                store.get(key, float(number % 10))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 5, 7, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.size_bytes == sum(len(key) + len(value) for key, (value, _) in store._held.items()) <= 2_000
    assert len(store) <= 50
