"""A session outlives its process, is saved when there is something to save, and loses nothing to others."""

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations import messages, plain, texts
from lambdallm.llm.backends import BackendError, ConditionFailed
from lambdallm.llm.drivers import shared_driver
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import Perform
from lambdallm.llm.types import ChatMessage, ImagePart, ReasoningPart, TextPart, ToolCall, ToolResult
from lambdallm.state import MemoryStateStore, MemoryStrategy, Session, SessionIdError
from lambdallm.testing import World

EVERYTHING = (
    ChatMessage("system", "be kind"),
    ChatMessage("user", (TextPart("What is this?"), ImagePart(data=b"\x89PNG\x00", media_type="image/png"))),
    ChatMessage("assistant", (ReasoningPart("hm", signature="proof=="), ToolCall("c1", "look", {"at": [1, 2]}))),
    ChatMessage("tool", (ToolResult("c1", "a cat"),)),
    ChatMessage("assistant", "A cat.", metadata={"anthropic_messages": {"x": 1}}),
)


def saved(store, id="7", **options):
    return Session(store, **options).load(id)


def test_the_documented_methods():
    session = Session(store="memory", ttl_hours=24, memory=MemoryStrategy.SLIDING_WINDOW, max_messages=20)
    session.load("documented")
    session.add_message("user", "Hi")
    session.add_message("assistant", "Hello")
    session.save()
    again = Session(store="memory").load("documented")
    assert again.get_history() == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    assert again.format_history() == "User: Hi\nAssistant: Hello"
    again.clear()
    again.save()
    assert Session(store="memory").load("documented").get_history() == []


def test_the_documented_defaults():
    settings = Session().settings
    assert (settings.store, settings.ttl_seconds, settings.memory) == ("dynamodb", 24 * 3600, "sliding_window")
    assert settings.max_messages == 20


def test_everything_a_message_holds_survives(store):
    session = Session(store, memory="full").load("everything")
    session.add(*EVERYTHING)
    session.save()
    again = Session(store, memory="full").load("everything")
    assert again.messages == EVERYTHING
    assert again.messages[2].content[0].signature == "proof=="


@pytest.mark.parametrize("kind", ["awaiting"])
def test_the_asynchronous_twins_do_the_same(store, kind):
    async def conversation():
        session = await Session(store).aload("async")
        session.add_message("user", "Hi")
        await session.asave()
        again = await Session(store).aload("async")
        assert again.get_history() == [{"role": "user", "content": "Hi"}]
        await again.adelete()
        return (await Session(store).aload("async")).is_new

    assert asyncio.run(conversation())


@settings(max_examples=30)
@given(st.lists(st.lists(messages, max_size=3), max_size=4), st.dictionaries(texts, plain, max_size=3))
def test_any_conversation_comes_back(told, state):
    store = MemoryStateStore()
    session = saved(store, memory="full")
    for turn in told:
        session.add(*turn)
        session.state |= state
        session.save()
    again = saved(store, memory="full")
    assert (again.messages, again.state) == (session.messages, session.state)
    assert repr(again.state) == repr(session.state)
    assert not again.modified


class Counting(MemoryStateStore):
    """A store that counts what is asked of it, and fails where told: before it works, or after."""

    def __init__(self):
        super().__init__()
        self.asked, self.fails = [], []

    def read(self, key, after=0):
        self.asked.append("read")
        return super().read(key, after)

    def append(self, key, after, entries, ttl_seconds=None):
        self.asked.append("append")
        when = self.fails.pop(0) if self.fails else None
        if when == "before":
            raise BackendError("The store is down.")
        yield from super().append(key, after, entries, ttl_seconds)
        if when == "after":
            raise BackendError("The answer was lost.")

    def compact(self, key, through, entry, ttl_seconds=None):
        self.asked.append("compact")
        return super().compact(key, through, entry, ttl_seconds)


def test_what_was_not_modified_is_not_saved():
    store = Counting()
    session = saved(store)
    session.save()
    assert store.asked == ["read"]
    session.state["a"] = {"b": [1]}
    session.save()
    session.save()
    assert store.asked == ["read", "append"]
    session.state["a"]["b"].append(2)
    assert session.modified
    session.save()
    assert saved(store).state == {"a": {"b": [1, 2]}}


def test_a_save_that_failed_can_be_repeated():
    store = Counting()
    session = saved(store)
    session.add_message("user", "Hi")
    store.fails = ["before"]
    with pytest.raises(BackendError, match="down"):
        session.save()
    assert session.modified
    session.save()
    assert saved(store).format_history() == "User: Hi"


