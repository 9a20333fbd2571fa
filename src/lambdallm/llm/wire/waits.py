"""How long an answer that says no asks to wait, in its headers, its body or its words. No clock is read.

A date in a header counts from the answer's own `date` header; without one it says nothing. What is negative, absurd or
no number says nothing either.
"""

from __future__ import annotations

import re

from ...transport.types import find_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...transport.types import Headers

_SECONDS = {
    "ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 0.001, "millisecond": 0.001, "s": 1.0, "sec": 1.0,
    "second": 1.0, "m": 60.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0, "d": 86400.0, "day": 86400.0,
}  # fmt: skip
"""Seconds of a unit, as Go writes durations and as people do."""

_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z\u00b5\u03bc]+)")
_SAID = re.compile(r"\b(?:try again|retry)(?: again)? (?:in|after)(?=\s*\d)", re.IGNORECASE)
_HTTP_DATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT")
_RFC_3339 = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d(?:\.\d+)?)(?:[Zz]|([+-])(\d\d):(\d\d))")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONGEST_WAIT = 366 * 86400.0
"""Waits beyond a year are mistaken units (an absolute time, say) or nonsense: as good as no answer."""

_IN_MILLISECONDS = 1e11
"""What counts from 1970 and is larger counts milliseconds."""


def wait_seconds(status: int | None, headers: Headers, message: str = "", told: float | None = None) -> float | None:
    """Seconds to wait before the next try, from the first of these that says so; `None` where none does.

    An explicit header (`retry_after`); `told`, what a field of the body says; the words of the `message`
    (`said_wait`); and, for a 429, the limits that are used up (`rate_limit_reset`).
    """
    if (seconds := retry_after(headers)) is not None:
        return seconds
    if told is None:
        told = said_wait(message)
    return rate_limit_reset(headers) if told is None and status == 429 else told


def retry_after(headers: Headers) -> float | None:
    """Seconds to wait before the next try, from `retry-after-ms` or `retry-after` (RFC 9110, 10.2.3)."""
    millis = _wait(find_header(headers, "retry-after-ms"))
    if millis is not None:
        return millis / 1000
    value = find_header(headers, "retry-after") or ""
    return _until(_http_date(value), headers) if "," in value else duration(value)


def said_wait(message: str) -> float | None:
    """Seconds that an error's words ask to wait: OpenAI's and Groq's "Please try again in 6m0.5s", Azure's "Please
    retry after 26 seconds", Google's "Please retry in 34.07s"."""
    found = _SAID.search(message)
    return _sensible(_spans(message.lower(), found.end())[0]) if found else None


def rate_limit_reset(headers: Headers) -> float | None:
    """Seconds until a used-up limit resets, from headers with `ratelimit` and `reset` in their names.

    Their values are durations (`x-ratelimit-reset-tokens: 6m0s`), seconds, a time in seconds or milliseconds since
    1970 (OpenRouter), or a date (`anthropic-ratelimit-requests-reset: 2026-10-21T12:00:00Z`). A limit of which the
    header of the same name with `remaining` says that some is left does not count. Of those used up the last counts;
    where none is said to be, the first of those that say nothing of what is left. Meaningful for a 429 only: every
    answer carries these headers.
    """
    resets = list(_resets(headers))
    spent = [seconds for seconds, used_up in resets if used_up]
    return max(spent) if spent else min((seconds for seconds, _ in resets), default=None)


def _resets(headers: Headers) -> Iterator[tuple[float, bool]]:
    """When each limit resets that is used up (`True`), or may be."""
    for name, value in headers:
        limit = name.lower()
        if "ratelimit" in limit and "reset" in limit and (seconds := _reset(value, headers)) is not None:
            left = _number(find_header(headers, limit.replace("reset", "remaining")))
            if left is None or left <= 0:
                yield seconds, left is not None


def _reset(value: str, headers: Headers) -> float | None:
    number = _number(value)
    if number is not None and number > _LONGEST_WAIT:
        return _until(number / 1000 if number > _IN_MILLISECONDS else number, headers)
    return _until(_rfc_3339(value), headers) if "-" in value else duration(value)


def duration(text: str) -> float | None:
    """Seconds in `1h2m3.5s`, `20 seconds`, or a plain number of seconds; `None` for anything else."""
    seconds, end = _spans(text.lower(), 0)
    if seconds is None or text[end:].strip():
        return _wait(text)
    return _sensible(seconds)


def _spans(text: str, start: int) -> tuple[float | None, int]:
    """The sum of the numbers with units from a place on, and where they end; `None` where there are none."""
    total, end = None, start
    while (found := _SPAN.match(text, end)) and (unit := _SECONDS.get(found[2]) or _SECONDS.get(found[2].rstrip("s"))):
        total, end = (total or 0.0) + float(found[1]) * unit, found.end()
    return total, end


def _wait(text: str | None) -> float | None:
    """A number of sensible size that isn't negative."""
    return _sensible(_number(text))


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _sensible(seconds: float | None) -> float | None:
    return seconds if seconds is not None and 0 <= seconds <= _LONGEST_WAIT else None


def _until(then: float | None, headers: Headers) -> float | None:
    """Seconds from when the answer was made until a time; 0 for one that is past."""
    now = _http_date(find_header(headers, "date") or "")
    return None if then is None or now is None else _sensible(max(0.0, then - now))


def _http_date(text: str) -> float | None:
    """Seconds since 1970 of an IMF-fixdate, by hand: `datetime` and `email` are cold-start time."""
    found = _HTTP_DATE.fullmatch(text.strip())
    if found is None or found[2] not in _MONTHS:
        return None
    days = _days(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]))
    return days * 86400.0 + int(found[4]) * 3600 + int(found[5]) * 60 + int(found[6])


def _rfc_3339(text: str) -> float | None:
    """Seconds since 1970 of a date and time with its offset (RFC 3339, 5.6)."""
    found = _RFC_3339.fullmatch(text.strip())
    if found is None:
        return None
    seconds = _days(int(found[1]), int(found[2]), int(found[3])) * 86400.0
    seconds += int(found[4]) * 3600 + int(found[5]) * 60 + float(found[6])
    offset = int(found[8]) * 3600 + int(found[9]) * 60 if found[7] else 0
    return seconds + offset if found[7] == "-" else seconds - offset


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of a day in the Gregorian calendar."""
    years = year - (month < 3)
    return 365 * years + years // 4 - years // 100 + years // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719469
