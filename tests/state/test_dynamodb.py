"""What is DynamoDB's own: large entries, time, items that others delete, and what each operation costs in requests."""

import time

import pytest

import servers
from lambdallm.llm.backends import BackendError, ConditionFailed
from lambdallm.llm.drivers import Driver
from lambdallm.llm.flow import Clock, Send
from lambdallm.llm.types import ChatMessage, ImagePart
from lambdallm.state import DynamoDBStateStore, Session
from lambdallm.state.dynamodb import PART_BYTES
from lambdallm.state.dynamodb_items import Head, assembled
from lambdallm.testing import World
from lambdallm.transport.types import Timeouts

DAY = 86_400.0


class Watching(World):
    """A world whose requests go to a real server, and whose time is its own."""

    def __init__(self):
        self.driver = Driver()
        super().__init__(lambda effect: self.driver.run(_sent(effect.request)), servers.AWS)
        self.clock = Clock(1_000.0, time.time())

    @property
    def requests(self):
        """What DynamoDB was asked since the last look."""
        found = [dict(effect.request.headers)["X-Amz-Target"].partition(".")[2] for effect in self.of(Send)]
        self.effects.clear()
        return found


def _sent(request):
    reply = yield Send(request, Timeouts(20.0, 20.0, None, None))
    return reply.unwrap()


@pytest.fixture
def world(dynamodb_store):
    world = Watching()
    yield world
    world.driver.close()


@pytest.fixture
def store(dynamodb_store):
    return dynamodb_store


def data(world, store, key):
    return [entry.data for entry in world.run(store.read(key))]


def test_a_load_and_a_save_are_a_request_each(world, store):
    world.run(store.append("cost", 0, [b"one"], DAY))
    assert world.requests == ["TransactWriteItems"]
    assert data(world, store, "cost") == [b"one"]
    assert world.requests == ["Query"]
    world.run(store.append("cost", 1, [b"two"], DAY))
    assert world.requests == ["TransactWriteItems"]


def test_an_append_by_who_has_not_read_reads_the_head(world, store):
    world.run(store.append("unread", 0, [b"one"], DAY))
    fresh = DynamoDBStateStore("state", endpoint=store.table._service.endpoint)
    world.requests  # noqa: B018
    world.run(fresh.append("unread", 1, [b"two"], DAY))
    assert world.requests == ["GetItem", "TransactWriteItems"]