def test_a_save_whose_answer_was_lost_is_not_done_twice():
    store = Counting()
    session = saved(store)
    session.add_message("user", "Hi")
    session.state["n"] = 1
    store.fails = ["after"]
    with pytest.raises(BackendError, match="lost"):
        session.save()
    session.add_message("assistant", "Hello")
    assert session.format_history() == "User: Hi\nAssistant: Hello"
    session.save()
    assert saved(store).format_history() == "User: Hi\nAssistant: Hello"
    assert saved(store).state == {"n": 1}


def test_a_lost_answer_is_recognised_after_others_have_shortened_the_journal():
    store = Counting()
    session = saved(store, memory="full")
    session.add_message("user", "first")
    store.fails = ["after"]
    with pytest.raises(BackendError):
        session.save()
    for number in range(40):
        other = saved(store, memory="full")
        other.add_message("user", f"{number}")
        other.save()
    assert "compact" in store.asked
    session.save()
    assert [message.text for message in saved(store, memory="full").messages] == ["first", *map(str, range(40))]


def test_two_turns_at_the_same_time_lose_nothing_and_stay_together(store):
    first, second = saved(store, memory="full"), saved(store, memory="full")
    first.add(ChatMessage("user", "a1"), ChatMessage("assistant", "a2"))
    second.add(ChatMessage("user", "b1"), ChatMessage("assistant", "b2"))
    first.state["a"] = second.state["b"] = 1
    first.save()
    second.save()
    again = saved(store, memory="full")
    assert [message.text for message in again.messages] == ["a1", "a2", "b1", "b2"]
    assert again.state == {"a": 1, "b": 1}
    assert second.messages == again.messages, "who came second knows the other's turn"
    assert second.state == again.state


def test_of_two_changes_of_the_same_data_the_later_counts():
    store = MemoryStateStore()
    first, second = saved(store), saved(store)
    first.state["x"], second.state["x"] = 1, 2
    second.save()
    first.save()
    assert saved(store).state == {"x": 1}


def test_data_that_is_taken_away_stays_away():
    store = MemoryStateStore()
    session = saved(store)
    session.state |= {"a": 1, "b": 2}
    session.save()
    del session.state["a"]
    session.save()
    assert saved(store).state == {"b": 2}


def test_clearing_takes_what_others_have_said_until_then_and_nothing_later():
    store = MemoryStateStore()
    first, second = saved(store), saved(store)
    first.add_message("user", "before")
    first.state["kept"] = True
    first.save()
    second.clear()
    second.add_message("user", "after")
    second.save()
    first.add_message("user", "later")
    first.save()
    again = saved(store)
    assert again.format_history() == "User: after\nUser: later"
    assert again.state == {"kept": True}


def test_many_turns_become_one_entry_and_nothing_that_counts_is_lost():
    store = Counting()
    session = saved(store, max_messages=4)
    for number in range(100):
        session.add(ChatMessage("user", f"q{number}"), ChatMessage("assistant", f"a{number}"))
        session.save()
    assert store.asked.count("compact") == 3
    again = saved(store, max_messages=4)
    assert again.format_history() == "User: q98\nAssistant: a98\nUser: q99\nAssistant: a99"
    assert again.dropped.messages == 196
    assert len(World(lambda _: None).run(store.read("session:7"))) < 32


def test_full_keeps_everything_and_its_journal_becomes_shorter_too():
    store = Counting()
    session = saved(store, memory="full")
    for number in range(70):
        session.add_message("user", f"{number}")
        session.save()
    assert store.asked.count("compact") == 2
    assert [message.text for message in saved(store, memory="full").messages] == [f"{n}" for n in range(70)]


def test_shortening_that_fails_fails_no_save(caplog):
    class Failing(Counting):
        def compact(self, key, through, entry, ttl_seconds=None):
            raise BackendError("No more today.")

    store = Failing()
    session = saved(store)
    for number in range(40):
        session.add_message("user", f"{number}")
        session.save()
    assert "No more today" in caplog.text
    assert saved(store).format_history().endswith("User: 39")


def test_shortening_that_somebody_else_did_first_needs_the_store_no_more(caplog):
    class Store(MemoryStateStore):
        gone = False

        def read(self, key, after=0):
            if self.gone:
                raise BackendError("The store is away.")
            return super().read(key, after)

        def compact(self, key, through, entry, ttl_seconds=None):
            yield from super().compact(key, through, entry, ttl_seconds)
            self.gone = True
            raise ConditionFailed("Somebody else was first.", {})

    session = saved(Store())
    for number in range(32):
        session.add_message("user", str(number))
        session.save()
    assert (len(session.messages), caplog.records) == (20, [])


