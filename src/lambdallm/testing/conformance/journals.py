"""What must hold of a store of journals: each check is a flow of the store and a key that nobody has."""

from __future__ import annotations

from ...llm.backends.errors import ConditionFailed
from ...llm.concurrent import value_of
from ...llm.flow import NOW, Await, Sleep, Start
from ...state.store import MOST_AT_ONCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...llm.flow import Flow
    from ...state.store import StateStore

LARGE = 1_000_000
"""Bytes of one entry: more than DynamoDB's items hold."""
_SHORT = 0.3
_PAUSE = 0.002
"""Between reading and appending, for others to come in."""
_PATIENCE = 30.0


class Failed(Exception):
    """A check does not hold; its text says what was found instead."""


def expect(found: object, expected: object, what: str) -> None:
    """Raise `Failed` where what was found differs."""
    if found != expected:
        raise Failed(f"{what}: expected {expected!r:.200}, found {found!r:.200}.")


def _entries(store: StateStore, key: str, after: int = 0) -> Flow[list[tuple[int, bytes]]]:
    return [(entry.number, entry.data) for entry in (yield from store.read(key, after))]


def _holds(store: StateStore, key: str, expected: Sequence[bytes], first: int = 1) -> Flow[None]:
    expect((yield from _entries(store, key)), list(enumerate(expected, first)), "The journal")


def _refused(flow: Flow[None], what: str) -> Flow[None]:
    try:
        yield from flow
    except ConditionFailed:
        return
    raise Failed(f"{what} was not refused with ConditionFailed.")


def _nothing(store: StateStore, key: str) -> Flow[None]:
    yield from _holds(store, key, [])


def _many(store: StateStore, key: str) -> Flow[None]:
    entries = [b"%d" % number for number in range(MOST_AT_ONCE)]
    yield from store.append(key, 0, entries)
    yield from _holds(store, key, entries)


def _order(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"one"])
    yield from store.append(key, 1, [b"two", b"three"])
    yield from store.append(key, 3, [b"four"])
    yield from _holds(store, key, [b"one", b"two", b"three", b"four"])


def _after(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"one", b"two", b"three"])
    expect((yield from _entries(store, key, 1)), [(2, b"two"), (3, b"three")], "What is after entry 1")
    expect((yield from _entries(store, key, 3)), [], "What is after the last entry")


def _wrong_end(store: StateStore, key: str) -> Flow[None]:
    yield from _refused(store.append(key, 1, [b"x"]), "An append to a journal that was never begun")
    yield from store.append(key, 0, [b"one", b"two"])
    for after in (0, 1, 3):
        yield from _refused(store.append(key, after, [b"x", b"y"]), f"An append after entry {after} of 2")
    yield from _holds(store, key, [b"one", b"two"])


def _any_bytes(store: StateStore, key: str) -> Flow[None]:
    entries = [bytes(range(256)), b"", "Zürich 東京".encode(), b"\x00"]
    yield from store.append(key, 0, entries)
    yield from _holds(store, key, entries)


def _large(store: StateStore, key: str) -> Flow[None]:
    large, other = bytes(range(250)) * (LARGE // 250), b"small"
    yield from store.append(key, 0, [large])
    yield from store.append(key, 1, [other])
    yield from _holds(store, key, [large, other])
    yield from _refused(store.append(key, 1, [large]), "A large append after the wrong entry")
    yield from store.compact(key, 2, large[::-1])
    yield from _holds(store, key, [large[::-1]], 2)


def _compacted(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"one", b"two", b"three"])
    yield from store.compact(key, 2, b"one and two")
    yield from _holds(store, key, [b"one and two", b"three"], 2)
    expect((yield from _entries(store, key, 2)), [(3, b"three")], "What is after entry 2")
    yield from store.append(key, 3, [b"four"])
    yield from store.compact(key, 4, b"all")
    yield from _holds(store, key, [b"all"], 4)


def _compacted_away(store: StateStore, key: str) -> Flow[None]:
    yield from _refused(store.compact(key, 1, b"x"), "Compacting a journal that was never begun")
    yield from store.append(key, 0, [b"one", b"two", b"three"])
    yield from _refused(store.compact(key, 4, b"x"), "Compacting up to an entry that is not there yet")
    yield from store.compact(key, 2, b"one and two")
    yield from _refused(store.compact(key, 1, b"x"), "Compacting up to an entry that is not there any more")
    yield from _holds(store, key, [b"one and two", b"three"], 2)


def _appended_meanwhile(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"one", b"two"])
    yield from store.append(key, 2, [b"somebody else's"])
    yield from store.compact(key, 2, b"short")
    yield from _holds(store, key, [b"short", b"somebody else's"], 2)


def _removed(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"one", b"two"])
    yield from store.remove(key)
    yield from _holds(store, key, [])
    yield from _refused(store.append(key, 2, [b"x"]), "An append to what was removed")
    yield from _refused(store.compact(key, 2, b"x"), "Compacting what was removed")
    yield from store.remove(key)
    yield from store.append(key, 0, [b"again"])
    yield from _holds(store, key, [b"again"])


def _apart(store: StateStore, key: str) -> Flow[None]:
    keys = [key, f"{key}:", f"{key}#", f"{key}/1", f"{key}:head", f"{key}%", f"{key}*", key.upper()]
    for one in keys:
        yield from store.append(one, 0, [one.encode()])
    yield from store.remove(key)
    for one in keys[1:]:
        yield from _holds(store, one, [one.encode()])


