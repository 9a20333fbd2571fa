"""`CorsMiddleware`: which web pages may call the function, and read what it answers.

Source: the Fetch standard, "CORS protocol" (https://fetch.spec.whatwg.org/#http-cors-protocol).
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from .base import FlowMiddleware, ShortCircuit
from .http import header, is_http, method

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from re import Pattern
    from typing import Any

    from ..llm.flow import Flow
    from .context import InvocationContext

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class CorsMiddleware(FlowMiddleware):
    """Answers preflight requests, and lets the pages of `origins` read responses, those of errors too.

        CorsMiddleware(["https://app.example.com", re.compile(r"https://pr-\\d+\\.example\\.com")], credentials=True)

    An origin is written as browsers send it: scheme, host and port, no slash at the end; a pattern must fit the whole
    of it. `"*"` is every page. With `credentials` (cookies, HTTP authentication) the origins must be named: `"*"`
    and `"null"` raise `ConfigurationError`. `headers` are those that a page may send, `"*"` for all that it asks for;
    `expose` those that it may read; `max_age` is for how many seconds a browser keeps the answer to a preflight.

    A preflight is answered here, without the function: list it before what would refuse it, such as `AuthMiddleware`.
    """

    def __init__(
        self,
        origins: str | Pattern[str] | Sequence[str | Pattern[str]] = "*",
        *,
        methods: Sequence[str] = _METHODS,
        headers: Sequence[str] | str = "*",
        expose: Sequence[str] = (),
        credentials: bool = False,
        max_age: int = 600,
    ) -> None:
        listed = (origins,) if isinstance(origins, str) or hasattr(origins, "fullmatch") else tuple(origins)
        self._any = "*" in listed
        if self._any and credentials:
            fix = "Name the origins that may send credentials."
            raise ConfigurationError("CorsMiddleware has origins='*' with credentials=True.", fix=fix)
        if "null" in listed and credentials:
            fix = "Leave it out: any page can have that origin, in a frame of its own."
            raise ConfigurationError("CorsMiddleware has the origin 'null' with credentials=True.", fix=fix)
        for one in listed:
            if not isinstance(one, str) and not hasattr(one, "fullmatch"):
                raise ConfigurationError(f"{one!r} is no origin.", fix="Give text, or a compiled pattern.")
        self._named = frozenset(_checked(one) for one in listed if isinstance(one, str) and one != "*")
        self._patterns = tuple(one for one in listed if not isinstance(one, str))
        self._methods, self._max_age = tuple(methods), max_age
        self._headers = None if headers == "*" else (headers,) if isinstance(headers, str) else tuple(headers)
        self._granted = {"Access-Control-Allow-Credentials": "true"} if credentials else {}
        if expose:
            self._granted["Access-Control-Expose-Headers"] = ", ".join(expose)

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Have the headers sent that let a page read the response; answer a preflight."""
        yield from ()
        if not is_http(event):
            return
        origin, sent = header(event, "origin"), context.response_headers
        allowed = self._allowed(origin)
        if not self._any:
            _vary(sent, "Origin")
        if allowed is not None:
            sent["Access-Control-Allow-Origin"] = allowed
            sent.update(self._granted)
        if method(event) == "OPTIONS" and origin and header(event, "access-control-request-method"):
            self._answer_preflight(event, sent, allowed)
            raise ShortCircuit({"statusCode": 204, "body": ""})

    def _allowed(self, origin: str | None) -> str | None:
        """What `Access-Control-Allow-Origin` says to an origin; `None` where it says nothing."""
        if not origin:
            return None
        if self._any:
            return "*"
        fits = origin in self._named or any(pattern.fullmatch(origin) for pattern in self._patterns)
        return origin if fits else None

    def _answer_preflight(self, event: Any, sent: dict[str, str], allowed: str | None) -> None:
        _vary(sent, "Access-Control-Request-Method", "Access-Control-Request-Headers")
        if allowed is None:
            return
        asked = header(event, "access-control-request-headers")
        wanted = asked if self._headers is None else ", ".join(self._headers)
        if wanted:
            sent["Access-Control-Allow-Headers"] = wanted
        sent["Access-Control-Allow-Methods"] = ", ".join(self._methods)
        sent["Access-Control-Max-Age"] = str(self._max_age)


def _vary(sent: dict[str, str], *names: str) -> None:
    """Tell caches what the response depends on, whether or not this request had it."""
    before = sent.get("Vary")
    sent["Vary"] = ", ".join((*((before,) if before else ()), *names))


def _checked(origin: str) -> str:
    """An origin as browsers write it. Raises `ConfigurationError` for one that would never fit."""
    scheme, marked, rest = origin.partition("://")
    if origin != "null" and (not marked or not scheme or not rest or "/" in rest or origin != origin.lower()):
        fix = "Write it as browsers send it, like 'https://app.example.com'."
        raise ConfigurationError(f"{origin!r} is no origin.", fix=fix)
    return origin
