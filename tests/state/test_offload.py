"""Large entries go to a bucket, and the journal never names what is not there."""

import urllib.request

import pytest

import servers
from lambdallm.llm.backends import BackendError, ConditionFailed
from lambdallm.llm.services import S3Bucket
from lambdallm.llm.types import ChatMessage, ImagePart
from lambdallm.state import MemoryStateStore, OffloadedStore, Session
from lambdallm.testing import World
from lambdallm.testing.conformance.store import check_store


class Shelf:
    """A bucket in memory."""

    def __init__(self):
        self.kept, self.fails = {}, False

    def get(self, key):
        yield from ()
        return self.kept.get(key)

    def put(self, key, data):
        yield from ()
        self.kept[key] = data

    def delete(self, key):
        yield from ()
        if self.fails:
            raise BackendError("no permission")
        self.kept.pop(key, None)


@pytest.fixture
def bucket(ministack, monkeypatch):
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    made = urllib.request.Request(f"{ministack}/conversations", method="PUT")
    urllib.request.urlopen(made, timeout=10).close()
    return S3Bucket("conversations", endpoint=ministack, timeout_seconds=20.0)


def run(flow):
    return World(lambda _: None).run(flow)


@pytest.mark.parametrize("over", [0, 1_000])
def test_it_passes_the_kit(over):
    report = check_store(lambda: OffloadedStore(MemoryStateStore(), Shelf(), over=over))
    assert report.ok, report


def test_a_session_with_pictures_in_a_bucket(bucket, dynamodb_store):
    store = OffloadedStore(dynamodb_store, bucket)
    session = Session(store).load("pictures-in-s3")
    session.add(ChatMessage("user", (ImagePart(data=bytes(range(256)) * 2000, media_type="image/png"),)))
    session.add_message("assistant", "Nice.")
    session.save()
    assert Session(store).load("pictures-in-s3").messages == session.messages
    session.delete()
    assert Session(store).load("pictures-in-s3").is_new


def test_only_large_entries_go_there():
    shelf, inner = Shelf(), MemoryStateStore()
    store = OffloadedStore(inner, shelf, over=10)
    run(store.append("k", 0, [b"small", b"large" * 10]))
    assert list(shelf.kept.values()) == [b"large" * 10]
    assert run(inner.read("k"))[0].data == b"small"
    assert [entry.data for entry in run(store.read("k"))] == [b"small", b"large" * 10]


def test_what_looks_like_a_name_is_no_name():
    store = OffloadedStore(MemoryStateStore(), Shelf())
    run(store.append("k", 0, [b"object somebody/elses"]))
    assert run(store.read("k"))[0].data == b"object somebody/elses"


def test_objects_go_with_their_entries():
    shelf = Shelf()
    store = OffloadedStore(MemoryStateStore(), shelf, over=10)
    run(store.append("k", 0, [b"one" * 10, b"two" * 10, b"three" * 10]))
    run(store.compact("k", 2, b"short"))
    assert list(shelf.kept.values()) == [b"three" * 10]
    with pytest.raises(ConditionFailed):
        run(store.append("k", 7, [b"lost" * 10]))
    assert len(shelf.kept) == 1
    run(store.remove("k"))
    assert shelf.kept == {}


def test_an_object_that_can_t_be_deleted_fails_nothing():
    shelf = Shelf()
    store = OffloadedStore(MemoryStateStore(), shelf, over=0)
    run(store.append("k", 0, [b"one"]))
    shelf.fails = True
    run(store.remove("k"))
    assert run(store.read("k")) == []


class Resending(MemoryStateStore):
    """A store that sends an append again when its connection breaks, though it was done."""

    def append(self, key, after, entries, ttl_seconds=None):
        yield from super().append(key, after, entries, ttl_seconds)
        yield from super().append(key, after, entries, ttl_seconds)


def test_an_append_that_was_done_and_fails_keeps_its_objects():
    session = Session(OffloadedStore(Resending(), Shelf(), over=10)).load("7")
    session.add_message("user", "a long story")
    session.save()
    assert session.load().format_history() == "User: a long story"


def test_an_object_that_somebody_deleted_is_an_error():
    shelf = Shelf()
    store = OffloadedStore(MemoryStateStore(), shelf, over=0)
    run(store.append("k", 0, [b"one"]))
    shelf.kept.clear()
    with pytest.raises(BackendError, match="names an object that is not there"):
        run(store.read("k"))
