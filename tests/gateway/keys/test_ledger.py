"""How keys are made and changed: each change once, under a record of who did it."""

import pytest

from lambdallm.gateway.http import GatewayError
from lambdallm.gateway.keys import Actor, Audit, KeyLedger, key_store
from lambdallm.gateway.keys.store import MOST_KEYS
from lambdallm.llm.backends.errors import BackendError, ConditionFailed
from lambdallm.llm.errors import ConfigurationError
from lambdallm.state import MemoryStateStore
from lambdallm.testing import World

ERIN = Actor("erin", "10.0.0.1", "request-1")
PEPPERS = (b"a pepper of thirty-two characters",)


class Play:
    """A ledger in a world of its own; `errors` are raised by the store's next saves."""

    def __init__(self):
        self.world, self.store, self.state = World(lambda effect: None), key_store("memory"), MemoryStateStore()
        self.errors, self.told = [], []
        self.save, self.store.save = self.store.save, self.saved
        self.ledger = KeyLedger(
            self.store, Audit(self.state), prefix="sk", peppers=PEPPERS, changed=lambda: self.told.append("changed")
        )

    def saved(self, owner):
        if self.errors:
            raise self.errors.pop(0)
        yield from self.save(owner)

    def create(self, user="alice", **fields):
        return self.world.run(self.ledger.create(ERIN, user, fields))

    def refusal(self, flow):
        with pytest.raises(GatewayError) as caught:
            self.world.run(flow)
        return caught.value.status

    def audit(self, **of):
        return self.world.run(self.ledger.audit.page(**of)).records


@pytest.fixture
def play():
    return Play()


def test_a_new_key_is_shown_once_and_kept_as_a_hash(play):
    minted = play.create(name="laptop")
    kept = play.world.run(play.store.load("alice"))
    secret = minted.key.rpartition(".")[2]
    assert secret not in str(kept) + str(play.audit()) + repr(minted)
    assert play.world.run(play.ledger.get(minted.record.id)) == minted.record


def test_no_two_keys_are_alike(play):
    keys = [play.create().key for _ in range(5)]
    assert len(set(keys)) == len({key.split(".")[1] for key in keys}) == 5


def test_a_change_leaves_the_rest_as_it_is(play):
    minted, other = play.create(name="laptop", requests_per_minute=5), play.create(name="phone")
    changed = play.world.run(
        play.ledger.update(ERIN, minted.record.id, {"requests_per_minute": None, "models": ("a",)})
    )
    assert changed == minted.record.replace(requests_per_minute=None, models=("a",))
    assert play.world.run(play.ledger.get(other.record.id)) == other.record


def test_a_revoked_key_stays_revoked_and_is_changed_no_more(play):
    id = play.create().record.id
    first = play.world.run(play.ledger.revoke(ERIN, id))
    play.world.pass_time(10.0)
    assert play.world.run(play.ledger.revoke(ERIN, id)) == first
    assert play.refusal(play.ledger.update(ERIN, id, {"name": "x"})) == 409
    assert play.refusal(play.ledger.rotate(ERIN, id)) == 409
    assert [record["action"] for record in play.audit()] == ["revoke", "create"]


def test_an_expired_key_is_not_rotated_but_can_be_prolonged(play):
    id = play.create(expires_at=int(play.world.clock.wall) + 10).record.id
    play.world.pass_time(10.0)
    assert play.refusal(play.ledger.rotate(ERIN, id)) == 409
    play.world.run(play.ledger.update(ERIN, id, {"expires_at": int(play.world.clock.wall) + 99}))
    play.world.run(play.ledger.rotate(ERIN, id))


@pytest.mark.parametrize("id", ["", "x", "alice.1", "YWxpY2U.bnVtYmVy", "é", "../.."])
def test_a_key_that_there_is_not_is_told_so(play, id):
    play.create()
    for flow in (play.ledger.get(id), play.ledger.update(ERIN, id, {"name": "x"}), play.ledger.revoke(ERIN, id)):
        assert play.refusal(flow) == 404


def test_a_user_has_ten_keys_at_most_and_ended_ones_make_room(play):
    ids = [play.create().record.id for _ in range(MOST_KEYS)]
    assert play.refusal(play.ledger.create(ERIN, "alice", {})) == 409
    play.world.run(play.ledger.revoke(ERIN, ids[4]))
    new = play.create().record.id
    listed = play.world.run(play.ledger.of_user("alice"))
    assert [record.id for record in listed.records] == [*ids[:4], *ids[5:], new]


def test_a_record_too_long_for_its_place_is_refused_before_anything_is_written(play):
    labels = {f"label {number}": "x" * 256 for number in range(10)}
    assert play.refusal(play.ledger.create(ERIN, "alice", {"labels": labels})) == 400
    assert play.audit() == ()


def test_pages_have_every_key_once(play):
    ids = [play.create(f"user{number}").record.id for number in range(5)]
    found, after = [], ""
    while True:
        page = play.world.run(play.ledger.page(after, 2))
        found += [record.id for record in page.records]
        after = page.next
        if not after:
            break
    assert found == ids
    assert play.refusal(play.ledger.page("nonsense")) == 400


