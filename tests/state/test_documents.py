"""Stores of one's own in the documented shape, as people write them."""

import asyncio
import json

import pytest

from lambdallm.llm.backends import BackendError
from lambdallm.state import Session
from lambdallm.testing import World
from lambdallm.testing.conformance.store import check_documents

SNIPPET = """
class RedisStateStore:
    def get(self, session_id: str) -> dict:
        return json.loads(self.redis.get(session_id))
    def put(self, session_id: str, data: dict, ttl_seconds: int):
        self.redis.setex(session_id, ttl_seconds, json.dumps(data))
"""


@pytest.fixture
def documented(redis_url):
    """The documentation's own example, as it is printed there, with a client."""
    from redis import Redis

    space = {"json": json}
    exec(SNIPPET, space)
    with Redis.from_url(redis_url) as client:
        store = space["RedisStateStore"]()
        store.redis = client
        yield store


setex = pytest.mark.filterwarnings("ignore:Call to deprecated setex")  # the documentation's, no longer redis-py's


@setex
def test_the_documented_store_keeps_sessions(documented):
    session = Session(store=documented, ttl_hours=1).load("7")
    assert session.is_new, "json.loads(None) says that there is nothing"
    session.add_message("user", "Zürich")
    session.save()
    assert Session(store=documented).load("7").format_history() == "User: Zürich"
    assert 0 < documented.redis.ttl("7") <= 3600


@setex
def test_the_documented_store_passes_the_kit(documented):
    report = check_documents(lambda: documented)
    assert report.ok, report
    assert len(report.checks) == 40


class Dictionary:
    """The least there is: it does not even forget."""

    def __init__(self):
        self.kept, self.times = {}, []

    def get(self, session_id):
        return json.loads(self.kept[session_id])

    def put(self, session_id, data, ttl_seconds):
        self.times.append(ttl_seconds)
        self.kept[session_id] = json.dumps(data)


class Deleting(Dictionary):
    def delete(self, session_id):
        del self.kept[session_id]


class Awaited:
    """The same, asynchronous, with nothing told by `None`."""

    def __init__(self):
        self.kept = {}

    async def get(self, session_id):
        return json.loads(self.kept[session_id]) if session_id in self.kept else None

    async def put(self, session_id, data, ttl_seconds):
        self.kept[session_id] = json.dumps(data)


@pytest.mark.parametrize("make", [Dictionary, Deleting])
def test_a_dictionary_passes_the_kit(make):
    report = check_documents(make)
    assert report.ok, report


def test_an_asynchronous_store_passes_the_kit():
    report = check_documents(Awaited, drivers=["awaiting"])
    assert report.ok, report


def test_a_store_that_confuses_its_keys_does_not_pass():
    class Confused(Dictionary):
        def get(self, session_id):
            return super().get(session_id.lower())

        def put(self, session_id, data, ttl_seconds):
            super().put(session_id.lower(), data, ttl_seconds)

    report = check_documents(Confused, drivers=["blocking"])
    assert {check.name for check in report.problems} == {
        "sessions stay apart",
        "journals whose keys are alike stay apart",
    }
    assert "FAILS  sessions stay apart (blocking)" in str(report)


def test_what_it_is_given_is_text_and_whole_numbers():
    store = Dictionary()
    session = Session(store, ttl_hours=0.4375).load("7")
    session.add_message("user", "Hi")
    session.save()
    document = json.loads(store.kept["7"])
    assert document.keys() == {"format", "last", "entries", "until"}
    assert (document["format"], document["last"]) == (1, 1)
    assert type(document["until"]) is int
    assert '"content":"Hi"' in document["entries"][0]
    assert store.times == [1575]


def test_a_session_without_a_limit_has_ten_years():
    store = Dictionary()
    session = Session(store, ttl_hours=None).load("7")
    session.add_message("user", "Hi")
    session.save()
    assert store.times == [10 * 365 * 86_400]


def test_what_a_store_forgot_to_forget_is_gone_all_the_same():
    store, world = Dictionary(), World(lambda _: None)
    session = Session(store, ttl_hours=1)
    session._become("7", None)
    session.add_message("user", "Hi")
    world.run(session.saving())
    world.pass_time(3601)
    world.run(session.loading())
    assert session.is_new


def test_an_asynchronous_store_is_awaited():
    store = Awaited()

    async def conversation():
        session = await Session(store).aload("7")
        session.add_message("user", "Hi")
        await session.asave()
        return (await Session(store).aload("7")).format_history()

    assert asyncio.run(conversation()) == "User: Hi"


@pytest.mark.parametrize(
    ("id", "owner", "name"), [("7", None, "7"), ("a:b", None, "session:a:b"), ("7", "ada", "session:")]
)
def test_a_session_goes_by_its_id_unless_that_could_be_mistaken(id, owner, name):
    store = Dictionary()
    session = Session(store, owner=None if owner is None else lambda event, context: owner).opened({"session_id": id})
    session.add_message("user", "Hi")
    session.save()
    assert next(iter(store.kept)).startswith(name)


@pytest.mark.parametrize("error", [ConnectionError("no route"), TypeError("a bug"), ValueError("odd")])
def test_a_store_that_fails_is_named(error):
    class Failing(Dictionary):
        def get(self, session_id):
            raise error

    with pytest.raises(BackendError, match=rf"Failing\.get failed: {error}"):
        Session(Failing()).load("7")


@pytest.mark.parametrize(
    "found", [{"x": 1}, [1], "text", {"format": 2, "last": 0, "entries": []}, {"format": 1, "last": 1, "entries": [7]}]
)
def test_what_is_no_session_is_refused_and_not_overwritten(found):
    store = Dictionary()
    store.kept["7"] = json.dumps(found)
    with pytest.raises(BackendError, match="is no session"):
        Session(store).load("7")
