"""What the AWS tests share: fake keys, a way to run the credentials flow, a credentials endpoint on loopback."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from lambdallm.aws.credentials import CredentialCache, Credentials
from lambdallm.transport.types import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from lambdallm.aws.credentials import CredentialsFlow

Send = Callable[[HttpRequest], HttpResponse]


class Endpoint(BaseHTTPRequestHandler):
    """Answers with the server's `reply` and remembers each request's headers."""

    server: EndpointServer

    def do_GET(self) -> None:
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        status, body = self.server.replies.pop(0) if len(self.server.replies) > 1 else self.server.replies[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class EndpointServer(ThreadingHTTPServer):
    """A credentials endpoint. The last of `replies` is given for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.replies: list[tuple[int, bytes]] = [(200, reply_body())]
        self.seen: list[tuple[str, str | None]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/credentials"


def reply_body(**changes: object) -> bytes:
    fields = {
        "AccessKeyId": "ASIAEXAMPLE0001",
        "SecretAccessKey": "fake-container-secret",
        "Token": "fake-container-token",
        "Expiration": "2030-01-01T00:00:00Z",
    }
    return json.dumps({k: v for k, v in (fields | changes).items() if v is not None}).encode()


def send_for_real(request: HttpRequest) -> HttpResponse:
    authority, _, path = request.url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(authority, timeout=5)
    try:
        connection.request(request.method, f"/{path}", request.body, dict(request.headers))
        response = connection.getresponse()
        return HttpResponse(response.status, tuple(response.getheaders()), response.read())
    finally:
        connection.close()


def drive(flow: CredentialsFlow, send: Send = send_for_real) -> Credentials:
    """Run a flow to its end: what it yields is sent, what sending raises is handed back."""
    try:
        request = next(flow)
        while True:
            reply: HttpResponse | Exception
            try:
                reply = send(request)
            except OSError as error:
                reply = error
            request = flow.send(reply)
    except StopIteration as done:
        found: Credentials = done.value
        return found


@pytest.fixture
def endpoint() -> Iterator[EndpointServer]:
    server = EndpointServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def body() -> Callable[..., bytes]:
    return reply_body


@pytest.fixture
def run() -> Callable[..., Credentials]:
    return drive


@pytest.fixture
def cache() -> CredentialCache:
    return CredentialCache()
