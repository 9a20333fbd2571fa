"""A Lambda Runtime API for tests, on 127.0.0.1: it hands out what it is told to, and keeps every byte it is sent."""

import json
import os
import queue
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress

SECONDS = 60
"""How long a test waits for what should happen at once, on a busy machine."""

OK = (202, b'{"status":"OK"}\n')


class Request:
    """A request as it came: `raw` is all of it, `chunks` what a chunked body was sent in."""

    def __init__(self, head):
        self.raw = head + b"\r\n\r\n"
        first, *lines = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.body, self.chunks, self.trailers = b"", [], {}
        self.is_answered = False
        self._chunk_came = threading.Condition()

    def json(self):
        return json.loads(self.body)

    def add_chunk(self, data):
        with self._chunk_came:
            self.chunks.append(data)
            self._chunk_came.notify_all()

    def wait_for_chunks(self, count):
        """The chunks, as soon as there are so many."""
        with self._chunk_came:
            assert self._chunk_came.wait_for(lambda: len(self.chunks) >= count, SECONDS), self.chunks
            return list(self.chunks)


class Told:
    """An invocation that a test has given to the API, and what was answered to it."""

    def __init__(self, id):
        self.id = id
        self.begun, self.ended = threading.Event(), threading.Event()
        self.request = None

    def answer(self):
        """The request that answers it, whole."""
        assert self.ended.wait(SECONDS), f"{self.id} was not answered"
        return self.request

    def answer_begun(self):
        """The request that answers it, as soon as its head is there."""
        assert self.begun.wait(SECONDS), f"{self.id} was not answered"
        return self.request


