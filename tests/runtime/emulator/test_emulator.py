"""The front door of the emulator: what it serves, and that it lets go of it."""

import json
import urllib.request

import boto3
import pytest

from emulated import emulated
from lambdallm.runtime.emulator.gateway import HttpApi
from servers import AWS

ECHO = 'serve(lambda event: {"statusCode": 200, "body": event.get("rawPath", "none")})'


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def test_a_functions_url(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        address = emulator.serve_url("app", mode="BUFFERED")
        assert read(f"{address}/a/b") == b"/a/b"
    with pytest.raises(OSError):
        read(address)


def test_an_api_of_api_gateways(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        address = emulator.serve_gateway(HttpApi({"GET /things/{id}": "app"}))
        assert read(f"{address}/things/7") == b"/things/7"


def test_lambdas_own_api(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        keys = {"aws_access_key_id": AWS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": AWS["AWS_SECRET_ACCESS_KEY"]}
        client = boto3.client("lambda", endpoint_url=emulator.serve_api(), region_name="us-east-1", **keys)
        answer = client.invoke(FunctionName="app", Payload=b"{}", LogType="Tail")
        assert json.loads(answer["Payload"].read()) == {"statusCode": 200, "body": "none"}
        assert answer["ExecutedVersion"] == "$LATEST"
        client.close()


def test_closing_twice_is_no_error(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        emulator.invoke("app", b"{}").read()
        emulator.close()