def test_others_who_never_let_one_in_are_an_error_and_not_an_endless_loop():
    class Busy(MemoryStateStore):
        def append(self, key, after, entries, ttl_seconds=None):
            yield from super().append(key, len((yield from self.read(key))), entries, ttl_seconds)
            raise ConditionFailed("Somebody else was there.", {})

    class Stranger(Busy):
        def append(self, key, after, entries, ttl_seconds=None):
            yield Perform(lambda: None)
            raise ConditionFailed("Somebody else was there.", {})

    session = Session(Stranger())
    session._become("7", None)
    session.add_message("user", "Hi")
    with pytest.raises(BackendError, match="each of 40 times"):
        World(lambda _: None).run(session.saving())
    kind = saved(Busy())
    kind.add_message("user", "Hi")
    kind.save()
    assert kind.format_history() == "User: Hi", "its own turn had arrived"


def test_a_session_that_was_removed_meanwhile_begins_again():
    store = MemoryStateStore()
    session = saved(store)
    session.add_message("user", "old")
    session.save()
    saved(store).delete()
    session.add_message("user", "new")
    session.save()
    assert saved(store).format_history() == "User: new"


def test_time_is_counted_from_the_last_save():
    store, world = MemoryStateStore(), World(lambda _: None)
    session = Session(store, ttl_hours=1)
    session._become("7", None)
    session.add_message("user", "Hi")
    world.run(session.saving())
    world.pass_time(3000)
    session.add_message("user", "again")
    world.run(session.saving())
    world.pass_time(3000)
    again = Session(store, ttl_hours=1)
    again._become("7", None)
    world.run(again.loading())
    assert again.format_history() == "User: Hi\nUser: again"
    world.pass_time(601)
    world.run(again.loading())
    assert again.is_new
    assert again.messages == ()


def test_a_session_without_a_limit_stays():
    store, world = MemoryStateStore(), World(lambda _: None)
    session = Session(store, ttl_hours=None)
    session._become("7", None)
    session.add_message("user", "Hi")
    world.run(session.saving())
    world.pass_time(10**9)
    world.run(session.loading())
    assert not session.is_new


def test_loading_keeps_what_was_added_before_it():
    store = MemoryStateStore()
    early = saved(store)
    early.add_message("user", "old")
    early.state["a"] = 1
    early.save()
    session = Session(store)
    session._become("7", None)
    session.add_message("user", "new")
    session.state["b"] = 2
    World(lambda _: None).run(session.loading())
    assert session.format_history() == "User: old\nUser: new"
    assert session.state == {"a": 1, "b": 2}


def test_what_was_added_before_there_was_an_id_is_the_first_one_s():
    store = MemoryStateStore()
    session = Session(store)
    session.add_message("user", "Hi")
    session.state["a"] = 1
    session.load("7").save()
    assert (saved(store).format_history(), saved(store).state) == ("User: Hi", {"a": 1})


def test_loading_another_session_forgets_what_was_not_saved():
    session = saved(MemoryStateStore())
    session.add_message("user", "Hi")
    session.load("8")
    assert not session.modified


def test_saving_without_an_id_says_what_to_do():
    session = Session("memory")
    session.add_message("user", "Hi")
    with pytest.raises(ConfigurationError, match=r"Call load\(session_id\)"):
        session.save()


@pytest.mark.parametrize("id", ["", "a/b", "a b", "a\nb", "ü", "x" * 201, 7, "a;b", 'a"b', "../x", ".", ".."])
def test_ids_that_could_leave_their_place_are_refused(id):
    with pytest.raises(SessionIdError, match=r"Send 1 to 200"):
        Session("memory").load(id)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"store": "mongodb"}, "store is 'mongodb'"),
        ({"store": "file:"}, "store is 'file:'"),
        ({"store": object()}, "is no store"),
        ({"ttl_hours": 0}, "ttl_hours is 0"),
        ({"ttl_hours": float("inf")}, "ttl_hours is inf"),
        ({"ttl_hours": float("nan")}, "ttl_hours is nan"),
        ({"ttl_hours": True}, "ttl_hours is True"),
        ({"max_messages": 0}, "max_messages is 0"),
        ({"max_messages": None}, "max_messages is None"),
        ({"max_tokens": -1}, "max_tokens is -1"),
        ({"memory": "elephant"}, "sliding_window, summary, token_buffer, full"),
        ({"id_from": "header"}, "'header' is no place"),
        ({"id_from": ["header:a b"]}, "no place"),
        ({"owner": "somebody"}, "no place"),
        ({"encryption": object()}, "no encryption"),
    ],
)
def test_settings_that_make_no_sense_are_refused_at_once(options, said):
    with pytest.raises(ConfigurationError, match=said):
        Session(**options)


def test_what_is_no_message_is_refused():
    with pytest.raises(ConfigurationError, match="a role of system"):
        saved(MemoryStateStore()).add_message("robot", "Hi")
    with pytest.raises(ConfigurationError, match="is no message"):
        saved(MemoryStateStore()).add({"role": "user"})


