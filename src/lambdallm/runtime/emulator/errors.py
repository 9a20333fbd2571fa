"""Why an invocation is not even begun, in the words and with the status of AWS's Lambda API.

    EmulatorError            `code` is AWS's error type, `status` the HTTP status
      FunctionNotFoundError    404  there is no such function or version
      TooManyRequestsError     429  every environment that may run at once is busy
      PayloadTooLargeError     413  the event is larger than the kind of invocation takes
      ConfigurationError       400  what the function asks for is not what Lambda gives

What goes wrong in a function is no exception: its `Answer` tells it. `NotIsolatedWarning` tells of a machine that can't
keep functions from writing what they may not.
"""

from __future__ import annotations


class EmulatorError(Exception):
    """An invocation or a function is refused."""

    code = "ServiceException"
    status = 500


class FunctionNotFoundError(EmulatorError):
    """Nothing has been added under this name and version."""

    code, status = "ResourceNotFoundException", 404


class TooManyRequestsError(EmulatorError):
    """As many invocations run as the function may have at once."""

    code, status = "TooManyRequestsException", 429
    reason = "ReservedFunctionConcurrentInvocationLimitExceeded"


class PayloadTooLargeError(EmulatorError):
    """The event is too large."""

    code, status = "RequestEntityTooLargeException", 413


class ConfigurationError(EmulatorError):
    """A function is configured in a way that Lambda refuses."""

    code, status = "InvalidParameterValueException", 400


class NotIsolatedWarning(UserWarning):
    """Functions run without what would keep them from writing their code, as the kernel does not give it."""
