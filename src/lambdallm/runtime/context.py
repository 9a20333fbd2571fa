"""The context a function is called with: every attribute and method of AWS's own, and `accepts_stream`.

Source: `awslambdaric` 4.2, `lambda_context.py`, and the Lambda Developer Guide's page on the Python context object.
"""

from __future__ import annotations

import os
import time

from .errors import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from .invocation import Invocation

    C = TypeVar("C", bound="LambdaContext")

_TRACE_FIELDS = ("traceparent", "tracestate", "baggage")
_EARLIEST_MS = 1_000_000_000_000
"""A deadline before 2001 is none: cargo-lambda gives the time that is left in its place."""


class _Fields:
    """Named fields, `None` where there is nothing, shown as AWS shows them."""

    __slots__: tuple[str, ...] = ()

    def __init__(self, fields: Mapping[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, fields.get(name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{','.join(f'{name}={getattr(self, name)}' for name in self.__slots__)}])"


class CognitoIdentity(_Fields):
    """Who called through Amazon Cognito."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(_Fields):
    """The mobile application that called."""

    __slots__ = (  # noqa: RUF023  # as AWS shows them
        "installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name",
    )  # fmt: skip


class ClientContext(_Fields):
    """What a caller says of itself: `custom` and `env` mappings, and its `client`."""

    __slots__ = ("custom", "env", "client")  # noqa: RUF023  # as AWS shows them

    def __init__(self, fields: Mapping[str, Any]) -> None:
        client = fields.get("client")
        super().__init__({**fields, "client": None if client is None else Client(client)})


class LambdaContext:
    """What AWS's client gives a function as its second argument. `memory_limit_in_mb` is text there, and here."""

    accepts_stream = True
    """A handler may return a `ResponseStream`."""

    def __init__(
        self,
        invoke_id: str,
        client_context: dict[str, Any] | None,
        cognito_identity: dict[str, Any] | None,
        epoch_deadline_time_in_ms: int,
        invoked_function_arn: str | None = None,
        tenant_id: str | None = None,
    ) -> None:
        environ = os.environ.get
        self.aws_request_id = invoke_id
        self.log_group_name = environ("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = environ("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = environ("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = environ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = environ("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self._trace = _trace_of(client_context)
        self.client_context = None if client_context is None else ClientContext(client_context)
        identity = cognito_identity or {}
        self.identity = CognitoIdentity({
            "cognito_identity_id": identity.get("cognitoIdentityId"),
            "cognito_identity_pool_id": identity.get("cognitoIdentityPoolId"),
        })  # fmt: skip
        if epoch_deadline_time_in_ms < _EARLIEST_MS:
            epoch_deadline_time_in_ms += int(time.time() * 1000)
        self._epoch_deadline_time_in_ms = epoch_deadline_time_in_ms

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation; never negative."""
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))

    def w3c(self) -> dict[str, str]:
        """The caller's W3C trace context: `traceparent`, `tracestate` and `baggage`, those that came."""
        return dict(self._trace)

    def log(self, msg: object) -> None:
        """Write to the log as it is, without a line end."""
        from . import logs

        logs.sink().write(str(msg))

    def __repr__(self) -> str:
        names = (
            "aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
            "function_version", "invoked_function_arn", "client_context", "identity", "tenant_id",
        )  # fmt: skip
        return f"{type(self).__name__}([{','.join(f'{name}={getattr(self, name)}' for name in names)}])"


def context_of(invocation: Invocation, kind: type[C]) -> C:
    """The context of an invocation. Raises `RuntimeFault` where what the caller sent of itself is not JSON."""
    return kind(
        invocation.id,
        _parsed(invocation.client_context, "Client Context"),
        _parsed(invocation.identity, "Cognito Identity"),
        invocation.deadline_ms,
        invocation.arn,
        invocation.tenant_id,
    )


def _parsed(text: str | None, name: str) -> Any:
    if not text:
        return None
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        message = f"Unable to parse {name} JSON: {error}"
        raise RuntimeFault("Runtime.LambdaContextUnmarshalError", message) from error


def _trace_of(client_context: Any) -> dict[str, str]:
    """The trace fields of a client context, which loses them: functions don't see them as the caller's own."""
    if not isinstance(client_context, dict):
        return {}
    fields = client_context.pop("w3c", None)
    if not isinstance(fields, dict):
        return {}
    return {name: fields[name] for name in _TRACE_FIELDS if isinstance(fields.get(name), str)}
