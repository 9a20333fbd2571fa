"""Functions for the emulator's tests: a runtime of a few lines over raw requests, and an emulator that runs it."""

import sys
from contextlib import contextmanager

from lambdallm.runtime.emulator import Emulator, Function

RAW = '''
import http.client, json, os, sys, time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
RUNTIME = "/2018-06-01/runtime"


class Asked:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def id(self):
        return self.headers["Lambda-Runtime-Aws-Request-Id"]

    @property
    def event(self):
        return json.loads(self.body)


def ask(method, path, body=None, headers={}, root=RUNTIME):
    connection = http.client.HTTPConnection(API)
    try:
        connection.request(method, root + path, body, headers)
    except (BrokenPipeError, ConnectionResetError):
        pass  # refused before it was sent: the answer is there
    answer = connection.getresponse()
    asked = Asked(answer.status, answer.headers, answer.read())
    connection.close()
    return asked


def next():
    return ask("GET", "/invocation/next")


def respond(asked, value, headers={}):
    return ask("POST", f"/invocation/{asked.id}/response", json.dumps(value).encode(), headers)


class stream:
    """Chunks by hand, each sent by itself."""

    def __init__(self, asked, content_type="text/plain"):
        self.connection = http.client.HTTPConnection(API)
        self.connection.putrequest("POST", f"{RUNTIME}/invocation/{asked.id}/response")
        self.connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
        self.connection.putheader("Content-Type", content_type)
        self.connection.putheader("Transfer-Encoding", "chunked")
        self.connection.endheaders()

    def send(self, data):
        self.connection.send(b"%x\\r\\n%b\\r\\n" % (len(data), data))

    def end(self, trailers=b""):
        self.connection.send(b"0\\r\\n" + trailers + b"\\r\\n")
        answer = self.connection.getresponse()
        return Asked(answer.status, answer.headers, answer.read())


def serve(function):
    while True:
        asked = next()
        respond(asked, function(asked.event))
'''


def function(folder, program, name="app", **options):
    """A function whose process is `program`, which has all of `RAW`."""
    (folder / "raw.py").write_text(RAW)
    (folder / "program.py").write_text("from raw import *\n" + program)
    settings = {"command": (sys.executable, "-S", "program.py"), "memory_mb": 512, "timeout": 20.0} | options
    return Function(name=name, code=str(folder), **settings)


class Heard(list):
    """The lines of a log."""

    def __call__(self, line):
        self.append(line)

    def of(self, source):
        return [str(line) for line in self if line.source == source]


@contextmanager
def emulated(folder, program, *, emulator=None, **options):
    """An emulator that has the function `app`; `log` of it is what was heard."""
    heard = Heard()
    with Emulator(**({"log": heard} | (emulator or {}))) as running:
        running.add(function(folder, program, **options))
        running.heard = heard
        yield running
