"""A Runtime API for tests of an environment's life: several processes ask it at once, and it takes snapshots."""

import json
import queue
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

RUNTIME = "/2018-06-01/runtime"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Processes are killed while they wait: that is no news."""


class ConcurrentApi:
    """Hands out invocations in order to whoever asks first, and keeps what it is told.

    `posted` has (path below the runtime's, headers with names in lower case, body) in order of arrival; `statuses` says
    what is answered to a path that ends so, once each, in the place of 200 or 202.
    """

    def __init__(self):
        self.posted = queue.Queue()
        self.in_order = threading.Lock()
        self.asked = queue.Queue()
        self.restored = threading.Event()
        self.statuses = []
        self._waiting = queue.Queue()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def invoke(self, event, id):
        self._waiting.put((id, json.dumps(event).encode()))

    def answers(self, count, seconds=20):
        """The next answers, by request id: bodies as JSON where they are."""
        return dict(self.answer(seconds) for _ in range(count))

    def answer(self, seconds=20):
        path, _headers, body = self.posted.get(timeout=seconds)
        _, _, id, what = path.split("/")
        return id, json.loads(body) if what == "response" else (what, json.loads(body))

    def next_of(self, handler):
        """An invocation for who asks, once there is one; None where the asker has gone."""
        self.asked.put(handler.client_address)
        while True:
            try:
                return self._waiting.get(timeout=0.05)
            except queue.Empty:
                if _has_gone(handler.connection):
                    return None

    def status(self, path, usual):
        for known in self.statuses:
            if path.endswith(known[0]):
                self.statuses.remove(known)
                return known[1]
        return usual


def _has_gone(connection):
    from select import select
    from socket import MSG_PEEK

    return bool(select([connection], [], [], 0)[0]) and not connection.recv(1, MSG_PEEK)


def _handler(api):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer goes out in one piece

        def do_GET(self):
            path = self.path.removeprefix(RUNTIME)
            status = api.status(path, 200)
            if path == "/restore/next":
                api.asked.put("restore")
                api.restored.wait(20)
                return self._reply(status, b"")
            if status != 200:
                return self._reply(status, b"{}")
            if (invocation := api.next_of(self)) is None:
                self.close_connection = True
                return None
            id, body = invocation
            headers = {"Lambda-Runtime-Aws-Request-Id": id, "Lambda-Runtime-Deadline-Ms": "4102444800000",
                       "Lambda-Runtime-Invocation-Id": f"nonce-{id}", "Content-Type": "application/json"}  # fmt: skip
            return self._reply(200, body, headers)

        def do_POST(self):
            path = self.path.removeprefix(RUNTIME)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self._chunks(headers) if "transfer-encoding" in headers else self._body(headers)
            with api.in_order:  # or what is posted after the reply overtakes this one
                self._reply(api.status(path, 202), b'{"status":"OK"}')
                self.wfile.flush()
                api.posted.put((path, headers, body))

        def _body(self, headers):
            return self.rfile.read(int(headers.get("content-length", 0)))

        def _chunks(self, headers):
            pieces = []
            while size := int(self.rfile.readline(), 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while line := self.rfile.readline().strip():
                name, _, value = line.decode().partition(": ")
                headers[name.lower()] = value
            return b"".join(pieces)

        def _reply(self, status, body, headers=None):
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    return Handler


@contextmanager
def concurrent_api():
    api = ConcurrentApi()
    thread = threading.Thread(target=api._server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield api
    finally:
        api.restored.set()
        api._server.shutdown()
        thread.join()
        api._server.server_close()
