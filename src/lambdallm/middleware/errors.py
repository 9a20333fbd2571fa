"""How middleware refuses an event. Part of the tree in `llm/errors.py`; each says which status an HTTP response has.

    CallerError
    ├── UnauthorizedError (401)      no credentials, or wrong ones
    │   └── ForbiddenError    403    they are right, and don't suffice
    ├── InvalidEventError     400    the event is not what the function takes
    ├── ConflictError         409    the same is being done at this moment
    ├── KeyReusedError        422    the idempotency key was used for another payload
    └── TooManyRequestsError  429    the caller's limit is reached
    LambdaLLMError
    └── InvalidResultError    500    the function's result is not what was promised

An error of one's own decides its status in the same way: by an attribute `http_status`. Headers of its response are in
`http_headers`, and `retry_after` becomes the header Retry-After; both go with the error, not with what another layer
answers in its place.
"""

from __future__ import annotations

from ..llm.errors import CallerError, LambdaLLMError, UnauthorizedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class ForbiddenError(UnauthorizedError):
    """The caller is known and may not do this."""

    http_status = 403
    fix = "Ask for the permission, or use other credentials."


class InvalidEventError(CallerError, ValueError):
    """The event does not have the form the function takes. `problems` name what is wrong, each with its path."""

    http_status = 400
    fix = "Correct the request."

    def __init__(self, message: str, *, problems: Sequence[str] = (), fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.problems = tuple(problems)


class ConflictError(CallerError):
    """An invocation with the same idempotency key is under way. `retry_after` is in seconds."""

    http_status = 409
    fix = "Wait for it to end, then send the same again to get its result."

    def __init__(self, message: str, *, retry_after: float | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.retry_after = retry_after


class KeyReusedError(CallerError):
    """An idempotency key was used again with another payload."""

    http_status = 422
    fix = "Make a new key for every new request."


class TooManyRequestsError(CallerError):
    """The caller has reached a limit. `retry_after` is in seconds."""

    http_status = 429
    fix = "Wait, then send it again."

    def __init__(self, message: str, *, retry_after: float | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.retry_after = retry_after


class InvalidResultError(LambdaLLMError):
    """What the function returned does not have the form it promised. `problems` name what is wrong."""

    http_status = 500
    fix = "Correct the function, or the form."

    def __init__(self, message: str, *, problems: Sequence[str] = (), fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.problems = tuple(problems)
