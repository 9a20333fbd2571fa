"""One invocation as the Runtime API hands it out.

Source: the Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", next invocation.
"""

from __future__ import annotations

from .._value import Value
from .errors import RuntimeApiError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_."


class Invocation(Value):
    """What `next` gave. `client_context` and `identity` are JSON as it came, `None` where the caller sent none."""

    id: str
    """The request id; made of letters, digits, `-`, `_` and `.` alone, so that it may stand in a path."""
    deadline_ms: int
    """Milliseconds since 1970."""
    body: bytes
    content_type: str = "application/json"
    arn: str | None = None
    trace_id: str | None = None
    client_context: str | None = None
    identity: str | None = None
    tenant_id: str | None = None
    invocation_id: str | None = None
    """Told apart from `id` by newer versions of the API, which want it back with the answer."""


def invocation_of(headers: Mapping[str, str], body: bytes) -> Invocation:
    """The invocation in an answer to `next`, whose header names are lower case. Raises `RuntimeApiError`."""
    id = headers.get("lambda-runtime-aws-request-id", "")
    if not id or id.encode("utf-8", "replace").translate(None, _NAME):
        raise RuntimeApiError(f"The Runtime API gave an invocation the id {id!r}. Use letters, digits and `-`.")
    deadline = headers.get("lambda-runtime-deadline-ms", "")
    if not (deadline.isascii() and deadline.isdigit()):
        raise RuntimeApiError(f"The Runtime API gave invocation {id!r} the deadline {deadline!r}; it is milliseconds.")
    find = headers.get
    return Invocation(
        id, int(deadline), body, find("content-type", "application/json"),
        find("lambda-runtime-invoked-function-arn"), find("lambda-runtime-trace-id"),
        find("lambda-runtime-client-context"), find("lambda-runtime-cognito-identity"),
        find("lambda-runtime-aws-tenant-id"), find("lambda-runtime-invocation-id"),
    )  # fmt: skip
