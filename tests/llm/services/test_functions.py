"""Lambda functions: invoked for their answer, or left to run; what fails, and what is too large."""

import base64
import io
import json
import time
import zipfile

import pytest

import servers
from lambdallm.llm.errors import ProviderTimeoutError
from lambdallm.llm.flow import Send
from lambdallm.llm.services import AwsService, FunctionFailed, LambdaFunction, ServiceError
from lambdallm.llm.services.functions import LAMBDA, MOST_STARTED_BYTES
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse

CODE = """
import pathlib

def handler(event, context):
    if "mark" in event:
        pathlib.Path(event["mark"]).write_text(event["text"])
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"echo": event}
"""


@pytest.fixture(scope="session")
def deployed(ministack):
    """A function of the emulated Lambda that answers with its event."""
    from both_drivers import blocking

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("app.py", CODE)
    body = {
        "FunctionName": "echo", "Runtime": "python3.11", "Handler": "app.handler", "Timeout": 10,
        "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": base64.b64encode(archive.getvalue()).decode()},
    }  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in servers.AWS.items():
            patch.setenv(name, value)
        service = AwsService(LAMBDA, endpoint=ministack)
        blocking(service.answer("CreateFunction", "POST", "/2015-03-31/functions", body=json.dumps(body).encode()))
    return "echo"


def test_a_function_is_invoked_and_answers(deployed, aws, run):
    assert run(LambdaFunction(deployed).invoke({"text": "ü"})) == {"echo": {"text": "ü"}}


def test_a_function_by_its_arn(deployed, aws, run):
    arn = "arn:aws:lambda:us-east-1:000000000000:function:echo"
    assert run(LambdaFunction(arn).invoke({})) == {"echo": {}}


def test_what_a_function_raises_is_told_in_its_words(deployed, aws, run):
    with pytest.raises(FunctionFailed, match=r"'echo' failed: too late \(.*log") as failed:
        run(LambdaFunction(deployed).invoke({"fail": "too late"}))
    assert b"too late" in failed.value.payload


def test_the_kind_of_a_failure_is_its_code():
    failure = HttpResponse(
        200, (("X-Amz-Function-Error", "Unhandled"),), b'{"errorType":"ValueError","errorMessage":"no."}'
    )
    with pytest.raises(FunctionFailed, match=r"failed: no \(ValueError\)") as failed:
        Script([failure], servers.AWS).run(LambdaFunction("f").invoke())
    assert failed.value.code == "ValueError"


def test_a_function_is_left_to_run(deployed, aws, run, tmp_path):
    mark = tmp_path / "mark"
    assert run(LambdaFunction(deployed).start({"mark": str(mark), "text": "ran"}))
    end = time.monotonic() + 20
    while not mark.exists() or mark.read_text() != "ran":
        assert time.monotonic() < end, "it never ran"
        time.sleep(0.02)


def test_a_missing_function_is_named(aws, run):
    with pytest.raises(ServiceError, match=r"'nothing'.*Deploy the function"):
        run(LambdaFunction("nothing").invoke())


def test_an_invocation_that_may_have_begun_is_not_repeated():
    for reply in (ProviderTimeoutError("No."), HttpResponse(500, body=b"{}")):
        with pytest.raises(ServiceError) as failed:
            Script([reply], servers.AWS).run(LambdaFunction("f").invoke())
        assert not failed.value.refused


def test_a_throttled_invocation_is_repeated():
    slow = HttpResponse(429, (("x-amzn-errortype", "TooManyRequestsException"),), b"{}")
    script = Script([slow, HttpResponse(200, body=b"[1]")], servers.AWS)
    assert script.run(LambdaFunction("f").invoke()) == [1]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("f:live", "f%3Alive"),
        ("arn:aws:lambda:eu-north-1:1:function:f", "arn%3Aaws%3Alambda%3Aeu-north-1%3A1%3Afunction%3Af"),
    ],
)
def test_where_an_invocation_goes(name, path):
    script = Script([HttpResponse(202)], servers.AWS)
    script.run(LambdaFunction(name).start({}))
    request = script.of(Send)[0].request
    region = "eu-north-1" if name.startswith("arn:") else "us-east-1"
    assert request.url == f"https://lambda.{region}.amazonaws.com/2015-03-31/functions/{path}/invocations"
    assert dict(request.headers)["X-Amz-Invocation-Type"] == "Event"


def test_events_that_are_too_large_are_refused_before_anything_is_sent():
    large = "x" * MOST_STARTED_BYTES
    with pytest.raises(ServiceError, match=r"1 MB, not waited for.*S3"):
        Script([], servers.AWS).run(LambdaFunction("f").start(large))
    with pytest.raises(ServiceError, match="6 MB, waited for"):
        Script([], servers.AWS).run(LambdaFunction("f").invoke(large * 7))
    assert Script([HttpResponse(200, body=b"1")], servers.AWS).run(LambdaFunction("f").invoke(large)) == 1


def test_an_answer_that_is_no_json_is_given_as_text():
    assert Script([HttpResponse(200, body=b"plain")], servers.AWS).run(LambdaFunction("f").invoke()) == "plain"


def test_an_event_of_bytes_is_sent_as_it_is():
    script = Script([HttpResponse(200, body=b"null")], servers.AWS)
    assert script.run(LambdaFunction("f").invoke(b'{"a": 1}')) is None
    assert script.of(Send)[0].request.body == b'{"a": 1}'


def test_half_of_a_pair_is_sent_as_json_writes_it():
    """JSON allows it, and so does whoever sends us events."""
    script = Script([HttpResponse(202)], servers.AWS)
    script.run(LambdaFunction("f").start({"text": "\ud83d ü"}))
    (sent,) = script.of(Send)
    assert json.loads(sent.request.body) == {"text": "\ud83d ü"}


def test_a_name_that_only_looks_like_an_arn_is_the_service_s_to_refuse():
    assert LambdaFunction("arn:x").name == "arn:x"
