"""What all services share: where they are, what is tried again, and what a refusal says."""

import json

import pytest

import servers
from lambdallm.llm.backends import BackendError
from lambdallm.llm.errors import ProviderConnectionError, ProviderTimeoutError
from lambdallm.llm.flow import Send, Sleep
from lambdallm.llm.services import JsonService, LambdaFunction, ParameterStore, S3Bucket, SecretsManager, ServiceError
from lambdallm.llm.services.parameters import SSM
from lambdallm.llm.services.regions import domain_of, named_endpoint
from lambdallm.testing import Script
from lambdallm.transport.types import HttpResponse

THROTTLED = HttpResponse(400, body=b'{"__type":"ThrottlingException","message":"Rate exceeded"}')
BROKEN = HttpResponse(500, body=b'{"__type":"InternalServerError"}')


@pytest.mark.parametrize(
    ("region", "domain"),
    [
        ("eu-central-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("us-iso-east-1", "c2s.ic.gov"),
        ("us-isob-east-1", "sc2s.sgov.gov"),
        ("eusc-de-east-1", "amazonaws.eu"),
    ],
)
def test_each_partition_has_its_domain(region, domain):
    assert domain_of(region) == domain


def test_domains_are_those_botocore_knows():
    from botocore.session import Session

    loader = Session().get_component("data_loader")
    for partition in loader.load_data("partitions")["partitions"]:
        for region in partition["regions"]:
            if region[:3] != "aws":  # `aws-global` is no region of a service
                assert domain_of(region) == partition["outputs"]["dnsSuffix"], region


def test_a_named_endpoint_wins_and_the_services_own_variable_over_the_general_one():
    environ = {"AWS_ENDPOINT_URL": "http://all:1/", "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://own:2"}
    assert named_endpoint("SECRETS_MANAGER", "http://given:3/", environ) == "http://given:3"
    assert named_endpoint("SECRETS_MANAGER", None, environ) == "http://own:2"
    assert named_endpoint("SSM", None, environ) == "http://all:1"
    assert named_endpoint("SSM", None, {}) is None


def test_configured_endpoints_can_be_ignored():
    environ = {"AWS_ENDPOINT_URL": "http://all:1", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    assert named_endpoint("SSM", None, environ) is None
    assert named_endpoint("SSM", "http://given:3", environ) == "http://given:3"


def service(**options):
    return JsonService(SSM, jitter=lambda: 1.0, **options)


@pytest.mark.parametrize("reply", [THROTTLED, BROKEN, HttpResponse(200, body=b"<html>"), ProviderTimeoutError("No.")])
def test_what_passes_is_tried_again_with_longer_and_longer_waits(reply):
    script = Script([reply, reply, reply, HttpResponse(200, body=b'{"a":1}')], servers.AWS)
    assert script.run(service().call("X", {})) == {"a": 1}
    assert [effect.seconds for effect in script.of(Sleep)] == [0.025, 0.05, 0.1]


@pytest.mark.parametrize("reply", [BROKEN, HttpResponse(200, body=b"<html>"), ProviderConnectionError("It broke.")])
def test_what_may_have_been_done_is_not_repeated_when_told_so(reply):
    with pytest.raises(ServiceError) as failed:
        Script([reply], servers.AWS).run(service().call("X", {}, again=False))
    assert not failed.value.refused


def test_what_was_surely_not_done_is_repeated_all_the_same():
    script = Script([THROTTLED, HttpResponse(429), HttpResponse(200)], servers.AWS)
    assert script.run(service().call("X", {}, again=False)) == {}


def test_all_tries_are_within_the_time_allowed():
    script = Script([BROKEN] * 50, servers.AWS)
    with pytest.raises(ServiceError):
        script.run(service(timeout_seconds=2.0).call("X", {}))
    assert sum(effect.seconds for effect in script.of(Sleep)) <= 2.0
    assert {effect.timeouts.deadline for effect in script.of(Send)} == {1_002.0}


def test_a_refusal_that_stays_is_told_at_once_with_what_support_asks_for():
    body = b'{"__type":"com.amazon#ValidationException","Message":"Name is\\n too long."}'
    reply = HttpResponse(400, (("x-amzn-RequestId", "r-1"),), body)
    with pytest.raises(BackendError) as failed:
        Script([reply], servers.AWS).run(service().call("GetParameter", {}, on="/a"))
    told = "SSM refused GetParameter of '/a': Name is too long (HTTP 400, ValidationException, request r-1)."
    assert str(failed.value).startswith(told)
    error = failed.value
    assert (error.code, error.status, error.request_id, error.retryable) == ("ValidationException", 400, "r-1", False)


DENIED = json.dumps({"__type": "AccessDeniedException", "message": "User is not authorized"}).encode()
S3_DENIED = b"<?xml version='1.0'?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.mark.parametrize(
    ("flow", "body", "permission"),
    [
        (ParameterStore().get("/a"), DENIED, "Allow the function's role ssm:GetParameter on '/a'."),
        (SecretsManager().get("s"), DENIED, "Allow the function's role secretsmanager:GetSecretValue on 's'."),
        (LambdaFunction("f").start(), DENIED, "Allow the function's role lambda:InvokeFunction on 'f'."),
        (S3Bucket("b").delete("k"), S3_DENIED, "Allow the function's role s3:DeleteObject on 'b/k'."),
    ],
)
def test_a_missing_permission_is_named(flow, body, permission):
    with pytest.raises(ServiceError) as failed:
        Script([HttpResponse(403, body=body)], servers.AWS).run(flow)
    assert failed.value.fix == permission


def test_a_missing_permission_to_decrypt_is_named_too():
    said = "The ciphertext refers to a KMS key that does not exist, or access is denied"
    reply = HttpResponse(400, body=json.dumps({"__type": "AccessDeniedException", "Message": said}).encode())
    with pytest.raises(ServiceError, match="and kms:Decrypt on its key"):
        Script([reply], servers.AWS).run(ParameterStore().get("/a"))


@pytest.mark.parametrize(
    ("code", "fix"),
    [
        ("UnrecognizedClientException", "Check the credentials."),
        ("ExpiredTokenException", "Get new credentials"),
        ("InvalidSignatureException", "clock"),
    ],
)
def test_wrong_credentials_say_what_to_do(code, fix):
    reply = HttpResponse(400, body=json.dumps({"__type": code}).encode())
    with pytest.raises(ServiceError, match=fix):
        Script([reply], servers.AWS).run(service().call("X", {}))


def test_a_code_in_a_header_counts_where_the_body_has_none():
    reply = HttpResponse(404, (("x-amzn-ErrorType", "ResourceNotFoundException:http://internal.amazon.com/"),))
    with pytest.raises(ServiceError, match="Deploy the function") as failed:
        Script([reply], servers.AWS).run(LambdaFunction("f").invoke())
    assert failed.value.code == "ResourceNotFoundException"


def test_no_credentials_are_said_before_anything_is_sent(monkeypatch):
    monkeypatch.setattr("lambdallm.aws.botocore_chain.find_chain", lambda _: None)
    script = Script([], {"AWS_REGION": "us-east-1"})
    with pytest.raises(Exception, match=r"AWS credentials|AWS_ACCESS_KEY_ID"):
        script.run(service().call("X", {}))
    assert not script.of(Send)
