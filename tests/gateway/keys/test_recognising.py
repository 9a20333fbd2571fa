"""Whose key a request has: one read for a new key, none for a known one, and the same answer for every wrong one."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from both_drivers import blocking
from lambdallm.gateway.http import GatewayError, GatewayRequest
from lambdallm.gateway.keys import Actor, Admins, Keys, key_store
from lambdallm.gateway.keys.guesses import Guesses
from lambdallm.gateway.keys.key import key_id, written
from lambdallm.llm.backends.errors import BackendError
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import Sleep
from lambdallm.runtime.request import Headers
from lambdallm.testing import World

ADMIN_KEY = "vX2-pQ9sKd7Lr0TnZb4Wm8Jc6Hf1Gy3Ue5"
PEPPER = "7Lr0TnZb4Wm8JvX2-pQ9sKdc6Hf1Gy3Ue5"
ME = Actor("me")


class Counted:
    """A store that counts what is read of it, takes time, and can be made to fail."""

    gives_flows = True

    def __init__(self, seconds=0.0):
        self.inner, self.seconds = key_store("memory"), seconds
        self.state = self.inner.state
        self.enrol, self.save, self.page = self.inner.enrol, self.inner.save, self.inner.page
        self.loads, self.error = [], None

    def load(self, user):
        self.loads.append(user)
        if self.seconds:
            yield Sleep(self.seconds)
        if self.error is not None:
            raise self.error
        return (yield from self.inner.load(user))


class Play:
    """Keys in a world of their own, with a key of alice's."""

    def __init__(self, seconds=0.0, **settings):
        self.world, self.store = World(lambda effect: None), Counted(seconds)
        self.keys = Keys(self.store, **({"peppers": (PEPPER,)} | settings))
        self.minted = self.create("alice")

    def create(self, user, **fields):
        minted = self.world.run(self.keys.ledger().create(ME, user, fields))
        self.store.loads.clear()
        return minted

    def elsewhere(self):
        """The same keys, as another process has them."""
        return Keys(self.store.inner, peppers=(PEPPER,)).ledger()

    def ask(self, key=None, *, headers=None, **more):
        pairs = [("Authorization", f"Bearer {self.minted.key if key is None else key}")] if headers is None else headers
        return self.world.run(self.keys.authorized(request(pairs, **more)))

    def refusal(self, key=None, **more):
        with pytest.raises(GatewayError) as caught:
            self.ask(key, **more)
        return caught.value.status, caught.value.code

    def wrong(self, number=0):
        """A well-formed key of alice's with a wrong secret."""
        return written("sk-llm", self.minted.record.id, bytes([number]) * 32, (PEPPER.encode(),))

    def unknown(self, user="nobody"):
        return written("sk-llm", key_id(user, b"number"), bytes(32), (PEPPER.encode(),))


def request(pairs=(), path="/v1/chat/completions", **more):
    return GatewayRequest("POST", path, Headers(pairs), **more)


@pytest.fixture
def play():
    return Play()


# -- who is let in


def test_a_key_is_recognised_with_what_it_may_do(play):
    minted = play.create("bob", name="laptop", models=("gpt-*",), requests_per_minute=60, labels={"team": "a"})
    caller = play.ask(minted.key)
    assert (caller.key_id, caller.user, caller.name) == (minted.record.id, "bob", "laptop")
    assert (caller.models, caller.requests_per_minute, caller.labels) == (("gpt-*",), 60, {"team": "a"})
    assert not caller.admin


@pytest.mark.parametrize("name", ["x-api-key", "X-Goog-Api-Key", "api-key"])
def test_the_header_of_each_protocol_is_read(play, name):
    assert play.ask(headers=[(name, play.minted.key)]).user == "alice"


def test_bearer_is_read_in_any_case_and_goes_first(play):
    assert play.ask(headers=[("authorization", f"BEARER  {play.minted.key} "), ("x-api-key", "x")]).user == "alice"


def test_a_key_in_the_query_is_read_where_google_has_it(play):
    pairs = (("key", play.minted.key),)
    assert play.ask(headers=[], path="/v1beta/models/m:generateContent", query_pairs=pairs).user == "alice"
    assert play.refusal(headers=[], query_pairs=pairs) == (401, "missing_api_key")


@pytest.mark.parametrize("headers", [[], [("Authorization", "Basic abc")], [("Authorization", "Bearer ")]])
def test_without_a_key_nobody_is_let_in(play, headers):
    assert play.refusal(headers=headers) == (401, "missing_api_key")


# -- how often the store is read


def test_a_new_key_is_one_read_and_a_known_one_none(play):
    for _ in range(10):
        play.ask()
    assert play.store.loads == ["alice"]


def test_a_known_key_is_read_again_when_it_is_stale(play):
    play.ask()
    play.world.pass_time(59.9)
    play.ask()
    assert len(play.store.loads) == 1
    play.world.pass_time(0.1)
    play.ask()
    assert len(play.store.loads) == 2


