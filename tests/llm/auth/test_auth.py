"""Which scheme proves a call: the first whose key is there, in the order of the definition."""

import json
import threading
from base64 import urlsafe_b64decode
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from lambdallm.llm.auth import authorized
from lambdallm.llm.call import CallSettings
from lambdallm.llm.catalog.definition import AuthScheme, ProviderDefinition
from lambdallm.llm.catalog.loader import Catalog
from lambdallm.llm.clients.wire import AsyncWireClient, WireClient
from lambdallm.llm.errors import ConfigurationError, MissingKeyError, ProviderConnectionError
from lambdallm.llm.flow import Send
from lambdallm.testing.script import Script
from lambdallm.transport.types import HttpRequest, HttpResponse

REQUEST = HttpRequest("POST", "https://api.example/v1/chat", (("Content-Type", "application/json"),), b"{}")
BUILT_IN = Catalog(environ={}, folders=())
TOKEN = HttpResponse(200, body=b'{"access_token": "fetched", "expires_in": 3600}')
ROLE = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1"}
APPLICATION = {"AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}


def sent(provider, environ, key=None, replies=()):
    """The request with its proof."""
    return Script(replies, environ).run(authorized(REQUEST, provider, key, environ))


def proof(provider, environ, **options):
    """The headers that a provider's scheme added."""
    return dict(sent(provider, environ, **options).headers[1:])


def acme(*schemes):
    return ProviderDefinition("acme", "https://api.example", "openai_chat", auth=schemes)


class TestKeys:
    def test_a_bearer_key(self):
        assert proof(acme(AuthScheme("bearer", env=("A",))), {"A": "k"}) == {"Authorization": "Bearer k"}

    def test_a_bare_key_in_a_header_of_its_own(self):
        assert proof(acme(AuthScheme("header", header="x-api-key", env=("A",))), {"A": " k\n"}) == {"x-api-key": "k"}

    def test_a_key_in_the_query(self):
        assert sent(acme(AuthScheme("query", env=("A",))), {"A": "a b"}).url == "https://api.example/v1/chat?key=a%20b"

    def test_the_first_variable_that_is_set(self):
        assert proof(acme(AuthScheme("bearer", env=("A", "B"))), {"A": "", "B": "b"}) == {"Authorization": "Bearer b"}

    def test_the_first_scheme_whose_key_is_there(self):
        both = acme(AuthScheme("header", header="x-api-key", env=("A",)), AuthScheme("bearer", env=("B",)))
        assert proof(both, {"B": "b"}) == {"Authorization": "Bearer b"}
        assert proof(both, {"A": "a", "B": "b"}) == {"x-api-key": "a"}

    def test_a_key_that_is_given_wins(self):
        assert proof(acme(AuthScheme("bearer", env=("A",))), {"A": "a"}, key="given") == {
            "Authorization": "Bearer given"
        }

    def test_a_key_is_optional_where_none_is_a_scheme(self):
        local = acme(AuthScheme("bearer", env=("A",)), AuthScheme("none"))
        assert proof(local, {}) == {}
        assert proof(local, {"A": "a"}) == {"Authorization": "Bearer a"}

    def test_a_missing_key_names_every_place(self):
        both = acme(AuthScheme("header", header="x-api-key", env=("A",)), AuthScheme("bearer", env=("B",)))
        with pytest.raises(MissingKeyError, match="Set A or B, or pass api_key"):
            sent(both, {})

    def test_a_key_for_who_takes_none_is_an_error(self):
        with pytest.raises(ConfigurationError, match="'acme' takes no API key"):
            sent(acme(AuthScheme("none")), {}, key="k")


class TestAws:
    BEDROCK = BUILT_IN.provider("bedrock")

    def test_a_bedrock_key_comes_before_a_signature(self):
        found = proof(self.BEDROCK, {**ROLE, "AWS_BEARER_TOKEN_BEDROCK": "k"})
        assert found == {"Authorization": "Bearer k"}

    def test_without_one_the_request_is_signed(self):
        found = proof(self.BEDROCK, ROLE)
        assert "/us-east-1/bedrock/aws4_request" in found["Authorization"]

    def test_the_other_endpoint_is_another_service_to_sign_for(self):
        found = proof(BUILT_IN.provider("bedrock_mantle"), ROLE)
        assert "/us-east-1/bedrock-mantle/aws4_request" in found["Authorization"]


class TestFetchedTokens:
    def test_azure_takes_its_key_else_a_token_that_is_ready_else_fetches_one(self):
        azure = BUILT_IN.provider("azure")
        assert proof(azure, {"AZURE_OPENAI_API_KEY": "k", **APPLICATION}) == {"api-key": "k"}
        assert proof(azure, {"AZURE_OPENAI_AD_TOKEN": "t", **APPLICATION}) == {"Authorization": "Bearer t"}
        assert proof(azure, APPLICATION, replies=[TOKEN]) == {"Authorization": "Bearer fetched"}

    def test_vertex_takes_a_token_that_is_ready_or_given(self):
        vertex = BUILT_IN.provider("vertex")
        assert proof(vertex, {"GOOGLE_OAUTH_ACCESS_TOKEN": "t"}) == {"Authorization": "Bearer t"}
        assert proof(vertex, {}, key="given") == {"Authorization": "Bearer given"}

    def test_a_person_s_token_says_whose_quota_to_use(self):
        person = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r",
                  "quota_project_id": "mine"}  # fmt: skip
        environ = {"GOOGLE_APPLICATION_CREDENTIALS": json.dumps(person)}
        found = proof(BUILT_IN.provider("vertex"), environ, replies=[TOKEN])
        assert found == {"Authorization": "Bearer fetched", "x-goog-user-project": "mine"}

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("azure", "AZURE_CLIENT_SECRET.*AZURE_OPENAI_API_KEY or AZURE_OPENAI_AD_TOKEN"),
            ("vertex", "GOOGLE_APPLICATION_CREDENTIALS.*GOOGLE_OAUTH_ACCESS_TOKEN"),
        ],
    )
    def test_nothing_found_names_every_place(self, name, words):
        with pytest.raises(MissingKeyError, match=words):
            sent(BUILT_IN.provider(name), {}, replies=[ProviderConnectionError("no route")])

    def test_a_second_call_uses_the_token_in_hand(self):
        script = Script([TOKEN], APPLICATION)
        for _ in range(2):
            script.run(authorized(REQUEST, BUILT_IN.provider("azure"), None, APPLICATION))
        assert len(script.of(Send)) == 1


