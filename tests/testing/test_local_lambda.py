"""A function in one `with`, as a user's test has it."""

import json
from urllib.request import urlopen

import boto3
import pytest

from lambdallm.testing import FunctionFailedError, LocalLambda
from servers import AWS

CODE = """
def handle(event, context):
    print("seen", event.get("id"))
    if event.get("fail"):
        raise ValueError(event["fail"])
    return {"name": context.function_name, "memory": context.memory_limit_in_mb, "id": event.get("id")}
"""


@pytest.fixture
def running(tmp_path):
    (tmp_path / "code.py").write_text(CODE)
    with LocalLambda(tmp_path, "code.handle", name="orders", memory_mb=256) as running:
        yield running


def test_it_gives_what_the_function_gives(running):
    assert running.invoke({"id": 1})["id"] == 1
    assert running.invoke({})["name"] == "orders"


def test_a_failure_is_raised_with_its_log(running):
    with pytest.raises(FunctionFailedError, match="ValueError: too late") as failed:
        running.invoke({"id": "7", "fail": "too late"})
    assert failed.value.error["errorType"] == "ValueError"
    assert "seen 7" in str(failed.value)
    assert running.invoke({"id": 8})["id"] == 8


def test_an_answer_has_its_log_and_its_report(running):
    answer = running.answer({"id": 2})
    assert json.loads(answer.read())["id"] == 2
    assert "seen 2" in answer.log
    assert answer.report.memory_mb == 256
    assert "seen 2" in running.lines


def test_its_addresses(running):
    assert json.load(urlopen(running.url, timeout=20))["name"] == "orders"
    keys = {"aws_access_key_id": AWS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": AWS["AWS_SECRET_ACCESS_KEY"]}
    client = boto3.client("lambda", endpoint_url=running.endpoint, region_name="us-east-1", **keys)
    assert json.load(client.invoke(FunctionName="orders", Payload=b"{}")["Payload"])["name"] == "orders"
    client.close()
