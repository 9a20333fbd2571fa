"""A function on (emulated) Lambda whose time runs out invokes itself, and goes on until its chain is done."""

import io
import json
import time
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

import lambdallm
import servers
from lambdallm.chains.records import FORM, Begun, Ended, Tried, Trying
from lambdallm.llm.drivers import Driver
from lambdallm.state.dynamodb import DynamoDBStateStore

FUNCTION = """
import time
from lambdallm import handler
from lambdallm.chains import Chain, Step

def slow():
    time.sleep(0.6)

chain = Chain("slow", [*(Step(f"s{number}", func=slow) for number in range(5)), Step("say", "Hello {name}")],
              on_timeout="requeue")

@handler(model="echo", timeout_buffer=2)
def lambda_handler(event, context):
    result = chain.run(context, name=event["name"])
    return {"status": result.status, "checkpoint": result.checkpoint_id}
"""


def package():
    """The function with this package, as a zip file."""
    source, content = Path(lambdallm.__path__[0]), io.BytesIO()
    with zipfile.ZipFile(content, "w") as bundle:
        bundle.writestr("function.py", FUNCTION)
        for path in source.rglob("*.*"):
            if path.suffix in (".py", ".json"):
                bundle.write(path, f"lambdallm/{path.relative_to(source)}")
    return content.getvalue()


@pytest.fixture
def environ(ministack, monkeypatch):
    found = {**servers.AWS, "AWS_ENDPOINT_URL": ministack}
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def test_a_function_goes_on_by_itself_until_its_chain_is_done(environ):
    import boto3

    driver = Driver()
    client = boto3.client("lambda", endpoint_url=environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    with closing(driver), closing(client):
        store = DynamoDBStateStore("lambdallm-state")
        driver.run(store.ensure_table())
        client.create_function(
            FunctionName="slow", Runtime="python3.11", Role="arn:aws:iam::000000000000:role/any", Timeout=4,
            Handler="function.lambda_handler", Code={"ZipFile": package()}, Environment={"Variables": environ},
        )  # fmt: skip
        told = json.loads(client.invoke(FunctionName="slow", Payload=b'{"name": "Ada"}')["Payload"].read())
        assert told["status"] == "requeued"
        records = finished(driver.run, store, f"chain:slow:{told['checkpoint']}")
    assert [kind.why for kind in records if isinstance(kind, Ended)][-1] == "completed"
    assert [kind.path for kind in records if isinstance(kind, Tried) and kind.result.status != "failed"] == [
        "s0", "s1", "s2", "s3", "s4", "say",
    ]  # fmt: skip
    assert sum(isinstance(kind, Begun) for kind in records) == 1
    assert sum(isinstance(kind, Trying) for kind in records) == 6, "no step was begun twice"


def finished(run, store, key):
    """The records of a journal, when it says that the chain is done; it is waited for a minute at most."""
    for _ in range(300):
        records = [FORM.decode(entry.data) for entry in run(store.read(key))]
        if isinstance(records[-1], Ended) and records[-1].why == "completed":
            return records
        time.sleep(0.2)
    pytest.fail(f"the chain was not done in a minute: {records!r}")
