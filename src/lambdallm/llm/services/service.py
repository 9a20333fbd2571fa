"""What every AWS service has in common: requests are signed, sent, tried again within a time, and refusals are read.

`AwsService` sends HTTP requests as S3 and Lambda want them, `JsonService` operations as DynamoDB, SSM and most others
do. What tells one service from another is `ServiceFacts`: data. Nothing here knows what an operation means.

Source: "AWS JSON 1.0 protocol" and "AWS restJson1 protocol" in the Smithy documentation; "Error retries" in the AWS
SDKs and Tools Reference Guide.
"""

from __future__ import annotations

import json

from ..._value import Value
from ...transport.types import HttpRequest, Timeouts
from ..errors import LLMError
from ..flow import ENVIRONMENT, NOW, Send, Sleep
from ..result import Err
from ..types import EMPTY
from .errors import ServiceError
from .refusals import DENIED, FIXES, THROTTLED, json_object, refusal
from .regions import domain_of, named_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...transport.types import Headers, HttpResponse
    from ..backends.errors import BackendError
    from ..flow import Environ, Flow
    from .refusals import Refusal

_SHORTEST_WAIT = 0.025
_LONGEST_WAIT = 0.4
_CONNECT_SECONDS = 5.0


class ServiceFacts(Value):
    """What tells one AWS service from another.

    `name` stands in its hosts, its signatures and its permissions, `variable` in AWS_ENDPOINT_URL_…; `target` and
    `version` are those of its JSON protocol. `passing` are codes worth another try beyond the usual ones, `fixes` says
    what to do by code, `permissions` what an operation needs where that is called otherwise, `errors` makes errors of
    its own of a code; the text it is given names the operation and what it was on.
    """

    title: str
    name: str
    variable: str
    target: str = ""
    version: str = "1.1"
    passing: frozenset[str] = frozenset()
    fixes: Mapping[str, str] = EMPTY
    permissions: Mapping[str, str] = EMPTY
    errors: Mapping[str, Callable[[Refusal, str], BackendError]] = EMPTY


