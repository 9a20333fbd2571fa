"""What a call to an AWS service raises.

    BackendError                 see `llm/backends/errors.py`
    ├── ServiceError             the service did not answer, or refused
    │   ├── FunctionFailed       a Lambda function ran, and failed
    │   └── MessagesFailed       of several messages to a queue some were not taken
    └── ConditionFailed          it answered that what was to hold does not

What only the caller can mend before anything is sent (no credentials, no region) is a `ConfigurationError`, or a
`ServiceError` whose cause is one. Messages quote what the service said, never what was asked to be kept or read.
"""

from __future__ import annotations

from ..backends.errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class ServiceError(BackendError):
    """An AWS service did not answer, or refused.

    `code` is its own word, `status` the HTTP status (`None` where there was no answer), `request_id` what AWS support
    asks for. `refused` says that nothing was done for certain: where it is false, a write may have been done.
    """

    fix = "Check the request, and that the service can be reached from here."

    def __init__(
        self,
        message: str,
        *,
        fix: str = "",
        code: str = "",
        retryable: bool = True,
        status: int | None = None,
        request_id: str = "",
        refused: bool = False,
    ) -> None:
        super().__init__(message, fix=fix, code=code, retryable=retryable)
        self.status, self.request_id, self.refused = status, request_id, refused


class FunctionFailed(ServiceError):
    """A Lambda function ran, and failed. `payload` is what it gave: usually `errorType`, `errorMessage`, a trace."""

    fix = "Read the function's log."

    def __init__(self, message: str, payload: bytes, *, code: str = "") -> None:
        super().__init__(message, code=code, retryable=False, status=200)
        self.payload = payload


class MessagesFailed(ServiceError):
    """Some of several messages were not taken by the queue. `failed` has why, by their place; the others are in it."""

    fix = "Send those again that failed."

    def __init__(self, message: str, failed: Mapping[int, str], ids: Mapping[int, Any], *, retryable: bool) -> None:
        super().__init__(message, retryable=retryable, refused=True, status=200)
        self.failed, self.ids = failed, ids