def test_requests_that_show_the_same_new_key_at_once_share_a_read():
    play = Play(seconds=0.2)
    asked = request([("x-api-key", play.minted.key)])
    callers = play.world.run_all([(0.0, play.keys.authorized(asked)) for _ in range(20)])
    assert {caller.user for caller in callers} == {"alice"}
    assert play.store.loads == ["alice"]


def test_requests_that_show_the_same_wrong_key_at_once_share_a_read():
    play = Play(seconds=0.2)

    def refused():
        try:
            yield from play.keys.authorized(request([("x-api-key", play.wrong())]))
        except GatewayError as error:
            return error.status

    assert play.world.run_all([(0.0, refused()) for _ in range(20)]) == [401] * 20
    assert play.store.loads == ["alice"]


def test_one_who_waits_for_a_reader_that_left_reads_too():
    play = Play(seconds=0.2)
    asked = request([("x-api-key", play.minted.key)])
    left = play.world.begin(play.keys.authorized(asked))
    play.world.after(0.1, left.own.stop)
    assert play.world.run(play.keys.authorized(asked)).user == "alice"


def test_no_more_keys_are_remembered_than_there_is_room_for():
    play = Play(most_known=2)
    keys = [play.create(f"user{number}").key for number in range(3)]
    for key in keys:
        play.ask(key)
    play.ask(keys[2])
    assert len(play.store.loads) == 3
    play.ask(keys[0])
    assert len(play.store.loads) == 4


def test_threads_that_show_the_same_new_key_at_once_share_a_read():
    play = Play()
    play.store.seconds = 0.2
    asked = request([("x-api-key", play.minted.key)])
    with ThreadPoolExecutor(32) as pool:
        callers = list(pool.map(lambda _: blocking(play.keys.authorized(asked)), range(32)))
    assert {caller.user for caller in callers} == {"alice"}
    assert play.store.loads == ["alice"]


# -- wrong keys


def test_every_wrong_key_gets_the_same_answer(play):
    texts = []
    for key in (play.wrong(), play.unknown(), play.unknown("alice"), "sk-llm-x", "sk-other-123", "é", "x" * 5000):
        with pytest.raises(GatewayError) as caught:
            play.ask(key)
        texts.append((caught.value.status, caught.value.code, str(caught.value), caught.value.headers))
    assert len(set(texts)) == 1
    assert texts[0][:2] == (401, "invalid_api_key")


def test_known_and_unknown_users_cost_a_guesser_the_same_reads(play):
    play.ask()
    play.store.loads.clear()
    for key, user in ((play.wrong(), "alice"), (play.unknown(), "nobody")):
        play.refusal(key)
        play.refusal(key)
        assert play.store.loads == [user]
        play.store.loads.clear()


def test_what_nobody_with_the_pepper_made_is_refused_without_a_read(play):
    forged = written("sk-llm", play.minted.record.id, bytes(32), (b"",))
    assert play.refusal(forged) == (401, "invalid_api_key")
    assert play.store.loads == []


def test_wrong_keys_are_remembered_for_a_while_and_not_without_bound(play):
    play.keys = Keys(play.store, peppers=(PEPPER,), most_known=2)
    for number in (1, 2, 3):
        play.refusal(play.wrong(number))
    assert len(play.keys._known.wrong) == 2
    play.world.pass_time(10.0)
    play.refusal(play.wrong(3))
    assert len(play.store.loads) == 4


def test_an_address_with_too_many_wrong_keys_waits_while_known_keys_pass(play):
    play.keys = Keys(play.store, peppers=(PEPPER,), guesses=Guesses(3, 60.0))
    other = play.create("bob")
    play.ask(client_ip="10.0.0.1")
    for number in range(3):
        assert play.refusal(play.wrong(number), client_ip="10.0.0.1") == (401, "invalid_api_key")
    assert play.refusal(play.wrong(9), client_ip="10.0.0.1") == (429, "too_many_wrong_keys")
    assert play.refusal(other.key, client_ip="10.0.0.1") == (429, "too_many_wrong_keys")
    assert play.ask(client_ip="10.0.0.1").user == "alice"
    assert play.ask(other.key, client_ip="10.0.0.2").user == "bob"
    play.world.pass_time(60.0)
    assert play.refusal(play.wrong(9), client_ip="10.0.0.1") == (401, "invalid_api_key")


def test_who_has_to_wait_is_told_how_long():
    play = Play(guesses=Guesses(1, 60.0))
    play.refusal(play.wrong(), client_ip="10.0.0.1")
    with pytest.raises(GatewayError) as caught:
        play.ask(play.wrong(2), client_ip="10.0.0.1")
    assert dict(caught.value.headers)["retry-after"] == "61"


def test_a_wrong_key_that_is_sent_again_and_again_is_one_guess():
    play = Play(guesses=Guesses(2, 60.0))
    for _ in range(5):
        assert play.refusal(play.wrong(), client_ip="10.0.0.1") == (401, "invalid_api_key")


# -- keys that end


def test_a_key_revoked_elsewhere_stops_within_the_stated_time(play):
    play.ask()
    play.world.run(play.elsewhere().revoke(ME, play.minted.record.id))
    play.world.pass_time(60.0)
    assert play.refusal() == (401, "api_key_revoked")


