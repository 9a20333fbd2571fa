"""The places where the functions of the matrix run, each asked in the same words.

| runner               | the function's process     | who invokes it                              |
|----------------------|----------------------------|---------------------------------------------|
| `ours`               | our runtime                | our emulator, by its front ends             |
| `aws_client`         | AWS's client, with our hook| our emulator, by its front ends             |
| `on_aws`             | our runtime                | AWS's Runtime Interface Emulator            |
| `aws_client_on_aws`  | AWS's client, with our hook| AWS's Runtime Interface Emulator            |
| `cargo_lambda`       | our `bootstrap`            | cargo-lambda, as a function URL             |
"""

import http.client
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import servers
from lambdallm.runtime.emulator import Emulator, Function, GatewayFront, HttpApi, Listener, RestApi, Route, UrlFront
from lambdallm.runtime.scripts import bootstrap
from matrix.callers import HTTP, Failed, event_of, failed_of, reply_of, request, value_of
from stand_in_cargo import cargo_lambda

FUNCTIONS = Path(__file__).parent / "functions"
SOURCE = Path(__import__("lambdallm").__path__[0]).parent
OURS = (sys.executable, "-m", "lambdallm.runtime", "app.lambda_handler")
AWS_CLIENT = (sys.executable, "-m", "awslambdaric", "app.lambda_handler")


def environ_of(client, streams):
    """The variables of a function's process."""
    setting = {"LAMBDALLM_RESPONSE_STREAMING": "function_url, rest, direct" if streams else "off"}
    if client is AWS_CLIENT:
        setting["PYTHONPATH"] = f"{SOURCE}:{servers.lambda_tools().awslambdaric}"
    return setting


_FAILURES = {"url": 502, "rest": 502, "http": 500}


class OurEmulator:
    """Our emulator, asked over HTTP and as the Lambda API."""

    kinds = (*HTTP, "direct", "sqs")
    takes_streams_alone = False
    is_whole = True
    """Whether there are the services that invoke functions, too."""
    shows_ends = True
    """Whether it can be seen that a stream ends before its time."""
    streamed = False
    """Whether the last answer came piece by piece."""

    def __init__(self, client, streams, emulator, listeners, answers):
        self.client, self.streams, self.emulator = client, streams, emulator
        self._listeners, self._answers = listeners, answers

    def ask(self, kind, call, **more):
        if kind not in HTTP:
            return self._invoked(event_of(kind, call, **more))
        self._answers.clear()
        reply = request(self._listeners[kind].port, call, **more)
        [answer] = self._answers
        self.streamed = answer.streamed
        assert answer.wait(30), "One environment does one thing at a time."
        if answer.function_error and not reply.cut:
            assert reply.status == _FAILURES[kind]
            return failed_of(answer.error)
        return reply

    def port(self, kind):
        """Where a front end listens."""
        return self._listeners[kind].port

    def _invoked(self, payload):
        answer = self.emulator.invoke("app", json.dumps(payload).encode(), streams=self.streams)
        data = answer.read()
        assert answer.wait(30)
        self.streamed = answer.streamed
        if answer.function_error and not answer.streamed:
            assert json.loads(data) == answer.error
            return failed_of(answer.error)
        return value_of(data, answer.error["errorType"] if answer.error else "")


@contextmanager
def our_emulator(client, streams, heard=lambda line: None, **options):
    """A function with one environment behind all front ends."""
    environ = environ_of(client, streams)
    settings = {"memory_mb": 1024, "timeout": 30.0, "concurrency": 1, "command": client} | options
    path = {name: environ.pop(name) for name in ("PYTHONPATH",) if name in environ}
    with Emulator(log=heard) as emulator:
        emulator.add(Function(name="app", code=str(FUNCTIONS), environment=environ, shell=path, **settings))
        answers = []
        keep = {"on_answer": lambda request, answer: answers.append(answer)}
        rest = RestApi({"ANY /{proxy+}": Route("", "app", streams=streams)}, binary_types=("*/*",))
        fronts = {
            "url": UrlFront(emulator, "app", mode="RESPONSE_STREAM" if streams else "BUFFERED", **keep),
            "rest": GatewayFront(emulator, rest, **keep),
            "http": GatewayFront(emulator, HttpApi({"$default": "app"}), **keep),
        }
        listeners = {kind: Listener(front) for kind, front in fronts.items()}
        try:
            yield OurEmulator(client, streams, emulator, listeners, answers)
        finally:
            for listener in listeners.values():
                listener.close()


class AwsEmulator:
    """AWS's emulator. It is given events as their sources make them, and shows what the function answers to Lambda."""

    kinds = (*HTTP, "direct", "sqs")
    takes_streams_alone = False
    is_whole = False  # it is Lambda alone
    shows_ends = False  # it buffers, and leaves the trailers of a stream out

    def __init__(self, client, streams, port, folder):
        self.client, self.streams, self._port, self._folder = client, streams, port, folder

    def ask(self, kind, call, **more):
        data = self.invoke(event_of(kind, call, **more))
        self.streamed = bytes(8) in data
        found = value_of(data).value
        if isinstance(found, dict) and {"errorType", "errorMessage"} <= set(found):
            return failed_of(found)
        if data.startswith(b"Task timed out") or b" Task timed out after " in data:
            return Failed("Sandbox.Timedout", data.decode())
        return reply_of(data) if kind in HTTP else value_of(data)

    def invoke(self, payload):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("POST", "/2015-03-31/functions/function/invocations", json.dumps(payload))
        data = connection.getresponse().read()
        connection.close()
        return data

    def log(self):
        return (self._folder / "log").read_text(errors="replace")


@contextmanager
def aws_emulator(client, streams, folder, timeout=30):
    """A function behind AWS's emulator."""
    port, api = servers.free_port(), servers.free_port()
    emulator = [str(servers.lambda_tools().emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                "--runtime-api-address", f"127.0.0.1:{api}"]  # fmt: skip
    environ = environ_of(client, streams)
    environ |= {"LAMBDA_TASK_ROOT": str(FUNCTIONS), "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout)}
    environ["PYTHONPATH"] = f"{FUNCTIONS}:{environ.get('PYTHONPATH', SOURCE)}"
    with servers.running([*emulator, *client], port, folder, environ):
        yield AwsEmulator(client, streams, port, folder)


class CargoLambda:
    """cargo-lambda's function URL, which streams every answer."""

    client, streams = OURS, True
    kinds = ("url",)
    takes_streams_alone = True
    is_whole = True
    shows_ends = False  # it knows no trailers, and closes such connections early or late

    def __init__(self, port):
        self.port = port

    def ask(self, kind, call, **more):
        assert kind == "url"
        self.streamed = True
        reply = request(self.port, call, **more)
        if reply.status == 500 and b'"errorType"' in reply.body:
            return failed_of(json.loads(reply.body))
        return reply


@contextmanager
def under_cargo_lambda(folder):
    """A function started by our `bootstrap`, behind cargo-lambda."""
    script = folder / "bootstrap"
    script.write_text(bootstrap(sys.executable))
    script.chmod(0o755)
    with cargo_lambda(folder) as port:
        environ = environ_of(OURS, streams=True)
        environ |= {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt", "LAMBDA_TASK_ROOT": str(FUNCTIONS)}
        environ |= {"_HANDLER": "app.lambda_handler", "PYTHONPATH": str(SOURCE)}
        process = subprocess.Popen([str(script)], env=os.environ | environ, cwd=FUNCTIONS)
        try:
            yield CargoLambda(port)
        finally:
            process.kill()
            process.wait()
