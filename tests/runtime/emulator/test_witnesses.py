"""The same function behind other emulators and ours: cargo-lambda's function URL and its API, MiniStack's HTTP API."""

import http.client
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from io import BytesIO
from uuid import uuid4
from zipfile import ZipFile

import boto3
import pytest
from botocore.config import Config

from lambdallm.llm.wire.eventstream import EventStreamDecoder
from lambdallm.runtime.emulator import Emulator, Function
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.api import ApiFront
from lambdallm.runtime.emulator.gateway import GatewayFront, HttpApi
from lambdallm.runtime.emulator.listener import Listener
from lambdallm.runtime.emulator.url import UrlFront
from stand_in_cargo import cargo_lambda

PROGRAM = r"""
import http.client, json, os, time

# cargo-lambda's Runtime API has a path of its own.
host, _, root = os.environ["AWS_LAMBDA_RUNTIME_API"].removeprefix("http://").partition("/")
root = f"/{root}/2018-06-01/runtime/invocation".replace("//", "/")


def ask(method, path, body=None):
    connection = http.client.HTTPConnection(host)
    connection.request(method, root + path, body)
    return connection.getresponse()


def stream(id, gate, pieces):
    connection = http.client.HTTPConnection(host)
    connection.putrequest("POST", f"{root}/{id}/response")
    connection.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    connection.putheader("Content-Type", "application/vnd.awslambda.http-integration-response")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    for number, piece in enumerate(pieces):
        while number == len(pieces) - 1 and not os.path.exists(gate):
            time.sleep(0.01)
        connection.send(b"%x\r\n%b\r\n" % (len(piece), piece))
    connection.send(b"0\r\n\r\n")
    connection.getresponse().read()


while True:
    asked = ask("GET", "/next")
    id, event = asked.headers["Lambda-Runtime-Aws-Request-Id"], json.loads(asked.read())
    gate = (event.get("queryStringParameters") or event).get("gate")
    # Its function URL takes streams alone: the event goes back as one.
    head = {"statusCode": 201, "headers": {"x-a": "b"}, "cookies": ["c=d", "e=f"]}
    body = [b"first ", b"second"] if gate else [json.dumps(event).encode()]
    stream(id, gate or os.devnull, [json.dumps(head).encode(), b"\0" * 8, *body])
"""


@contextmanager
def theirs(folder):
    """cargo-lambda, with the function at its Runtime API. Gives its port."""
    (folder / "program.py").write_text(PROGRAM)
    with cargo_lambda(folder) as port:
        api = {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt"}
        function = subprocess.Popen([sys.executable, "-S", "program.py"], cwd=folder, env=os.environ | api)
        try:
            yield port
        finally:
            function.kill()
            function.wait()


@contextmanager
def ours(folder):
    """Our emulator with the same function. Gives the ports of its URL and of its API."""
    (folder / "program.py").write_text(PROGRAM)
    command = (sys.executable, "-S", "program.py")
    with Emulator(isolate=False) as emulator:
        emulator.add(Function(name="app", code=str(folder), command=command, memory_mb=512, timeout=20.0))
        with (
            Account(emulator) as account,
            Listener(UrlFront(emulator, "app")) as url,
            Listener(ApiFront(account)) as api,
        ):
            yield url.port, api.port


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    with theirs(tmp_path_factory.mktemp("theirs")) as witness, ours(tmp_path_factory.mktemp("ours")) as (url, api):
        yield {"their url": witness, "their api": witness, "our url": url, "our api": api}


@contextmanager
def asked(port, target, method="GET", body=None, headers=()):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, target, body, dict(headers))
        yield connection.getresponse()
    finally:
        connection.close()


def event_of(port, *request):
    with asked(port, *request) as response:
        return json.loads(response.read())


