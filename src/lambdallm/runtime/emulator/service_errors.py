"""Refusals of Lambda's API, in the words, the shape and with the status of AWS. Pure.

Source: the AWS Lambda API Reference, "Common errors" and the errors of each operation; names and statuses are those of
botocore's service description.
"""

from __future__ import annotations

import json

from .errors import EmulatorError
from .listener import HttpReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STATUS = {
    "InvalidParameterValueException": 400, "InvalidRequestContentException": 400, "ValidationException": 400,
    "SerializationException": 400, "AccessDeniedException": 403, "ResourceNotFoundException": 404,
    "ResourceConflictException": 409, "PreconditionFailedException": 412,
    "RequestTooLargeException": 413, "UnsupportedMediaTypeException": 415,
    "TooManyRequestsException": 429, "ServiceException": 500, "UnknownOperationException": 404,
}  # fmt: skip
_CAPITAL = frozenset(
    ("ResourceNotFoundException", "PreconditionFailedException", "ServiceException", "AccessDeniedException")
)


class ServiceError(Exception):
    """An operation is refused. `code` is AWS's name of the error, `facts` what its body says besides the message."""

    def __init__(self, code: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.facts = code, message, facts

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS[self.code]

    def reply(self) -> HttpReply:
        """The refusal as it is sent."""
        whose = {} if self.code == "ValidationException" else {"Type": "Service" if self.status >= 500 else "User"}
        said = {"Message" if self.code in _CAPITAL else "message": self.message}
        body = json.dumps({**whose, **said, **self.facts}, ensure_ascii=False).encode()
        headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", self.code))
        return HttpReply(self.status, headers, body)


def refusal_of(error: EmulatorError) -> ServiceError:
    """The refusal that an error of the emulator is."""
    if error.code == "RequestEntityTooLargeException":
        return ServiceError("RequestTooLargeException", f"{error}")
    if error.code == "TooManyRequestsException":
        return ServiceError(error.code, "Rate Exceeded.", Reason=getattr(error, "reason", "CallerRateLimitExceeded"))
    return ServiceError(error.code if error.code in _STATUS else "ServiceException", f"{error}")


def missing(what: str, arn: str) -> ServiceError:
    """There is no such thing: `missing("Function", arn)`."""
    return ServiceError("ResourceNotFoundException", f"{what} not found: {arn}")


def wrong(message: str) -> ServiceError:
    """A parameter is not one that Lambda takes."""
    return ServiceError("InvalidParameterValueException", message)


def stale(operation: str) -> ServiceError:
    """A change was meant for another revision than there is; `operation` tells the newest."""
    fix = f"Call the {operation} API to retrieve the latest RevisionId"
    said = f"The RevisionId provided does not match the latest RevisionId. {fix}"
    return ServiceError("PreconditionFailedException", said)


def too_large(most_bytes: int, operation: str = "InvokeFunction") -> ServiceError:
    """A payload is larger than an operation takes."""
    said = f"Request must be smaller than {most_bytes} bytes for the {operation} operation"
    return ServiceError("RequestTooLargeException", said)
