"""Two kinds of limit as arithmetic: a token bucket in its GCRA form, and a counter for each day or month. Pure.

A bucket's state is one reading of a clock: when it will be full again (GCRA's theoretical arrival time). What is taken
pushes that back by `amount / rate` seconds, and may not push it further than `burst / rate` seconds ahead of now; so at
most `burst + rate · t` is taken in any `t` seconds, a bucket that has rested needs no upkeep, and two takers commute:
that is what lets a store add to it without reading it first.

What was taken and not used is given back by pulling the time forward, but never by more than is still owed for it. Time
pays off what was taken first, so of a call admitted when the bucket was to be full at `full_at`, at most
`full_at − now` seconds can still be owed, less what others have been given back since. Without that bound, giving back
late would fill a bucket twice: once by time, once by the refund.

Source: ITU-T I.371, annex A (the generic cell rate algorithm as virtual scheduling).
"""

from __future__ import annotations

import time

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Literal

    Unit = Literal["requests", "tokens", "micro_usd"]

SLACK_SECONDS = 1e-6
"""What rounding may cost: sums of seconds since 1970 are good for a quarter of a microsecond each."""

_DAY = 86400
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Bucket(Value):
    """At most `burst` at once, refilled by `per_minute` a minute."""

    unit: Unit
    per_minute: float
    burst: float

    kind: ClassVar[str] = "bucket"

    @property
    def name(self) -> str:
        """Under which a store keeps it."""
        return f"{self.unit}/minute"

    @property
    def most(self) -> float:
        """The most that can ever be taken at once."""
        return self.burst

    @property
    def spacing(self) -> float:
        """Seconds in which one unit is refilled."""
        return 60.0 / self.per_minute

    @property
    def depth(self) -> float:
        """Seconds in which an empty bucket is full."""
        return self.burst * self.spacing

    def __str__(self) -> str:
        return f"{self.per_minute:g} {self.unit} a minute"

    def pushed(self, full_at: float, amount: float, now: float) -> float:
        """When it is full again after taking an amount."""
        return max(full_at, now) + amount * self.spacing

    def wait(self, full_at: float, now: float) -> float:
        """Seconds until a state is within the limit: 0 and less where it is."""
        return full_at - self.depth - now

    def refund(self, unused: float, full_at_then: float, given_since: float, now: float) -> float:
        """Seconds by which an unused amount pulls the time forward.

        `full_at_then` is the state right after it was taken, `given_since` what has been given back since, in seconds.
        """
        return min(unused * self.spacing, max(0.0, full_at_then - now - max(0.0, given_since)))


class Window(Value):
    """At most `most` in a day or a month of the calendar (UTC)."""

    unit: Unit
    most: float
    period: Literal["day", "month"]

    kind: ClassVar[str] = "window"

    @property
    def name(self) -> str:
        """Under which a store keeps it."""
        return f"{self.unit}/{self.period}"

    def __str__(self) -> str:
        return f"{self.most:g} {self.unit} a {self.period}"

    def number(self, wall: float) -> int:
        """The day or month, counted from a fixed one; `wall` is in seconds since the epoch."""
        if self.period == "day":
            return int(wall // _DAY)
        date = time.gmtime(wall)
        return date.tm_year * 12 + date.tm_mon

    def left(self, wall: float) -> float:
        """Seconds until the next one begins."""
        today = _DAY - wall % _DAY
        if self.period == "day":
            return today
        date = time.gmtime(wall)
        leap = date.tm_mon == 2 and (date.tm_year % 4 == 0 and (date.tm_year % 100 != 0 or date.tm_year % 400 == 0))
        return today + (_MONTH_DAYS[date.tm_mon - 1] + leap - date.tm_mday) * _DAY


if TYPE_CHECKING:
    Limit = Bucket | Window
