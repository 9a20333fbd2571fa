"""What a client is told beside its answer: its limits, the request's id, what it cost, where it came from. Pure.

Sources: "Rate limits" in OpenAI's API documentation (`x-ratelimit-*`, times as Go writes durations); "Rate limits" in
Anthropic's (`anthropic-ratelimit-*`, times in RFC 3339). `x-should-retry` is read by the SDKs of both.
"""

from __future__ import annotations

from .dates import timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .reservation import LimitState, Reservation

    Pairs = tuple[tuple[str, str], ...]

ANTHROPIC = "anthropic_messages"


def answer_headers(
    reservation: Reservation | None, *, protocol: str = "", request_id: str = "", cost_usd: float | None = None,
    cached: bool | None = None, wall: float | None = None,
) -> Pairs:  # fmt: skip
    """All headers of an answer: of a streamed one, those that are known when it begins.

    A cost that is unknown is not told. `cached` says whether the gateway's cache had the answer, `None` where none was
    asked. `wall` is the time now, where that is known.
    """
    found: list[tuple[str, str]] = []
    if reservation is not None:
        now = reservation.started if wall is None else wall
        found += limit_headers(reservation.limits, protocol, now)
    if request_id:
        found.append(("request-id" if protocol == ANTHROPIC else "x-request-id", request_id))
    if cost_usd is not None:
        found.append(("x-lambdallm-cost-usd", f"{cost_usd:.10f}".rstrip("0").rstrip(".")))
    if cached is not None:
        found.append(("x-lambdallm-cache", "hit" if cached else "miss"))
    return tuple(found)


def limit_headers(limits: Sequence[LimitState], protocol: str = "", wall: float | None = None) -> Pairs:
    """Limits a minute and what is left of them: in OpenAI's spelling, to Anthropic's clients in theirs.

    Where the protocol is not known, in both; Anthropic's times need `wall`, and are left out without.
    """
    found: list[tuple[str, str]] = []
    if protocol != ANTHROPIC:
        for one in limits:
            found += (
                (f"x-ratelimit-limit-{one.unit}", str(one.limit)),
                (f"x-ratelimit-remaining-{one.unit}", str(one.remaining)),
                (f"x-ratelimit-reset-{one.unit}", duration(one.reset_seconds)),
            )
    if protocol in ("", ANTHROPIC):
        for one in limits:
            start = f"anthropic-ratelimit-{one.unit}"
            found += ((f"{start}-limit", str(one.limit)), (f"{start}-remaining", str(one.remaining)))
            if wall is not None:
                found.append((f"{start}-reset", timestamp(wall + one.reset_seconds + 1)))
    return tuple(found)


def duration(seconds: float) -> str:
    """Seconds as Go writes durations: `20ms`, `1.5s`, `6m0s`, `23h59m1s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds >= 0.0005 else "0s"
    minutes, left = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{left:.3f}".rstrip("0").rstrip(".") + "s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or hours else "") + shown


def retry_headers(wait_seconds: float | None) -> Pairs:
    """When to come again, in whole seconds, and not to where no waiting helps (`None`)."""
    if wait_seconds is None:
        return (("x-should-retry", "false"),)
    return (("retry-after", str(max(1, -int(-wait_seconds // 1)))),)
