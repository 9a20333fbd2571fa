"""The client of Lambda's Runtime API: the next invocation, and what became of it.

It checks what it sends against Lambda's limits, and says what the API's answers mean; it knows no function and no log.

Source: the Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes" and "Implementing response
streaming in a custom runtime"; `awslambdaric` 4.2 for what the guide leaves out.
"""

from __future__ import annotations

import sys

from .connection import Connection
from .errors import RuntimeApiError
from .invocation import invocation_of
from .limits import check_buffered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .connection import Reply
    from .faults import Fault
    from .invocation import Invocation
    from .sending import Sent
    from .streams import ResponseStream

_RUNTIME = "/2018-06-01/runtime"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
_AGENT = "lambdallm Python/{}.{}.{}".format(*sys.version_info)


class RuntimeClient:
    """Speaks to the Runtime API at `host:port`, for one invocation at a time. A forked child may go on using it.

    A path may follow the port, and `http://` come before the host: local tools have it so.

    Methods raise `RuntimeApiError` where the API refuses or does not answer. After most of that the environment is
    lost, and the process should end. After status 413 the caller was told, after 410 the invocation had ended before:
    the next one can be asked for.
    """

    def __init__(self, address: str) -> None:
        host, _, path = address.removeprefix("http://").partition("/")
        self._connection = Connection(host)
        self._path = f"/{path}{_RUNTIME}" if path else _RUNTIME
        self._invocation_id: str | None = None

    def next(self) -> Invocation:
        """Wait for the next invocation, however long."""
        reply = self._connection.exchange(self._head("GET", "/invocation/next"))
        if reply.status != 200:
            raise _refused("next", reply)
        invocation = invocation_of(reply.headers, reply.body)
        self._invocation_id = invocation.invocation_id
        return invocation

    def respond(self, id: str, body: bytes, content_type: str = "application/json") -> None:
        """Answer in one piece. Raises `ResponseTooLarge` before anything is sent."""
        check_buffered(len(body))
        headers = {"Content-Type": content_type, **self._echo(), "Content-Length": str(len(body))}
        self._post(f"/invocation/{id}/response", headers, body)

    def stream(self, id: str, stream: ResponseStream, invocation_id: str | None = None) -> Sent:
        """Answer piece by piece, each sent at once. What the stream raises goes into a trailer and the result.

        `invocation_id` is needed where another client asked for the invocation. Raises `ResponseTooLarge` before
        anything is sent where its head is too large.
        """
        from .sending import send_stream

        def head(headers: dict[str, str]) -> bytes:
            return self._head("POST", f"/invocation/{id}/response", headers | self._echo(invocation_id))

        return send_stream(self._connection, head, id, stream)

    def fail(self, id: str, error: BaseException | Fault) -> None:
        """Say that an invocation failed; possible until a response has begun."""
        from .faults import fault_of

        fault = fault_of(error)
        headers = {"Content-Type": "application/json", _ERROR_TYPE: fault.header}
        if cause := fault.cause():
            headers["Lambda-Runtime-Function-XRay-Error-Cause"] = cause
        self._post_error(f"/invocation/{id}/error", headers | self._echo(), fault, id)

    def init_error(self, error: BaseException | Fault, error_type: str | None = None) -> None:
        """Say that the environment can't start. `error_type` is what Lambda counts it as, the error's own if `None`."""
        from .faults import fault_of

        fault = fault_of(error)
        kind = fault.header if error_type is None else error_type
        self._post_error("/init/error", {"Content-Type": "application/json", _ERROR_TYPE: kind}, fault)

    def restore_next(self) -> None:
        """Let Lambda take the snapshot; comes back in an environment that was restored from it."""
        self._connection.close()
        reply = self._connection.exchange(self._head("GET", "/restore/next"))
        self._connection.close()
        if reply.status != 200:
            raise _refused("restore/next", reply)

    def restore_error(self, error: BaseException | Fault) -> None:
        """Say that what follows a restore failed."""
        from .faults import fault_of

        headers = {"Content-Type": "application/json", _ERROR_TYPE: "Runtime.AfterRestoreError"}
        self._post_error("/restore/error", headers, fault_of(error))

    def close(self) -> None:
        """Close the connection; a later call opens another."""
        self._connection.close()

    def _post_error(self, path: str, headers: dict[str, str], fault: Fault, id: str = "") -> None:
        body = fault.body(id)
        self._post(path, {**headers, "Content-Length": str(len(body))}, body)

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> None:
        reply = self._connection.exchange(self._head("POST", path, headers), body)
        if reply.status not in (200, 202):
            raise _refused(path.lstrip("/"), reply, len(body))

    def _echo(self, invocation_id: str | None = None) -> dict[str, str]:
        known = invocation_id or self._invocation_id
        return {} if known is None else {"Lambda-Runtime-Invocation-Id": known}

    def _head(self, method: str, path: str, headers: dict[str, str] | None = None) -> bytes:
        lines = [f"{method} {self._path}{path} HTTP/1.1", f"Host: {self._connection.address}", f"User-Agent: {_AGENT}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in (headers or {}).items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")


def _refused(what: str, reply: Reply, size: int = 0) -> RuntimeApiError:
    said = reply.body[:500].decode("utf-8", "replace")
    message = f"The Runtime API answered {reply.status} to {what!r}: {said!r}."
    if reply.status == 413:
        message += f" {size} bytes were sent. Stream the response, or put it in S3 and answer with a link to it."
    return RuntimeApiError(message, reply.status)
