"""Keys in Cognito: how often it is asked, what is stored there, and what becomes of writers that die."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from both_drivers import blocking
from lambdallm.gateway.http import GatewayError, GatewayRequest
from lambdallm.gateway.keys import Actor, CognitoKeyStore, Keys, key_store
from lambdallm.gateway.keys.cognito import UserPool
from lambdallm.gateway.keys.cognito_store import LEASE_SECONDS, SLOTS, STALE_SECONDS, VERSION, _claim
from lambdallm.gateway.keys.key import key_id, written
from lambdallm.llm.backends.errors import ConditionFailed
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import Now, Send
from lambdallm.llm.services import ServiceError
from lambdallm.runtime.request import Headers
from lambdallm.state import MemoryStateStore

PEPPER = "7Lr0TnZb4Wm8JvX2-pQ9sKdc6Hf1Gy3Ue5"
ME = Actor("erin")


def shifted(flow, *, wall=0.0, monotonic=0.0, after_sends=0):
    """The flow with a clock that is ahead, from when it has sent so many requests."""
    outcome, sent = None, 0
    while True:
        try:
            effect = flow.send(outcome)
        except StopIteration as stop:
            return stop.value
        outcome = yield effect
        sent += isinstance(effect, Send)
        if isinstance(effect, Now) and sent >= after_sends:
            outcome = outcome.replace(wall=outcome.wall + wall, monotonic=outcome.monotonic + monotonic)


@pytest.fixture
def keys(cognito_store):
    state = MemoryStateStore()
    made = Keys(cognito_store, peppers=(PEPPER,), audit=state)
    made.audit_state = state
    return made


@pytest.fixture
def owner(cognito_store):
    """A user with one text, and the next version of it."""
    first = blocking(cognito_store.enrol("alice")).with_keys(["one"])
    blocking(cognito_store.save(first))
    return first.with_keys(["one", "two"])


def ask(keys, key):
    return blocking(keys.authorized(GatewayRequest("POST", "/", Headers([("x-api-key", key)]))))


def refusal(keys, key):
    with pytest.raises(GatewayError) as caught:
        ask(keys, key)
    return caught.value.status, caught.value.code


# -- what it costs


def test_a_new_key_costs_one_read_of_one_user_and_a_known_one_none(keys):
    minted = blocking(keys.ledger().create(ME, "alice", {"models": ("gpt-*",)}))
    other = Keys(keys.store, peppers=(PEPPER,))
    keys.store.pool.asked.clear()
    assert [ask(other, minted.key).models for _ in range(5)] == [("gpt-*",)] * 5
    assert keys.store.pool.asked == ["AdminGetUser"]


def test_a_wrong_key_costs_one_read_whether_or_not_there_is_such_a_user(keys):
    minted = blocking(keys.ledger().create(ME, "alice", {}))
    for id in (minted.record.id, key_id("nobody", b"number")):
        wrong = written("sk-llm", id, bytes(32), (PEPPER.encode(),))
        keys.store.pool.asked.clear()
        assert [refusal(keys, wrong) for _ in range(5)] == [(401, "invalid_api_key")] * 5
        assert keys.store.pool.asked == ["AdminGetUser"]


def test_a_change_claims_reads_writes_and_lets_go(cognito_store, owner):
    cognito_store.pool.asked.clear()
    blocking(cognito_store.save(owner))
    assert cognito_store.pool.asked == ["CreateGroup", "AdminGetUser", "AdminUpdateUserAttributes", "DeleteGroup"]


# -- what is stored


def test_attributes_hold_a_version_and_records_without_secrets(keys):
    minted = [blocking(keys.ledger().create(ME, "alice", {})) for _ in range(2)]
    attributes = blocking(keys.store.pool.user("alice")).attributes
    assert attributes[f"custom:{VERSION}"] == "2"
    for place, one in enumerate(minted):
        assert one.record.hash in attributes[f"custom:{SLOTS[place]}"]
        assert one.key.rpartition(".")[2] not in str(attributes)


def test_names_fit_what_cognito_takes():
    assert all(len(name) <= 20 for name in (VERSION, *SLOTS))
    assert len((VERSION, *SLOTS)) <= 25


def test_what_users_write_into_their_own_attributes_lets_nobody_in(keys):
    minted = blocking(keys.ledger().create(ME, "alice", {"requests_per_minute": 1}))
    text = blocking(keys.store.pool.user("alice")).attributes[f"custom:{SLOTS[0]}"]
    blocking(keys.store.pool.update("alice", {f"custom:{SLOTS[0]}": text.replace('"r":1', '"r":1000')}))
    assert refusal(keys, minted.key) == (401, "invalid_api_key")


def test_keys_of_a_disabled_user_let_nobody_in(keys):
    minted = blocking(keys.ledger().create(ME, "alice", {}))
    blocking(keys.store.pool._call("AdminDisableUser", {"Username": "alice"}))
    assert refusal(keys, minted.key) == (403, "user_disabled")


def test_in_a_pool_of_addresses_a_key_names_the_user_that_cognito_made(new_pool):
    store = CognitoKeyStore(new_pool(UsernameAttributes=["email"]))
    blocking(store.ensure())
    keys = Keys(store, audit=MemoryStateStore())
    minted = blocking(keys.ledger().create(ME, "alice@example.com", {}))
    assert ask(keys, minted.key).user == minted.record.user
    again = blocking(keys.ledger().create(ME, "alice@example.com", {}))
    assert again.record.user == minted.record.user
    assert len(blocking(keys.ledger().of_user("alice@example.com")).records) == 2


def test_users_that_were_there_before_get_keys_and_keep_the_rest(keys):
    pool = keys.store.pool
    blocking(pool._call("AdminCreateUser", {"Username": "bob", "UserAttributes": [{"Name": "name", "Value": "Bob"}]}))
    blocking(keys.ledger().create(ME, "bob", {}))
    assert blocking(pool.user("bob")).attributes["name"] == "Bob"


def test_a_pool_is_made_ready_once(cognito_store):
    cognito_store.pool.asked.clear()
    blocking(cognito_store.ensure())
    assert cognito_store.pool.asked == ["DescribeUserPool"]


# -- writers at once, and writers that die


def test_a_claim_of_somebody_at_work_is_waited_for(cognito_store, owner):
    blocking(cognito_store.pool.create_group(_claim(owner, 0), "somebody else"))
    with pytest.raises(ConditionFailed, match="Somebody else is changing"):
        blocking(shifted(cognito_store.save(owner), wall=STALE_SECONDS - 30))


def test_a_claim_of_the_dead_is_passed_over_and_cleared_away(cognito_store, owner):
    blocking(cognito_store.pool.create_group(_claim(owner, 0), "somebody dead"))
    blocking(shifted(cognito_store.save(owner), wall=STALE_SECONDS + 30))
    assert blocking(cognito_store.load("alice")) == owner
    for attempt in (0, 1):
        assert blocking(cognito_store.pool.group(_claim(owner, attempt))) is None


def test_of_two_who_pass_over_the_same_claim_one_writes(cognito_store, owner):
    pool = cognito_store.pool
    blocking(pool.create_group(_claim(owner, 0), "somebody dead"))
    blocking(pool.create_group(_claim(owner, 1), "somebody alive"))
    ahead = blocking(pool.group(_claim(owner, 0))).created_at
    seen = pool.group

    def group(name):
        found = yield from seen(name)
        return found.replace(created_at=ahead - STALE_SECONDS - 30) if name == _claim(owner, 0) else found

    pool.group = group
    with pytest.raises(ConditionFailed, match="Somebody else is changing"):
        blocking(cognito_store.save(owner))


def test_who_takes_too_long_after_the_claim_does_not_write(cognito_store, owner):
    with pytest.raises(ConditionFailed, match="too long"):
        blocking(shifted(cognito_store.save(owner), monotonic=LEASE_SECONDS + 1, after_sends=2))
    assert blocking(cognito_store.load("alice")).keys == ("one",)


def test_a_claim_made_by_a_request_whose_answer_was_lost_is_ones_own(cognito_store, owner):
    pool, create = cognito_store.pool, cognito_store.pool.create_group

    def twice(name, token):
        yield from create(name, token)
        return (yield from create(name, token))

    pool.create_group = twice
    blocking(cognito_store.save(owner))
    assert blocking(cognito_store.load("alice")) == owner


@pytest.mark.parametrize("refused", [True, False])
def test_a_write_that_failed_lets_go_and_one_without_an_answer_does_not(cognito_store, owner, refused):
    def fails(*_):
        raise ServiceError("It broke.", refused=refused)
        yield

    cognito_store.pool.update = fails
    with pytest.raises(ServiceError, match="It broke"):
        blocking(cognito_store.save(owner))
    assert (blocking(cognito_store.pool.group(_claim(owner, 0))) is None) == refused


def test_of_several_administrators_at_once_nobodys_change_is_lost(keys):
    """Each in a thread and with connections of its own, as in Lambda environments."""
    id = blocking(keys.ledger().create(ME, "alice", {})).record.id

    def change(number):
        ledger = Keys(keys.store, peppers=(PEPPER,), audit=keys.audit_state).ledger()
        if number % 2:
            return blocking(ledger.create(Actor(f"admin {number}"), "alice", {"name": str(number)})).record.id
        fields = (("name", "new"), ("models", ("a",)), ("requests_per_minute", 7))
        return blocking(ledger.update(Actor(f"admin {number}"), id, dict([fields[number // 2]]))).id

    with ThreadPoolExecutor(6) as pool:
        made = set(pool.map(change, range(6)))
    records = {record.id: record for record in blocking(keys.ledger().of_user("alice")).records}
    assert records.keys() == made
    assert (records[id].name, records[id].models, records[id].requests_per_minute) == ("new", ("a",), 7)
    assert blocking(keys.store.load("alice")).version == 7


# -- what is wrong with a pool


def test_a_pool_that_is_not_there_is_503_to_clients_and_told_to_operators(aws, caplog):
    keys = Keys(CognitoKeyStore(UserPool("us-east-1_NotThere1", endpoint=aws)))
    minted = blocking(Keys(key_store("memory"), audit=MemoryStateStore()).ledger().create(ME, "alice", {}))
    assert refusal(keys, minted.key) == (503, "key_store_unavailable")
    assert "Check the user pool's id" in caplog.text


def test_what_is_no_id_of_a_pool_is_refused():
    with pytest.raises(ConfigurationError, match="no id of a user pool"):
        UserPool("my-pool")


def test_pages_go_on_only_where_a_page_ended(cognito_store, owner):
    page = blocking(cognito_store.page(limit=60))
    assert [one.user for one in page.owners] == ["alice"]
    assert page.next == ""
