"""Google's application default credentials: what is asked where, and what is said when nothing fits."""

import base64
import json
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from lambdallm.llm.auth.google import google_project, google_token
from lambdallm.llm.errors import (
    ConfigurationError,
    LLMAuthenticationError,
    MissingKeyError,
    ProviderConnectionError,
    ProviderServerError,
)
from lambdallm.llm.flow import Send, Sleep
from lambdallm.testing.script import Script
from lambdallm.transport.types import HttpResponse

TOKEN = HttpResponse(200, body=b'{"access_token": "ya29.token", "expires_in": 3599, "token_type": "Bearer"}')
METADATA = HttpResponse(200, (("Metadata-Flavor", "Google"),), TOKEN.body)


def asked(replies, environ, **options):
    """The token, and the script that played the world."""
    script = Script(replies, environ)
    return script.run(google_token(environ, **options)), script


def form(request):
    return {name: values[0] for name, values in parse_qs(request.body.decode()).items()}


def unsegmented(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class TestServiceAccount:
    def test_an_assertion_signed_with_its_key_is_exchanged(self, account, credentials_file, rsa_key):
        token, script = asked([TOKEN], {"GOOGLE_APPLICATION_CREDENTIALS": credentials_file(account)})
        assert (token.value, token.expires_at) == ("ya29.token", 1_700_000_000 + 3599)
        (sent,) = script.of(Send)
        assert (sent.request.method, sent.request.url) == ("POST", "https://oauth2.googleapis.com/token")
        assert form(sent.request)["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
        header, claims, signature = form(sent.request)["assertion"].split(".")
        assert json.loads(unsegmented(header)) == {"alg": "RS256", "typ": "JWT", "kid": "abc123"}
        assert json.loads(unsegmented(claims)) == {
            "iss": "robot@my-project.iam.gserviceaccount.com",
            "scope": "https://www.googleapis.com/auth/cloud-platform",
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_700_000_000,
            "exp": 1_700_003_600,
        }
        signed = f"{header}.{claims}".encode()
        rsa_key.public_key().verify(unsegmented(signature), signed, padding.PKCS1v15(), hashes.SHA256())

    @pytest.mark.parametrize("name", ["GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CREDENTIALS"])
    def test_the_json_itself_may_stand_in_the_variable(self, account, name):
        assert asked([TOKEN], {name: json.dumps(account)})[0].value == "ya29.token"

    def test_the_project_is_the_account_s(self, account):
        assert google_project({"GOOGLE_APPLICATION_CREDENTIALS": json.dumps(account)}) == "my-project"
        assert google_project({}) is None

    def test_a_refusal_names_the_account_and_no_secret(self, account):
        refusal = HttpResponse(400, body=b'{"error": "invalid_grant", "error_description": "Invalid JWT Signature."}')
        with pytest.raises(LLMAuthenticationError, match=r"robot@my-project.*status 400 \(invalid_grant\)") as caught:
            asked([refusal], {"GOOGLE_APPLICATION_CREDENTIALS": json.dumps(account)})
        assert "PRIVATE" not in str(caught.value)

    def test_a_passing_failure_is_tried_again(self, account):
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": json.dumps(account)}
        token, script = asked([HttpResponse(503), ProviderConnectionError("reset"), TOKEN], environ)
        assert token.value == "ya29.token"
        assert len(script.of(Sleep)) == 2
        with pytest.raises(ProviderServerError, match="status 503"):
            asked(
                [HttpResponse(503)] * 3, {**environ, "GOOGLE_APPLICATION_CREDENTIALS": json.dumps({**account, "x": 1})}
            )


class TestMistakes:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"},
                "'private_key' in GOOGLE",
            ),
            ({"private_key": None}, "no 'private_key'"),
            ({"client_email": ""}, "no 'client_email'"),
            ({"token_uri": "http://evil.example/token"}, "'token_uri' in GOOGLE_APPLICATION_CREDENTIALS is no HTTPS"),
            ({"token_uri": "http://127.0.0.1:80@evil.example"}, "no HTTPS URL"),
            ({"type": "magic"}, "credentials of type 'magic'"),
        ],
    )
    def test_an_unusable_file_is_named_with_what_is_wrong(self, account, change, message):
        with pytest.raises(ConfigurationError, match=message):
            asked([], {"GOOGLE_APPLICATION_CREDENTIALS": json.dumps({**account, **change})})

    def test_a_missing_file_is_named(self):
        with pytest.raises(
            ConfigurationError, match=r"GOOGLE_APPLICATION_CREDENTIALS is '/no/such.json'.*No such file"
        ):
            asked([], {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such.json"})

    @pytest.mark.parametrize("content", ["[1]", "{}", '{"type": 3}', "not json"])
    def test_a_file_that_holds_no_credentials_is_named_and_not_quoted(self, tmp_path, content):
        (tmp_path / "key").write_text(content)
        with pytest.raises(ConfigurationError, match="holds no Google credentials") as caught:
            asked([], {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "key")})
        assert content not in str(caught.value)

    @pytest.mark.parametrize("body", [b"", b"[]", b'{"access_token": 3}', b'{"access_token": "a\\nb"}'])
    def test_an_answer_without_a_usable_token_is_an_error(self, account, body):
        with pytest.raises(LLMAuthenticationError, match="sent no token"):
            asked([HttpResponse(200, body=body)], {"GOOGLE_APPLICATION_CREDENTIALS": json.dumps(account)})


def test_a_person_s_refresh_token_is_exchanged_with_whose_quota_to_use(tmp_path):
    person = {"type": "authorized_user", "client_id": "id", "client_secret": "s", "refresh_token": "r",
              "quota_project_id": "mine"}  # fmt: skip
    (tmp_path / "application_default_credentials.json").write_text(json.dumps(person))
    token, script = asked([TOKEN], {"CLOUDSDK_CONFIG": str(tmp_path)})
    (sent,) = script.of(Send)
    assert form(sent.request) == {
        "grant_type": "refresh_token", "client_id": "id", "client_secret": "s", "refresh_token": "r",
    }  # fmt: skip
    assert token.headers == (("x-goog-user-project", "mine"),)


def test_gcloud_s_file_is_found_below_the_home_folder(tmp_path):
    folder = tmp_path / ".config" / "gcloud"
    folder.mkdir(parents=True)
    person = {"type": "authorized_user", "client_id": "id", "client_secret": "s", "refresh_token": "r"}
    (folder / "application_default_credentials.json").write_text(json.dumps(person))
    assert asked([TOKEN], {"HOME": str(tmp_path)})[0].headers == ()


class TestMetadataServer:
    def test_it_is_asked_when_nothing_is_configured(self):
        token, script = asked([METADATA], {})
        (sent,) = script.of(Send)
        assert sent.request.url == (
            "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
            "?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
        )
        assert ("Metadata-Flavor", "Google") in sent.request.headers
        assert token.value == "ya29.token"

    @pytest.mark.parametrize(
        "reply", [ProviderConnectionError("no route"), HttpResponse(404), TOKEN, HttpResponse(503)]
    )
    def test_none_or_another_cloud_s_means_that_nothing_is_configured(self, reply):
        with pytest.raises(MissingKeyError, match="GOOGLE_APPLICATION_CREDENTIALS"):
            asked([reply], {})

    def test_one_that_is_named_must_answer(self):
        _, script = asked([METADATA], {"GCE_METADATA_HOST": "127.0.0.1:9"})
        assert script.of(Send)[0].request.url.startswith("http://127.0.0.1:9/computeMetadata/")
        with pytest.raises(ProviderConnectionError, match="metadata server did not answer"):
            asked([ProviderConnectionError("refused")], {"GCE_METADATA_HOST": "127.0.0.1:8"})

    def test_nobody_is_asked_where_that_is_switched_off(self):
        with pytest.raises(MissingKeyError):
            asked([], {"NO_GCE_CHECK": "true"})


def test_a_token_is_not_waited_for_beyond_the_deadline_of_its_call(account, credentials_file):
    """A function's last second is not spent on a token that nobody can use any more."""
    from lambdallm.llm.call import CallSettings
    from lambdallm.llm.catalog.loader import Catalog
    from lambdallm.llm.catalog.resolve import resolve
    from lambdallm.llm.pipeline import chat
    from lambdallm.llm.types import ChatMessage, ChatRequest

    answer = {"candidates": [{"content": {"parts": [{"text": "Hi."}]}, "finishReason": "STOP"}]}
    script = Script(
        [TOKEN, HttpResponse(200, body=json.dumps(answer).encode())],
        {"GOOGLE_APPLICATION_CREDENTIALS": credentials_file(account)},
    )
    target = resolve("vertex/gemini-2.5-flash", Catalog(environ={}, folders=()))
    request = ChatRequest("m", (ChatMessage("user", "Hi"),))
    assert script.run(chat(request, target, CallSettings(deadline=1_007.0))).unwrap().text == "Hi."
    assert [sent.timeouts.deadline for sent in script.of(Send)] == [1_007.0, 1_007.0]
