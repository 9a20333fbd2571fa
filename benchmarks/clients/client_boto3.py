"""AWS's own SDK, calling Bedrock Converse."""

import boto3

_CALL = {
    "modelId": "anthropic.claude-3-haiku-20240307-v1:0",
    "messages": [{"role": "user", "content": [{"text": "hi"}]}],
}


def client(url: str):
    return boto3.client("bedrock-runtime", endpoint_url=url)


def call(client) -> str:
    return client.converse(**_CALL)["output"]["message"]["content"][0]["text"]


def stream(client) -> str:
    events = client.converse_stream(**_CALL)["stream"]
    return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)
