"""A real HTTP server on loopback that plays a provider."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Provider:
    """Answers in the order of `replies`: a JSON body, `(status, headers, body)`, or a list of pieces to stream.

    `answer`, where given, makes a reply of each request's body instead. `received` are the requests: path, headers,
    parsed body. `connections` counts the sockets accepted.
    """

    def __init__(self):
        self.replies = []
        self.answer = None
        self.received = []
        self.connections = 0
        self.gate = threading.Semaphore(0)
        self.gated = False
        self.url = ""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, provider):
        super().__init__(("127.0.0.1", 0), Handler)
        self.provider = provider

    def handle_error(self, request, client_address):
        """A client that left early is what some tests are about."""

    def get_request(self):
        self.provider.connections += 1
        return super().get_request()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        provider = self.server.provider
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
        provider.received.append((self.path, dict(self.headers), body))
        reply = provider.answer(body) if provider.answer else provider.replies.pop(0)
        if isinstance(reply, list):
            return self.stream(provider, reply)
        status, headers, body = reply if isinstance(reply, tuple) else (200, {}, reply)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.whole(status, headers, data)

    def whole(self, status, headers, data):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(data), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, provider, pieces):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            if provider.gated:
                provider.gate.acquire(timeout=10)
            if piece is None:
                self.close_connection = True
                self.wfile.flush()
                self.connection.close()
                return
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    """A provider at `provider.url` for as long as the test runs."""
    playing = Provider()
    server = Server(playing)
    playing.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield playing
    server.shutdown()
    server.server_close()
    thread.join()
