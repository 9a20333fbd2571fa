"""The front ends before real processes: URL, gateway, Lambda's API, events and queues, each with our own runtime."""

import http.client
import json
import threading
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config

from lambdallm.runtime.emulator import Emulator, Function, Limits
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.api import ApiFront
from lambdallm.runtime.emulator.clock import Clock
from lambdallm.runtime.emulator.gateway import GatewayFront, HttpApi, RestApi
from lambdallm.runtime.emulator.listener import Listener
from lambdallm.runtime.emulator.queues import MemoryQueue
from lambdallm.runtime.emulator.retries import AsyncSettings
from lambdallm.runtime.emulator.routes import Route
from lambdallm.runtime.emulator.url import UrlFront

CODE = '''
import os
import time
from lambdallm.runtime.streams import Head, ResponseStream

VERSION = "one"


class Pieces(ResponseStream):
    """Two pieces; the second when a file is there."""

    content_type = "text/plain"

    def __init__(self, head, gate):
        self.head, self.gate = head, gate

    def __iter__(self):
        yield b"first "
        while not os.path.exists(self.gate):
            time.sleep(0.01)
        if open(self.gate).read() == "fail":
            raise ValueError("in the middle")
        yield b"second"

    def close(self):
        pass


def lambda_handler(event, context):
    print("seen by", context.aws_request_id)
    query = event.get("queryStringParameters") or event
    if "gate" in query:
        http = "requestContext" in event
        return Pieces(Head(status=201, headers={"X-A": "b"}, cookies=("c=d",)) if http else None, query["gate"])
    if "sleep" in query:
        time.sleep(float(query["sleep"]))
    if "raise" in query:
        raise ValueError(query["raise"])
    if "exit" in query:
        os._exit(3)
    if "Records" in event:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": id} for id in bad]}
    return {"version": VERSION, "event": event, "id": context.aws_request_id, "arn": context.invoked_function_arn}
'''


