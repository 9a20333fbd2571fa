"""When an event that nobody waits for is tried again, and what is told of it in the end. Pure.

A function's error is tried again after one minute and after two; a throttle, or an error of Lambda's own, after one
second and then twice as long each time, up to five minutes, until the event is too old.

Sources: docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html and invocation-async-retain-records;
what happens to an event that would be too old by its next try is what LocalStack saw on AWS.
"""

from __future__ import annotations

import json
from time import gmtime, strftime

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, TypeAlias

    Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "ZeroReservedConcurrency"]
    Next: TypeAlias = "TryAgain | Over"

_RETRY_SECONDS = 60.0
_LONGEST_THROTTLE_SECONDS = 300.0


class AsyncSettings(Value):
    """A function's settings for events; destinations and the dead-letter queue are ARNs."""

    retries: int = 2
    max_age_seconds: float = 21_600.0
    on_success: str | None = None
    on_failure: str | None = None
    dead_letter: str | None = None


class AsyncEvent(Value):
    """An event on its way. `accepted` is in seconds since 1970; `failures` and `throttles` are the tries until now."""

    name: str
    payload: bytes
    request_id: str
    accepted: float
    qualifier: str | None = None
    client_context: str | None = None
    failures: int = 0
    throttles: int = 0


class Outcome(Value):
    """What a try came to. `payload` is the answer, an error's too; `None` where the function did not run."""

    error: bool
    throttled: bool = False
    payload: bytes | None = None
    version: str = "$LATEST"
    message: str = ""
    never: bool = False
    """Whether the function may run none at all: its reserved concurrency is zero."""


class TryAgain(Value):
    """The event is tried again at a time."""

    at: float
    event: AsyncEvent


class Over(Value):
    """The event is through."""

    condition: Condition
    event: AsyncEvent


def next_step(event: AsyncEvent, outcome: Outcome, settings: AsyncSettings, now: float) -> Next:
    """What follows from a try."""
    if outcome.never:
        return Over("ZeroReservedConcurrency", event)
    if not outcome.error:
        return Over("Success", event)
    if outcome.throttled:
        later = event.replace(throttles=event.throttles + 1)
        wait = min(2.0**event.throttles, _LONGEST_THROTTLE_SECONDS)
    else:
        later = event.replace(failures=event.failures + 1, throttles=0)
        wait = later.failures * _RETRY_SECONDS
        if later.failures > settings.retries:
            return Over("RetriesExhausted", later)
    if now + wait - event.accepted > settings.max_age_seconds:
        return Over("EventAgeExceeded", later)
    return TryAgain(now + wait, later)


def record(over: Over, outcome: Outcome, arn: str, now: float) -> dict[str, Any]:
    """What a destination is told: AWS's invocation record. `arn` names the function with its qualifier."""
    tries = over.event.failures + (over.condition == "Success")
    told: dict[str, Any] = {
        "version": "1.0",
        "timestamp": iso(now),
        "requestContext": {
            "requestId": over.event.request_id,
            "functionArn": arn,
            "condition": over.condition,
            "approximateInvokeCount": tries,
        },
        "requestPayload": _json(over.event.payload),
    }
    if outcome.payload is not None:
        context: dict[str, Any] = {"statusCode": 200, "executedVersion": outcome.version}
        told["responseContext"] = context | ({"functionError": "Unhandled"} if outcome.error else {})
        told["responsePayload"] = _json(outcome.payload)
    return told


def dead_letter_attributes(event: AsyncEvent, outcome: Outcome) -> dict[str, tuple[str, str]]:
    """The attributes of a dead letter, name to type and value; its body is the event itself."""
    code = 429 if outcome.throttled else 200
    attributes = {"RequestID": ("String", event.request_id), "ErrorCode": ("Number", f"{code}")}
    return attributes | ({"ErrorMessage": ("String", outcome.message[:1024])} if outcome.message else {})


def iso(when: float) -> str:
    """A time as AWS's records have it: `2026-11-14T18:16:05.568Z`."""
    seconds, milliseconds = divmod(round(when * 1000), 1000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{milliseconds:03d}Z"


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
