"""Checkpoints in stores that environments share, by their names, on real servers: one goes on, the other says so."""

import pytest

import servers
from handler_kinds import KINDS, made
from lambdallm.core.journal import CheckpointError
from lambdallm.llm.drivers import shared_driver
from lambdallm.state import DynamoDBStateStore
from lambdallm.testing import MockLambdaContext, mock_model

TABLE = "lambdallm-checkpoints"


@pytest.fixture(params=["file", "redis", "dynamodb"])
def store(request, monkeypatch, tmp_path):
    if request.param == "file":
        return f"file:{tmp_path / 'state.db'}"
    if request.param == "redis":
        return request.getfixturevalue("redis_url")
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("ministack"))
    shared_driver().run(DynamoDBStateStore(TABLE).ensure_table())
    return f"dynamodb:{TABLE}"


@pytest.mark.parametrize("kind", KINDS)
def test_an_invocation_goes_on_elsewhere(kind, store):
    @made(kind, timeout_strategy="checkpoint", checkpoint_store=store)
    async def function(event, context):
        said = [await context.ainvoke(f"Step {step}") for step in ("one", "two")]
        if event.get("pauses"):
            context.checkpoint()
        if event.get("inside"):
            with pytest.raises(CheckpointError, match="Another invocation"):
                made("def", timeout_strategy="checkpoint", checkpoint_store=store)(_asks)(
                    {"checkpoint": event["checkpoint"]}, MockLambdaContext(aws_request_id="third")
                )
        return said

    id = f"{kind.replace(' ', '-')}-elsewhere"
    with mock_model(["1", "2"]) as model:
        paused = function({"pauses": True}, MockLambdaContext(aws_request_id=id))
        assert paused == {"checkpoint": {"id": id}}
        resumed = function({**paused, "inside": True}, MockLambdaContext(aws_request_id="other"))
    assert (resumed, len(model.calls)) == (["1", "2"], 2)


async def _asks(event, context):
    return await context.ainvoke("Step one")
