"""The context beside AWS's own: every attribute, every method, the same words."""

import sys
import time

import pytest

import servers
from lambdallm.runtime import Invocation, LambdaContext, RuntimeFault
from lambdallm.runtime.context import context_of

ENVIRONMENT = {
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/21/[$LATEST]1",
    "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
}  # fmt: skip
CALLER = {
    "custom": {"a": 1}, "env": {"locale": "de"}, "unknown": 1,
    "client": {"installation_id": "i", "app_title": "t", "app_version_name": "n", "app_version_code": "c",
               "app_package_name": "p"},
    "w3c": {"traceparent": "00-1-2-01", "tracestate": 7, "baggage": "b", "other": "x"},
}  # fmt: skip
IDENTITY = {"cognitoIdentityId": "who", "cognitoIdentityPoolId": "pool"}


@pytest.fixture
def theirs(monkeypatch):
    monkeypatch.syspath_prepend(str(servers.lambda_tools().awslambdaric))
    from awslambdaric.lambda_context import LambdaContext

    yield LambdaContext
    for name in [name for name in sys.modules if name.startswith(("awslambdaric", "simplejson"))]:
        del sys.modules[name]


@pytest.fixture
def environment(monkeypatch):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def deep(value):
    """An object as its public attributes, all the way down."""
    if isinstance(value, (str, int, float, dict, type(None))):
        return value
    names = [name for name in dir(value) if not name.startswith("_") and name != "accepts_stream"]
    return {name: deep(getattr(value, name)) for name in names if not callable(getattr(value, name))}


def methods(kind):
    return {name for name in dir(kind) if not name.startswith("_") and callable(getattr(kind, name))}


@pytest.mark.parametrize("caller", [None, {}, CALLER, {"client": None, "w3c": "no mapping"}])
@pytest.mark.parametrize("identity", [None, {}, IDENTITY])
@pytest.mark.usefixtures("environment")
def test_attributes_and_words_are_those_of_awss_own(theirs, caller, identity):
    def arguments():
        return (
            "id-1", None if caller is None else dict(caller), identity, 4102444800000,
            "arn:aws:lambda:us-east-1:123456789012:function:f:live", "blue",
        )  # fmt: skip

    expected, ours = theirs(*arguments()), LambdaContext(*arguments())
    assert deep(ours) == deep(expected)
    assert repr(ours) == repr(expected)
    assert ours.w3c() == expected.w3c()
    assert methods(LambdaContext) >= methods(theirs)


@pytest.mark.usefixtures("environment")
def test_the_context_of_an_invocation():
    invocation = Invocation(
        "id-1", 4102444800000, b"{}", arn="arn:f", client_context='{"custom": {"k": "v"}}',
        identity='{"cognitoIdentityId": "who"}', tenant_id="blue",
    )  # fmt: skip
    context = context_of(invocation, LambdaContext)
    assert (context.aws_request_id, context.invoked_function_arn, context.tenant_id) == ("id-1", "arn:f", "blue")
    assert context.client_context.custom == {"k": "v"}
    assert context.identity.cognito_identity_id == "who"
    assert context.accepts_stream


def test_time_runs_down_to_nothing():
    def remaining(from_now_ms):
        return LambdaContext("id", None, None, int(time.time() * 1000) + from_now_ms).get_remaining_time_in_millis()

    assert 59_000 < remaining(60_000) <= 60_000
    assert remaining(-1) == 0


def test_cargo_lambda_gives_the_time_that_is_left_in_place_of_the_deadline():
    assert 599_000 < LambdaContext("id", None, None, 600_000).get_remaining_time_in_millis() <= 600_000


@pytest.mark.parametrize(("field", "name"), [("client_context", "Client Context"), ("identity", "Cognito Identity")])
def test_what_a_caller_says_of_itself_has_to_be_json(field, name):
    invocation = Invocation("id-1", 0, b"{}").replace(**{field: "{"})
    with pytest.raises(RuntimeFault, match=f"Unable to parse {name} JSON: ") as fault:
        context_of(invocation, LambdaContext)
    assert fault.value.type == "Runtime.LambdaContextUnmarshalError"


def test_the_log_takes_anything_as_it_is(capsys):
    LambdaContext("id", None, None, 0).log({"a": 1})
    assert capsys.readouterr().out == "{'a': 1}"
