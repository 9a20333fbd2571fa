"""Sessions whose store several processes share, and stores that are down."""

import os
import subprocess
import sys
import threading
from os import urandom
from pathlib import Path

import pytest

import servers
import state_stores
from lambdallm.llm.backends import BackendError
from lambdallm.state import DynamoDBStateStore, FileStateStore, RedisStateStore, Session

WRITER = """
import sys
import state_stores
from lambdallm.llm.types import ChatMessage
from lambdallm.state import Session
kind, name, turns, memory = sys.argv[1:]
store = getattr(state_stores, kind)()
for turn in range(int(turns)):
    session = Session(store, memory=memory, max_messages=1000).load("shared")
    session.add(ChatMessage("user", f"{name} {turn} ?"), ChatMessage("assistant", f"{name} {turn} !"))
    session.state[f"{name} {turn}"] = turn
    session.save()
"""


@pytest.mark.parametrize("kind", ["file", "redis", "dynamodb"])
def test_two_processes_that_talk_in_one_session_lose_nothing(kind, request):
    """Long enough for the journal to be made shorter while the other one appends."""
    store = request.getfixturevalue(f"{kind}_store")
    Session(store).load("shared").delete()
    turns = 30
    environ = os.environ | {"PYTHONPATH": state_stores.__file__.rpartition("/")[0]}
    command = [sys.executable, "-c", WRITER, kind]
    writers = [subprocess.Popen([*command, name, str(turns), "full"], env=environ) for name in ("a", "b")]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    session = Session(store, memory="full").load("shared")
    said = [message.text.split() for message in session.messages]
    assert [mark for *_, mark in said] == ["?", "!"] * (2 * turns)
    assert [one[:2] for one in said[::2]] == [one[:2] for one in said[1::2]], "turns stay together"
    for name in ("a", "b"):
        assert [int(turn) for writer, turn, mark in said if writer == name and mark == "?"] == list(range(turns))
    assert session.state == {f"{name} {turn}": turn for name in ("a", "b") for turn in range(turns)}


def test_threads_that_talk_in_one_session_lose_nothing(store):
    Session(store).load("threads").delete()

    def talk(name):
        for turn in range(8):
            session = Session(store, memory="full").load("threads")
            session.add_message("user", f"{name} {turn}")
            session.save()

    threads = [threading.Thread(target=talk, args=(name,)) for name in "abc"]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    found = sorted(message.text for message in Session(store, memory="full").load("threads").messages)
    assert found == sorted(f"{name} {turn}" for name in "abc" for turn in range(8))


def down(tmp_path, kind):
    if kind == "redis":
        return RedisStateStore("redis://127.0.0.1:1/0", timeout_seconds=0.2)
    if kind == "dynamodb":
        return DynamoDBStateStore("state", endpoint="http://127.0.0.1:1", timeout_seconds=0.2)
    (tmp_path / "file").write_text("no folder")
    return FileStateStore(tmp_path / "file" / "state.db")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("redis", r"Redis at redis://127\.0\.0\.1:1/0 failed"),
        ("dynamodb", "DynamoDB did not answer"),
        ("file", r"The state file '.*state\.db' failed.*on Lambda only /tmp can"),
    ],
)
def test_a_store_that_is_down_is_a_clear_error(kind, said, tmp_path, monkeypatch, run):
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    session = Session(down(tmp_path, kind))
    session._become("7", None)
    session.add_message("user", "Hi")
    for flow in (session.loading, session.saving):
        with pytest.raises(BackendError, match=said):
            run(flow())
    assert session.modified, "nothing is thought to be saved"
    assert session.format_history() == "User: Hi"


def test_a_file_that_is_something_else_is_an_error_and_stays_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("my notes " * 200)
    with pytest.raises(BackendError, match="no other file"):
        Session(FileStateStore(path)).load("7")
    assert path.read_text() == "my notes " * 200


def test_a_full_disk_says_so_and_the_save_can_be_repeated(file_store):
    session = Session(file_store).load("full")
    session.add_message("user", "Hi")
    session.save()
    pages = file_store._connection.execute("PRAGMA page_count").fetchone()[0]
    file_store._connection.execute(f"PRAGMA max_page_count = {pages}")
    session.add_message("user", urandom(100_000).hex())
    with pytest.raises(BackendError, match="disk is full"):
        session.save()
    file_store._connection.execute("PRAGMA max_page_count = 100000")
    session.save()
    assert len(Session(file_store).load("full").messages) == 2


def test_a_file_that_was_deleted_under_a_store_begins_anew(file_store):
    session = Session(file_store).load("7")
    session.add_message("user", "gone")
    session.save()
    for path in Path(file_store.path).parent.iterdir():
        path.unlink()
    again = Session(file_store).load("7")
    assert again.is_new
    again.add_message("user", "new")
    again.save()
    other = FileStateStore(file_store.path)
    assert Session(other).load("7").format_history() == "User: new"
    other.close()


def test_a_file_of_conversations_is_its_owners_alone(file_store):
    Session(file_store).load("7")
    assert {path.stat().st_mode & 0o777 for path in Path(file_store.path).parent.iterdir()} == {0o600}


def test_a_file_store_goes_on_in_a_forked_child(file_store):
    session = Session(file_store, memory="full").load("fork")
    session.add_message("user", "parent")
    session.save()
    child = os.fork()
    if child == 0:
        try:
            mine = Session(file_store, memory="full").load("fork")
            mine.add_message("user", "child")
            mine.save()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    session.add_message("user", "parent again")
    session.save()
    assert [message.text for message in session.messages] == ["parent", "child", "parent again"]


def test_what_has_passed_its_time_leaves_the_file(file_store, run):
    run(file_store.append("old", 0, [b"x"], 0.001))
    run(file_store.append("new", 0, [b"x"], 60.0))
    run(file_store.append("newer", 0, [b"x"], 60.0))
    keys = {key for (key,) in file_store._connection.execute("SELECT key FROM entries")}
    assert keys == {"new", "newer"}


def test_memory_lets_go_of_what_has_passed_its_time():
    from lambdallm.testing import World

    store, world = state_stores.memory(), World(lambda _: None)
    for number in range(2000):
        world.run(store.append(f"{number}", 0, [b"x"], 1.0))
        world.pass_time(0.1)
    assert len(store._journals) < 600
