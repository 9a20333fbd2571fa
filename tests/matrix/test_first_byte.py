"""The first piece reaches its reader before the second is made, behind every front end that streams.

The function asks its reader for the second piece, and the reader answers when it has read the first: who holds anything
back waits for ever.
"""

import os
import shutil
import socket
import subprocess
import sys
import urllib.parse
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config

from dev_served import Served
from matrix.callers import opened
from matrix.runners import AWS_CLIENT, FUNCTIONS, OURS, SOURCE, our_emulator, under_cargo_lambda

FRAMEWORK = ("waiting.pieces", "waiting.awaited_pieces", "waiting.events")
SECONDS = 30


class Reader:
    """Who reads: `lets_go_on` answers the function that asks for a second piece."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(SECONDS)
        self.port = self._listener.getsockname()[1]

    def lets_go_on(self):
        connection, _ = self._listener.accept()
        with connection:
            connection.sendall(b"second\n")

    def close(self):
        self._listener.close()


@pytest.fixture
def reader():
    found = Reader()
    yield found
    found.close()


def reads(reader, response):
    assert response.status == 200
    first = response.read1()
    assert b"first " in first
    assert b"second" not in first
    reader.lets_go_on()
    assert b"second" in response.read()


@pytest.fixture(scope="module", params=[OURS, AWS_CLIENT], ids=["ours", "aws_client"])
def runner(request):
    with our_emulator(request.param, streams=True, concurrency=3) as found:
        yield found


@pytest.mark.parametrize("call", FRAMEWORK)
@pytest.mark.parametrize("kind", ["url", "rest"])
def test_over_http(runner, reader, kind, call):
    with opened(runner.port(kind), call, reader=reader.port) as response:
        reads(reader, response)


@pytest.mark.parametrize("kind", ["url", "rest"])
def test_of_a_generator_without_the_framework(reader, kind):
    with (
        our_emulator(OURS, streams=True, concurrency=3) as runner,
        opened(runner.port(kind), "waiting.plain", reader=reader.port) as response,
    ):
        reads(reader, response)


@contextmanager
def lambda_client(emulator):
    client = boto3.client(
        "lambda", endpoint_url=emulator.serve_api(), region_name="us-east-1", aws_access_key_id="any",
        aws_secret_access_key="any", config=Config(retries={"max_attempts": 1}, read_timeout=SECONDS),
    )  # fmt: skip
    try:
        yield client
    finally:
        client.close()


@pytest.mark.parametrize("call", FRAMEWORK)
def test_to_boto3(runner, reader, call):
    payload = f'{{"call": "{call}", "reader": {reader.port}}}'
    with lambda_client(runner.emulator) as client:
        events = iter(client.invoke_with_response_stream(FunctionName="app", Payload=payload)["EventStream"])
        assert b"first " in next(events)["PayloadChunk"]["Payload"]
        reader.lets_go_on()
        assert b"second" in next(events)["PayloadChunk"]["Payload"]
        *_, last = events
        assert "ErrorCode" not in last["InvokeComplete"]


@pytest.fixture(scope="module")
def cargo_lambda(tmp_path_factory):
    with under_cargo_lambda(tmp_path_factory.mktemp("cargo")) as found:
        yield found


@pytest.mark.parametrize("call", [*FRAMEWORK, "waiting.plain"])
def test_under_cargo_lambda(cargo_lambda, reader, call):
    with opened(cargo_lambda.port, call, reader=reader.port) as response:
        reads(reader, response)


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dev") / "project"
    shutil.copytree(FUNCTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "lambdallm", "dev", "--port", "0", "app.lambda_handler"]
    environ = os.environ | {"PYTHONPATH": str(SOURCE), "HOME": str(folder.parent), "AWS_EC2_METADATA_DISABLED": "true"}
    process = subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    served = Served(process)
    yield served
    served.stop()


@pytest.mark.parametrize("call", [*FRAMEWORK, "waiting.plain"])
def test_in_lambdallm_dev(dev, reader, call):
    with dev.open(path="/?" + urllib.parse.urlencode({"call": call, "reader": reader.port})) as response:
        reads(reader, response)