class TokenServer(BaseHTTPRequestHandler):
    """Google's token service: it issues a token for an assertion whose signature and claims are right."""

    def do_POST(self):
        fields = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        head, claims, signature = fields["assertion"][0].split(".")
        try:
            key = self.server.key.public_key()
            key.verify(decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
            told = json.loads(decoded(claims))
            answer = 200, {"access_token": f"for {told['iss']}".replace(" ", "-"), "expires_in": 3600}
        except InvalidSignature:
            answer = 400, {"error": "invalid_grant"}
        self.server.asked += 1
        body = json.dumps(answer[1]).encode()
        self.send_response(answer[0])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def decoded(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.fixture
def tokens(rsa_key):
    server = HTTPServer(("127.0.0.1", 0), TokenServer)
    server.key, server.asked = rsa_key, 0
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


MESSAGE = {
    "id": "m",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hello"}],
    "usage": {"input_tokens": 3, "output_tokens": 1},
}


def test_claude_on_vertex_over_real_sockets(account, credentials_file, tokens, provider, monkeypatch):
    """Key file → signed assertion → token → call, once for two calls, in both drivers."""
    account["token_uri"] = f"http://127.0.0.1:{tokens.server_port}/token"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", credentials_file(account))
    monkeypatch.setenv("VERTEX_BASE_URL", f"{provider.url}/projects/my-project/locations/global")
    provider.replies = [MESSAGE, MESSAGE]
    assert WireClient("vertex/claude-sonnet-4-6").chat("Hi").unwrap().text == "Hello"

    async def again():
        return await AsyncWireClient("vertex/claude-sonnet-4-6").chat("Hi")

    import asyncio

    assert asyncio.run(again()).unwrap().text == "Hello"
    path, headers, body = provider.received[1]
    assert path == ("/v1/projects/my-project/locations/global/publishers/anthropic/models/claude-sonnet-4-6:rawPredict")
    assert headers["Authorization"] == "Bearer for-robot@my-project.iam.gserviceaccount.com"
    assert body["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in body
    assert tokens.asked == 1


def test_settings_show_no_key():
    assert "secret" not in repr(CallSettings(api_key="secret"))
