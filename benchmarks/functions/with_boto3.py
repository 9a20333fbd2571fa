"""A model call by AWS's SDK, on Bedrock Converse."""

import boto3

client = boto3.client("bedrock-runtime")


def handler(event, context):
    messages = [{"role": "user", "content": [{"text": f"Say hello to {event['name']}."}]}]
    answer = client.converse(modelId="anthropic.claude-3-haiku-20240307-v1:0", messages=messages)
    return answer["output"]["message"]["content"][0]["text"]
