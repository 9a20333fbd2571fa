"""Lambda's operations that invoke: `Invoke`, `InvokeWithResponseStream`, `InvokeAsync`."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode

from ...aws.eventstream import encode_message
from .listener import HttpReply
from .service_errors import ServiceError, too_large
from .validate import Rule, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .account import Account
    from .answer import Answer
    from .call import Call

_MOST_CONTEXT = 3583
_INVOKE = {
    "InvocationType": Rule(words=("Event", "RequestResponse", "DryRun")),
    "LogType": Rule(words=("None", "Tail")),
}
_STREAM = {
    "InvocationType": Rule(words=("RequestResponse", "DryRun")),
    "LogType": Rule(words=("None", "Tail")),
}


def invoke(account: Account, call: Call) -> HttpReply:
    """`Invoke`: wait for the answer, take an event, or only check."""
    kind, tail = _kind(call, _INVOKE)
    limits = account.emulator.limits
    payload = _payload(call, limits.async_bytes if kind == "Event" else limits.sync_bytes, "InvokeFunction")
    context = _client_context(call)
    if kind == "DryRun":
        return _dry(account, call)
    if kind == "Event":
        id = account.invoke_event(call.name, payload, qualifier=call.qualifier, client_context=context)
        return HttpReply(202, (("x-amzn-RequestId", id),))
    answer = account.invoke(call.name, payload, qualifier=call.qualifier, client_context=context)
    body = b"".join(answer)
    headers = [*_ids(answer), ("Content-Type", answer.content_type or "application/json")]
    headers += [("X-Amz-Function-Error", answer.function_error)] if answer.function_error else []
    headers += [("X-Amz-Log-Result", _log(answer))] if tail else []
    return HttpReply(200, tuple(headers), body)


def invoke_streaming(account: Account, call: Call) -> HttpReply:
    """`InvokeWithResponseStream`: each piece of the answer as an event, as it comes."""
    kind, tail = _kind(call, _STREAM)
    payload = _payload(call, account.emulator.limits.sync_bytes, "InvokeWithResponseStream")
    context = _client_context(call)
    if kind == "DryRun":
        return _dry(account, call)
    answer = account.invoke(call.name, payload, qualifier=call.qualifier, client_context=context, streams=True)
    headers = (*_ids(answer), ("Content-Type", "application/vnd.amazon.eventstream"))
    return HttpReply(200, headers, _events(answer, tail))


def invoke_async(account: Account, call: Call) -> dict[str, Any]:
    """`InvokeAsync`, which `Invoke` with the type `Event` has taken the place of."""
    payload = _payload(call, account.emulator.limits.async_bytes, "InvokeAsync")
    account.invoke_event(call.name, payload, qualifier=call.qualifier)
    return {}


def _events(answer: Answer, tail: bool) -> Iterator[bytes]:
    answer.begin()
    pieces = iter(answer)
    first = next(pieces, b"")
    if first and (answer.streamed or not answer.function_error):
        yield _event("PayloadChunk", "application/octet-stream", first)
        for piece in pieces:
            yield _event("PayloadChunk", "application/octet-stream", piece)
    told = _error(answer) | ({"LogResult": _log(answer)} if tail else {})
    yield _event("InvokeComplete", "application/json", json.dumps(told).encode())


def _event(kind: str, content_type: str, payload: bytes) -> bytes:
    headers = {":event-type": kind, ":content-type": content_type, ":message-type": "event"}
    return encode_message(headers, payload)


def _error(answer: Answer) -> dict[str, str]:
    """What the last event says of an error: the platform's words, or the function's own JSON."""
    if not answer.function_error:
        return {}
    error = answer.error or {}
    ours = "stackTrace" not in error and str(error.get("errorType", "")).startswith(("Sandbox.", "Runtime."))
    details = str(error.get("errorMessage", "")) if ours else json.dumps(error, ensure_ascii=False)
    return {"ErrorCode": answer.function_error, "ErrorDetails": details}


def _kind(call: Call, rules: dict[str, Rule]) -> tuple[str, bool]:
    """The invocation type, and whether the log's end is wanted."""
    kind = call.request.header("x-amz-invocation-type") or None
    log = call.request.header("x-amz-log-type") or None
    check({"InvocationType": kind, "LogType": log}, rules)
    return kind or "RequestResponse", log == "Tail"


def _dry(account: Account, call: Call) -> HttpReply:
    account.function(call.name, call.qualifier)
    return HttpReply(204)


def _payload(call: Call, most_bytes: int, operation: str) -> bytes:
    """The event. One that is left out is an empty object. Raises `ServiceError`."""
    if call.request.length > min(most_bytes, len(call.request.body)):
        raise too_large(most_bytes, operation)
    payload = call.request.body or b"{}"
    try:
        json.loads(payload)
    except (ValueError, RecursionError) as error:
        said = f"Could not parse request body into json: {error}"
        raise ServiceError("InvalidRequestContentException", said) from error
    return payload


def _client_context(call: Call) -> str | None:
    """The client context as JSON text. Raises `ServiceError` for one that is none."""
    given = call.request.header("x-amz-client-context")
    if not given:
        return None
    if len(given) > _MOST_CONTEXT:
        raise ServiceError(
            "InvalidRequestContentException", f"Client context must be no more than {_MOST_CONTEXT} bytes."
        )
    try:
        text = b64decode(given, validate=True).decode()
        json.loads(text)
    except ValueError as error:
        said = "Client context must be a valid Base64-encoded JSON object."
        raise ServiceError("InvalidRequestContentException", said) from error
    return text


def _ids(answer: Answer) -> tuple[tuple[str, str], ...]:
    return ("x-amzn-RequestId", answer.request_id), ("X-Amz-Executed-Version", answer.version)


def _log(answer: Answer) -> str:
    return b64encode(answer.log.encode()).decode()
