"""Whole requests as botocore's clients build them, caught before they leave, signed again by us: the same signature."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Mapping

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.session import Session

from lambdallm.aws.credentials import Credentials
from lambdallm.aws.sigv4 import sign
from lambdallm.transport.types import HttpRequest, find_header

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "FAKE//SESSION+TOKEN==")
CLAUDE = "anthropic.claude-3-haiku-20240307-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-haiku-20240307-v1:0"
HELLO = [{"role": "user", "content": [{"text": "Hello, 日本 🙂"}]}]
AUTHORIZATION = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=")

CALLS = [
    ("bedrock-runtime", "converse", {"modelId": CLAUDE, "messages": HELLO}),
    ("bedrock-runtime", "converse", {"modelId": PROFILE, "messages": HELLO, "inferenceConfig": {"maxTokens": 5}}),
    ("bedrock-runtime", "converse_stream", {"modelId": CLAUDE, "messages": HELLO}),
    ("bedrock-runtime", "invoke_model", {"modelId": "amazon.titan-embed-text-v2:0", "body": b'{"inputText":"a"}'}),
    ("dynamodb", "get_item", {"TableName": "sessions", "Key": {"id": {"S": "ü/1"}}}),
    ("sqs", "send_message", {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q", "MessageBody": "a"}),
    ("ssm", "get_parameter", {"Name": "/app/prod/key", "WithDecryption": True}),
    ("secretsmanager", "get_secret_value", {"SecretId": "prod/openai"}),
    ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:f:live", "Payload": b"{}"}),
    ("s3", "get_object", {"Bucket": "bucket", "Key": "a b/ü//../c+d=e&f.json", "Range": "bytes=0-9"}),
    ("s3", "list_objects_v2", {"Bucket": "bucket", "Prefix": "a b/ü", "Delimiter": "/", "StartAfter": "a=b&c"}),
]


def caught(service: str, operation: str, arguments: Mapping[str, object]) -> AWSPreparedRequest:
    """The request that botocore's client was about to send."""
    seen: list[AWSPreparedRequest] = []

    def stop(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        seen.append(request)
        return AWSResponse(request.url, 400, {}, None)

    client = Session().create_client(
        service,
        region_name="us-east-1",
        aws_access_key_id=KEYS.access_key,
        aws_secret_access_key=KEYS.secret_key,
        aws_session_token=KEYS.token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send", stop)
    with pytest.raises(Exception):  # noqa: B017  # the stub answers nothing of use; the request is what counts
        getattr(client, operation)(**arguments)
    return seen[0]


@pytest.mark.parametrize(("service", "operation", "arguments"), CALLS, ids=[f"{s}.{o}" for s, o, _ in CALLS])
def test_a_client_s_request_gets_the_same_signature(service: str, operation: str, arguments: dict[str, object]) -> None:
    theirs = caught(service, operation, arguments)
    sent = {name: _text(value) for name, value in theirs.headers.items()}
    found = AUTHORIZATION.search(sent["Authorization"])
    assert found is not None
    region, name, signed = found.groups()
    headers = tuple((k, v) for k, v in sent.items() if k.lower() in signed.split(";"))
    body = theirs.body.encode() if isinstance(theirs.body, str) else theirs.body or b""
    now = calendar.timegm(time.strptime(sent["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))

    request = HttpRequest(theirs.method, theirs.url, headers, bytes(body))
    ours = sign(request, KEYS, service=name, region=region, now=float(now))

    assert find_header(ours.headers, "Authorization") == sent["Authorization"]


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
