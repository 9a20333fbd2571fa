"""Every store keeps users' keys alike: the kit that strangers can run too."""

import pytest

import servers
from both_drivers import blocking
from lambdallm.gateway.keys import StateKeyStore, key_store
from lambdallm.gateway.keys.record import MOST_CHARACTERS
from lambdallm.gateway.keys.store import MOST_KEYS, Owner
from lambdallm.llm.errors import ConfigurationError
from lambdallm.state import DynamoDBStateStore
from lambdallm.testing.conformance import keys as kit
from lambdallm.testing.conformance.keys import check_keys


def test_memory_keeps_keys(memory_store):
    report = check_keys(lambda: memory_store)
    assert report.ok, report


def test_sqlite_keeps_keys(sqlite_store):
    report = check_keys(lambda: sqlite_store)
    assert report.ok, report


def test_cognito_keeps_keys(cognito_store):
    report = check_keys(lambda: cognito_store)
    assert report.ok, report


def test_dynamodb_keeps_keys(ministack, monkeypatch):
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    state = DynamoDBStateStore("keys", endpoint=ministack, timeout_seconds=20.0)
    blocking(state.ensure_table())
    report = check_keys(lambda: StateKeyStore(state))
    assert report.ok, report


def test_the_kit_asks_for_as_much_as_the_gateway_keeps():
    assert (kit.MOST_KEYS, kit.MOST_CHARACTERS) == (MOST_KEYS, MOST_CHARACTERS)


def test_the_kit_finds_a_store_that_loses_what_others_wrote(memory_store):
    class Careless:
        """Saves whatever version it is given."""

        gives_flows = True
        load, enrol, page = memory_store.load, memory_store.enrol, memory_store.page

        def save(self, owner: Owner):
            known = yield from memory_store.load(owner.user)
            yield from memory_store.save(owner.replace(version=known.version + 1))

    report = check_keys(Careless, drivers=["blocking"])
    failing = {check.name for check in report.problems}
    assert {"a version that is not the next is refused", "of several who save the same version one wins"} <= failing


def test_keys_in_a_file_are_there_for_another_process(tmp_path):
    place = f"sqlite:{tmp_path / 'keys.db'}"
    first, second = key_store(place), key_store(place)
    owner = blocking(first.enrol("alice")).with_keys(["a key"])
    blocking(first.save(owner))
    assert blocking(second.load("alice")) == owner
    first.state.close()
    second.state.close()


@pytest.mark.parametrize("name", ["", "postgres", "cognito", "cognito:", "dynamodb", "cognito:no-underscore", 7])
def test_a_store_that_there_is_not_is_refused(name):
    with pytest.raises(ConfigurationError):
        key_store(name)
