"""Days as text (`2026-11-21`, UTC) and as numbers since 1970, without `datetime`. Pure."""

from __future__ import annotations

import time

DAY_SECONDS = 86400


def day_of(wall: float) -> str:
    """The day of a time in seconds since the epoch."""
    return time.strftime("%Y-%m-%d", time.gmtime(wall))


def number_of(day: str) -> int:
    """A day's number since 1970-01-01. Raises `ValueError` for what is no day of the calendar, written like that.

    Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
    """
    if len(day) != 10 or day[4] != "-" or day[7] != "-" or not (day[:4] + day[5:7] + day[8:]).isdecimal():
        raise ValueError(f"{day!r} is no day.")
    year, month, date = int(day[:4]), int(day[5:7]), int(day[8:])
    shifted, months = (year, month - 3) if month > 2 else (year - 1, month + 9)
    era, of_era = divmod(shifted, 400)
    number = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + (153 * months + 2) // 5 + date - 1 - 719468
    if year < 1970 or day_of(number * DAY_SECONDS) != day:
        raise ValueError(f"{day!r} is no day.")
    return number


def days_between(first: str, last: str) -> list[str]:
    """All days from one to another, both included."""
    return [day_of(number * DAY_SECONDS) for number in range(number_of(first), number_of(last) + 1)]


def timestamp(wall: float) -> str:
    """A time as RFC 3339 writes it, in whole seconds."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall))
