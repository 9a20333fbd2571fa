"""An invocation on its way: what the process is given, and what is known of it until its end."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from secrets import token_hex
from uuid import uuid4

from .answer import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .logs import Line


class Job:
    """One invocation. Times are those of `time.monotonic`."""

    def __init__(
        self,
        payload: bytes,
        *,
        arn: str,
        version: str,
        streams: bool,
        log_tail_bytes: int,
        client_context: str | None = None,
        identity: Mapping[str, str] | None = None,
        trace_id: str | None = None,
        tenant_id: str | None = None,
        request_id: str | None = None,
    ) -> None:
        self.id = request_id or str(uuid4())
        self.payload, self.arn, self.streams = payload, arn, streams
        self.answer = Answer(self.id, version, log_tail_bytes=log_tail_bytes)
        self.lines: list[Line] = []
        self.began = self.deadline = 0.0
        self.told = False
        """Whether its START line is written."""
        self.truncated = False
        """Whether the connection of its response was lost before the response was whole."""
        self._headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.id,
            "Lambda-Runtime-Trace-Id": trace_id or _new_trace_id(),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Client-Context": _one_line(client_context),
            "Lambda-Runtime-Cognito-Identity": json.dumps(dict(identity)) if identity else "",
            "Lambda-Runtime-Aws-Tenant-Id": _one_line(tenant_id),
        }

    def begin(self, timeout: float) -> None:
        """Its time runs from now on."""
        self.began = time.monotonic()
        self.deadline = self.began + timeout

    def headers(self) -> dict[str, str]:
        """What goes before the payload to the process."""
        deadline_ms = int((time.time() + self.deadline - time.monotonic()) * 1000)
        headers = self._headers | {"Lambda-Runtime-Deadline-Ms": str(deadline_ms)}
        return {name: value for name, value in headers.items() if value}

    def for_extensions(self) -> dict[str, Any]:
        """What extensions are told of it."""
        headers = self.headers()
        tracing = {"type": "X-Amzn-Trace-Id", "value": headers["Lambda-Runtime-Trace-Id"]}
        deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        return {"deadlineMs": deadline_ms, "requestId": self.id, "invokedFunctionArn": self.arn, "tracing": tracing}

    def failure(self, error_type: str, reason: str) -> dict[str, str]:
        """An error of the platform's, as it is told to whoever invoked."""
        return {"errorType": error_type, "errorMessage": f"RequestId: {self.id} Error: {reason}"}

    def late(self, timeout: float) -> str:
        """The line that tells of a time limit met."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"{now} {self.id} {timed_out(timeout)}"


def timed_out(timeout: float) -> str:
    """What is said of an invocation that took too long."""
    return f"Task timed out after {timeout:.2f} seconds"


def _new_trace_id() -> str:
    return f"Root=1-{int(time.time()):08x}-{token_hex(12)};Parent={token_hex(8)};Sampled=0"


def _one_line(text: str | None) -> str:
    """A header's value: what is not ASCII goes as UTF-8, as AWS sends it."""
    return " ".join((text or "").splitlines()).encode().decode("latin-1")
