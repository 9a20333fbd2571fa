"""What response headers say: whose request it was, and how long to wait."""

from __future__ import annotations

import datetime as dt
import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.wire.headers import request_id
from lambdallm.llm.wire.waits import rate_limit_reset, retry_after, said_wait, wait_seconds

NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "20"),), 20.0),
        ((("retry-after", "0.5"),), 0.5),
        ((("retry-after", "20s"),), 20.0),
        ((("retry-after-ms", "250"), ("retry-after", "1")), 0.25),
        ((("retry-after", "Wed, 21 Oct 2026 12:01:30 GMT"), ("date", NOON)), 90.0),
        ((("retry-after", "Wed, 21 Oct 2026 11:00:00 GMT"), ("date", NOON)), 0.0),
        ((("retry-after", "Wed, 21 Oct 2026 12:01:30 GMT"),), None),
        ((("retry-after", "soon"),), None),
        ((("retry-after", "-1"),), None),
        ((("retry-after", "nan"),), None),
        ((("retry-after", "1e999"),), None),
        ((), None),
    ],
)
def test_retry_after(headers: tuple[tuple[str, str], ...], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@given(st.integers(0, 4_000_000_000), st.integers(0, 86_400))
def test_dates_are_read_as_the_standard_library_writes_them(start: int, wait: int) -> None:
    headers = (
        ("date", email.utils.formatdate(start, usegmt=True)),
        ("retry-after", email.utils.formatdate(start + wait, usegmt=True)),
    )
    assert retry_after(headers) == wait


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2ms", 0.002),
        ("1m30s", 90.0),
        ("6h0m0.5s", 21600.5),
        ("500\u00b5s", 0.0005),
        ("7", 7.0),
        ("33011.382867", 33011.382867),
        ("1x", None),
        ("1m-30s", None),
        ("", None),
        ("-3s", None),
        ("9999h", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert rate_limit_reset((("x-ratelimit-reset-tokens", text),)) == pytest.approx(seconds)


def test_the_limit_that_is_used_up_decides() -> None:
    headers = (
        ("x-ratelimit-remaining-requests", "0"),
        ("x-ratelimit-reset-requests", "1m"),
        ("x-ratelimit-remaining-tokens", "900"),
        ("x-ratelimit-reset-tokens", "2s"),
    )
    assert rate_limit_reset(headers) == 60.0
    assert rate_limit_reset(headers[2:]) is None, "some is left of the only limit"


def test_of_several_that_are_used_up_the_last_decides() -> None:
    headers = (
        ("anthropic-ratelimit-requests-remaining", "0"),
        ("anthropic-ratelimit-requests-reset", "2026-10-21T12:00:20Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-input-tokens-reset", "2026-10-21T12:00:45Z"),
        ("anthropic-ratelimit-output-tokens-remaining", "8000"),
        ("anthropic-ratelimit-output-tokens-reset", "2026-10-21T12:03:00Z"),
        ("date", NOON),
    )
    assert rate_limit_reset(headers) == 45.0


def test_where_nothing_is_said_of_what_is_left_the_first_reset_decides() -> None:
    assert rate_limit_reset((("x-ratelimit-reset-a", "9s"), ("x-ratelimit-reset-b", "4s"))) == 4.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param(
            (("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1754667660000"),
             ("Date", "Fri, 08 Aug 2025 15:40:34 GMT")), 26.0, id="OpenRouter, as recorded: milliseconds since 1970"),
        pytest.param(
            (("anthropic-ratelimit-unified-reset", "1754667660"), ("date", "Fri, 08 Aug 2025 15:40:34 GMT")), 26.0,
            id="seconds since 1970"),
        pytest.param((("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "2")), 2.0, id="Together: seconds"),
        pytest.param(
            (("x-ratelimit-remaining-requests-day", "0"), ("x-ratelimit-reset-requests-day", "33011.382867")),
            33011.382867, id="Cerebras: seconds until the day is over"),
        pytest.param((("ratelimitbysize-remaining", "0"), ("ratelimitbysize-reset", "12")), 12.0, id="Mistral"),
        pytest.param((("ratelimit-remaining", "0"), ("ratelimit-reset", "30")), 30.0, id="the IETF's draft"),
        pytest.param(
            (("anthropic-ratelimit-tokens-reset", "2026-10-21T14:00:30.5+02:00"), ("date", NOON)), 30.5,
            id="a date with an offset"),
        pytest.param((("x-ratelimit-reset", "1754667660000"),), None, id="a time, and nobody says what time it is"),
        pytest.param((("anthropic-ratelimit-tokens-reset", "2026-10-21T11:00:00Z"), ("date", NOON)), 0.0, id="past"),
        pytest.param((("anthropic-ratelimit-tokens-reset", "2099-10-21T11:00:00Z"), ("date", NOON)), None, id="absurd"),
    ],
)  # fmt: skip
def test_every_provider_s_resets(headers: tuple[tuple[str, str], ...], seconds: float | None) -> None:
    assert rate_limit_reset(headers) == seconds


@given(st.datetimes(dt.datetime(1971, 1, 2), dt.datetime(2200, 1, 1)), st.integers(0, 86_400), st.integers(-720, 840))
def test_dates_of_rfc_3339_are_read_as_the_standard_library_writes_them(
    now: dt.datetime, wait: int, offset: int
) -> None:
    start = now.replace(microsecond=0, tzinfo=dt.UTC)
    end = (start + dt.timedelta(seconds=wait)).astimezone(dt.timezone(dt.timedelta(minutes=offset)))
    headers = (("date", email.utils.format_datetime(start, usegmt=True)), ("x-ratelimit-reset", end.isoformat()))
    assert rate_limit_reset(headers) == wait


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("Rate limit reached for gpt-4o on tokens per min (TPM): Limit 30000, Used 29000, Requested 3000. Please try "
         "again in 4s. Visit https://platform.openai.com/account/rate-limits to learn more.", 4.0),
        ("Please try again in 6m0s.", 360.0),
        ("Please try again in 345ms.", 0.345),
        ("Rate limit reached for model `m` on tokens per day (TPD): Limit 100000. Please try again in 7m12.5s. Need "
         "more tokens?", 432.5),
        ("Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2023-05-15 have exceeded "
         "call rate limit of your current OpenAI S0 pricing tier. Please retry after 26 seconds. Go here: …", 26.0),
        ("You exceeded your current quota. Please retry in 34.074824224s.", 34.074824224),
        ("Try again in 1 minute 30 seconds, please.", 90.0),
        ("Please try again later.", None),
        ("Please try again in a few minutes.", None),
        ("Please try again in 3 attempts.", None),
        ("Please try again in 99999 days.", None),
        ("", None),
    ],
)  # fmt: skip
def test_what_an_error_s_words_say(message: str, seconds: float | None) -> None:
    assert said_wait(message) == pytest.approx(seconds)


class TestWhichHintCounts:
    ALL = (
        ("retry-after", "1"), ("x-ratelimit-reset-requests", "8s"), ("x-ratelimit-remaining-requests", "0"),
    )  # fmt: skip

    def test_the_header_s_then_the_body_s_then_the_words_then_the_limits(self) -> None:
        assert wait_seconds(429, self.ALL, "Try again in 4s.", 2.0) == 1.0
        assert wait_seconds(429, self.ALL[1:], "Try again in 4s.", 2.0) == 2.0
        assert wait_seconds(429, self.ALL[1:], "Try again in 4s.") == 4.0
        assert wait_seconds(429, self.ALL[1:], "Too many requests.") == 8.0

    @pytest.mark.parametrize("status", [None, 400, 500, 503])
    def test_limits_count_for_a_429_alone(self, status: int | None) -> None:
        assert wait_seconds(status, self.ALL[1:]) is None


NAMES = st.sampled_from(
    ["retry-after", "retry-after-ms", "date", "x-ratelimit-reset", "x-ratelimit-remaining", "x-ratelimit-reset-tokens",
     "anthropic-ratelimit-requests-reset", "anthropic-ratelimit-requests-remaining", "ratelimit-reset"]
)  # fmt: skip
GARBAGE = st.text(max_size=40) | st.text("0123456789.:-+TZsmhde ,GMT", max_size=30) | st.floats().map(str)


@given(st.lists(st.tuples(NAMES, GARBAGE), max_size=6), GARBAGE, st.sampled_from([None, 429, 503]))
def test_garbage_raises_nothing_and_asks_for_no_absurd_wait(
    headers: list[tuple[str, str]], words: str, status: int | None
) -> None:
    wait = wait_seconds(status, tuple(headers), f"Please try again in {words}")
    assert wait is None or 0 <= wait <= 366 * 86400


def test_request_id() -> None:
    assert request_id((("CF-Ray", "b"), ("X-Request-Id", "a"))) == "a"
    assert request_id((("cf-ray", "b"),)) == "b"
    assert request_id(()) is None
