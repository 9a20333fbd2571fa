"""From settings to keys: what refuses to start."""

import pytest

import servers
from both_drivers import blocking
from lambdallm.gateway.config.values import KeySettings
from lambdallm.gateway.http import GatewayRequest
from lambdallm.gateway.keys import Actor, CognitoKeyStore, opened_keys
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.services import JsonService
from lambdallm.llm.services.parameters import SSM
from lambdallm.runtime.request import Headers

ADMIN_KEY = "vX2-pQ9sKd7Lr0TnZb4Wm8Jc6Hf1Gy3Ue5"
PEPPER = "7Lr0TnZb4Wm8JvX2-pQ9sKdc6Hf1Gy3Ue5"


def opened(**settings):
    return blocking(opened_keys(KeySettings(**settings)))


def test_without_a_store_everybody_is_let_in():
    assert opened(store="none") is None


def test_sqlite_has_the_file_that_is_named(tmp_path):
    keys = opened(store="sqlite", path=str(tmp_path / "keys.db"), admin_key=ADMIN_KEY, pepper=PEPPER, prefix="team-")
    minted = blocking(keys.ledger().create(Actor("me"), "alice", {}))
    assert minted.key.startswith("team-YWxpY2U.")
    assert (tmp_path / "keys.db").exists()
    keys.store.state.close()


def test_cognito_has_the_pool_and_its_region():
    keys = opened(store="cognito", pool="eu-central-1_Ab12Cd34E", admins=("arn:aws:iam::123456789012:user/erin",))
    assert isinstance(keys.store, CognitoKeyStore)
    assert keys.store.pool._service.region == "eu-central-1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"admin_key": "sk-1234"}, "has 7 characters"), ({"admin_key": ""}, "is missing"),
        ({"admin_key": "changeme" * 5}, "repeats itself"), ({"admin_key": ADMIN_KEY, "pepper": "salt"}, "pepper"),
        ({"admins": ("*",)}, "no ARN"), ({"admin_key": ADMIN_KEY, "store": "cognito"}, "no user pool"),
    ],
)  # fmt: skip
def test_what_is_weak_or_missing_refuses_to_start(settings, said):
    with pytest.raises(ConfigurationError, match=said):
        opened(**({"store": "memory"} | settings))


def test_without_any_administrator_keys_are_only_recognised():
    assert opened(store="memory").admins is None


def test_an_admin_key_may_be_a_named_secret_and_a_weak_one_there_is_refused_too(ministack, monkeypatch):
    for name, value in (servers.AWS | {"AWS_ENDPOINT_URL": ministack}).items():
        monkeypatch.setenv(name, value)
    for name, value in (("/keys/admin", ADMIN_KEY), ("/keys/weak", "sk-1234")):
        body = {"Name": name, "Value": value, "Type": "SecureString", "Overwrite": True}
        blocking(JsonService(SSM).call("PutParameter", body))
    keys = opened(store="memory", admin_key="secret:ssm:/keys/admin")
    assert blocking(keys.authorized(GatewayRequest("GET", "/", Headers([("x-api-key", ADMIN_KEY)])))).admin
    with pytest.raises(ConfigurationError, match="has 7 characters"):
        opened(store="memory", admin_key="secret:ssm:/keys/weak")
