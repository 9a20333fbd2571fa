"""How large an answer may be, in bytes, and the errors that say so before Lambda does.

Sources: the Lambda Developer Guide's quotas (6 MB buffered, 200 MB streamed), the 6,291,556 bytes that Lambda's own
error names, the load balancer guide (1 MB), the API Gateway guide on response streaming (the head within 16 KB).
"""

from __future__ import annotations

from .errors import ResponseTooLarge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUFFERED_BYTES = 6_291_556
STREAMED_BYTES = 200 * 1024 * 1024
LOAD_BALANCER_BYTES = 1024 * 1024
DESTINATION_BYTES = 1024 * 1024
"""What an asynchronous invocation's destination is given at most; the invocation itself succeeds beyond it."""
PRELUDE_BYTES = 16 * 1024

_ASYNCHRONOUS = ("sns", "s3", "eventbridge")


def check_buffered(size: int) -> None:
    """Raise `ResponseTooLarge` for an answer that Lambda does not take in one piece."""
    if size > BUFFERED_BYTES:
        fix = "Stream it, or put it in S3 and answer with a link to it."
        raise ResponseTooLarge("The response", size, BUFFERED_BYTES, fix)


def check_for_caller(size: int, event: Any) -> str | None:
    """Raise `ResponseTooLarge` for an answer that the event's source does not take; a warning where it is only cut."""
    from .events import kind_of

    kind = kind_of(event)
    if size <= min(LOAD_BALANCER_BYTES, DESTINATION_BYTES):
        return None
    if kind == "alb":
        fix = "Answer with less, put it in S3 and answer with a link to it, or use a function URL, which can stream."
        raise ResponseTooLarge("The response to a load balancer", size, LOAD_BALANCER_BYTES, fix)
    if kind in _ASYNCHRONOUS:
        return (
            f"The result of an event of the kind {kind!r} has {size} bytes, and a destination gets at most "
            f"{DESTINATION_BYTES}. Put it in S3 and return a link to it."
        )
    return None


def check_prelude(size: int) -> None:
    """Raise `ResponseTooLarge` for status, headers and cookies that don't fit before a streamed body."""
    if size > PRELUDE_BYTES:
        what = "The head of the streamed response"
        raise ResponseTooLarge(what, size, PRELUDE_BYTES, "Set fewer or shorter headers.")


def stream_limit_met(size: int) -> ResponseTooLarge:
    """The error that a stream ends with when its next piece would take it to `size` bytes."""
    fix = "Put it in S3 and answer with a link to it."
    return ResponseTooLarge("The streamed response", size, STREAMED_BYTES, fix)
