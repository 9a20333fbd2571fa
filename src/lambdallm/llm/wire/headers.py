"""What every codec reads from response headers: the request's id and how long to wait. No clock is read."""

from __future__ import annotations

import re

from ...transport.types import find_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...transport.types import Headers

_REQUEST_IDS = (
    "x-request-id", "request-id", "x-amzn-requestid", "apim-request-id", "x-ms-request-id", "x-goog-request-id",
    "mistral-correlation-id", "x-correlation-id", "x-generation-id", "x-debug-trace-id", "cf-ray",
)  # fmt: skip

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = r"(\d+(?:\.\d+)?)(ms|s|m|h|d)"
_DATE = r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_WAIT = 366 * 86400.0
"""Waits beyond a year are mistaken units (an absolute time, say) or nonsense: as good as no answer."""


def request_id(headers: Headers) -> str | None:
    """The id under which the provider knows the request, for its support; `None` when it gave none."""
    return next((value for name in _REQUEST_IDS if (value := find_header(headers, name))), None)


def retry_after(headers: Headers) -> float | None:
    """Seconds to wait before the next try, from `retry-after-ms` or `retry-after` (RFC 9110, 10.2.3).

    A date counts from the answer's own `date` header; without one it says nothing.
    """
    millis = _wait(find_header(headers, "retry-after-ms"))
    if millis is not None:
        return millis / 1000
    value = find_header(headers, "retry-after")
    return _until(value, find_header(headers, "date")) if value and "," in value else _wait(value)


def rate_limit_reset(headers: Headers) -> float | None:
    """Seconds until a limit resets, from `x-ratelimit-reset-*` (`2ms`, `1m30s`, `0.5`).

    The longest among the limits whose `x-ratelimit-remaining-*` is 0; where no limit says so, the shortest of all.
    Meaningful for a 429 only: every answer carries these headers.
    """
    resets = dict(_resets(headers))
    spent = [s for limit, s in resets.items() if find_header(headers, f"x-ratelimit-remaining-{limit}") == "0"]
    return max(spent) if spent else min(resets.values(), default=None)


def _resets(headers: Headers) -> Iterator[tuple[str, float]]:
    for name, value in headers:
        limit = name.lower().removeprefix("x-ratelimit-reset-")
        if limit != name.lower() and (seconds := _duration(value)) is not None:
            yield limit, seconds


def _duration(text: str) -> float | None:
    """Seconds in `1h2m3.5s`, or in a plain number."""
    text = text.strip()
    pieces = re.findall(_DURATION, text)
    if not pieces or "".join(number + unit for number, unit in pieces) != text:
        return _wait(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in pieces)


def _wait(text: str | None) -> float | None:
    """A number of sensible size that isn't negative."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 <= number <= _LONGEST_WAIT else None


def _until(then: str, now: str | None) -> float | None:
    end, start = _epoch(then), _epoch(now or "")
    return None if end is None or start is None else max(0.0, end - start)


def _epoch(text: str) -> float | None:
    """Seconds since 1970 of an IMF-fixdate, by hand: `datetime` and `email` are cold-start time."""
    match = re.fullmatch(_DATE, text.strip())
    if match is None or match[2] not in _MONTHS:
        return None
    year, month = int(match[3]), _MONTHS.index(match[2]) + 1
    years = year - (month < 3)
    days = 365 * years + years // 4 - years // 100 + years // 400 + (153 * ((month + 9) % 12) + 2) // 5 + int(match[1])
    return (days - 719469) * 86400.0 + int(match[4]) * 3600 + int(match[5]) * 60 + int(match[6])
