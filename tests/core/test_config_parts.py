"""What settings stand for: sessions and layers, their secrets read when they are made."""

import json

import pytest

import servers
from both_drivers import blocking
from lambdallm import handler
from lambdallm.core.config import Config, middleware_of, project_parts, secret, session_of
from lambdallm.core.config.parts import LAYERS
from lambdallm.core.config.secrets import in_clear
from lambdallm.llm.auth import secrets
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import Send
from lambdallm.llm.services import JsonService
from lambdallm.llm.services.parameters import SSM
from lambdallm.middleware import ApiKeys, CorsMiddleware, Jwt, LoggingMiddleware, Middleware
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse


class Tenant(Middleware):
    """A project's own layer."""

    def __init__(self, salt="", allowed=()):
        self.salt, self.allowed = salt, allowed


OWN = f"{__name__}:Tenant"


@pytest.fixture(autouse=True)
def _no_secrets_in_hand(monkeypatch):
    monkeypatch.setattr(secrets, "CACHE", secrets.SecretCache())


def test_no_session_is_none():
    assert Script().run(session_of(Config())) is None


def test_a_session_is_made_of_its_settings():
    session = Script().run(session_of(Config(session={"store": "memory", "max_messages": 3, "memory": "full"})))
    assert (session.settings.store, session.settings.max_messages) == ("memory", 3)


def test_layers_are_made_in_their_order_with_their_options():
    layers = (("logging", {}), ("cors", {"origins": ["https://a.example"]}), (OWN, {"salt": "s"}))
    made = Script().run(middleware_of(Config(middleware=layers)))
    assert [type(layer) for layer in made] == [LoggingMiddleware, CorsMiddleware, Tenant]
    assert made[2].salt == "s"


def test_every_short_name_is_a_layer():
    from lambdallm import middleware

    assert all(issubclass(getattr(middleware, cls), Middleware) for cls in LAYERS.values())


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("loging", {}, "'loging'.*'logging'"),
        ("nowhere:Layer", {}, "'nowhere:Layer' can't be imported"),
        ("json:Layer", {}, "'json:Layer' can't be imported"),
        ("auth", {"jwt": {"secret": "k" * 32, "audiance": "x"}}, "'auth' can't be made: .*audiance"),
        ("auth", {"jwt": "text"}, "auth.jwt is no mapping"),
        ("logging", {"contents": 1}, "'logging' can't be made: .*contents.*Check its options: contents"),
    ],
)
def test_a_layer_that_cannot_be_made_says_why(name, options, message):
    with pytest.raises(ConfigurationError, match=message):
        Script().run(middleware_of(Config(middleware=((name, options),))))


def test_secrets_in_options_are_read_once_each():
    held = HttpResponse(200, body=json.dumps({"SecretString": "word"}).encode())
    script = Script([held], servers.AWS)
    options = {"salt": "secret:a", "allowed": ["secret:a", "b"]}
    assert script.run(in_clear(options)) == {"salt": "word", "allowed": ["word", "b"]}
    assert len(script.of(Send)) == 1


def test_callers_are_recognised_as_the_file_says():
    options = {
        "jwt": {"secret": "secret:app/jwt", "audience": "a"},
        "api_keys": {"ci": f"sha256:{'0' * 64}"},
        "optional": True,
    }
    script = Script()
    (layer,) = script.run(middleware_of(Config(middleware=(("auth", options),))))
    assert [type(verifier) for verifier in layer._verifiers] == [ApiKeys, Jwt]
    assert not script.of(Send), "the secret is read when the first token is looked at"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("dynamodb", DynamoDBBackend), ("dynamodb:budgets", DynamoDBBackend), ("redis://127.0.0.1:1/0", RedisBackend)],
)
def test_shared_stores_are_named(text, kind):
    from lambdallm.core.config.parts import _backend

    assert isinstance(_backend(text, "cost.backend"), kind)
    layers = (("rate_limit", {"requests_per_minute": 9, "backend": text}), ("idempotency", {"store": text}))
    assert len(Script().run(middleware_of(Config(middleware=layers)))) == 2


def test_what_is_no_store_says_how_one_is_named_and_not_what_it_is():
    layers = (("rate_limit", {"requests_per_minute": 9, "backend": "pass-word"}),)
    with pytest.raises(ConfigurationError, match=r"rate_limit\.backend names no shared store.*redis://") as failed:
        Script().run(middleware_of(Config(middleware=layers)))
    assert "pass-word" not in str(failed.value)


def test_the_projects_parts_are_made_once(monkeypatch, tmp_path):
    (tmp_path / "lambdallm.json").write_text('{"session": {"store": "memory"}, "middleware": ["logging"]}')
    monkeypatch.chdir(tmp_path)
    parts = Script().run(project_parts())
    assert (parts.session.settings.store, [type(layer) for layer in parts.middleware]) == (
        "memory",
        [LoggingMiddleware],
    )
    assert Script().run(project_parts()) is parts
    monkeypatch.setenv("LAMBDALLM_SESSION", "false")
    assert Script().run(project_parts()).session is None


SAID = {"headers": {"x-session-id": "a-known-session"}}


def test_a_handler_has_what_the_project_configures_unless_its_code_says_otherwise(monkeypatch, tmp_path):
    settings = {"session": {"store": "memory", "id_from": "header:x-session-id"}, "middleware": [{OWN: {"salt": "s"}}]}
    (tmp_path / "lambdallm.json").write_text(json.dumps(settings))
    monkeypatch.chdir(tmp_path)
    seen = []

    def function(event, context):
        context.session.add_message("user", "Hi")
        seen.append((context.session.id, context.settings.middleware))
        return "ok"

    handler(function)(SAID)
    assert seen[0][0] == "a-known-session"
    assert [type(layer) for layer in seen[0][1]] == [Tenant]
    own = Tenant("of the code")
    handler(middleware=[own])(function)(SAID)
    assert seen[1][1] == (own,)


def test_a_secret_for_whatever_takes_a_function(monkeypatch, ministack):
    for name, value in {**servers.AWS, "AWS_ENDPOINT_URL": ministack, "LAMBDALLM_ENV": "test"}.items():
        monkeypatch.setenv(name, value)
    put = {"Name": "/app/test/word", "Value": "parameter", "Type": "SecureString", "Overwrite": True}
    blocking(JsonService(SSM).call("PutParameter", put))
    assert secret("secret:ssm:/app/{env}/word")() == "parameter"
    with pytest.raises(ConfigurationError, match="names no secret"):
        secret("secret:")