class TestCargoLambda:
    @pytest.mark.parametrize(
        ("target", "method", "body", "headers"),
        [
            ("/a%20b/c?x=1&x=2&y=%C3%A9&z=", "GET", None, {"Cookie": "a=b; c=d", "X-T": "1"}),
            ("/", "POST", '{"a": "é"}'.encode(), {"Content-Type": "application/json"}),
            ("/things/", "PUT", b"text", {"Content-Type": "text/plain; charset=utf-8"}),
        ],
    )
    def test_the_event_of_a_function_url_is_the_same(self, ports, target, method, body, headers):
        their, our = (event_of(ports[which], target, method, body, headers) for which in ("their url", "our url"))
        for field in ("version", "routeKey", "rawPath", "isBase64Encoded"):
            assert our[field] == their[field], field
        for field in ("rawQueryString", "queryStringParameters", "cookies", "body"):
            assert (our.get(field) or None) == (their.get(field) or None), field
        assert set(their["headers"]) - {"lambda-runtime-aws-request-id"} <= set(our["headers"])
        for name in {"cookie", "x-t", "content-type", "content-length"} & set(their["headers"]):
            assert our["headers"][name] == their["headers"][name], name
        their, our = their["requestContext"], our["requestContext"]
        assert (our["stage"], our["routeKey"]) == (their["stage"], their["routeKey"])
        for field in ("method", "path", "sourceIp"):
            assert our["http"][field] == their["http"][field], field

    def test_a_stream_reaches_the_client_in_the_same_way(self, ports, tmp_path):
        seen = {}
        for which in ("their url", "our url"):
            gate = tmp_path / which
            with asked(ports[which], f"/?gate={gate}".replace(" ", "%20")) as response:
                head = response.status, response.getheader("x-a"), response.headers.get_all("set-cookie")
                first = response.read1()
                gate.write_text("")
                seen[which] = (*head, first, response.read())
        assert seen["our url"] == seen["their url"] == (201, "b", ["c=d", "e=f"], b"first ", b"second")

    def test_the_api_streams_in_the_same_events(self, ports, tmp_path):
        """Theirs is at a path of another date than AWS's, so that boto3 does not find it."""
        (tmp_path / "gate").write_text("")
        payload = json.dumps({"gate": str(tmp_path / "gate")})
        seen = {}
        for which, path in (("their api", "/2015-03-31/functions/_"), ("our api", "/2021-11-15/functions/app")):
            with asked(ports[which], f"{path}/response-streaming-invocations", "POST", payload) as response:
                assert response.getheader("content-type") == "application/vnd.amazon.eventstream"
                decoder = EventStreamDecoder()
                messages = decoder.feed(response.read())
                assert decoder.error is None
            *chunks, last = messages
            kinds = {tuple(sorted(headers.items())) for headers, _ in chunks}
            seen[which] = kinds, b"".join(data for _, data in chunks), last[0][":event-type"]
        (our_kinds, our_data, our_end), (their_kinds, their_data, their_end) = seen["our api"], seen["their api"]
        assert our_kinds == {(*kind, (":message-type", "event")) for kind in their_kinds} or our_kinds == their_kinds
        assert our_data.partition(b"\0" * 8)[2] == their_data, "AWS's SDKs get the metadata too, as from us."
        assert our_end == their_end == "InvokeComplete"


ECHO = "def lambda_handler(event, context):\n    return event\n"


def test_ministacks_http_api_makes_the_same_event(ministack, tmp_path):
    """Where MiniStack is right; it leaves the path encoded, keeps the cookie header and knows no account."""
    target, headers = "/things/7?q=a%20b&tag=x&tag=y", {"X-T": "1", "Content-Type": "application/json"}
    options = {
        "endpoint_url": ministack, "region_name": "us-east-1", "aws_access_key_id": "test",
        "aws_secret_access_key": "test", "config": Config(read_timeout=60, retries={"total_max_attempts": 1}),
    }  # fmt: skip
    functions, apis = boto3.client("lambda", **options), boto3.client("apigatewayv2", **options)
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("app.py", ECHO)
    made = functions.create_function(
        FunctionName=f"echo-{uuid4()}", Runtime=f"python3.{sys.version_info.minor}", Handler="app.lambda_handler",
        Role="arn:aws:iam::000000000000:role/any", Code={"ZipFile": packed.getvalue()},
    )  # fmt: skip
    api = apis.create_api(Name="echo", ProtocolType="HTTP")["ApiId"]
    integration = apis.create_integration(
        ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=made["FunctionArn"], PayloadFormatVersion="2.0"
    )["IntegrationId"]
    apis.create_route(ApiId=api, RouteKey="POST /things/{id}", Target=f"integrations/{integration}")
    apis.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    port = int(ministack.rpartition(":")[2])
    host = {"Host": f"{api}.execute-api.localhost:{port}"}
    their = event_of(port, target, "POST", b'{"a": 1}', headers | host)
    functions.close()
    apis.close()

    (tmp_path / "app.py").write_text(ECHO)
    with Emulator(isolate=False) as emulator:
        emulator.add(Function(name="echo", code=str(tmp_path), memory_mb=512, timeout=20.0))
        with Listener(GatewayFront(emulator, HttpApi({"POST /things/{id}": "echo"}))) as listener:
            our = event_of(listener.port, target, "POST", b'{"a": 1}', headers)
    for field in (
        "version", "routeKey", "rawPath", "queryStringParameters", "pathParameters", "body", "isBase64Encoded",
    ):  # fmt: skip
        assert our[field] == their[field], field
    assert our["headers"]["x-t"] == their["headers"]["x-t"] == "1"
    assert our["requestContext"]["http"]["method"] == their["requestContext"]["http"]["method"]
    assert set(their["requestContext"]) <= set(our["requestContext"])