def _expired(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"one", b"two"], _SHORT)
    yield from _until_gone(store, key)
    yield from _refused(store.append(key, 2, [b"x"]), "An append to what has passed its time")
    yield from _refused(store.compact(key, 2, b"x"), "Compacting what has passed its time")
    yield from store.append(key, 0, [b"again"])
    yield from _holds(store, key, [b"again"])


def _until_gone(store: StateStore, key: str) -> Flow[None]:
    end = (yield NOW).monotonic + _PATIENCE
    while (yield from store.read(key)):
        if (yield NOW).monotonic > end:
            raise Failed(f"A journal that was to be kept for {_SHORT} s is there after {_PATIENCE} s.")
        yield Sleep(0.05)


def _kept_longer(store: StateStore, key: str) -> Flow[None]:
    for times in range(4):
        short, begun = _SHORT * 3**times, (yield NOW).monotonic
        name = f"{key}:{times}"
        try:
            yield from _prolonged(store, name, short)
        except ConditionFailed:
            if (yield NOW).monotonic - begun < short:
                raise
            continue  # the store was slower than its journals' time: once more, with more of it
        yield Sleep(2 * short)
        yield from _holds(store, f"{name}a", [b"one", b"two", b"three"])
        yield from _holds(store, f"{name}b", [b"short"])
        yield from _holds(store, f"{name}c", [b"one", b"two"])
        return
    raise Failed(f"Six writes take longer than {short} s.")


def _prolonged(store: StateStore, key: str, short: float) -> Flow[None]:
    """Three journals with little time that are given more."""
    yield from store.append(f"{key}a", 0, [b"one", b"two"], short)
    yield from store.append(f"{key}a", 2, [b"three"], 60.0)
    yield from store.append(f"{key}b", 0, [b"one"], short)
    yield from store.compact(f"{key}b", 1, b"short", 60.0)
    yield from store.append(f"{key}c", 0, [b"one"], short)
    yield from store.append(f"{key}c", 1, [b"two"])


def racer(store: StateStore, key: str, name: str, turns: int) -> Flow[None]:
    """Append so many entries of two lines that name their writer, whoever else does."""
    for turn in range(turns):
        data = [b"%b %d %d" % (name.encode(), turn, half) for half in range(2)]
        while True:
            known = yield from store.read(key)
            yield Sleep(_PAUSE)
            try:
                yield from store.append(key, known[-1].number if known else 0, data, 600.0)
                break
            except ConditionFailed:
                continue


def raced(store: StateStore, key: str, names: Sequence[str], turns: int) -> Flow[None]:
    """Raise `Failed` where racers lost anything, or where what they appended together is apart."""
    found = [data.decode().split() for _, data in (yield from _entries(store, key))]
    expect([half for *_, half in found], ["0", "1"] * (len(names) * turns), "The halves of what was appended")
    expect([one[:2] for one in found[::2]], [one[:2] for one in found[1::2]], "What was appended together")
    for name in names:
        own = [int(turn) for writer, turn, half in found if writer == name and half == "0"]
        expect(own, list(range(turns)), f"What {name} appended")


def _racing(store: StateStore, key: str) -> Flow[None]:
    names = ["a", "b", "c"]
    yield from _together([racer(store, key, name, 5) for name in names])
    yield from raced(store, key, names, 5)


def _racing_to_compact(store: StateStore, key: str) -> Flow[None]:
    yield from store.append(key, 0, [b"%d" % number for number in range(1, 5)])
    await_both = [_tried(store.compact(key, through, b"up to %d" % through)) for through in (2, 4)]
    yield from _together([*await_both, _tried(store.append(key, 4, [b"5"]))])
    yield from _holds(store, key, [b"up to 4", b"5"], 4)


def _tried(flow: Flow[None]) -> Flow[None]:
    try:
        yield from flow
    except ConditionFailed:
        return


def _together(flows: Sequence[Flow[None]]) -> Flow[None]:
    tasks = []
    for flow in flows:
        tasks.append((yield Start(flow)))
    for task in tasks:
        yield Await((task.signal,), _PATIENCE)
        if not task.signal.fired:
            raise Failed(f"What was begun together did not end within {_PATIENCE} s.")
        value_of(task)


JOURNAL_CHECKS: Mapping[str, Callable[[StateStore, str], Flow[None]]] = {
    "a journal that was never begun is empty": _nothing,
    "entries come back in order, numbered from 1": _order,
    "reading begins after a number": _after,
    "as many entries as every store takes can be appended at once": _many,
    "an append after the wrong entry is refused, and leaves nothing": _wrong_end,
    "any bytes come back": _any_bytes,
    "an entry of a megabyte comes back": _large,
    "one entry takes the place of many, and the numbers go on": _compacted,
    "compacting up to an entry that is not there is refused": _compacted_away,
    "what was appended meanwhile stays when a journal is compacted": _appended_meanwhile,
    "what is removed is gone, and can begin again": _removed,
    "journals whose keys are alike stay apart": _apart,
    "a journal is gone after its time, and can begin again": _expired,
    "all of a journal is kept for as long as its last write says": _kept_longer,
}

RACES: Mapping[str, Callable[[StateStore, str], Flow[None]]] = {
    "writers at the same time lose nothing, and entries of one append stay together": _racing,
    "compacting twice while somebody appends loses nothing": _racing_to_compact,
}
