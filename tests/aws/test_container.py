"""The container endpoint: what may be asked, with which token, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambdallm.aws.container import container_request, read_container_reply
from lambdallm.aws.credentials import CredentialCache, Credentials, credentials_flow, epoch_seconds
from lambdallm.aws.errors import AwsError, CredentialsRefused, CredentialsUnavailable
from lambdallm.transport.types import HttpResponse, find_header

if TYPE_CHECKING:
    from typing import Any

Body = Callable[..., bytes]
Run = Callable[..., Credentials]

RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
NOW = epoch_seconds("2029-12-31T00:00:00Z")


# --- the request ----------------------------------------------------------------------------------------------------


def test_without_either_variable_there_is_nothing_to_ask() -> None:
    assert container_request({}) is None
    assert container_request({RELATIVE: "", FULL: ""}) is None


def test_a_relative_uri_goes_to_the_address_of_ecs_and_wins_over_a_full_one() -> None:
    request = container_request({RELATIVE: "/v2/credentials/1?id=2", FULL: "http://localhost/other"})
    assert request is not None
    assert (request.method, request.url) == ("GET", "http://169.254.170.2/v2/credentials/1?id=2")
    assert request.headers == (("Accept", "application/json"),)


@pytest.mark.parametrize("path", ["@evil.example/", ".evil.example/", "v2/credentials", "/a b", "/\r\nX: 1", "/\\x"])
def test_a_relative_uri_that_could_change_the_host_or_the_request_is_refused(path: str) -> None:
    with pytest.raises(CredentialsRefused, match=r"is not a path\. Let it start with '/'"):
        container_request({RELATIVE: path})


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/get",
        "http://LOCALHOST:8080/get",
        "http://127.0.0.1:9001/2021-10-23/credentials",
        "http://127.255.3.4/get",
        "http://[::1]:8080/get",
        "http://[::1]/get",
        "http://169.254.170.2/get",
        "http://169.254.170.23/v1/credentials",
        "http://[fd00:ec2::23]/v1/credentials",
        "http://[FD00:EC2::23]:80/v1/credentials",
        "HTTP://127.0.0.1?a=/b",
        "https://credentials.example.com/get",
        "https://10.0.0.1:8443/get",
    ],
)
def test_https_loopback_and_aws_s_own_addresses_may_be_asked(url: str) -> None:
    request = container_request({FULL: url})
    assert request is not None
    assert request.url == url


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/get",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/get",
        "http://127.0.0.1.evil.example/get",
        "http://127.evil.example.x/get",
        "http://127.0.0.256/get",
        "http://localhost.evil.example/get",
        "http://127.0.0.1@evil.example/get",
        "http://127.0.0.1:80@evil.example/get",
        "http://evil.example#@127.0.0.1/get",
        "http://evil.example?@127.0.0.1/get",
        "http://evil.example\\@127.0.0.1/get",
        "http://evil.example\t@127.0.0.1/",
        "https://user@credentials.example.com/get",
        "http:///get",
        "http:127.0.0.1/get",
        "//127.0.0.1/get",
        "ftp://127.0.0.1/get",
        "file:///etc/passwd",
        "http://[::2]/get",
        "http://0.0.0.0/get",
        "http://127.0.0.1:²/get",
        "127.0.0.1:80/get",
    ],
)
def test_any_other_host_or_scheme_is_refused(url: str) -> None:
    with pytest.raises(CredentialsRefused, match=FULL):
        container_request({FULL: url, TOKEN: "fake-token"})


def test_the_token_goes_into_the_authorization_header() -> None:
    request = container_request({FULL: "http://localhost/", TOKEN: "Basic fake-token"})
    assert request is not None
    assert find_header(request.headers, "Authorization") == "Basic fake-token"
    assert "fake-token" not in repr(request)


def test_a_token_file_wins_and_is_read_again_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    environ = {FULL: "http://localhost/", TOKEN: "unused", TOKEN_FILE: str(file)}
    for token in ("fake-one", "fake-two"):
        file.write_text(token)
        request = container_request(environ)
        assert request is not None
        assert find_header(request.headers, "Authorization") == token


@pytest.mark.parametrize("token", ["secret\r\nX-Evil: 1", "secret\n", "secret\r", "secret\x00", "secrét"])
def test_a_token_that_no_header_may_carry_is_refused_and_not_shown(token: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(token.encode())
    for environ in ({TOKEN: token}, {TOKEN_FILE: str(file)}):
        with pytest.raises(CredentialsRefused, match="one line with no line break") as refused:
            container_request({FULL: "http://localhost/"} | environ)
        assert "secr" not in str(refused.value)
        assert f"from {next(iter(environ))} is" in str(refused.value)


def test_a_token_file_that_is_missing_empty_or_binary_is_an_error_that_names_it(tmp_path: Path) -> None:
    def ask() -> None:
        container_request({FULL: "http://localhost/", TOKEN_FILE: str(file)})

    file = tmp_path / "token"
    with pytest.raises(CredentialsRefused, match=r"token'.*No such file or directory\. Check the path"):
        ask()
    file.write_bytes(b"")
    with pytest.raises(CredentialsRefused, match="is empty"):
        ask()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(CredentialsRefused, match="not text"):
        ask()


# --- the reply ------------------------------------------------------------------------------------------------------


def test_a_full_reply_becomes_credentials(body: Body) -> None:
    assert read_container_reply(HttpResponse(200, (), body())) == Credentials(
        "ASIAEXAMPLE0001", "fake-container-secret", "fake-container-token", 1893456000.0
    )


def test_token_and_expiration_may_be_missing(body: Body) -> None:
    reply = HttpResponse(200, (), body(Token=None, Expiration=None))
    assert read_container_reply(reply) == Credentials("ASIAEXAMPLE0001", "fake-container-secret")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "has no AccessKeyId"),
        (b"<html>", "has no AccessKeyId"),
        (b"[]", "has no AccessKeyId"),
        (b"\xff\xfe\x00", "has no AccessKeyId"),
        (b"[" * 100_000, "has no AccessKeyId"),
        (b'{"AccessKeyId": "ASIAEXAMPLE0001"}', "has no SecretAccessKey"),
        (b'{"AccessKeyId": null, "SecretAccessKey": "fake-secret"}', "has no AccessKeyId"),
        (b'{"AccessKeyId": 12, "SecretAccessKey": "fake-secret"}', "holds no text in AccessKeyId"),
        (b'{"AccessKeyId": "A", "SecretAccessKey": "fake-secret", "Expiration": 12}', "holds no text in Expiration"),
    ],
)
def test_a_reply_without_credentials_is_refused_and_not_quoted(text: bytes, problem: str) -> None:
    with pytest.raises(CredentialsRefused, match=problem) as refused:
        read_container_reply(HttpResponse(200, (), text))
    assert "fake-secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, CredentialsRefused) for status in (302, 400, 401, 404)),
        *((status, CredentialsUnavailable) for status in (429, 500, 503)),
    ],
)
def test_a_status_says_whether_trying_again_may_help(status: int, kind: type[AwsError]) -> None:
    reply = HttpResponse(status, (), b'{"code": "InvalidToken", "message": "fake-secret"}')
    with pytest.raises(kind, match=rf"status {status} \(InvalidToken\)") as refused:
        read_container_reply(reply)
    assert "fake-secret" not in str(refused.value)


def test_an_error_code_that_is_not_a_word_is_not_quoted() -> None:
    with pytest.raises(CredentialsRefused, match=r"status 400\. Check"):
        read_container_reply(HttpResponse(400, (), b'{"code": "a b\\nc"}'))


# --- over a real connection -----------------------------------------------------------------------------------------


def test_credentials_come_from_a_real_endpoint_with_a_token_that_rotates(
    endpoint: Any, run: Run, cache: CredentialCache, body: Body, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    environ = {FULL: endpoint.url, TOKEN_FILE: str(file), "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    endpoint.replies = [(200, body()), (200, body(AccessKeyId="ASIAEXAMPLE0002", Expiration="2030-01-01T06:00:00Z"))]

    file.write_text("fake-one")
    assert run(credentials_flow(cache, environ, NOW)).access_key == "ASIAEXAMPLE0001"
    assert run(credentials_flow(cache, environ, NOW + 60)).access_key == "ASIAEXAMPLE0001"
    file.write_text("fake-two")
    assert run(credentials_flow(cache, environ, 1893456000.0 - 10)).access_key == "ASIAEXAMPLE0002"

    assert endpoint.seen == [("/v1/credentials", "fake-one"), ("/v1/credentials", "fake-two")]


def test_a_real_endpoint_s_refusal_is_an_error(endpoint: Any, run: Run, cache: CredentialCache) -> None:
    endpoint.replies = [(403, b'{"code": "AccessDenied"}')]
    with pytest.raises(CredentialsRefused, match=r"status 403 \(AccessDenied\)"):
        run(credentials_flow(cache, {FULL: endpoint.url}, NOW))


def test_an_endpoint_that_nobody_serves_is_unavailable(endpoint: Any, run: Run, cache: CredentialCache) -> None:
    endpoint.server_close()
    with pytest.raises(CredentialsUnavailable, match=r"did not answer: .*Check that the agent") as unavailable:
        run(credentials_flow(cache, {FULL: endpoint.url + "?id=fake-secret"}, NOW))
    assert "fake-secret" not in str(unavailable.value)
