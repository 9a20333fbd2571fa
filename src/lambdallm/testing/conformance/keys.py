"""Check a store of the gateway's keys: that it keeps users' texts as `lambdallm.gateway.keys` needs them.

    def test_my_store():
        report = check_keys(MyStore)        # load, enrol, save, page: see `lambdallm.gateway.keys.store.KeyStore`
        assert report.ok, report

Each check has users of its own, with names that nobody has; nothing that a store held before is touched. Blocking and
asynchronous drivers run the same checks.
"""

from __future__ import annotations

from ...llm.backends.errors import ConditionFailed
from ...llm.concurrent import value_of
from ...llm.flow import NOW, Await, Sleep, Start
from .journals import Failed, expect
from .store import DRIVERS, StoreReport, _checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...gateway.keys.store import KeyStore, Owner
    from ...llm.flow import Flow

MOST_KEYS, MOST_CHARACTERS = 10, 2048
"""How many texts of a user every store takes, and how long they may be."""
_PATIENCE = 60.0


def check_keys(make: Callable[[], KeyStore], *, drivers: Iterable[str] = DRIVERS) -> StoreReport:
    """Check the store that `make()` gives; `drivers` are those it is for."""
    return _checked(make, lambda store: store, KEY_CHECKS, drivers)


def _nobody(store: KeyStore, user: str) -> Flow[None]:
    expect((yield from store.load(user)), None, "A user that is not there")


def _enrolled(store: KeyStore, user: str) -> Flow[None]:
    first = yield from store.enrol(user)
    expect((first.keys, first.version, first.enabled), ((), 0, True), "A user that was enrolled")
    expect((yield from store.enrol(user)), first, "A user that was enrolled twice")
    expect((yield from store.load(first.user)), first, "What is loaded of it")


def _kept(store: KeyStore, user: str) -> Flow[None]:
    owner = (yield from store.enrol(user)).with_keys(["first", 'the "second", \\ schön ✓'])
    yield from store.save(owner)
    expect((yield from store.load(owner.user)), owner, "What was saved")


def _changed(store: KeyStore, user: str) -> Flow[None]:
    owner = yield from store.enrol(user)
    for texts in (["a", "b", "c"], ["c"], [], ["d", "a"]):
        owner = owner.with_keys(texts)
        yield from store.save(owner)
        expect((yield from store.load(owner.user)), owner, "What was saved last")


def _full(store: KeyStore, user: str) -> Flow[None]:
    texts = [f"{number:02d}".ljust(MOST_CHARACTERS, "x") for number in range(MOST_KEYS)]
    owner = (yield from store.enrol(user)).with_keys(texts)
    yield from store.save(owner)
    expect((yield from store.load(owner.user)), owner, f"{MOST_KEYS} texts of {MOST_CHARACTERS} characters")


def _apart(store: KeyStore, user: str) -> Flow[None]:
    owners = []
    for name in ("a", "b"):
        owner = (yield from store.enrol(f"{user}-{name}")).with_keys([name])
        yield from store.save(owner)
        owners.append(owner)
    for owner in owners:
        expect((yield from store.load(owner.user)), owner, "A user beside another")


def _refused(store: KeyStore, user: str) -> Flow[None]:
    owner = (yield from store.enrol(user)).with_keys(["one"])
    yield from store.save(owner)
    for version in (0, 1, 3):
        try:
            yield from store.save(owner.replace(keys=("other",), version=version))
        except ConditionFailed:
            continue
        raise Failed(f"Version {version} over version 1 was not refused with ConditionFailed.")
    expect((yield from store.load(owner.user)), owner, "What was there before")


def _one_wins(store: KeyStore, user: str) -> Flow[None]:
    owner = yield from store.enrol(user)

    def attempt(text: str) -> Flow[bool]:
        try:
            yield from store.save(owner.with_keys([text]))
        except ConditionFailed:
            return False
        return True

    texts = [f"writer {number}" for number in range(5)]
    won = yield from _together([attempt(text) for text in texts])
    kept = yield from store.load(owner.user)
    expect(sum(won), 1, "How many of 5 saved the same version")
    expect(kept, owner.with_keys([texts[won.index(True)]]), "What was kept of the one that won")


def _none_lost(store: KeyStore, user: str) -> Flow[None]:
    first = yield from store.enrol(user)

    def add(text: str) -> Flow[bool]:
        until = (yield NOW).monotonic + _PATIENCE
        while (yield NOW).monotonic < until:
            known = yield from store.load(first.user)
            owner = known or first
            try:
                yield from store.save(owner.with_keys((*owner.keys, text)))
                return True
            except ConditionFailed:
                yield Sleep(_pause())
        return False

    texts = [f"key {number}" for number in range(MOST_KEYS)]
    expect((yield from _together([add(text) for text in texts])), [True] * MOST_KEYS, "Who added a key")
    kept = yield from store.load(first.user)
    expect(sorted(() if kept is None else kept.keys), sorted(texts), f"What {MOST_KEYS} writers at once have added")
    expect(0 if kept is None else kept.version, MOST_KEYS, "The version after that")


def _paged(store: KeyStore, user: str) -> Flow[None]:
    owners = []
    for number in range(5):
        owner = (yield from store.enrol(f"{user}-{number}")).with_keys([f"key {number}"])
        yield from store.save(owner)
        owners.append(owner)
    bare = yield from store.enrol(f"{user}-bare")
    found: list[Owner] = []
    after = ""
    while True:
        page = yield from store.page(after, 2)
        expect(len(page.owners) <= 2, True, "Whether a page of 2 has at most 2 users")
        found += page.owners
        if not page.next:
            break
        after = page.next
    ours = {owner.user for owner in owners} | {bare.user}
    listed = sorted((owner for owner in found if owner.user in ours), key=lambda owner: owner.keys)
    expect(listed, owners, "The users on all pages, without one that never had keys")


def _together(flows: list[Flow[bool]]) -> Flow[list[bool]]:
    """What flows give that run at the same time."""
    tasks = []
    for flow in flows:
        tasks.append((yield Start(flow)))
    values = []
    for task in tasks:
        yield Await((task.signal,), _PATIENCE)
        if not task.signal.fired:
            raise Failed(f"What was begun together did not end within {_PATIENCE} s.")
        values.append(value_of(task))
    return values


def _pause() -> float:
    from random import random

    return 0.05 * random()


KEY_CHECKS: dict[str, Callable[[KeyStore, str], Flow[None]]] = {
    "a user that is not there is none": _nobody,
    "a user is enrolled once": _enrolled,
    "texts are kept as they are, in order": _kept,
    "fewer texts take the place of more": _changed,
    "the most and longest texts are kept": _full,
    "users are kept apart": _apart,
    "a version that is not the next is refused": _refused,
    "of several who save the same version one wins": _one_wins,
    "of what several add at once nothing is lost": _none_lost,
    "pages have every user with keys once": _paged,
}
