"""`lambdallm keys` against a gateway over HTTP: everything by REST, and a key shown once."""

import asyncio
import json
import re
import socket
import threading

import pytest
import uvicorn

from both_drivers import blocking
from lambdallm.gateway.app import Gateway
from lambdallm.gateway.hosts.asgi import application
from lambdallm.gateway.http import GatewayRequest
from lambdallm.gateway.keys import KEY_ROUTES, Admins, Keys, key_store
from lambdallm.runtime.request import Headers

ADMIN_KEY = "vX2-pQ9sKd7Lr0TnZb4Wm8Jc6Hf1Gy3Ue5"


@pytest.fixture(scope="module")
def gateway():
    """A gateway with keys in memory, behind a server; `url` is where."""
    made = Gateway(keys=Keys(key_store("memory"), admins=Admins({"erin": ADMIN_KEY})), routes=KEY_ROUTES)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(made), log_level="error", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    made.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    yield made
    server.should_exit = True
    thread.join(20)
    listening.close()


@pytest.fixture
def keys(cli, gateway):
    """Run a verb of `lambdallm keys` as an administrator."""

    def run(*args, key=ADMIN_KEY, url=None):
        env = {"LAMBDALLM_GATEWAY_URL": gateway.url if url is None else url, "LAMBDALLM_GATEWAY_ADMIN_KEY": key}
        return cli("keys", *args, env=env)

    return run


def asks(gateway, key):
    request = GatewayRequest("GET", "/v1/models", Headers([("x-api-key", key)]))
    return blocking(gateway.handle(request)).status


def made(told):
    """The id of a new key, as a person reads it."""
    return re.search(r"This is the key (\S+) of", told.stderr)[1]


def test_a_new_key_is_printed_alone_and_works(keys, gateway):
    told = keys("create", "alice", "--name", "laptop", "--model", "gpt-*", "--requests-per-minute", "60")
    assert told.returncode == 0
    key = told.stdout.removesuffix("\n")
    assert re.fullmatch(r"sk-llm-[\w.-]+", key)
    assert "can't be shown again" in told.stderr
    assert key not in told.stderr
    assert asks(gateway, key) == 200
    for verb in (("list",), ("list", "--json"), ("audit",), ("audit", "--json")):
        assert key not in keys(*verb).stdout


def test_a_key_from_its_making_to_its_end(keys, gateway):
    created = keys("create", "bob", "--daily-budget", "5", "--label", "team=search", "--expires-in", "90d")
    id, key = made(created), created.stdout.strip()

    changed = keys("update", id, "--daily-budget", "none", "--tokens-per-minute", "1000")
    assert changed.returncode == 0
    assert "tokens_per_minute   1000" in changed.stdout
    assert "daily_budget_usd" not in changed.stdout
    assert "team=search" in changed.stdout

    rotated = keys("rotate", id, "--overlap", "1h")
    assert "The one before works until" in rotated.stderr
    assert asks(gateway, key) == asks(gateway, rotated.stdout.strip()) == 200

    assert "revoked" in keys("revoke", id).stdout
    assert asks(gateway, rotated.stdout.strip()) == 401

    listed = json.loads(keys("list", "--user", "bob", "--json").stdout)
    assert [(one["id"], one["status"]) for one in listed] == [(id, "revoked")]
    audit = json.loads(keys("audit", "--key", id, "--json").stdout)
    assert [(one["action"], one["by"]) for one in audit] == [
        ("revoke", "erin"), ("rotate", "erin"), ("update", "erin"), ("create", "erin"),
    ]  # fmt: skip


def test_lists_are_tables_with_every_page(keys, gateway):
    ledger = gateway.keys.ledger()
    for number in range(60):
        blocking(ledger.create(type("A", (), {"name": "x", "address": "", "request_id": ""}), f"many{number}", {}))
    lines = keys("list").stdout.splitlines()
    assert lines[0].split() == ["ID", "USER", "NAME", "STATUS", "MODELS", "EXPIRES"]
    assert sum("many" in line for line in lines) == 60
    assert sum("many" in line for line in keys("audit").stdout.splitlines()) == 60


def test_what_the_gateway_refuses_is_told_in_its_words(keys):
    told = keys("revoke", "YWxpY2U.bnVtYmVy")
    assert told.returncode == 2
    assert told.stderr == "error: There is no such key. Check its id in the list of keys. (HTTP 404)\n"
    assert "(HTTP 401)" in keys("list", key="not-" + ADMIN_KEY).stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("create", "a", "--expires-in", "soon"), "'soon'"), (("create", "a", "--label", "x"), "name=text"),
        (("create", "a", "--requests-per-minute", "many"), "'many'"), (("rotate", "x.y", "--overlap", "1w"), "'1w'"),
        (("update", "x.y"), "nothing to change"),
    ],
)  # fmt: skip
def test_mistakes_are_told(keys, args, said):
    told = keys(*args)
    assert told.returncode == 2
    assert said in told.stderr
    assert "Traceback" not in told.stderr


def test_without_a_url_or_a_key_nothing_is_asked(keys):
    assert "LAMBDALLM_GATEWAY_URL" in keys("list", url="").stderr
    assert "LAMBDALLM_GATEWAY_ADMIN_KEY" in keys("list", key="").stderr


def test_an_admin_key_is_not_sent_unencrypted(keys):
    told = keys("list", url="http://gateway.example.com")
    assert told.returncode == 2
    assert "not encrypted" in told.stderr


def test_what_is_no_gateway_is_told_so(keys, gateway):
    assert "HTTP 404" in keys("list", url=f"{gateway.url}/elsewhere").stderr
    told = keys("list", url="http://127.0.0.1:1")
    assert told.returncode == 2
    assert "Traceback" not in told.stderr


def test_requests_are_signed_for_a_gateway_with_iam(cli, gateway):
    """The gateway here does not check signatures, as the function URL before it would: it sees no admin key."""
    env = {
        "LAMBDALLM_GATEWAY_ADMIN_KEY": ADMIN_KEY,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    told = cli("keys", "list", "--sign", "lambda", "--url", gateway.url, env=env)
    assert told.returncode == 2
    assert "No API key was sent" in told.stderr
