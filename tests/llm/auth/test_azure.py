"""Microsoft Entra ID: an application's secret, a federated token, a managed identity."""

from urllib.parse import parse_qs

import pytest

from lambdallm.llm.auth.azure import azure_token
from lambdallm.llm.errors import ConfigurationError, LLMAuthenticationError, MissingKeyError, ProviderConnectionError
from lambdallm.llm.flow import Send
from lambdallm.testing.script import Script
from lambdallm.transport.types import HttpResponse

TOKEN = HttpResponse(200, body=b'{"token_type": "Bearer", "expires_in": 3599, "access_token": "eyJ0.token"}')
IDENTITY = HttpResponse(200, body=b'{"access_token": "eyJ0.mi", "expires_on": "1700003600", "resource": "r"}')
APPLICATION = {"AZURE_TENANT_ID": "my-tenant", "AZURE_CLIENT_ID": "client-id", "AZURE_CLIENT_SECRET": "not~a secret"}


def asked(replies, environ, **options):
    script = Script(replies, environ)
    token = script.run(azure_token(environ, **options))
    return token, [effect.request for effect in script.of(Send)]


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def test_an_application_s_secret():
    token, (request,) = asked([TOKEN], APPLICATION)
    assert request.url == "https://login.microsoftonline.com/my-tenant/oauth2/v2.0/token"
    assert form(request) == {
        "grant_type": "client_credentials",
        "client_id": "client-id",
        "client_secret": "not~a secret",
        "scope": "https://cognitiveservices.azure.com/.default",
    }
    assert (token.value, token.expires_at) == ("eyJ0.token", 1_700_003_599)


def test_another_cloud_and_another_scope():
    environ = {**APPLICATION, "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}
    _, (request,) = asked([TOKEN], environ, scope="https://ai.azure.com/.default")
    assert request.url == "https://login.microsoftonline.us/my-tenant/oauth2/v2.0/token"
    assert form(request)["scope"] == "https://ai.azure.com/.default"


def test_a_federated_token_is_read_from_its_file(tmp_path):
    (tmp_path / "token").write_text("the.jwt\n")
    environ = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}
    _, (request,) = asked([TOKEN], environ)
    assert form(request)["client_assertion"] == "the.jwt"
    assert form(request)["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_the_identity_of_an_app():
    environ = {
        "IDENTITY_ENDPOINT": "http://169.254.130.1:8081/msi/token",
        "IDENTITY_HEADER": "mark",
        "AZURE_CLIENT_ID": "c",
    }
    token, (request,) = asked([IDENTITY], environ)
    assert request.url == (
        "http://169.254.130.1:8081/msi/token?api-version=2019-08-01"
        "&resource=https%3A%2F%2Fcognitiveservices.azure.com&client_id=c"
    )
    assert request.headers == (("X-IDENTITY-HEADER", "mark"),)
    assert (token.value, token.expires_at) == ("eyJ0.mi", 1_700_003_600)


def test_the_identity_of_a_machine():
    token, (request,) = asked([IDENTITY], {})
    assert request.url == (
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
        "&resource=https%3A%2F%2Fcognitiveservices.azure.com"
    )
    assert request.headers == (("Metadata", "true"),)
    assert token.value == "eyJ0.mi"


@pytest.mark.parametrize(
    "reply", [ProviderConnectionError("no route"), HttpResponse(404), HttpResponse(200, body=b"<html>")]
)
def test_no_machine_s_identity_means_that_nothing_is_configured(reply):
    with pytest.raises(MissingKeyError, match="AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"):
        asked([reply], {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AZURE_TENANT_ID": ""}, "AZURE_TENANT_ID is not set"),
        ({"AZURE_TENANT_ID": "a/b?c"}, "AZURE_TENANT_ID is 'a/b.c', which is no ID"),
        ({"AZURE_AUTHORITY_HOST": "http://evil.example"}, "AZURE_AUTHORITY_HOST"),
    ],
)
def test_half_a_configuration_is_an_error(change, message):
    with pytest.raises(ConfigurationError, match=message) as caught:
        asked([], {**APPLICATION, **change})
    assert "not~a secret" not in str(caught.value)


def test_a_refusal_names_the_code():
    with pytest.raises(LLMAuthenticationError, match=r"Entra ID answered with status 401 \(invalid_client\)"):
        asked(
            [HttpResponse(401, body=b'{"error": "invalid_client", "error_description": "AADSTS7000215"}')], APPLICATION
        )
