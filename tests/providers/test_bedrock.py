"""Bedrock against MiniStack, a real server for AWS's APIs, and botocore's own client as the second opinion."""

import os
import socket
import subprocess
import sys
import time

import pytest

from lambdallm import BedrockProvider, Model, ModelConfig, WireClient, handler
from lambdallm.testing import MockLambdaContext

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="session")
def ministack(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("ministack")
    settings = {"BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "GATEWAY_PORT": str(port), "HOME": str(folder)}
    command = [os.path.join(os.path.dirname(sys.executable), "ministack")]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(command, env=os.environ | settings, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def wait_for(port, server):
    for _ in range(300):
        assert server.poll() is None, "the server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not start in 30 s")


@pytest.fixture(autouse=True)
def _aws(ministack, monkeypatch):
    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": ministack}.items():
        monkeypatch.setenv(name, value)


def test_the_provider():
    response = BedrockProvider().invoke("Hello", ModelConfig(Model.CLAUDE_3_HAIKU))
    assert "claude-3-haiku" in response.content
    assert response.tokens_out > 0
    assert response.cost_usd > 0


def test_what_botocore_s_client_reads_is_what_we_read(ministack):
    import boto3

    messages = [{"role": "user", "content": [{"text": "Same question"}]}]
    theirs = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=ministack)
    expected = theirs.converse(modelId=Model.CLAUDE_3_HAIKU.value, messages=messages)
    theirs.close()
    ours = WireClient(Model.CLAUDE_3_HAIKU).chat("Same question").unwrap()
    assert ours.text == expected["output"]["message"]["content"][0]["text"]
    assert ours.usage.output_tokens == expected["usage"]["outputTokens"]
    assert ours.raw_finish_reason == expected["stopReason"]


def test_a_stream():
    stream = WireClient(Model.CLAUDE_3_HAIKU).stream("Hello")
    pieces = list(stream.texts())
    assert "".join(pieces) == stream.completion.text != ""
    assert stream.completion.finish_reason == "stop"


def test_a_handler():
    @handler(model=Model.CLAUDE_3_HAIKU)
    def function(event, context):
        return {"text": context.invoke("Hello {name}", name="World"), "cost": context.total_cost}

    result = function({}, MockLambdaContext())
    assert "claude-3-haiku" in result["text"]
    assert result["cost"] > 0
