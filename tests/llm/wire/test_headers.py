"""What response headers say: whose request it was, and how long to wait."""

from __future__ import annotations

import email.utils

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.wire.headers import rate_limit_reset, request_id, retry_after

NOON = "Wed, 21 Oct 2026 12:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ((("Retry-After", "20"),), 20.0),
        ((("retry-after", "0.5"),), 0.5),
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
    ("text", "seconds"), [("2ms", 0.002), ("1m30s", 90.0), ("6h0m0.5s", 21600.5), ("7", 7.0), ("1x", None), ("", None)]
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
    assert rate_limit_reset(headers[1:]) == 2.0


def test_request_id() -> None:
    assert request_id((("CF-Ray", "b"), ("X-Request-Id", "a"))) == "a"
    assert request_id((("cf-ray", "b"),)) == "b"
    assert request_id(()) is None
