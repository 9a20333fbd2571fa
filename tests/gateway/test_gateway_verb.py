"""`lambdallm gateway`: a process that serves what a file configures, and what it refuses to serve."""

import json
import os
import secrets
import signal
import sys
from urllib.request import Request, urlopen

import openai
import pytest

import gateway_play as play
import servers
from lambdallm.cli.main import main
from lambdallm.gateway.assemble import assembled, gateway_of
from lambdallm.gateway.config import GatewayConfig, LimitSettings
from lambdallm.gateway.config.values import ModelSettings, TargetSettings

CONFIG = {"models": {"fast": "echo/echo", "safe": {"target": "echo/error-500", "fallbacks": ["echo/echo"]}}}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "gateway.json").write_text(json.dumps(CONFIG))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_serves_what_the_folders_file_says(folder):
    port = servers.free_port()
    command = [sys.executable, "-m", "lambdallm", "gateway", "--port", str(port)]
    with servers.running(command, port, folder) as server:
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="any", max_retries=0) as client:
            models = [model.id for model in client.models.list()]
            answer = client.chat.completions.create(model="fast", messages=play.HELLO)
        server.send_signal(signal.SIGINT)
        server.wait(10)
    assert models == ["fast", "safe"]
    assert answer.choices[0].message.content == "Say hello"
    assert f"http://127.0.0.1:{port}/v1  (no keys" in (folder / "log").read_text()


def test_without_keys_it_stays_on_its_machine(folder, capsys):
    assert main(["gateway", "--host", "0.0.0.0"]) == 2
    assert "would be open to all" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--port", "99999"), ("--workers", "0")])
def test_numbers_that_make_no_sense_are_refused(folder, capsys, option, value):
    assert main(["gateway", option, value]) == 2
    assert f"{option} is {value}" in capsys.readouterr().err


def test_a_typo_in_its_file_is_told_with_its_place(folder, capsys):
    (folder / "gateway.json").write_text('{\n  "modles": {}\n}')
    assert main(["gateway"]) == 2
    told = capsys.readouterr().err
    assert "gateway.json" in told
    assert "models" in told


def test_without_its_server_the_extra_is_named(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["gateway"]) == 2
    assert "lambdallm[server]" in capsys.readouterr().err


def test_a_fallback_of_the_configuration_answers(folder):
    app = assembled("gateway.json")
    body = {"model": "safe", "messages": play.HELLO}
    for path in ("/v1/chat/completions", "/v1/messages"):
        for stream in (False, True):
            answer = play.ask(app, "POST", path, {**body, "max_tokens": 9, "stream": stream})
            assert answer.status == 200
            assert b"hello" in answer.body


def test_the_configurations_limits_are_kept(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    models = {"fast": ModelSettings((TargetSettings("echo/echo"),))}
    app = gateway_of(GatewayConfig(models, limits=LimitSettings(requests_per_minute=1)))
    body = {"model": "fast", "messages": play.HELLO}
    first, second = (play.ask(app, "POST", "/v1/chat/completions", body) for _ in range(2))
    assert (first.status, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
    assert second.status == 429
    assert int(second.headers["retry-after"]) > 0
    assert os.listdir(tmp_path) == []


def test_keys_that_a_file_configures_let_in_and_keep_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gateway.json").write_text(json.dumps({**CONFIG, "keys": {"store": "memory"}}))
    app = assembled()
    answer = play.ask(app, "GET", "/v1/models", headers=[("authorization", "Bearer sk-none")])
    assert answer.status == 401
    assert play.ask(app, "GET", "/health").status == 200


def test_a_key_made_over_rest_lets_an_sdk_in_until_it_is_revoked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    admin = secrets.token_urlsafe(32)
    keys = {"store": "sqlite", "path": "keys.db", "admin_key": admin, "stale_seconds": 0}
    (tmp_path / "gateway.json").write_text(json.dumps({**CONFIG, "keys": keys, "usage": {"store": "sqlite:usage.db"}}))
    with play.served(assembled()) as url:
        asked = {"authorization": f"Bearer {admin}", "content-type": "application/json"}
        body = json.dumps({"user": "ada", "models": ["fast"]}).encode()
        with urlopen(Request(f"{url}/keys", body, asked)) as answer:
            made = json.load(answer)
        with openai.OpenAI(base_url=f"{url}/v1", api_key=made["key"], max_retries=0) as client:
            said = client.chat.completions.create(model="fast", messages=play.HELLO)
            assert said.choices[0].message.content == "Say hello"
            assert [model.id for model in client.models.list()] == ["fast"]
            with pytest.raises(openai.PermissionDeniedError):
                client.chat.completions.create(model="safe", messages=play.HELLO)
            urlopen(Request(f"{url}/keys/{made['id']}/revoke", b"", asked)).close()
            with pytest.raises(openai.AuthenticationError):
                client.chat.completions.create(model="fast", messages=play.HELLO)
        with urlopen(Request(f"{url}/usage", headers=asked)) as answer:
            assert json.load(answer)["total"]["requests"] == 1
