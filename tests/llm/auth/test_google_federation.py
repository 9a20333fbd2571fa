"""A function on AWS becomes a Google identity without a Google key."""

import json
from urllib.parse import parse_qs, unquote

import pytest

from lambdallm.llm.auth.google import google_token
from lambdallm.llm.errors import ConfigurationError, LLMAuthenticationError, MissingKeyError
from lambdallm.llm.flow import Send
from lambdallm.testing.script import Script
from lambdallm.transport.types import HttpResponse

FEDERATED = HttpResponse(200, body=b'{"access_token": "sts-token", "expires_in": 3600}')
ACTING = HttpResponse(200, body=b'{"accessToken": "acting-token", "expireTime": "2023-11-14T23:13:20Z"}')
AUDIENCE = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/aws"
AWS = {
    "type": "external_account",
    "audience": AUDIENCE,
    "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
    "token_url": "https://sts.googleapis.com/v1/token",
    "credential_source": {
        "environment_id": "aws1",
        "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    },
}
LAMBDA = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "not-a-secret", "AWS_SESSION_TOKEN": "session",
    "AWS_REGION": "eu-central-1",
}  # fmt: skip


def asked(replies, info, environ):
    script = Script(replies, environ)
    named = {**environ, "GOOGLE_APPLICATION_CREDENTIALS": json.dumps(info)}
    return script.run(google_token(named)), [effect.request for effect in script.of(Send)]


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_a_role_proves_itself_by_a_signed_request_that_google_may_send():
    token, (request,) = asked([FEDERATED], AWS, LAMBDA)
    fields = form(request)
    assert (token.value, request.url) == ("sts-token", "https://sts.googleapis.com/v1/token")
    assert fields["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert fields["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert (fields["audience"], fields["subject_token_type"]) == (AUDIENCE, AWS["subject_token_type"])
    proof = json.loads(unquote(fields["subject_token"]))
    assert proof["url"] == "https://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
    assert proof["method"] == "POST"
    headers = {line["key"].lower(): line["value"] for line in proof["headers"]}
    assert headers["x-goog-cloud-target-resource"] == AUDIENCE
    assert headers["host"] == "sts.eu-central-1.amazonaws.com"
    assert headers["x-amz-security-token"] == "session"
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token;x-goog-cloud-target-resource" in headers["authorization"]


def test_the_signed_request_is_the_one_that_botocore_signs():
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    _, (request,) = asked([FEDERATED], AWS, LAMBDA)
    proof = json.loads(unquote(form(request)["subject_token"]))
    ours = {line["key"].lower(): line["value"] for line in proof["headers"]}
    theirs = AWSRequest("POST", proof["url"], {"host": ours["host"], "x-goog-cloud-target-resource": AUDIENCE})
    auth = SigV4Auth(Credentials("AKIDEXAMPLE", "not-a-secret", "session"), "sts", "eu-central-1")
    theirs.context["timestamp"] = ours["x-amz-date"]
    theirs.headers["X-Amz-Date"] = ours["x-amz-date"]
    theirs.headers["X-Amz-Security-Token"] = "session"
    signature = auth.signature(auth.string_to_sign(theirs, auth.canonical_request(theirs)), theirs)
    assert ours["authorization"].endswith(f"Signature={signature}")


def test_a_service_account_is_impersonated_where_the_configuration_says_so():
    url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/r@p.iam.gserviceaccount.com:generateAccessToken"
    info = {**AWS, "service_account_impersonation_url": url}
    token, (_, request) = asked([FEDERATED, ACTING], info, LAMBDA)
    assert (token.value, token.expires_at) == ("acting-token", 1_700_003_600)
    assert (request.url, dict(request.headers)["Authorization"]) == (url, "Bearer sts-token")
    assert json.loads(request.body)["scope"] == ["https://www.googleapis.com/auth/cloud-platform"]


def test_a_token_in_a_file_is_a_proof_too(tmp_path):
    (tmp_path / "token").write_text('{"jwt": "from-elsewhere"}')
    source = {"file": str(tmp_path / "token"), "format": {"type": "json", "subject_token_field_name": "jwt"}}
    info = {**AWS, "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": source}
    _, (request,) = asked([FEDERATED], info, {})
    assert form(request)["subject_token"] == "from-elsewhere"


def test_other_credentials_may_act_as_an_account():
    source = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}
    url = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/r:generateAccessToken"
    info = {
        "type": "impersonated_service_account",
        "source_credentials": source,
        "service_account_impersonation_url": url,
        "delegates": ["d"],
    }
    token, (_, request) = asked([FEDERATED, ACTING], info, {})
    assert token.value == "acting-token"
    assert json.loads(request.body)["delegates"] == ["d"]


@pytest.mark.parametrize(
    ("info", "replies", "error", "message"),
    [
        ({**AWS, "credential_source": {"executable": {}}}, [], ConfigurationError, "not supported"),
        ({**AWS, "token_url": "http://sts.example"}, [], ConfigurationError, "'token_url' in .* is no HTTPS URL"),
        (AWS, [HttpResponse(400, body=b'{"error": "invalid_target"}')], LLMAuthenticationError, r"\(invalid_target\)"),
        ({"type": "impersonated_service_account"}, [], ConfigurationError, "no 'source_credentials'"),
        (
            {**AWS, "service_account_impersonation_url": "https://iam.example"},
            [FEDERATED, HttpResponse(403, body=b'{"error": {"status": "PERMISSION_DENIED"}}')],
            LLMAuthenticationError,
            r"PERMISSION_DENIED.*Token Creator",
        ),
    ],
)
def test_what_fails_says_where(info, replies, error, message):
    with pytest.raises(error, match=message) as caught:
        asked(replies, info, LAMBDA)
    assert "not-a-secret" not in str(caught.value)


def test_a_role_that_is_not_there_is_said_in_aws_s_words(monkeypatch):
    monkeypatch.setattr("lambdallm.aws.botocore_chain.find_chain", lambda environ: None)
    with pytest.raises(MissingKeyError, match="AWS"):
        asked([], AWS, {"AWS_REGION": "eu-central-1"})
