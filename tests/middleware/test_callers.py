"""Whose request an event is: by what recognised the caller, else by the credentials shown."""

import pytest

from lambdallm.middleware import Principal
from lambdallm.middleware.callers import caller

from .worlds import http, http_v1

CLAIMS = {"sub": "ada", "iss": "https://issuer", "exp": "1"}


def authorized(event, **context):
    return {**event, "requestContext": {**event["requestContext"], **context}}


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (authorized(http(), authorizer={"jwt": {"claims": CLAIMS}}), ["token", "ada", "https://issuer"]),
        (authorized(http_v1(), authorizer={"claims": CLAIMS}), ["token", "ada", "https://issuer"]),
        (authorized(http_v1(), authorizer={"principalId": "ada", "at": 1}), ["authorizer", "ada"]),
        (authorized(http(), authorizer={"lambda": {"principalId": "ada"}}), ["authorizer", "ada"]),
        (authorized(http(), authorizer={"iam": {"userArn": "arn:ada"}}), ["iam", "arn:ada"]),
        (authorized(http_v1(), identity={"userArn": "arn:ada"}), ["iam", "arn:ada"]),
        (http(authorization="Bearer x"), ["shown", "Bearer x", None]),
        (http(x_api_key="k"), ["shown", None, "k"]),
        (http(), None),
        (authorized(http(), authorizer=None, identity=None), None),
        ({"detail": 1}, None),
        ("text", None),
    ],
)
def test_who_it_is(event, known):
    assert caller(event, None) == known


def test_a_new_token_of_the_same_subject_is_the_same_caller():
    first, second = (authorized(http(authorization=token), authorizer={"jwt": {"claims": CLAIMS}}) for token in "ab")
    assert caller(first, None) == caller(second, None)


def test_who_was_recognised_here_counts_first():
    event = authorized(http(authorization="x"), authorizer={"principalId": "gateway"})
    assert caller(event, Principal("ada", "jwt", CLAIMS)) == ["jwt", "ada", "https://issuer"]
