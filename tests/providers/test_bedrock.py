"""Bedrock against MiniStack, a real server for AWS's APIs, and botocore's own client as the second opinion."""

import pytest

from lambdallm import BedrockProvider, Model, ModelConfig, WireClient, handler
from lambdallm.testing import MockLambdaContext
from servers import AWS


@pytest.fixture(autouse=True)
def _aws(ministack, monkeypatch):
    for name, value in {**AWS, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": ministack}.items():
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
