"""Calls what `lambdallm dev` serves as it would be called on AWS: `python call.py`, with boto3 installed."""

import json

import boto3


def sentiment(text, address="http://127.0.0.1:3000"):
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    client = boto3.client("lambda", endpoint_url=address, region_name="us-east-1", **keys)
    answer = client.invoke(FunctionName="sentiment", Payload=json.dumps({"text": text}))
    client.close()
    return json.load(answer["Payload"])


if __name__ == "__main__":
    print(sentiment("It shines, and the staff were lovely!"))
