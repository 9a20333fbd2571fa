"""The one port of `lambdallm dev`: function URLs, Lambda's own API, and the playground, told apart by their paths.

/_playground/…                  the playground
/2015-03-31/…, /2021-11-15/…    Lambda's API, for `aws --endpoint-url` and boto3
/<name>/…                       a function's URL, where there are several
/…                              the URL of the only function, or of the first
"""

from __future__ import annotations

import re

from ..runtime.emulator.api import PREFIX, ApiFront
from ..runtime.emulator.service_errors import ServiceError
from ..runtime.emulator.url import UrlFront
from .dev_observer import Served
from .playground.api import PLACE
from .playground.guard import stranger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..runtime.emulator.account import Account
    from ..runtime.emulator.listener import HttpReply, HttpRequest
    from .dev_observer import Observer
    from .dev_workshop import Workshop

_NAMED = re.compile(r"(/20\d\d-\d\d-\d\d/functions/)([^/?]+)(/(?:invocations|response-streaming-invocations).*)")
_BASE64 = "the body came in base64, as on Lambda: its content type is not text or JSON"
_TEXT = re.compile(r"text/|application/(.*\+)?(json|xml|javascript)\b", re.IGNORECASE)


class DevFront:
    """A front end for `Listener`: gives each request to the part that it is for, and has it told when it is over."""

    def __init__(
        self,
        workshop: Workshop,
        observer: Observer,
        account: Account,
        playground: Callable[[HttpRequest], HttpReply],
    ) -> None:
        self._workshop, self._observer, self._playground = workshop, observer, playground
        self._api = ApiFront(account)

    def __call__(self, request: HttpRequest) -> HttpReply:
        """The reply to a request."""
        if request.path == PLACE or request.path.startswith(f"{PLACE}/"):
            return self._playground(request)
        served = Served(f"{request.method} {request.target}")
        self._workshop.look()
        self._observer.serving(served)
        is_api = PREFIX.match(request.path) is not None
        reply = self._of_api(request) if is_api else self._of_url(request, served)
        if not isinstance(reply.body, bytes):
            reply = reply.replace(body=Watched(reply.body, served))
        self._observer.replied(served, reply.status)
        return reply

    def _of_api(self, request: HttpRequest) -> HttpReply:
        """Lambda's API. The only function answers to any name: nobody has to look it up."""
        if (reason := stranger(request)) is not None:
            return ServiceError("AccessDeniedException", reason).reply()
        self._workshop.wait_for()
        names = self._observer.functions
        found = _NAMED.fullmatch(request.target)
        if found is not None and len(names) == 1 and found[2] not in names and ":" not in found[2]:
            request = request.replace(target=f"{found[1]}{next(iter(names))}{found[3]}")
        return self._api(request)

    def _of_url(self, request: HttpRequest, served: Served) -> HttpReply:
        """A function's URL; a failure has the status that the deployed function would answer with, and says why."""
        name, request = self._function_of(request)
        self._workshop.wait_for(name)
        reply = UrlFront(self._observer, name, explain=True)(request)  # type: ignore[arg-type]  # it is one to whoever invokes
        failure = served.answers[0].failure if served.answers and served.answers[0].over_or_failed() else None
        if failure is not None and isinstance(failure.get("status"), int):
            reply = reply.replace(status=failure["status"])
        if reply.status >= 400 and request.body and not _TEXT.match(request.header("content-type")):
            served.notes.append(_BASE64)
        return reply

    def _function_of(self, request: HttpRequest) -> tuple[str, HttpRequest]:
        """The function that a path means, and the request as its own URL would get it."""
        names = [entry.name for entry in self._workshop.project.entries]
        first = request.path.split("/")[1]
        if len(names) > 1 and first in names:
            rest = request.target.removeprefix(f"/{first}")
            return first, request.replace(target=rest if rest.startswith("/") else f"/{rest}")
        return names[0], request


class Watched:
    """A streamed body, which hears when its client has gone."""

    def __init__(self, body: Iterable[bytes], served: Served) -> None:
        self._body, self._served = body, served

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def left(self) -> None:
        """The client has gone; the function runs to its end, as on Lambda."""
        self._served.notes.append("client left")
