"""A Lambda function, invoked: and waited for, or left to run.

    answer = yield from LambdaFunction("summarize").invoke({"text": "…"})
    yield from LambdaFunction("summarize:live").start({"text": "…"})

Source: "Invoke" in the AWS Lambda API Reference; "Lambda quotas".
"""

from __future__ import annotations

import json

from .errors import FunctionFailed, ServiceError
from .regions import region_in
from .service import AwsService, ServiceFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...transport.types import HttpResponse
    from ..flow import Flow

MOST_BYTES = 6_291_556
"""What an event may weigh where the answer is waited for, and what the answer may."""

MOST_STARTED_BYTES = 1024 * 1024
"""What an event may weigh where it is not."""

LAMBDA = ServiceFacts(
    title="Lambda",
    name="lambda",
    variable="LAMBDA",
    passing=frozenset(("ServiceException", "EC2ThrottledException", "ResourceNotReadyException")),
    fixes={
        "ResourceNotFoundException": "Deploy the function, or check its name, alias and region.",
        "RequestTooLargeException": "Keep the content in S3, and send where it is.",
        "InvalidRequestContentException": "Give an event that is JSON.",
        "KMSAccessDeniedException": "Allow the called function's role kms:Decrypt on the key of its variables.",
        "TooManyRequestsException": "Raise the function's reserved concurrency, or the account's.",
    },
    permissions={"Invoke": "lambda:InvokeFunction"},
)


class LambdaFunction:
    """One function, by name or ARN, with a version or alias behind a colon where one is meant. Raises `ServiceError`.

    An invocation is repeated only where Lambda says that it did not begin: throttling. `timeout_seconds` is the longest
    one with its tries; a function may run for 15 minutes.
    """

    def __init__(
        self,
        name: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 60.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.name = name
        region = region or region_in(name)
        self._service = AwsService(
            LAMBDA, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter
        )

    def invoke(self, event: Any = None, *, timeout_seconds: float | None = None) -> Flow[Any]:
        """What the function gives for an event (JSON values, or bytes that are JSON): the value of its JSON.

        An event weighs at most 6 MB, and so does an answer. Raises `FunctionFailed` where the function did.
        """
        data = _encoded(event, MOST_BYTES, "6 MB, waited for")
        response = yield from self._invoked("RequestResponse", data, timeout_seconds)
        failure = response.header("x-amz-function-error")
        if failure:
            raise _failed(self.name, failure, response.body)
        try:
            return json.loads(response.body or b"null")
        except (ValueError, RecursionError):
            return response.body.decode(errors="replace")

    def start(self, event: Any = None, *, timeout_seconds: float | None = None) -> Flow[str]:
        """Have the function run for an event of at most 1 MB; gives the request id.

        Lambda queues the event and tries it twice more by itself; whoever is answered may have two runs of it.
        """
        data = _encoded(event, MOST_STARTED_BYTES, "1 MB, not waited for")
        response = yield from self._invoked("Event", data, timeout_seconds)
        return response.header("x-amzn-requestid") or ""

    def _invoked(self, kind: str, data: bytes, timeout_seconds: float | None) -> Flow[HttpResponse]:
        from ..auth import percent_encoded

        response: HttpResponse = yield from self._service.answer(
            "Invoke",
            "POST",
            f"/2015-03-31/functions/{percent_encoded(self.name)}/invocations",
            headers=(("Content-Type", "application/json"), ("X-Amz-Invocation-Type", kind)),
            body=data,
            on=self.name,
            again=False,
            timeout_seconds=timeout_seconds,
        )
        return response

    def __repr__(self) -> str:
        return f"LambdaFunction({self.name!r})"


def _encoded(event: Any, most: int, words: str) -> bytes:
    data = event if isinstance(event, bytes) else _json(event)
    if len(data) > most:
        said = f"An event of {len(data)} bytes is more than Lambda takes: {most} ({words})."
        fix = LAMBDA.fixes["RequestTooLargeException"]
        raise ServiceError(said, fix=fix, code="RequestTooLargeException", retryable=False, refused=True)
    return data


def _json(event: Any) -> bytes:
    """An event's JSON. What is no character (half of a pair, as JSON allows) is written as JSON's escape for it."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "backslashreplace")


def _failed(name: str, failure: str, payload: bytes) -> FunctionFailed:
    """The failure in the function's own words: what it raised."""
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        told = None
    told = told if isinstance(told, dict) else {}
    kind = str(told.get("errorType") or failure)
    said = str(told.get("errorMessage") or "no reason given").rstrip(".")
    return FunctionFailed(f"The function {name!r} failed: {said} ({kind}).", payload, code=kind)
