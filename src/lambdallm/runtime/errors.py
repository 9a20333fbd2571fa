"""What goes wrong between Lambda and a function.

    EventError             an event is not of the kind, or its body not of the type, that the function reads it as
    RuntimeFault           what Lambda is told under a name of its own, `Runtime.…` or `Function.…`
    └── ResponseTooLarge   an answer beyond what Lambda takes
    RuntimeApiError        the Runtime API refused, or did not answer as it promises

What Lambda knows no name for is the function's own, and is raised as it is.
"""

from __future__ import annotations


class EventError(ValueError):
    """An event, or a part of it, can't be read as what it was taken for. An HTTP client is answered with 400."""

    http_status = 400

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(f"{message} {fix}".strip())
        self.message, self.fix = message, fix


class RuntimeFault(Exception):
    """An error that has a name in Lambda: `type` is one of AWS's. `stack` are lines as `traceback` formats them."""

    def __init__(self, type: str, message: str, stack: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.type, self.message, self.stack = type, message, stack


class ResponseTooLarge(RuntimeFault):
    """An answer, or the head of a streamed one, is larger than Lambda or the caller takes. Sizes are in bytes."""

    def __init__(self, what: str, size: int, limit: int, fix: str) -> None:
        super().__init__("Function.ResponseSizeTooLarge", f"{what} has {size} bytes, the limit is {limit}. {fix}")
        self.size, self.limit = size, limit


class RuntimeApiError(Exception):
    """The Runtime API refused a request, or can't be understood or reached. `status` is 0 where it did not answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status
