"""One snapshot, two environments: what must differ differs, what must be asked anew is, what may stay has stayed."""

import json
import os
import select
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lambdallm import _hooks
from lambdallm.core import raw
from lambdallm.llm.auth.tokens import Token, TokenCache
from lambdallm.llm.backends.errors import BackendError
from lambdallm.llm.backends.outage import Outage
from lambdallm.llm.backends.redis import RedisBackend
from lambdallm.llm.drivers.blocking import Driver
from lambdallm.llm.health.circuit_breaker import ProviderCircuitBreaker
from lambdallm.llm.rate_limiting import RateLimiter
from lambdallm.middleware.kept import Kept
from lambdallm.state.memory import MemoryStateStore
from servers import redis_server

PLAY = Path(__file__).with_name("snapshot_play.py")


class Cloud:
    """A provider, the endpoint of credentials and Secrets Manager, at one address. Each keeps count of who asked."""

    def __init__(self):
        self.credentials, self.secrets, self.chats = [], [], []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, path, headers, port):
        if path == "/credentials":
            self.credentials.append(port)
            id = f"ID{len(self.credentials)}"
            return {"AccessKeyId": id, "SecretAccessKey": "x", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}
        if path == "/":
            self.secrets.append(headers["Authorization"].partition("Credential=")[2].partition("/")[0])
            return {"SecretString": f"secret-{len(self.secrets)}"}
        self.chats.append((headers["Authorization"].removeprefix("Bearer "), port))
        message = {"role": "assistant", "content": "Hi"}
        return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def _handler(cloud):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer goes out in one piece

        def do_POST(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = json.dumps(cloud.answer(self.path, self.headers, self.client_address[1])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST

        def log_message(self, *_):
            pass

    return Handler


@pytest.fixture
def cloud():
    cloud = Cloud()
    thread = threading.Thread(target=cloud.server.serve_forever, args=(0.01,))
    thread.start()
    yield cloud
    cloud.server.shutdown()
    thread.join()
    cloud.server.server_close()


def played(cloud, kind, hooks):
    """What the two environments have seen."""
    environ = os.environ | {
        "OPENAI_API_KEY": "secret:prod/openai", "OPENAI_BASE_URL": f"{cloud.url}/v1", "AWS_ENDPOINT_URL": cloud.url,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{cloud.url}/credentials", "AWS_REGION": "eu-central-1",
    }  # fmt: skip
    command = [sys.executable, str(PLAY), kind, hooks]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_two_environments_of_one_snapshot_share_nothing_that_has_a_time(cloud, kind):
    first, second = played(cloud, kind, "hooks")
    assert first["answers"] == second["answers"] == ["Hi", "Hi"]
    assert cloud.secrets == ["ID1", "ID2", "ID3"], "credentials are asked for anew in each"
    assert len(cloud.credentials) == 3
    assert [key for key, _ in cloud.chats] == ["secret-1", "secret-2", "secret-2", "secret-3", "secret-3"]
    assert first["breaker"] == second["breaker"] == "closed"


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_they_share_no_connection_and_each_keeps_its_own(cloud, kind):
    played(cloud, kind, "hooks")
    snapshot, *others = [port for _, port in cloud.chats]
    assert others[0] == others[1]
    assert others[2] == others[3]
    assert len({snapshot, others[0], others[2]}) == 3


def test_they_draw_other_numbers_and_ids(cloud):
    first, second = played(cloud, "sync", "hooks")
    assert first["random"] != second["random"]
    assert not {*first["ids"]} & {*second["ids"]}


def test_what_took_long_to_make_is_still_there(cloud):
    assert all(each["same_certificates"] for each in played(cloud, "sync", "hooks"))


def test_without_the_hooks_they_would_share_all_of_it(cloud):
    """That the play can tell."""
    first, second = played(cloud, "sync", "none")
    assert first["random"] == second["random"]
    assert first["breaker"] == "open"
    assert len({port for _, port in cloud.chats}) == 1
    assert cloud.secrets == ["ID1"]


@pytest.fixture
def snapshot(monkeypatch):
    """Does what is done before a snapshot, for what a test makes."""
    monkeypatch.setattr(_hooks, "_forgetful", [])
    monkeypatch.setattr(_hooks, "_before", [])
    return _hooks.run_before_snapshot


class TestWhatIsForgotten:
    """Whatever counts time by the monotonic clock, which stands still while a snapshot lies in store."""

    def test_a_backend_that_was_down_is_taken_for_healthy(self, snapshot):
        outage = Outage("the cache", "calls go on")
        outage.failed(BackendError("down"), now=100.0)
        snapshot()
        assert not outage.resting(101.0)

    def test_a_breaker_is_closed(self, snapshot):
        breaker = ProviderCircuitBreaker(failure_threshold=1)
        breaker.record_failure(100.0)
        snapshot()
        assert breaker.is_available(101.0)

    def test_the_share_that_was_used_is_free_again(self, snapshot):
        limiter, driver = RateLimiter(requests_per_minute=1, request_burst=1), Driver()
        assert driver.run(limiter.admit("anybody")).is_ok()
        assert not driver.run(limiter.admit("anybody")).is_ok()
        snapshot()
        assert driver.run(limiter.admit("anybody")).is_ok()

    def test_what_is_looked_up_now_and_then_is_looked_up_anew(self, snapshot):
        looked = []

        def look_up():
            looked.append(1)
            return len(looked)
            yield

        kept, driver = Kept(look_up, 3600.0), Driver()
        assert [driver.run(kept.get()), driver.run(kept.get())] == [1, 1]
        snapshot()
        assert driver.run(kept.get()) == 2

    def test_a_session_in_memory_that_ends_has_ended_and_one_that_does_not_stays(self, snapshot):
        store, driver = MemoryStateStore(), Driver()
        driver.run(store.append("for a while", 0, [b"x"], 3600.0))
        driver.run(store.append("for ever", 0, [b"x"]))
        snapshot()
        assert [len(driver.run(store.read(key))) for key in ("for a while", "for ever")] == [0, 1]

    def test_tokens_are_asked_for_anew(self, snapshot):
        cache = TokenCache()
        cache.hold(("key",), Token("t", 4000.0), 0.0)
        snapshot()
        assert cache.serving(("key",), 1.0) is None

    def test_connections_to_redis_are_closed_and_opened_again(self, snapshot, tmp_path):
        import redis

        with redis_server(tmp_path) as url:
            backend, driver, watcher = RedisBackend(url), Driver(), redis.Redis.from_url(url)
            driver.run(backend.save("key", b"value"))
            connected = watcher.info("clients")["connected_clients"]
            snapshot()
            _until(lambda: watcher.info("clients")["connected_clients"] == connected - 1)
            assert driver.run(backend.load("key")) == b"value"
            backend.close()
            watcher.close()

    def test_clients_of_boto3_stay_and_their_connections_do_not(self, snapshot, monkeypatch):
        closed = []
        monkeypatch.setattr(raw, "_clients", {})
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        client = raw.raw_client("sqs")
        monkeypatch.setattr(client._endpoint.http_session, "close", lambda: closed.append(client))
        snapshot()
        assert closed == [client]
        assert raw.raw_client("sqs") is client


def _until(condition):
    for _ in range(2000):
        if condition():
            return
        select.select([], [], [], 0.005)
    pytest.fail("it did not come true in 10 s")