@pytest.fixture(scope="module")
def code(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    (folder / "app.py").write_text(CODE)
    return folder


@pytest.fixture(scope="module")
def emulator(code):
    limits = Limits(sync_bytes=100_000, async_bytes=50_000)
    with Emulator(region="eu-west-1", limits=limits, isolate=False) as running:
        running.add(Function(name="app", code=str(code), memory_mb=512, timeout=20.0))
        running.add(Function(name="short", code=str(code), memory_mb=512, timeout=0.5))
        running.add(Function(name="one", code=str(code), memory_mb=512, timeout=20.0, concurrency=1))
        yield running


@contextmanager
def asked(front, target="/", method="GET", body=None):
    """The response, read by whoever asked."""
    with Listener(front) as listener:
        connection = http.client.HTTPConnection(listener.host, listener.port, timeout=30)
        try:
            connection.request(method, target, body)
            yield connection.getresponse()
        finally:
            connection.close()


class TestUrl:
    def test_an_answer(self, emulator):
        with asked(UrlFront(emulator, "app"), "/a?b=c") as response:
            body = json.loads(response.read())
        assert response.status == 200
        assert body["event"]["rawPath"] == "/a"
        assert response.getheader("x-amzn-RequestId") == body["id"]

    def test_a_stream_piece_by_piece(self, emulator, tmp_path):
        gate = tmp_path / "gate"
        with asked(UrlFront(emulator, "app"), f"/?gate={gate}") as response:
            assert (response.status, response.getheader("X-A"), response.getheader("Set-Cookie")) == (201, "b", "c=d")
            assert response.read1() == b"first "
            gate.write_text("go")
            assert response.read() == b"second"

    def test_a_stream_that_fails_is_cut(self, emulator, tmp_path):
        gate = tmp_path / "gate"
        gate.write_text("fail")
        with asked(UrlFront(emulator, "app"), f"/?gate={gate}") as response:
            assert response.status == 201
            with pytest.raises(http.client.IncompleteRead):
                response.read()

    def test_a_buffered_url_joins_the_stream(self, emulator, tmp_path):
        gate = tmp_path / "gate"
        gate.write_text("go")
        with asked(UrlFront(emulator, "app", mode="BUFFERED"), f"/?gate={gate}") as response:
            assert (response.status, response.read()) == (201, b"first second")

    @pytest.mark.parametrize(
        ("name", "query", "status"), [("app", "raise=no", 502), ("app", "exit=1", 502), ("short", "sleep=10", 502)]
    )
    def test_failures(self, emulator, name, query, status):
        with asked(UrlFront(emulator, name), f"/?{query}") as response:
            assert response.status == status
            response.read()
        with asked(UrlFront(emulator, "app")) as response:
            assert response.status == 200, "The next one works."
            response.read()

    def test_too_much_and_too_many(self, emulator, tmp_path):
        with asked(UrlFront(emulator, "one"), "/", "POST", b"x" * 200_000) as response:
            assert response.status == 413
            response.read()
        gate = tmp_path / "gate"
        with asked(UrlFront(emulator, "one"), f"/?gate={gate}") as response:
            assert response.read1() == b"first "
            with asked(UrlFront(emulator, "one")) as second:
                assert second.status == 429
                second.read()
            gate.write_text("go")
            assert response.read() == b"second"

    def test_a_client_that_leaves_does_not_stop_the_function(self, emulator, tmp_path):
        gate, answers = tmp_path / "gate", []
        front = UrlFront(emulator, "app", on_answer=lambda request, answer: answers.append(answer))
        with asked(front, f"/?gate={gate}") as response:
            assert response.read1() == b"first "
        gate.write_text("go")
        assert answers[0].report.status == "", "It ran to its end."


class TestGateway:
    def test_rest_streams(self, emulator, tmp_path):
        gate = tmp_path / "gate"
        api = RestApi({"GET /chat": Route("", "app", streams=True)})
        with asked(GatewayFront(emulator, api), f"/chat?gate={gate}") as response:
            assert (response.status, response.read1()) == (201, b"first ")
            gate.write_text("go")
            assert response.read() == b"second"

    def test_http_joins(self, emulator):
        with asked(GatewayFront(emulator, HttpApi({"$default": "app"})), "/a%20b") as response:
            assert json.loads(response.read())["event"]["rawPath"] == "/a b"

    def test_an_event_beyond_lambdas_limit(self, emulator):
        with asked(GatewayFront(emulator, RestApi({"POST /": "app"})), "/", "POST", b"x" * 200_000) as response:
            assert (response.status, json.loads(response.read())) == (413, {"message": "Request Too Long"})


@contextmanager
def lambda_api(emulator, **options):
    with (
        Account(emulator, clock=Clock(10_000), **options) as account,
        Listener(ApiFront(account)) as listener,
    ):
        client = boto3.client(
            "lambda",
            endpoint_url=listener.address,
            region_name="eu-west-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
            config=Config(retries={"max_attempts": 1}, read_timeout=30),
        )
        try:
            yield client, account
        finally:
            client.close()


class TestApi:
    def test_an_answer_with_its_log(self, emulator):
        from base64 import b64decode

        with lambda_api(emulator) as (client, _):
            response = client.invoke(FunctionName="app", Payload=b'{"a": 1}', LogType="Tail")
            body = json.load(response["Payload"])
        assert body["event"] == {"a": 1}
        log = b64decode(response["LogResult"]).decode()
        assert f"seen by {body['id']}" in log
        assert "REPORT RequestId: " in log
        assert response["ResponseMetadata"]["RequestId"] == body["id"]

    def test_an_error_of_the_function(self, emulator):
        with lambda_api(emulator) as (client, _):
            response = client.invoke(FunctionName="app", Payload=b'{"raise": "no"}')
            error = json.load(response["Payload"])
        assert (response["FunctionError"], error["errorType"], error["errorMessage"]) == (
            "Unhandled",
            "ValueError",
            "no",
        )

    def test_a_stream_piece_by_piece(self, emulator, tmp_path):
        gate = tmp_path / "gate"
        with lambda_api(emulator) as (client, _):
            payload = json.dumps({"gate": str(gate)})
            stream = client.invoke_with_response_stream(FunctionName="app", Payload=payload)["EventStream"]
            events = iter(stream)
            assert next(events)["PayloadChunk"]["Payload"] == b"first "
            gate.write_text("fail")
            last = next(events)["InvokeComplete"]
            stream.close()
        assert last["ErrorCode"] == "Unhandled"
        assert json.loads(last["ErrorDetails"])["errorMessage"] == "in the middle"

    def test_versions_run_the_code_they_were_published_with(self, tmp_path):
        (tmp_path / "app.py").write_text(CODE)
        with (
            Emulator() as isolated,
            lambda_api(isolated, number=iter([0.4, 0.6]).__next__) as (client, _),
        ):
            isolated.add(Function(name="versioned", code=str(tmp_path), memory_mb=512, timeout=20.0))
            client.publish_version(FunctionName="versioned")
            (tmp_path / "app.py").write_text(CODE.replace('"one"', '"two"'))
            client.publish_version(FunctionName="versioned")
            client.create_alias(
                FunctionName="versioned", Name="live", FunctionVersion="1",
                RoutingConfig={"AdditionalVersionWeights": {"2": 0.5}},
            )  # fmt: skip
            told = [client.invoke(FunctionName="versioned", Qualifier="live") for _ in range(2)]
            bodies = [json.load(each["Payload"]) for each in told]
        assert [each["ExecutedVersion"] for each in told] == ["2", "1"]
        assert [body["version"] for body in bodies] == ["two", "one"]
        assert bodies[0]["arn"].endswith(":function:versioned:live")

    def test_settings_are_those_of_new_processes(self, emulator, code):
        emulator.add(Function(name="changed", code=str(code), memory_mb=512, timeout=20.0))
        with lambda_api(emulator) as (client, _):
            client.update_function_configuration(FunctionName="changed", Timeout=1)
            response = client.invoke(FunctionName="changed", Payload=b'{"sleep": 5}')
            assert "Task timed out after 1.00 seconds" in json.load(response["Payload"])["errorMessage"]


class TestEvents:
    def test_every_try_has_the_same_id_and_the_end_is_told(self, emulator):
        queue = MemoryQueue("told", region="eu-west-1")
        with lambda_api(emulator, queues=[queue]) as (client, account):
            account.destinations.set("app", None, AsyncSettings(on_failure=queue.arn))
            response = client.invoke(FunctionName="app", InvocationType="Event", Payload=b'{"raise": "no"}')
            assert account.events.drain(30)
            (message,) = queue.receive(1)
        told = json.loads(message.body)
        assert told["requestContext"]["requestId"] == response["ResponseMetadata"]["RequestId"]
        assert told["requestContext"]["approximateInvokeCount"] == 3
        assert told["responsePayload"]["errorType"] == "ValueError"

    def test_a_queue_is_read_by_a_function(self, emulator):
        dead = MemoryQueue("dead", region="eu-west-1")
        queue = MemoryQueue(
            "jobs",
            region="eu-west-1",
            dead_letters=dead,
            max_receive_count=1,
            visibility_seconds=5_000,
            clock=Clock(10_000),
        )
        for text in ("good", "bad", "fine"):
            queue.send(text)
        with lambda_api(emulator, queues=[queue, dead]) as (client, _):
            made = client.create_event_source_mapping(
                EventSourceArn=queue.arn,
                FunctionName="app",
                BatchSize=5,
                FunctionResponseTypes=["ReportBatchItemFailures"],
            )
            assert dead.wait_for(1, 30)
            assert queue.wait_for(0, 30)
            assert client.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"
        assert [message.body for message in dead.receive(5)] == ["bad"]


def test_many_clients_at_once_each_get_their_own(emulator):
    found = []
    with Listener(UrlFront(emulator, "app")) as listener:

        def ask(number):
            connection = http.client.HTTPConnection(listener.host, listener.port, timeout=30)
            connection.request("GET", f"/{number}")
            found.append((number, json.loads(connection.getresponse().read())["event"]["rawPath"]))
            connection.close()

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [(number, f"/{number}") for number in range(8)]
