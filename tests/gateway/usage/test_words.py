"""The pure parts: days, latencies, headers, reports."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.gateway.usage import Row, UsageQuery, answer_headers, limit_headers
from lambdallm.gateway.usage.dates import day_of, days_between, number_of
from lambdallm.gateway.usage.headers import duration, retry_headers
from lambdallm.gateway.usage.latency import class_of, percentiles
from lambdallm.gateway.usage.report import report_of
from lambdallm.gateway.usage.reservation import LimitState
from lambdallm.gateway.usage.rows import added, counts_of
from lambdallm.llm.types import Usage

from .worlds import NOON


@given(st.integers(0, 40_000))
def test_days_have_numbers(number):
    assert number_of(day_of(number * 86_400 + 7)) == number


@pytest.mark.parametrize(
    "text", ["", "2026-02-29", "2026-13-01", "2026-1-1", "26-11-21", "2026-11-21T00", "१२३४-११-२१"]
)
def test_what_is_no_day_has_none(text):
    with pytest.raises(ValueError, match="is no day"):
        number_of(text)


def test_days_between_include_both():
    assert days_between("2024-02-28", "2024-03-01") == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert days_between("2026-11-21", "2026-11-20") == []


@given(st.lists(st.floats(1, 900_000), min_size=1, max_size=300))
def test_percentiles_are_within_five_percent_of_the_true_ones(latencies):
    found = percentiles(added({class_of(one): 1} for one in latencies))
    ordered = sorted(latencies)
    for share in (50, 95, 99):
        true = ordered[max(0, -(-len(ordered) * share // 100) - 1)]
        assert found[f"p{share}"] == pytest.approx(true, rel=0.051, abs=0.1)


def test_histograms_add_up():
    chance = random.Random(7)
    latencies = [chance.lognormvariate(6, 1) for _ in range(1000)]
    halves = [added({class_of(one): 1} for one in half) for half in (latencies[:500], latencies[500:])]
    assert percentiles(added(halves)) == percentiles(added({class_of(one): 1} for one in latencies))


def test_nothing_measured_has_no_percentiles():
    assert percentiles({"requests": 3}) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.0002, "0s"), (0.02, "20ms"), (1, "1s"), (1.5, "1.5s"), (59.9999, "1m0s"), (360, "6m0s"),
     (72.5, "1m12.5s"), (86_341, "23h59m1s")],
)  # fmt: skip
def test_durations_are_written_as_openai_does(seconds, text):
    assert duration(seconds) == text


LIMITS = (LimitState("requests", 60, 59, 1.0), LimitState("tokens", 1000, 0, 60.0))


def test_openais_clients_get_their_spelling():
    assert dict(limit_headers(LIMITS, "openai_chat")) == {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-limit-tokens": "1000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1m0s",
    }


def test_anthropics_clients_get_theirs():
    assert dict(limit_headers(LIMITS, "anthropic_messages", NOON)) == {
        "anthropic-ratelimit-requests-limit": "60",
        "anthropic-ratelimit-requests-remaining": "59",
        "anthropic-ratelimit-requests-reset": "2026-11-21T12:00:02Z",
        "anthropic-ratelimit-tokens-limit": "1000",
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-11-21T12:01:01Z",
    }


@pytest.mark.parametrize(("wait", "told"), [(0.2, "1"), (1.0, "1"), (1.01, "2"), (59.5, "60")])
def test_a_wait_is_told_in_whole_seconds_never_too_short(wait, told):
    assert retry_headers(wait) == (("retry-after", told),)


def test_an_answer_tells_its_id_cost_and_cache():
    assert answer_headers(None, request_id="r1", cost_usd=0.00000125, cached=False) == (
        ("x-request-id", "r1"),
        ("x-lambdallm-cost-usd", "0.00000125"),
        ("x-lambdallm-cache", "miss"),
    )
    assert answer_headers(None, protocol="anthropic_messages", request_id="r1", cost_usd=0.0, cached=True) == (
        ("request-id", "r1"),
        ("x-lambdallm-cost-usd", "0"),
        ("x-lambdallm-cache", "hit"),
    )


def test_an_unknown_cost_is_not_told():
    assert answer_headers(None) == ()


def row(day, key="k", model="m", cost=1.0, **more):
    usage = Usage(input_tokens=10, output_tokens=5, cached_tokens=4)
    ended = {"ok": True, "latency_ms": 100.0, "status": 200, "cached": False} | more
    return Row(day, key, "u", model, counts_of(usage, cost, **ended))


ROWS = [row("2026-11-01"), row("2026-11-01", model="n"), row("2026-11-02", cost=None), row("2026-11-03", key="l")]


def query(**more):
    return UsageQuery("2026-11-01", "2026-11-30", **more)


def test_a_group_has_sums_and_says_what_is_not_known():
    first, second, _ = report_of(ROWS, query()).groups
    assert first == {
        "day": "2026-11-01", "requests": 2, "failed": 0, "lost": 0, "refused": 0, "cache_hits": 0,
        "input_tokens": 20, "output_tokens": 10, "cached_tokens": 8, "cache_write_tokens": 0, "reasoning_tokens": 0,
        "total_tokens": 30, "cost_usd": 2.0, "unpriced_requests": 0,
        "latency_ms": {"p50": 101.8, "p95": 101.8, "p99": 101.8}, "errors": {},
    }  # fmt: skip
    assert (second["cost_usd"], second["unpriced_requests"]) == (None, 1)


def test_groups_are_made_of_any_dimensions():
    found = report_of(ROWS, query(group_by=("model", "key"))).groups
    assert [(one["model"], one["key"], one["requests"]) for one in found] == [
        ("m", "k", 2),
        ("m", "l", 1),
        ("n", "k", 1),
    ]
    assert [one["requests"] for one in report_of(ROWS, query(group_by=("user",))).groups] == [4]


def test_what_is_not_asked_for_is_left_out():
    assert report_of(ROWS, query(model="n")).total["requests"] == 1
    assert report_of(ROWS, query(key="l")).total["requests"] == 1
    assert report_of(ROWS, query(user="v")).total == report_of([], query()).total


def test_pages_follow_one_another_and_the_total_is_of_all():
    seen, after = [], ()
    while after is not None:
        page = report_of(ROWS, query(group_by=("day", "model"), limit=3, after=after))
        seen += [(one["day"], one["model"]) for one in page.groups]
        assert page.total["requests"] == 4
        after = page.next_after
    assert seen == [("2026-11-01", "m"), ("2026-11-01", "n"), ("2026-11-02", "m"), ("2026-11-03", "m")]


def test_an_empty_report_has_cost_nothing():
    report = report_of([], query())
    assert (report.groups, report.total["cost_usd"], report.next_after) == ((), 0, None)