def test_a_record_that_somebody_changed_is_told_and_hides_no_other(play):
    minted = play.create("alice")
    other = play.create("bob")
    owner = play.world.run(play.store.load("alice"))
    play.world.run(play.save(owner.with_keys([owner.keys[0].replace('"c":1', '"c":2')])))
    listed = play.world.run(play.ledger.page())
    assert (listed.records, listed.unreadable) == ((other.record,), ("alice",))
    assert play.refusal(play.ledger.get(minted.record.id)) == 404


# -- several at once


def test_of_several_administrators_at_once_nobodys_change_is_lost(play):
    flows = [play.ledger.create(Actor(f"admin {number}"), "alice", {}) for number in range(MOST_KEYS)]
    minted = play.world.run_all([(0.0, flow) for flow in flows])
    listed = play.world.run(play.ledger.of_user("alice"))
    assert {record.id for record in listed.records} == {one.record.id for one in minted}


def test_who_was_too_late_decides_anew_and_both_tries_are_written_down(play):
    id = play.create(name="old").record.id
    play.errors = [ConditionFailed("Somebody else was there.", {})]
    assert play.world.run(play.ledger.update(ERIN, id, {"name": "new"})).name == "new"
    assert [record["outcome"] for record in play.audit()] == ["done", "failed", "done"]


def test_who_is_always_too_late_is_told_so(play):
    id = play.create().record.id
    play.errors = [ConditionFailed("Somebody else was there.", {}) for _ in range(100)]
    assert play.refusal(play.ledger.update(ERIN, id, {"name": "new"})) == 409


# -- what is written down


def test_a_record_says_who_did_what_when_and_how(play):
    id = play.create(name="laptop", models=("a",)).record.id
    play.world.pass_time(5.0)
    play.world.run(play.ledger.update(Actor("sam"), id, {"name": "phone", "labels": {"team": "a"}}))
    second, first = play.audit(key_id=id)
    assert (first["by"], first["address"], first["request_id"]) == ("erin", "10.0.0.1", "request-1")
    assert (first["action"], first["user"], first["outcome"]) == ("create", "alice", "done")
    assert first["changed"] == {"name": [None, "laptop"], "models": [None, ["a"]]}
    assert (second["by"], second["changed"]) == ("sam", {"name": ["laptop", "phone"], "labels": [{}, {"team": "a"}]})
    assert second["at"] - first["at"] == 5.0


def test_without_a_record_nothing_is_done(play):
    def fails(*_):
        raise BackendError("The table is gone.")
        yield

    play.state.append = fails
    with pytest.raises(BackendError, match="table is gone"):
        play.create()
    assert play.world.run(play.store.load("alice")).keys == ()


def test_a_change_that_failed_is_written_down_as_that(play):
    refused = BackendError("Access denied.")
    refused.refused = True
    play.errors = [refused]
    with pytest.raises(BackendError):
        play.create()
    assert [(one["outcome"], one["why"]) for one in play.audit()] == [("failed", "Access denied.")]


def test_a_change_nobody_knows_the_end_of_is_unknown(play):
    play.errors = [BackendError("No answer.")]
    with pytest.raises(BackendError):
        play.create()
    assert [one["outcome"] for one in play.audit()] == ["unknown"]


def test_a_lost_end_of_a_record_is_logged_and_the_key_given_all_the_same(play, caplog):
    append, calls = play.state.append, []

    def once(*arguments):
        calls.append(arguments)
        if len(calls) > 1:
            raise BackendError("The table is gone.")
        return (yield from append(*arguments))

    play.state.append = once
    assert play.create().key.startswith("sk-")
    assert "has no end" in caplog.text


def test_the_audit_goes_on_page_by_page_the_latest_first(play):
    for number in range(5):
        play.create(f"user{number}")
    first = play.world.run(play.ledger.audit.page(limit=3))
    rest = play.world.run(play.ledger.audit.page(limit=3, before=first.next))
    assert [one["user"] for one in (*first.records, *rest.records)] == [f"user{number}" for number in range(4, -1, -1)]
    assert rest.next == ""


def test_each_month_has_its_own_records(play):
    play.create("early")
    play.world.pass_time(40 * 86_400.0)
    play.create("late")
    assert [one["user"] for one in play.audit()] == ["late"]
    assert [one["user"] for one in play.audit(month="2023-11")] == ["early"]


@pytest.mark.parametrize("where", [{"month": "2023"}, {"month": "2023-1x"}, {"before": "x"}])
def test_a_place_that_is_none_is_refused(play, where):
    with pytest.raises(ValueError, match="is no"):
        play.audit(**where)


def test_several_processes_write_into_one_audit(play):
    other = Audit(play.state)
    play.create("a")
    play.world.run(other.page())
    again = KeyLedger(play.store, other, prefix="sk", peppers=PEPPERS, changed=lambda: None)
    play.world.run(again.create(ERIN, "b", {}))
    play.create("c")
    assert [one["user"] for one in play.audit()] == ["c", "b", "a"]


def test_on_lambda_an_audit_has_to_have_a_store_that_lasts():
    world = World(lambda effect: None, {"AWS_LAMBDA_FUNCTION_NAME": "gateway"})
    with pytest.raises(ConfigurationError, match="no store"):
        world.run(Audit().page())