class AwsService:
    """One AWS service in one region, at `endpoint` or where its own is. Holds no connection: share it freely.

    `region` and `endpoint` are found where the other AWS settings are when not given; `timeout_seconds` bounds an
    operation with all its tries. `jitter` gives numbers from 0 to 1 that spread tries apart.
    """

    def __init__(
        self,
        facts: ServiceFacts,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 10.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.facts, self.region, self.endpoint = facts, region, endpoint
        self.timeout_seconds = timeout_seconds
        self._jitter = jitter

    def answer(
        self,
        operation: str,
        method: str,
        path: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        on: str = "",
        host: str = "",
        again: bool = True,
        timeout_seconds: float | None = None,
        read: Callable[[HttpResponse], Any] | None = None,
    ) -> Flow[Any]:
        """What the service answers, with a status below 300: an `HttpResponse`, or what `read` makes of it.

        `path` begins with a slash and is sent and signed as it is; `host` stands before the service's own; `on` names
        what is worked on, for errors. What passes is tried again with a backoff, as is an answer for which `read`
        raises `ValueError`; without `again` only where nothing was done for certain. Raises `ServiceError`, and what
        the facts make of it.
        """
        seconds = self.timeout_seconds if timeout_seconds is None else timeout_seconds
        end = (yield NOW).monotonic + seconds
        attempt = 0
        while True:
            try:
                request = yield from self._request(method, path, headers, body, host)
                response = yield from self._once(
                    request, operation, on, Timeouts(min(seconds, _CONNECT_SECONDS), seconds, None, end)
                )
                return self._read(read, response, operation, on) if read else response
            except ServiceError as failure:
                error = failure
            wait = self.wait_seconds(attempt, seconds)
            attempt += 1
            may_repeat = error.retryable and (again or error.refused)
            if not may_repeat or (yield NOW).monotonic + wait >= end:
                raise error
            yield Sleep(wait)

    def wait_seconds(self, attempt: int, within_seconds: float) -> float:
        """The wait before the next try: doubled each time, and anything from half of it."""
        if self._jitter is None:
            from random import random

            self._jitter = random
        longest = max(_LONGEST_WAIT, within_seconds / 10)
        return min(_SHORTEST_WAIT * 2.0**attempt, longest) * (0.5 + 0.5 * self._jitter())

    def _once(self, request: HttpRequest, operation: str, on: str, timeouts: Timeouts) -> Flow[HttpResponse]:
        reply = yield Send(request, timeouts)
        if isinstance(reply, Err):
            said = f"{self.facts.title} did not answer: {reply.error.message}"
            raise ServiceError(said, retryable=reply.error.retryable, code=type(reply.error).__name__) from reply.error
        response: HttpResponse = reply.value
        if response.status < 300:
            return response
        raise self.refused(refusal(response), operation, on)

    def _read(self, read: Callable[[HttpResponse], Any], response: HttpResponse, operation: str, on: str) -> Any:
        try:
            return read(response)
        except (ValueError, RecursionError):
            what = f"{operation}{f' of {on!r}' if on else ''}"
            said = f"{self.facts.title} answered {what} with what can't be read (HTTP {response.status})."
            raise ServiceError(said, status=response.status, fix="Check what stands between here and it.") from None

    def _request(self, method: str, path: str, headers: Headers, body: bytes, host: str) -> Flow[HttpRequest]:
        from ..auth.aws import aws_region, signed

        environ: Environ = yield ENVIRONMENT
        region = self.region or aws_region(environ)
        request = HttpRequest(method, self.url(region, environ, host) + path, headers, body)
        try:
            return (yield from signed(request, self.facts.name, {**environ, "AWS_REGION": region}))
        except LLMError as error:
            said = f"No request to {self.facts.title} could be signed: {error.message}"
            code, retryable = type(error).__name__, error.retryable
            raise ServiceError(said, fix=error.fix, code=code, retryable=retryable, refused=True) from error

    def url(self, region: str, environ: Environ, host: str = "") -> str:
        """The endpoint, without a slash at its end. One that was named has no `host` before it."""
        named = named_endpoint(self.facts.variable, self.endpoint, environ)
        return named or f"https://{host}{self.facts.name}.{region}.{domain_of(region)}"

    def refused(self, refusal: Refusal, operation: str, on: str) -> BackendError:
        """The error that a refusal means."""
        facts, code = self.facts, refusal.code
        reason = f"HTTP {refusal.status}{f', {code}' if code else ''}"
        named = f", request {refusal.request_id}" if refusal.request_id else ""
        what = f"{facts.title} refused {operation}{f' of {on!r}' if on else ''}"
        message = f"{what}: {refusal.said} ({reason}{named})."
        if code in facts.errors:
            return facts.errors[code](refusal, message)
        throttled = code in THROTTLED or refusal.status == 429
        return ServiceError(
            message,
            fix=self._fix(refusal, operation, on),
            code=code,
            retryable=throttled or code in facts.passing or refusal.status >= 500,
            status=refusal.status,
            request_id=refusal.request_id,
            refused=throttled or refusal.status < 500,
        )

    def _fix(self, refusal: Refusal, operation: str, on: str) -> str:
        code = refusal.code
        if code in DENIED or (refusal.status == 403 and not code):
            needed = self.facts.permissions.get(operation, f"{self.facts.name}:{operation}")
            key = " and kms:Decrypt on its key" if "kms" in refusal.said.lower() else ""
            return f"Allow the function's role {needed}{f' on {on!r}' if on else ''}{key}."
        return self.facts.fixes.get(code) or FIXES.get(code.removesuffix("Exception"), "")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.facts.title!r})"


class JsonService(AwsService):
    """A service whose operations are JSON objects posted to one path."""

    def call(
        self, operation: str, body: Mapping[str, Any], *, on: str = "", again: bool = True
    ) -> Flow[dict[str, Any]]:
        """An operation in the service's own JSON, and its answer. Raises as `answer` does."""
        headers = (
            ("Content-Type", f"application/x-amz-json-{self.facts.version}"),
            ("X-Amz-Target", f"{self.facts.target}.{operation}"),
        )
        data = json.dumps(body, separators=(",", ":")).encode()
        answer: dict[str, Any] = yield from self.answer(
            operation, "POST", "/", headers=headers, body=data, on=on, again=again, read=json_object
        )
        return answer
