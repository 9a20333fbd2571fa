"""Streaming under AWS's own runtime client, which takes whole answers only: it is taught to pass a stream on to ours.

What a function returns goes through two places of AWS's client: its marshaller, which makes bytes of it, and
`post_invocation_result`, which posts them. Both let everything pass as before, but for a `ResponseStream`: that one is
sent by `RuntimeClient.stream`, and nothing is posted after it. This happens after the function and all that is wrapped
around it have returned, as under our own runtime.

The one module that knows names of `awslambdaric`; tried with 2.2, 3.0, 3.1 and 4.2. Where they are not as expected,
`streams_here` is false and the log says why, so that answers go out in one piece. It loads nothing where another
runtime runs.
"""

from __future__ import annotations

import os
import sys

from .errors import RuntimeApiError, RuntimeFault
from .streams import ResponseStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from .client import RuntimeClient
    from .sending import Sent

_CONTEXT = "awslambdaric.lambda_context"
_CLIENT = "awslambdaric.lambda_runtime_client"
_POST = "post_invocation_result"
_said: list[str] = []
_clients: dict[str, RuntimeClient] = {}


def streams_here(lambda_context: object) -> bool:
    """Whether a function that is given this context may return a `ResponseStream`.

    True for our runtime's context, which says so itself, and for that of AWS's client once it has been taught.
    """
    accepts = getattr(lambda_context, "accepts_stream", None)
    if accepts is not None:
        return bool(accepts)
    return type(lambda_context).__module__ == _CONTEXT and _teach()


def waits_for_next(frame: FrameType | None) -> bool:
    """Whether the first thread, interrupted in this frame, is AWS's client asking for the next invocation."""
    while frame is not None:
        code = frame.f_code
        if code.co_name == "wait_next_invocation" and "awslambdaric" in code.co_filename:
            return True
        frame = frame.f_back
    return False


def _teach() -> bool:
    """Have AWS's client pass streams on; whether it does. What is done already is not done twice."""
    address = os.environ.get("AWS_LAMBDA_RUNTIME_API")
    module = sys.modules.get(_CLIENT)
    kinds: list[Any] = [kind for kind in vars(module).values() if isinstance(kind, type)] if module else []
    posting = [kind for kind in kinds if _POST in vars(kind)]
    marshalling = [kind for kind in kinds if hasattr(vars(kind).get("marshaller"), "marshal_response")]
    if not (address and posting and marshalling):
        return _cannot("the classes" if address else "AWS_LAMBDA_RUNTIME_API")
    for kind in marshalling:
        if not isinstance(kind.marshaller, _Marshaller):
            kind.marshaller = _Marshaller(kind.marshaller)
    for kind in posting:
        if not hasattr(kind.post_invocation_result, "passes_streams"):
            kind.post_invocation_result = _passing_streams(kind.post_invocation_result, address)
    return True


class _Marshaller:
    """A marshaller that leaves streams as they are; the rest is the business of the one before it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def marshal_response(self, response: Any) -> Any:
        """What is to be posted, and its content type."""
        if isinstance(response, ResponseStream):
            return response, response.content_type
        return self._inner.marshal_response(response)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _passing_streams(original: Callable[..., Any], address: str) -> Callable[..., Any]:
    def post_invocation_result(
        self: Any, invoke_id: str, result_data: Any, content_type: str = "application/json", *more: Any, **named: Any
    ) -> object:
        if not isinstance(result_data, ResponseStream):
            return original(self, invoke_id, result_data, content_type, *more, **named)
        invocation_id = named.get("invocation_id", more[0] if more else None)
        _send(address, invoke_id, result_data, invocation_id)
        return None

    post_invocation_result.passes_streams = True  # type: ignore[attr-defined]  # a mark of ours
    return post_invocation_result


def _send(address: str, id: str, stream: ResponseStream, invocation_id: str | None) -> None:
    """Send a stream. That Lambda doesn't take it, or no longer, does not end the process."""
    client = _clients.get(address) or _clients.setdefault(address, _client(address))
    try:
        sent = client.stream(id, stream, invocation_id)
    except RuntimeFault as error:  # nothing of it has been sent
        _log("error", "%s: %s", error.type, error)
        client.fail(id, error)
    except RuntimeApiError as error:
        _log("warning", "The streamed response is not taken: %s", error)
    else:
        _report(sent)


def _report(sent: Sent) -> None:
    if sent.fault is not None:
        _log("error", "%s: %s", sent.fault.type, sent.fault.message, error=sent.error)
    if sent.left:
        _log("warning", "The response was not read to its end, after %s bytes: %s.", sent.bytes_sent, sent.left)


def _client(address: str) -> RuntimeClient:
    from .client import RuntimeClient

    return RuntimeClient(address)


def _cannot(lacking: str) -> bool:
    if lacking not in _said:
        _said.append(lacking)
        message = (
            "Responses are not streamed: %s of AWS's runtime client can't be found where this version of LambdaLLM "
            "looks. Update LambdaLLM, or start the function by its exec wrapper."
        )
        _log("warning", message, lacking)
    return False


def _log(level: str, message: str, *about: object, error: BaseException | None = None) -> None:
    """Log in the way of AWS's client, which has set logging up."""
    from logging import getLogger

    from .faults import logged

    getattr(getLogger("lambdallm.runtime"), level)(message, *about, exc_info=error and logged(error))
