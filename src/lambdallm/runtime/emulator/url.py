"""A function URL: HTTP requests as invocations, answers as replies, piece by piece where the URL streams.

    with Emulator() as emulator:
        emulator.add(Function(name="app", code="src", handler="app.lambda_handler"))
        with Listener(UrlFront(emulator, "app"), port=3000) as listener:
            ...

Source: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and configuration-response-streaming.html.
"""

from __future__ import annotations

import json
import time
import uuid
from hashlib import sha256

from .cors import cors_headers, is_preflight
from .listener import HttpReply
from .passing import Failure, Replied, opened, running
from .payloads import Visit, new_trace_id, url_event
from .replies import PRELUDE_TYPE, Malformed, format_2_reply, streamed_reply, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .account import Account
    from .answer import Answer
    from .cors import Cors
    from .emulator import Emulator
    from .listener import HttpRequest, Pairs

_STATUS: dict[str, tuple[int, str, str]] = {
    "throttled": (429, "TooManyRequestsException", '{"Message":"Rate Exceeded."}'),
    "too_large": (413, "RequestEntityTooLargeException", '{"Message":"Request Entity Too Large"}'),
    "missing": (403, "AccessDeniedException", '{"Message":null}'),
    "late": (502, "InternalServerErrorException", "Internal Server Error"),
    "failed": (502, "InternalServerErrorException", "Internal Server Error"),
}


class UrlFront:
    """The front end of the URL of one function, or of the alias that `qualifier` names and `account` knows.

    `mode` is the function's own where not given. `on_answer` hears of each invocation as it begins. With `explain` the
    body of a failure says what failed, and a function that took too long is a 504, where AWS says nothing but 502 and
    `Internal Server Error`.
    """

    def __init__(
        self,
        emulator: Emulator,
        name: str,
        *,
        qualifier: str | None = None,
        account: Account | None = None,
        mode: str | None = None,
        cors: Cors | None = None,
        on_answer: Callable[[HttpRequest, Answer], None] | None = None,
        explain: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.emulator, self.name, self.qualifier, self.mode, self.cors = emulator, name, qualifier, mode, cors
        self._lambda = account or emulator
        self._on_answer, self._explain, self._clock = on_answer, explain, clock
        self.url_id = sha256(f"{emulator.region}:{emulator.account}:{name}:{qualifier}".encode()).hexdigest()[:32]

    def __call__(self, request: HttpRequest) -> HttpReply:
        """The reply to a request."""
        added = cors_headers(self.cors, request) if self.cors else ()
        if self.cors and is_preflight(request):
            return HttpReply(200, added)
        reply = self._reply(request)
        return reply.replace(headers=(*reply.headers, *added))

    def _reply(self, request: HttpRequest) -> HttpReply:
        visit = self._visit(request)
        if request.length > min(self.emulator.limits.sync_bytes, len(request.body)):
            return self._too_large(visit)
        payload = json.dumps(url_event(request, visit), ensure_ascii=False, separators=(",", ":")).encode()
        if len(payload) > self.emulator.limits.sync_bytes:
            return self._too_large(visit)
        streams = self._streams()
        try:
            answer = opened(self._lambda, self.name, payload, qualifier=self.qualifier, streams=streams, visit=visit)
        except Failure as failure:
            return self._failure(failure, "", visit)
        if self._on_answer:
            self._on_answer(request, answer)
        return self._answered(answer, streams, visit)

    def _answered(self, answer: Answer, streams: bool, visit: Visit) -> HttpReply:
        try:
            reply = self._of(running(answer), streams)
        except Failure as failure:
            return self._failure(failure, answer.request_id, visit)
        except Malformed as error:
            return self._failure(Failure("failed", f"{error}"), answer.request_id, visit)
        return reply.replace(headers=(*reply.headers, *_ids(answer.request_id, visit)))

    def _of(self, replied: Replied, streams: bool) -> HttpReply:
        """A buffered answer is read as JSON; a streamed one goes as it comes, or joined where the URL does not."""
        if replied.streamed or replied.content_type.startswith(PRELUDE_TYPE):
            reply = streamed_reply(replied.chunks, replied.content_type)
            return reply if streams else whole(reply)
        return format_2_reply(b"".join(replied.chunks))

    def _streams(self) -> bool:
        function = self.emulator.functions.get(self.name)
        return (self.mode or getattr(function, "url_mode", "BUFFERED")) == "RESPONSE_STREAM"

    def _visit(self, request: HttpRequest) -> Visit:
        """Where the request arrived: a host of the URL's own form is believed, so that a test can name one."""
        when, host = self._clock(), request.header("host").partition(":")[0]
        ours = f"{self.url_id}.lambda-url.{self.emulator.region}.on.aws"
        domain = host if ".lambda-url." in host else ours
        trace = request.header("x-amzn-trace-id") or new_trace_id(when)
        return Visit(str(uuid.uuid4()), when, trace, domain, domain.partition(".")[0])

    def _too_large(self, visit: Visit) -> HttpReply:
        said = f"The request is larger than {self.emulator.limits.sync_bytes} bytes."
        return self._failure(Failure("too_large", said), "", visit)

    def _failure(self, failure: Failure, request_id: str, visit: Visit) -> HttpReply:
        status, kind, said = _STATUS[failure.kind]
        if self._explain:
            said = json.dumps(failure.told, ensure_ascii=False)
            status = 504 if failure.kind == "late" else status
        pairs = (("Content-Type", "application/json"), ("x-amzn-ErrorType", kind))
        return HttpReply(status, (*pairs, *_ids(request_id, visit)), said.encode("utf-8", "replace"))


def _ids(request_id: str, visit: Visit) -> Pairs:
    return ("x-amzn-RequestId", request_id or visit.request_id), ("X-Amzn-Trace-Id", visit.trace_id)
