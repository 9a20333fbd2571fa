"""Our requests beside those botocore's clients build: the same place, the same content, the same signature."""

import calendar
import json
import time

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.session import Session

import servers
from lambdallm.llm.flow import Send
from lambdallm.llm.services import LambdaFunction, ParameterStore, QueueMessage, S3Bucket, SecretsManager, SQSQueue
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse, find_header

AWS = servers.AWS | {"AWS_REGION": "eu-central-1"}
ARN = "arn:aws:lambda:eu-central-1:123456789012:function:f:live"
URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/q"
KEY = "a b/ü//../c+d=e&f.json"

CALLS = [
    ("ssm", "get_parameter", {"Name": "/a/b", "WithDecryption": True}, ParameterStore().get("/a/b")),
    ("secretsmanager", "get_secret_value", {"SecretId": "s"}, SecretsManager().get("s")),
    (
        "sqs",
        "send_message",
        {"QueueUrl": URL, "MessageBody": "m", "MessageGroupId": "g", "MessageDeduplicationId": "d"},
        SQSQueue(URL).send(QueueMessage("m", group="g", deduplication="d")),
    ),
    (
        "lambda",
        "invoke",
        {"FunctionName": ARN, "InvocationType": "Event", "Payload": b"{}"},
        LambdaFunction(ARN).start({}),
    ),
    ("s3", "get_object", {"Bucket": "bucket", "Key": KEY}, S3Bucket("bucket").get(KEY)),
    ("s3", "delete_object", {"Bucket": "with.dots", "Key": KEY}, S3Bucket("with.dots").delete(KEY)),
    (
        "s3",
        "put_object",
        {"Bucket": "bucket", "Key": KEY, "Body": b"data", "IfNoneMatch": "*"},
        S3Bucket("bucket").put(KEY, b"data", if_absent=True),
    ),
]
IDS = [f"{service}.{operation}" for service, operation, _, _ in CALLS]


def theirs(service, operation, arguments):
    """The request that botocore's client was about to send."""
    seen = []

    def stop(request, **_):
        seen.append(request)
        return AWSResponse(request.url, 400, {}, None)

    client = Session().create_client(
        service, region_name=AWS["AWS_REGION"], aws_access_key_id="test", aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    client.meta.events.register("before-send", stop)
    with pytest.raises(Exception):  # noqa: B017  # the stub answers nothing of use; the request is what counts
        getattr(client, operation)(**arguments)
    return seen[0]


@pytest.fixture(scope="module")
def sent():
    """Our requests, by operation: a flow runs once."""
    requests = {}
    for (_, _, _, flow), name in zip(CALLS, IDS, strict=True):
        script = Script([HttpResponse(599)] * 99, AWS)
        with pytest.raises(Exception):  # noqa: B017  # as above
            script.run(flow)
        requests[name] = script.of(Send)[0].request
    return requests


def body_of(data):
    try:
        return json.loads(data)
    except ValueError:
        return data


@pytest.mark.parametrize(("service", "operation", "arguments", "_flow"), CALLS, ids=IDS)
def test_the_request_is_the_one_botocore_makes(service, operation, arguments, _flow, sent):
    ours, other = sent[f"{service}.{operation}"], theirs(service, operation, arguments)
    data = other.body or b""
    data = data if isinstance(data, (bytes, str)) else data.read()
    assert (ours.method, ours.url) == (other.method, other.url)
    if service != "s3":
        assert body_of(ours.body) == body_of(data)
    for name in ("X-Amz-Target", "X-Amz-Invocation-Type", "If-None-Match"):
        assert find_header(ours.headers, name) == _text(other.headers.get(name))


@pytest.mark.parametrize("name", IDS)
def test_the_signature_is_the_one_botocore_makes(name, sent, monkeypatch):
    ours = sent[name]
    stamp = find_header(ours.headers, "X-Amz-Date")
    headers = {
        n: v for n, v in ours.headers if n.lower() not in ("authorization", "x-amz-date", "x-amz-content-sha256")
    }
    request = AWSRequest(ours.method, ours.url, headers=headers, data=ours.body)
    kind, service = (S3SigV4Auth, "s3") if name.startswith("s3") else (SigV4Auth, name.partition(".")[0])
    moment = time.gmtime(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")))
    signer = kind(Credentials("test", "test"), service, AWS["AWS_REGION"])
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _Moment(moment), raising=True)
    request.context["payload_signing_enabled"] = True
    signer.add_auth(request)
    assert find_header(ours.headers, "Authorization") == request.headers["Authorization"]


class _Moment:
    """The time at which botocore signs."""

    def __init__(self, moment):
        self._moment = moment

    def strftime(self, form):
        return time.strftime(form, self._moment)


def _text(value):
    return value.decode() if isinstance(value, bytes) else value