class RuntimeApi:
    def __init__(self):
        self.requests = []
        self.replies = {}
        """Path → (status, body) in the place of the usual; a function of the request gives it, or `None` for usual."""
        self.connections = 0
        self.closes_after = lambda request: False
        self.answers_after = None
        """After how many chunks of a body it is answered, if not at its end."""
        self._told = {}
        self._queue = queue.Queue()
        self._came = threading.Condition()
        self._sockets = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def invoke(self, event, id=None, **headers):
        """Have `next` hand out an event: bytes as they are, anything else as JSON. Headers by their short names."""
        id = id or f"request-{len(self._told) + 1}"
        told = self._told[id] = Told(id)
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        usual = {"Content-Type": "application/json", "Lambda-Runtime-Aws-Request-Id": id,
                 "Lambda-Runtime-Deadline-Ms": "4102444800000",
                 "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:function:f"}  # fmt: skip
        more = {f"Lambda-Runtime-{name.replace('_', '-').title()}": value for name, value in headers.items()}
        self._queue.put((usual | more, body))
        return told

    def end(self):
        """Close the connection that waits for an invocation, and take no other: the environment is gone."""
        _shut(self._listener)  # which wakes the thread that accepts
        self._queue.put(None)

    def wait_for(self, path, count=1):
        """The requests to a path, when there are so many."""

        def found():
            return [request for request in self.requests if request.path.endswith(path)]

        with self._came:
            assert self._came.wait_for(lambda: len(found()) >= count, SECONDS), self.requests
        return found()

    def close(self):
        _shut(self._listener)
        self._queue.put(None)
        for each in self._sockets:
            _shut(each)

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._sockets.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        reader = connection.makefile("rb")
        try:
            while (request := self._read_head(reader)) is not None:
                reply = self._early(request)
                request.connection = connection
                if reply is None:
                    self._read_body(reader, request)
                    if request.is_answered:
                        continue
                    reply = self._reply(request)
                if reply is None or not self._send(connection, request, reply):
                    break
        except (OSError, ValueError):
            pass
        finally:
            _shut(connection)

    def _early(self, request):
        """A reply for which the body is not waited for."""
        reply = self.replies.get(("early", request.path.rpartition("/")[2]))
        if reply is not None and self.told(request) is not None:
            self.told(request).ended.set()
        return reply

    def told(self, request):
        parts = request.path.split("/")
        return self._told.get(parts[4]) if len(parts) > 5 else None

    def _read_head(self, reader):
        lines = []
        while (line := reader.readline()) not in (b"\r\n", b""):
            lines.append(line)
        if not lines:
            return None
        request = Request(b"".join(lines)[:-2])
        with self._came:
            self.requests.append(request)
            self._came.notify_all()
        if (told := self.told(request)) is not None:
            told.request = request
            told.begun.set()
        return request

    def _read_body(self, reader, request):
        if request.headers.get("transfer-encoding") == "chunked":
            self._read_chunks(reader, request)
        elif length := int(request.headers.get("content-length", 0)):
            request.body = reader.read(length)
            request.raw += request.body
        if (told := self.told(request)) is not None:
            told.ended.set()

    def _read_chunks(self, reader, request):
        while True:
            line = reader.readline()
            size = int(line, 16)
            if not size:
                break
            data = reader.read(size + 2)
            request.raw += line + data
            request.body += data[:-2]
            request.add_chunk(data[:-2])
            if len(request.chunks) == self.answers_after:
                request.is_answered = True
                self._send(request.connection, request, self._reply(request))
        request.raw += line
        while (line := reader.readline()) != b"\r\n":
            assert line, "the connection ended in the trailers"
            request.raw += line
            name, _, value = line.decode().strip().partition(": ")
            request.trailers[name.lower()] = value
        request.raw += line

    def _reply(self, request):
        """Status, headers and body; `None` to close the connection."""
        special = self.replies.get(request.path.rpartition("/")[2])
        reply = special(request) if callable(special) else special
        if isinstance(reply, bytes):
            return reply
        if reply is not None:
            return reply if len(reply) == 3 else (reply[0], {}, reply[1])
        if request.path.endswith("/invocation/next"):
            given = self._queue.get()
            return None if given is None else (200, *given)
        if request.path.endswith("/restore/next"):
            return 200, {}, b""
        return OK[0], {"Content-Type": "application/json"}, OK[1]

    def _send(self, connection, request, reply):
        if isinstance(reply, bytes):
            connection.sendall(reply)
            return False
        status, headers, body = reply if len(reply) == 3 else (reply[0], {}, reply[1])
        given = [f"{name}: {value}" for name, value in headers.items()]
        lines = [f"HTTP/1.1 {status} Answer", *given, f"Content-Length: {len(body)}"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return not self.closes_after(request)


def _shut(connection):
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def runtime_api():
    api = RuntimeApi()
    try:
        yield api
    finally:
        api.close()


OURS = (sys.executable, "-m", "lambdallm.runtime")


class Process:
    """A function's process: what it prints is kept, and read when it has ended."""

    def __init__(self, api, folder, handler, command=OURS, pass_fds=(), **environ):
        clean = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "LAMBDA_TASK_ROOT": str(folder), "_HANDLER": handler,
                 "AWS_LAMBDA_RUNTIME_API": api.address, "AWS_LAMBDA_FUNCTION_NAME": "f"}  # fmt: skip
        self._out = open(folder / f"out-{id(self)}", "wb+")  # noqa: SIM115  # closed by `close`
        arguments = [*command, handler] if command[-2:-1] == ("-m",) else [*command]
        self._process = subprocess.Popen(
            arguments, env=clean | environ, cwd=folder, stdout=self._out, stderr=self._out, pass_fds=pass_fds
        )
        self.pid = self._process.pid

    def output(self):
        """What it has printed until now."""
        return os.pread(self._out.fileno(), 10_000_000, 0).decode()

    def wait(self):
        """Its exit status."""
        return self._process.wait(SECONDS)

    def kill_now(self):
        self._process.kill()
        self._process.wait()

    def close(self):
        self.kill_now()
        self._out.close()


@contextmanager
def function(api, folder, source, handler="app.lambda_handler", command=OURS, pass_fds=(), **environ):
    """A function's process, started with a module `app` of this source."""
    (folder / "app.py").write_text(source)
    process = Process(api, folder, handler, command, pass_fds, **environ)
    try:
        yield process
    finally:
        process.close()