def test_a_key_revoked_here_stops_at_once(play):
    play.ask()
    play.world.run(play.keys.ledger().revoke(ME, play.minted.record.id))
    assert play.refusal() == (401, "api_key_revoked")


def test_a_key_stops_in_the_second_it_expires_without_a_read(play):
    wall = int(play.world.clock.wall)
    minted = play.create("bob", expires_at=wall + 30)
    play.ask(minted.key)
    play.world.pass_time(30.0)
    assert play.refusal(minted.key) == (401, "api_key_expired")
    assert play.store.loads == ["bob"]


def test_after_a_rotation_both_secrets_work_until_the_overlap_ends(play):
    play.ask()
    rotated = play.world.run(play.keys.ledger().rotate(ME, play.minted.record.id, 100))
    assert play.ask().key_id == play.ask(rotated.key).key_id
    play.world.pass_time(100.0)
    assert play.refusal() == (401, "api_key_rotated")
    assert play.ask(rotated.key).user == "alice"


def test_a_second_rotation_ends_the_first_secret(play):
    for _ in range(2):
        play.world.run(play.keys.ledger().rotate(ME, play.minted.record.id, 100))
    assert play.refusal() == (401, "invalid_api_key")


def test_no_key_of_a_disabled_user_works(play):
    owner = play.world.run(play.store.inner.load("alice"))
    play.world.run(play.store.save(owner.with_keys(owner.keys).replace(enabled=False)))
    assert play.refusal() == (403, "user_disabled")


def test_a_record_that_somebody_else_wrote_lets_nobody_in(play):
    forger = Keys(play.store.inner)
    minted = play.world.run(forger.ledger().create(ME, "mallory", {}))
    resealed = written("sk-llm", minted.record.id, bytes(32), (PEPPER.encode(),))
    assert play.refusal(minted.key) == (401, "invalid_api_key")
    assert play.refusal(resealed) == (401, "invalid_api_key")


# -- the store is down


def test_known_keys_go_on_while_the_store_is_down_and_others_get_503(play):
    other = play.create("bob")
    play.ask()
    play.store.error = BackendError("Cognito does not answer.")
    play.world.pass_time(60.0)
    assert play.ask().user == "alice"
    assert play.refusal(other.key) == (503, "key_store_unavailable")
    play.world.pass_time(300.0)
    assert play.refusal() == (503, "key_store_unavailable")


def test_what_a_store_says_of_its_failure_is_told_to_no_client(play):
    play.store.error = BackendError("arn:aws:cognito is not there.")
    with pytest.raises(GatewayError) as caught:
        play.ask()
    assert "arn" not in str(caught.value)
    assert dict(caught.value.headers) == {"retry-after": "1"}


def test_a_store_that_is_back_is_read_again(play):
    play.store.error = BackendError("Cognito does not answer.")
    play.refusal()
    play.store.error = None
    play.world.pass_time(1.0)
    assert play.ask().user == "alice"


# -- administrators


def test_the_admin_key_makes_an_administrator(play):
    play.keys = Keys(play.store, admins=Admins({"ops": ADMIN_KEY}))
    caller = play.ask(ADMIN_KEY)
    assert (caller.admin, caller.user, caller.key_id) == (True, "ops", "admin:ops")
    assert play.refusal(ADMIN_KEY[:-1] + "x") == (401, "invalid_api_key")
    assert play.store.loads == []


def test_a_principal_that_may_is_an_administrator_without_a_key(play):
    play.keys = Keys(play.store, admins=Admins(arns=["arn:aws:sts::123456789012:assumed-role/KeyAdmins/*"]))
    arn = "arn:aws:sts::123456789012:assumed-role/KeyAdmins/erin"
    assert play.ask(headers=[], caller_arn=arn).user == arn
    assert play.refusal(headers=[], caller_arn=arn.replace("KeyAdmins", "Others")) == (401, "missing_api_key")
    assert play.refusal(headers=[("caller_arn", arn), ("x-caller-arn", arn)]) == (401, "missing_api_key")


def test_a_principal_that_shows_a_key_acts_as_that_key(play):
    play.keys = Keys(play.store, peppers=(PEPPER,), admins=Admins(arns=["arn:aws:iam::123456789012:user/erin"]))
    assert play.ask(caller_arn="arn:aws:iam::123456789012:user/erin").user == "alice"
    assert play.refusal("wrong", caller_arn="arn:aws:iam::123456789012:user/erin") == (401, "invalid_api_key")


def test_a_short_pepper_or_an_odd_prefix_is_refused_and_the_pepper_not_quoted():
    with pytest.raises(ConfigurationError) as caught:
        Keys(key_store("memory"), peppers=("hunter2",))
    assert "hunter2" not in str(caught.value)
    for prefix in ("", "a b", "ä", "x" * 33):
        with pytest.raises(ConfigurationError):
            Keys(key_store("memory"), prefix=prefix)


def test_after_a_snapshot_nothing_is_remembered(play):
    play.ask()
    play.keys._known.forget()
    play.ask()
    assert len(play.store.loads) == 2
