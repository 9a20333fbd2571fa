"""Who may manage keys, and which admin keys are refused."""

import secrets

import pytest

from lambdallm.gateway.keys import Admins, caller_arn
from lambdallm.llm.errors import ConfigurationError

WEAK = [
    "", "admin", "sk-1234", "changeme", "x" * 64, "changeme" * 8, "abcdefghijklmnopqrstuvwxyz0123456789",
    "12345678901234567890123456789012", "passwordpasswordpasswordpassword", "aabbaabbaabbaabbabababababababbabab",
    "a key with spaces that is quite long", "schlüssel-" + "kX9qZ" * 8, "short-aZ9qX7pL2mN4",
    "qaxqxaqaxaxqaqxqxaxqaqxaxqxaqaxqxa",
]  # fmt: skip


@pytest.mark.parametrize("key", WEAK)
def test_a_weak_admin_key_is_refused_and_not_quoted(key):
    with pytest.raises(ConfigurationError) as caught:
        Admins({"ops": key})
    assert not key or repr(key) not in str(caught.value)
    assert "secrets.token_urlsafe(32)" in str(caught.value)


def test_keys_as_the_error_says_to_make_them_are_taken():
    for _ in range(500):
        Admins(secrets.token_urlsafe(32))
        Admins(secrets.token_hex(32))


def test_a_gateway_without_any_administrator_is_refused():
    with pytest.raises(ConfigurationError, match="no admin key"):
        Admins()


@pytest.mark.parametrize("arn", ["*", "arn:aws:iam::*:user/a", "arn:aws:s3:::b", "arn:aws:iam::123456789012", "admin"])
def test_patterns_that_could_mean_anybody_are_refused(arn):
    with pytest.raises(ConfigurationError, match="no ARN"):
        Admins(arns=[arn])


def test_the_arn_is_read_from_the_events_of_function_urls_and_both_apis():
    arn = "arn:aws:iam::123456789012:user/erin"
    url = {"requestContext": {"http": {}, "authorizer": {"iam": {"userArn": arn}}}}
    rest = {"requestContext": {"identity": {"userArn": arn, "sourceIp": "10.0.0.1"}}}
    assert caller_arn(url) == caller_arn(rest) == arn


@pytest.mark.parametrize(
    "event",
    [
        {}, {"requestContext": None}, {"requestContext": {"identity": {"userArn": None}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {"userArn": "x"}}}}},
        {"requestContext": {"authorizer": {"iam": "arn:aws:iam::123456789012:user/erin"}}},
        {"headers": {"userArn": "arn:aws:iam::123456789012:user/erin"}},
    ],
)  # fmt: skip
def test_events_that_nobody_signed_have_none(event):
    assert caller_arn(event) == ""