@pytest.mark.parametrize("content", [None, 5, {"type": "text"}, [{"type": "text", "text": "Hi"}], ["Hi"]], ids=repr)
def test_content_that_is_neither_text_nor_parts_is_refused_when_it_is_added(content):
    session = saved(MemoryStateStore())
    with pytest.raises(ConfigurationError, match=r"The content of a message is .* Give text, or a list of parts"):
        session.add_message("user", content)
    assert not session.modified


def test_a_message_that_can_t_be_saved_is_refused_when_it_is_added():
    """Found when it is saved, it would be in the way of every later save."""
    session = saved(MemoryStateStore())
    with pytest.raises(ConfigurationError, match="A message of the assistant can't be saved: a set is no JSON"):
        session.add(ChatMessage("assistant", (ToolCall("c1", "look", {"at": {1, 2}}),)))
    session.add_message("user", "Hi")
    session.save()


def test_data_that_json_can_t_hold_is_refused_with_the_reason():
    session = saved(MemoryStateStore())
    session.state["x"] = object()
    with pytest.raises(ConfigurationError, match="state can't be saved: a object is no JSON"):
        session.save()


def test_histories_of_every_kind_have_words_and_dictionaries():
    session = saved(MemoryStateStore())
    session.add(*EVERYTHING)
    assert session.format_history().splitlines() == [
        "System: be kind", "User: What is this? [image]", "Assistant: [calls look({'at': [1, 2]})]",
        "Tool: [result: a cat]", "Assistant: A cat.",
    ]  # fmt: skip
    history = session.get_history()
    assert [each["role"] for each in history] == ["system", "user", "assistant", "tool", "assistant"]
    assert history[2]["tool_calls"][0]["function"]["name"] == "look"
    json.dumps(history)


class Reversing:
    """Encryption for tests: what it wrote can't be mistaken for anything else."""

    def encrypt(self, data):
        return b"sealed" + data[::-1]

    def decrypt(self, data):
        assert data.startswith(b"sealed")
        return data[6:][::-1]


class Awaited(Reversing):
    async def encrypt(self, data):
        return super().encrypt(data)

    async def decrypt(self, data):
        return super().decrypt(data)


def test_encryption_of_ones_own():
    store = MemoryStateStore()
    session = saved(store, encryption=Reversing())
    session.add_message("user", "a secret")
    session.save()
    entry = World(lambda _: None).run(store.read("session:7"))[0].data
    assert entry.startswith(b"sealed")
    assert b"a secret" not in entry
    assert saved(store, encryption=Reversing()).format_history() == "User: a secret"
    with pytest.raises(BackendError, match="the encryption that wrote it"):
        saved(store)


def test_asynchronous_encryption():
    store = MemoryStateStore()

    async def conversation():
        session = await Session(store, encryption=Awaited()).aload("7")
        session.add_message("user", "a secret")
        await session.asave()
        return (await Session(store, encryption=Awaited()).aload("7")).format_history()

    assert asyncio.run(conversation()) == "User: a secret"


def test_encryption_that_fails_names_itself():
    class Broken(Reversing):
        def encrypt(self, data):
            raise ValueError("no key")

    class Textual(Reversing):
        def encrypt(self, data):
            return data.decode()

    for encryption, said in ((Broken(), "no key"), (Textual(), "encrypt gave a str")):
        session = saved(MemoryStateStore(), encryption=encryption)
        session.add_message("user", "Hi")
        with pytest.raises(BackendError, match=said):
            session.save()


def test_names_of_stores_mean_one_store_each_in_a_process(tmp_path, monkeypatch):
    monkeypatch.setenv("LAMBDALLM_STATE_FILE", str(tmp_path / "a.db"))
    for store in ("memory", "file", f"file:{tmp_path / 'b.db'}"):
        session = saved(store, "shared")
        session.add_message("user", store)
        session.save()
        assert saved(store, "shared").format_history() == f"User: {store}"
    assert sorted(path.name for path in Path(tmp_path).glob("*.db")) == ["a.db", "b.db"]
    from lambdallm.state.stores import _made

    for place in [place for place in _made if str(tmp_path) in place]:
        _made.pop(place).close()


def test_redis_without_a_place_says_where_to_name_it():
    with pytest.raises(ConfigurationError, match="LAMBDALLM_REDIS_URL"):
        saved("redis")


def test_neither_errors_nor_reprs_show_the_id_by_which_a_session_is_opened():
    session = Session(store="memory").opened({})
    assert session.id not in repr(session)
    assert session.id[:12] in repr(session)
    with pytest.raises(ConditionFailed) as refused:
        shared_driver().run(MemoryStateStore().append(f"session:{session.id}", 3, [b"x"]))
    assert session.id not in str(refused.value)
    assert session.id[:12] in str(refused.value)
