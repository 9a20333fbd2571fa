"""The function of this folder behind all that Lambda puts in front of it, on this machine."""

import json
from pathlib import Path
from urllib.request import urlopen

import boto3

from lambdallm.runtime.emulator import (
    Account,
    AsyncSettings,
    Clock,
    Emulator,
    Function,
    MemoryQueue,
    RestApi,
    SourceSettings,
)

HERE = str(Path(__file__).parent)
APP = Function(name="app", code=HERE, handler="app.lambda_handler", memory_mb=512, timeout=20.0)


def over_http():
    with Emulator() as emulator:
        emulator.add(APP)
        url = emulator.serve_url("app")
        api = emulator.serve_gateway(RestApi({"GET /hello": "app"}))
        return [json.load(urlopen(address)) for address in (url, f"{api}/hello")]


def with_boto3():
    with Emulator() as emulator:
        emulator.add(APP)
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        client = boto3.client("lambda", endpoint_url=emulator.serve_api(), region_name="us-east-1", **keys)
        client.publish_version(FunctionName="app")
        client.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
        answer = client.invoke(FunctionName="app", Qualifier="live", Payload=b'{"name": "Ada"}')
        client.close()
        return answer["ExecutedVersion"], json.load(answer["Payload"])


def an_event_that_fails():
    told = MemoryQueue("told")
    fast = Clock(speed=10_000)  # AWS waits one minute, then two
    with Emulator() as emulator, Account(emulator, queues=[told], clock=fast) as account:
        emulator.add(APP)
        account.destinations.set("app", None, AsyncSettings(on_failure=told.arn))
        account.invoke_event("app", b'{"fail": true}')
        account.events.drain(30)
        (message,) = told.receive(1)
        return json.loads(message.body)["requestContext"]


def a_queue():
    dead = MemoryQueue("dead")
    jobs = MemoryQueue("jobs", dead_letters=dead, max_receive_count=1, visibility_seconds=1)
    for text in ("good", "bad", "fine"):
        jobs.send(text)
    with Emulator() as emulator, Account(emulator, queues=[jobs]) as account:
        emulator.add(APP)
        account.sources.create(jobs.arn, "app", SourceSettings(reports_failures=True))
        dead.wait_for(1, 30)
        return [message.body for message in dead.receive(10)]


if __name__ == "__main__":
    for attempt in (over_http, with_boto3, an_event_that_fails, a_queue):
        print(attempt.__name__, attempt())