def test_an_entry_of_several_megabytes_is_kept_in_parts(world, store):
    large = bytes(range(256)) * 20_000
    world.run(store.append("large", 0, [b"small", large], DAY))
    assert data(world, store, "large") == [b"small", large]
    assert [entry.number for entry in world.run(store.read("large", 1))] == [2]
    items = world.run(store.table.query("large"))
    assert sum("piece" in item for item in items) == -(-len(large) // PART_BYTES)


def test_several_entries_that_are_too_much_for_one_transaction_are_kept_in_parts(world, store):
    entries = [bytes([number]) * 300_000 for number in range(20)]
    world.run(store.append("many", 0, entries, DAY))
    assert data(world, store, "many") == entries
    with pytest.raises(ValueError, match="91 entries"):
        world.run(store.append("many", 20, [b""] * 91))


def test_parts_of_a_refused_append_do_not_stay(world, store):
    world.run(store.append("refused", 0, [b"one"]))
    with pytest.raises(ConditionFailed):
        world.run(store.append("refused", 7, [b"x" * PART_BYTES * 2]))
    assert len(world.run(store.table.query("refused"))) == 2


def test_a_session_with_pictures_is_longer_than_an_item(store):
    session = Session(store, memory="full").load("pictures")
    for number in range(3):
        picture = ImagePart(data=bytes([number, 255 - number]) * 250_000, media_type="image/png")
        session.add(ChatMessage("user", (picture,)))
        session.save()
    assert Session(store, memory="full").load("pictures").messages == session.messages


def expiries(world, store, key):
    items = world.run(store.table.query(key))
    return {("head" if item["sk"] == "head" else item.get("number", 0)): item.get("expires_at") for item in items}


def test_entries_expire_later_than_their_head(world, store):
    now = world.clock.wall
    world.run(store.append("times", 0, [b"one"], DAY))
    assert expiries(world, store, "times") == {"head": int(now + DAY) + 1, 1: int(now + 2 * DAY) + 1}


def test_the_oldest_entries_of_a_session_in_use_are_given_more_time(world, store):
    """DynamoDB deletes by each item's own time: without this an active session would lose its beginning."""
    world.run(store.append("active", 0, [b"one"], DAY))
    for number in range(1, 8):
        world.pass_time(DAY / 2)
        world.requests  # noqa: B018
        world.run(store.append("active", number, [b"%d" % number], DAY))
        times = expiries(world, store, "active")
        assert min(times.values()) == times["head"] == int(world.clock.wall + DAY) + 1
    assert len(data(world, store, "active")) == 8


def test_that_is_done_once_in_the_time_a_session_lives(world, store):
    world.run(store.append("seldom", 0, [b"one"], DAY))
    prolonged = 0
    for number in range(1, 21):
        world.pass_time(DAY / 10)
        world.requests  # noqa: B018
        world.run(store.append("seldom", number, [b"x"], DAY))
        prolonged += "UpdateItem" in world.requests
    assert prolonged == 1


@pytest.mark.parametrize(("first", "then"), [(DAY, None), (None, DAY), (DAY, 60.0), (60.0, DAY)])
def test_a_time_that_changes_holds_for_all_entries(world, store, first, then):
    key = f"changed:{first}:{then}"
    world.run(store.append(key, 0, [b"one", b"two"], first))
    world.run(store.append(key, 2, [b"three"], then))
    head = None if then is None else int(world.clock.wall + then) + 1
    entry = None if then is None else int(world.clock.wall + 2 * then) + 1
    assert expiries(world, store, key) == {"head": head, 1: entry, 2: entry, 3: entry}


def test_a_session_is_gone_at_its_time_though_dynamodb_deletes_days_later(world, store):
    world.run(store.append("late", 0, [b"one"], DAY))
    world.pass_time(DAY + 1)
    assert data(world, store, "late") == []
    world.run(store.append("late", 0, [b"new"], DAY))
    assert data(world, store, "late") == [b"new"]


def test_a_journal_that_began_again_never_meets_the_writers_of_the_old_one(world, store):
    world.run(store.append("again", 0, [b"old"], DAY))
    other = DynamoDBStateStore("state", endpoint=store.table._service.endpoint)
    world.run(other.read("again"))
    world.run(other.remove("again"))
    world.run(other.append("again", 0, [b"new"], DAY))
    with pytest.raises(ConditionFailed):
        world.run(store.append("again", 1, [b"after the old"], DAY))
    with pytest.raises(ConditionFailed):
        world.run(DynamoDBStateStore.compact(_knowing(store, other, "again", "stale"), "again", 1, b"of the old", DAY))
    assert data(world, store, "again") == [b"new"]


def _knowing(store, other, key, gen):
    store._gens[key] = gen
    return store


def test_what_is_compacted_is_deleted(world, store):
    world.run(store.append("short", 0, [b"x" * PART_BYTES * 2, b"two", b"three"], DAY))
    world.run(store.compact("short", 3, b"all", DAY))
    assert len(world.run(store.table.query("short"))) == 2
    world.run(store.remove("short"))
    assert world.run(store.table.query("short")) == []


def test_an_entry_that_somebody_deleted_is_an_error_and_not_a_shorter_session(world, store):
    world.run(store.append("holes", 0, [b"one", b"two", b"three"], DAY))
    item = next(item for item in world.run(store.table.query("holes")) if item.get("number") == 2)
    world.run(store.table.delete(("holes", item["sk"])))
    with pytest.raises(BackendError, match="lost entries that its head counts") as failed:
        world.run(store.read("holes"))
    assert not failed.value.retryable


def test_a_missing_table_says_how_to_make_it(world, store):
    missing = DynamoDBStateStore("missing", endpoint=store.table._service.endpoint)
    with pytest.raises(BackendError, match="Create the table"):
        world.run(missing.read("x"))


def item(number, text, **more):
    return {"sk": f"g#{number:012d}", "number": number, "entry": text, **more}


def test_a_reader_in_the_midst_of_a_compaction_sees_nothing_twice():
    """Its head is the old one, and of the entries some are new already."""
    old = Head("g", 1, 4, None)
    seen = [item(1, b"1"), item(2, b"2"), item(3, b"all up to 3", whole=True), item(4, b"4")]
    assert [entry.data for entry in assembled(seen, old, 0)] == [b"all up to 3", b"4"]
    assert [entry.data for entry in assembled(seen, old, 3)] == [b"4"]


def test_a_query_may_see_an_entry_before_it_stood_for_all_and_the_head_after():
    """A query is no transaction: alone, the entry would say that nothing was there before it."""
    seen = [item(1, b"1"), item(2, b"2"), item(3, b"3")]
    assert assembled(seen, Head("g", 3, 3, None), 0) is None
    assert [entry.data for entry in assembled([*seen[:2], item(3, b"all", whole=True)], Head("g", 3, 3, None), 0)] == [
        b"all"
    ]
    earlier = [item(2, b"all up to 2", whole=True), item(3, b"3"), item(4, b"4")]
    assert assembled(earlier, Head("g", 4, 4, None), 0) is None


def test_entries_that_the_head_does_not_count_yet_are_not_there_yet():
    seen = [item(1, b"1"), item(2, b"2"), {**item(2, b"of another journal"), "sk": "f#000000000002"}]
    assert [entry.data for entry in assembled(seen, Head("g", 1, 1, None), 0)] == [b"1"]
    assert assembled(seen, Head("g", 1, 3, None), 0) is None, "the third is missing"


def test_an_entry_without_one_of_its_parts_is_not_there():
    whole = {"sk": f"g#{1:012d}", "number": 1, "mark": "m", "pieces": 2}
    parts = [{"sk": f"g#{1:012d}#m#{at:04d}", "piece": b"%d" % at} for at in range(2)]
    other = {"sk": f"g#{1:012d}#x#0001", "piece": b"of an append that lost"}
    head = Head("g", 1, 1, None)
    assert assembled([whole, *parts, other], head, 0)[0].data == b"01"
    assert assembled([whole, parts[0], other], head, 0) is None
