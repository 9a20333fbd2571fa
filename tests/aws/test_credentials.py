"""Where credentials come from, when they are asked for again, and that nothing shows them."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lambdallm.aws.credentials import (
    CredentialCache,
    Credentials,
    credentials_flow,
    epoch_seconds,
    from_environment,
)
from lambdallm.aws.errors import CredentialsExpired, CredentialsRefused, CredentialsUnavailable
from lambdallm.transport.types import HttpRequest, HttpResponse

Run = Callable[..., Credentials]
Body = Callable[..., bytes]

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "fake-secret"}
ENDPOINT = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}
END = epoch_seconds("2030-01-01T00:00:00Z")
HOUR = 3600.0


# --- the value ------------------------------------------------------------------------------------------------------


def test_repr_shows_four_characters_of_the_access_key_and_nothing_else() -> None:
    shown = repr(Credentials("AKIDEXAMPLE", "fake-secret", "fake-token", 12.0))
    assert shown == "Credentials(access_key='***MPLE', secret_key='***', token='***', expires_at=12.0)"
    assert repr(Credentials("AKID", "fake-secret")) == "Credentials(access_key='***', secret_key='***')"


def test_they_are_a_value() -> None:
    keys = Credentials("AKIDEXAMPLE", "fake-secret")
    assert keys == keys.replace(token=None)
    assert keys != keys.replace(token="fake-token")
    with pytest.raises(AttributeError, match="immutable"):
        keys.secret_key = "other"  # type: ignore[misc]  # that is the test
    assert [field.name for field in dataclasses.fields(keys)] == ["access_key", "secret_key", "token", "expires_at"]


@pytest.mark.parametrize(
    ("access_key", "secret_key", "token"),
    [("", "s", None), ("a", "", None), ("a\n", "s", None), ("a", "s\r\n", None), ("a", "s", "t\r\nX-Evil: 1")],
)
def test_keys_that_can_t_go_into_a_header_are_refused_without_being_shown(
    access_key: str, secret_key: str, token: str | None
) -> None:
    with pytest.raises(CredentialsRefused, match="empty or holds a line break") as refused:
        Credentials(access_key, secret_key, token)
    assert "Evil" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-01T00:00:00Z",
        "2030-01-01T00:00:00.000Z",
        "2030-01-01T00:00:00.000000000Z",
        "2030-01-01T01:00:00+01:00",
        "2030-01-01T00:00:00",
        "20300101T000000Z",
    ],
)
def test_every_way_to_write_an_expiration_is_read(text: str) -> None:
    assert epoch_seconds(text) == 1893456000.0


def test_an_expiration_that_is_no_time_is_refused_with_its_value() -> None:
    with pytest.raises(CredentialsRefused, match=r"'soon' is not a time\. Write it like"):
        epoch_seconds("soon")


# --- the environment ------------------------------------------------------------------------------------------------


def test_the_environment_gives_keys_token_and_expiry() -> None:
    environ = KEYS | {"AWS_SESSION_TOKEN": "fake-token", "AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z"}
    assert from_environment(environ) == Credentials("AKIDEXAMPLE", "fake-secret", "fake-token", END)
    assert from_environment(KEYS) == Credentials("AKIDEXAMPLE", "fake-secret")


def test_without_an_access_key_the_environment_gives_nothing() -> None:
    assert from_environment({}) is None
    assert from_environment({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "fake-secret"}) is None


def test_an_access_key_without_its_secret_is_an_error_that_names_the_missing_variable() -> None:
    with pytest.raises(CredentialsRefused, match="AWS_SECRET_ACCESS_KEY is not"):
        from_environment({"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"})


def test_a_line_break_after_a_pasted_key_is_dropped() -> None:
    pasted = {name: f" {value}\n" for name, value in (KEYS | {"AWS_SESSION_TOKEN": "fake-token"}).items()}
    assert from_environment(pasted) == Credentials("AKIDEXAMPLE", "fake-secret", "fake-token")


def test_the_environment_is_read_at_every_call_and_comes_first(run: Run, cache: CredentialCache) -> None:
    environ = KEYS | ENDPOINT
    assert run(credentials_flow(cache, environ, 0.0)).access_key == "AKIDEXAMPLE"
    environ["AWS_ACCESS_KEY_ID"] = "AKIDROTATED"
    assert run(credentials_flow(cache, environ, 0.0)).access_key == "AKIDROTATED"


def test_expired_keys_in_the_environment_are_an_error_that_says_so(run: Run, cache: CredentialCache) -> None:
    environ = KEYS | {"AWS_CREDENTIAL_EXPIRATION": "2030-01-01T00:00:00Z"}
    with pytest.raises(CredentialsExpired, match=r"expired 60 s ago\. Get new ones") as expired:
        run(credentials_flow(cache, environ, END + 60))
    assert "fake-secret" not in str(expired.value)


# --- asking again ---------------------------------------------------------------------------------------------------


class Script:
    """Gives one reply after another, the last for ever, and counts."""

    def __init__(self, *replies: HttpResponse | OSError) -> None:
        self.replies = list(replies)
        self.asked = 0

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self.asked += 1
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, OSError):
            raise reply
        return reply


def test_the_container_is_asked_once_until_five_minutes_before_expiry(
    run: Run, cache: CredentialCache, body: Body
) -> None:
    script = Script(HttpResponse(200, (), body()), HttpResponse(200, (), body(AccessKeyId="ASIAEXAMPLE0002")))
    found = [run(credentials_flow(cache, ENDPOINT, END - before), script) for before in (HOUR, 301, 300)]
    assert [keys.access_key for keys in found] == ["ASIAEXAMPLE0001", "ASIAEXAMPLE0001", "ASIAEXAMPLE0002"]
    assert script.asked == 2


def test_credentials_without_an_expiry_are_kept_until_they_are_forgotten(
    run: Run, cache: CredentialCache, body: Body
) -> None:
    script = Script(HttpResponse(200, (), body(Expiration=None)))
    run(credentials_flow(cache, ENDPOINT, 0.0), script)
    run(credentials_flow(cache, ENDPOINT, 1e9), script)
    assert script.asked == 1
    cache.forget()
    run(credentials_flow(cache, ENDPOINT, 1e9), script)
    assert script.asked == 2


def test_short_lived_credentials_are_not_asked_for_at_every_call(run: Run, cache: CredentialCache, body: Body) -> None:
    script = Script(HttpResponse(200, (), body()))
    for before in (200, 190, 141, 140):
        run(credentials_flow(cache, ENDPOINT, END - before), script)
    assert script.asked == 2


def test_while_a_refresh_fails_the_credentials_in_hand_serve_until_they_expire(
    run: Run, cache: CredentialCache, body: Body
) -> None:
    script = Script(HttpResponse(200, (), body()), OSError("connection refused"))
    first = run(credentials_flow(cache, ENDPOINT, END - HOUR), script)
    assert run(credentials_flow(cache, ENDPOINT, END - 300), script) == first
    assert script.asked == 4, "one answer, then one refresh of three attempts"
    assert run(credentials_flow(cache, ENDPOINT, END - 241), script) == first
    assert script.asked == 4, "a failed refresh is not repeated within a minute"
    assert run(credentials_flow(cache, ENDPOINT, END - 1), script) == first
    with pytest.raises(CredentialsUnavailable, match="connection refused"):
        run(credentials_flow(cache, ENDPOINT, END), script)


def test_while_one_call_refreshes_the_others_use_what_is_in_hand(run: Run, cache: CredentialCache, body: Body) -> None:
    """Under the asynchronous driver many calls meet the same window; one request is enough."""
    first = run(credentials_flow(cache, ENDPOINT, END - HOUR), Script(HttpResponse(200, (), body())))
    refreshing = credentials_flow(cache, ENDPOINT, END - 300)
    next(refreshing)
    assert run(credentials_flow(cache, ENDPOINT, END - 299)) == first
    with pytest.raises(StopIteration) as done:
        refreshing.send(HttpResponse(200, (), body(AccessKeyId="ASIAEXAMPLE0002", Expiration="2030-01-01T06:00:00Z")))
    assert done.value.value.access_key == "ASIAEXAMPLE0002"
    assert run(credentials_flow(cache, ENDPOINT, END - 298)) == done.value.value


def test_an_abandoned_refresh_is_made_up_for_by_a_later_call(run: Run, cache: CredentialCache, body: Body) -> None:
    run(credentials_flow(cache, ENDPOINT, END - HOUR), Script(HttpResponse(200, (), body())))
    abandoned = credentials_flow(cache, ENDPOINT, END - 300)
    next(abandoned)
    abandoned.close()
    script = Script(HttpResponse(200, (), body(AccessKeyId="ASIAEXAMPLE0002")))
    assert run(credentials_flow(cache, ENDPOINT, END - 200), script).access_key == "ASIAEXAMPLE0002"


def test_a_failure_is_tried_again_at_once_twice(run: Run, cache: CredentialCache, body: Body) -> None:
    script = Script(HttpResponse(503), OSError("reset"), HttpResponse(200, (), body()))
    assert run(credentials_flow(cache, ENDPOINT, 0.0), script).access_key == "ASIAEXAMPLE0001"
    assert script.asked == 3


def test_a_refusal_is_not_tried_again(run: Run, cache: CredentialCache) -> None:
    script = Script(HttpResponse(403))
    with pytest.raises(CredentialsRefused):
        run(credentials_flow(cache, ENDPOINT, 0.0), script)
    assert script.asked == 1


def test_an_endpoint_that_hands_out_expired_credentials_is_an_error(
    run: Run, cache: CredentialCache, body: Body
) -> None:
    with pytest.raises(CredentialsExpired):
        run(credentials_flow(cache, ENDPOINT, END), Script(HttpResponse(200, (), body())))


# --- import ---------------------------------------------------------------------------------------------------------

LOADED = """
import sys
sys.path.insert(0, sys.argv[1])
import hmac, functools, time
before = set(sys.modules)
import lambdallm.aws.sigv4, lambdallm.aws.credentials, lambdallm.aws.container, lambdallm.aws.region
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("lambdallm")))
"""


def test_signing_and_credentials_load_nothing_but_hmac_functools_and_time() -> None:
    source = Path(sys.modules["lambdallm.aws.credentials"].__file__ or "").parents[2]
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOADED, str(source)], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == ["__future__"]
