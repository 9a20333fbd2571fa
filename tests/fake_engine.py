"""An engine that runs no process: each function is a Python function that says what to answer, piece by piece."""

import tempfile
import threading
from pathlib import Path

from lambdallm.runtime.emulator.answer import Answer
from lambdallm.runtime.emulator.errors import FunctionNotFoundError
from lambdallm.runtime.emulator.function import Function
from lambdallm.runtime.emulator.limits import Limits
from lambdallm.runtime.emulator.logs import Line
from lambdallm.runtime.emulator.replies import PRELUDE_TYPE
from lambdallm.runtime.emulator.report import report_of

CODE = str(Path(__file__).parent / "fixtures" / "events")
"""A folder that stands for the code of every function."""


class FakeAnswer(Answer):
    """An answer whose pieces a test puts in when it likes: `put`, then `over`, with an error or without."""

    def __init__(self, number, version, takes_stream):
        super().__init__(f"00000000-0000-4000-8000-{number:012d}", version)
        self.takes_stream = takes_stream
        self.left = threading.Event()

    def streams(self, content_type=PRELUDE_TYPE):
        self.open(content_type, streamed=self.takes_stream)

    def over(self, error=None):
        if error:
            self.fail(error)
        self.end()
        lines = [Line(f"START RequestId: {self.request_id}"), Line("hello from the function")]
        self.finish(report_of(Function("any", "/"), self.request_id, 1.5), lines)

    def __iter__(self):
        yield from super().__iter__()
        self.left.set()


class FakeEmulator:
    """A function is called with the payload and an open answer; what it returns is put in, and the answer ended."""

    region, account = "eu-west-1", "123456789012"

    def __init__(self, limits=None, **functions):
        self.limits = limits or Limits()
        self.functions = {name: Function(name=name, code=CODE) for name in functions}
        self.calls = []
        self.behaviours = functions

    def add(self, function):
        """Take a version."""

    def new_folder(self, prefix):
        return tempfile.mkdtemp(prefix=prefix)

    def replace(self, function):
        self.functions[function.name] = function

    def invoke(self, name, payload, *, qualifier=None, version=None, client_context=None, streams=False, **_more):
        if name not in self.behaviours:
            raise FunctionNotFoundError(f"Function not found: {name}")
        self.calls.append((name, payload, qualifier, client_context, streams))
        answer = FakeAnswer(len(self.calls), version or "$LATEST", streams)
        given = self.behaviours[name](payload, answer)
        if given is not None:
            answer.put(given)
            answer.over()
        return answer


def failing(message="no", kind="ValueError"):
    """A function that fails before it has sent anything."""

    def behave(_payload, answer):
        error = {"errorType": kind, "errorMessage": message, "stackTrace": []}
        answer.over(error)

    return behave


def streaming(*pieces, prelude=b'{"statusCode": 200, "headers": {"content-type": "text/plain"}, "cookies": []}'):
    """A function that streams, all at once."""

    def behave(_payload, answer):
        answer.streams()
        for piece in (prelude, b"\0" * 8, *pieces):
            answer.put(piece)
        answer.over()

    return behave
