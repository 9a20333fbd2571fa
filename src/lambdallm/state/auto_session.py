"""Where a session's id is in an event, whose it is, and how a new one gets back to the caller. Pure but for chance.

    Session(id_from="header:x-session-id")
    Session(id_from=("cookie:sid", "query:session"), owner="event:requestContext.authorizer.jwt.claims.sub")

A source is `header:NAME`, `cookie:NAME`, `query:NAME`, `path:NAME` (a parameter of the route), `body:FIELD` (of a JSON
body) or `event:FIELD`; a field may be a path, `user.id`. Of several the first that has an id decides. An id is taken
from whoever sends it, so it must be hard to guess: the ones made here have 144 random bits. Where callers are known,
name the `owner`: then an id opens a session of its owner alone.
"""

from __future__ import annotations

import re

from .._value import Value
from ..llm.errors import CallerError, ConfigurationError, UnauthorizedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..runtime.request import Request

DEFAULT_SOURCES = ("header:x-session-id", "cookie:session_id", "body:session_id", "event:session_id")
_KINDS = ("header", "cookie", "query", "path", "body", "event")
_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~:@+=#|-]{1,200}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class SessionIdError(CallerError, ValueError):
    """What was sent as a session's id can't be one."""

    http_status = 400
    fix = "Send 1 to 200 letters, digits or any of . _ ~ : @ + = # | and -, but not . or .. alone."


class Source(Value):
    """One place of an event where an id may be."""

    kind: str
    name: str


def sources_of(given: str | Sequence[str] | None) -> tuple[Source, ...]:
    """The places to look at, in order. Raises `ConfigurationError` for one that is not understood."""
    texts = DEFAULT_SOURCES if given is None else (given,) if isinstance(given, str) else tuple(given)
    return tuple(source_of(text) for text in texts)


def source_of(text: str) -> Source:
    """One place. Raises `ConfigurationError`."""
    kind, _, name = str(text).partition(":")
    fits = kind in ("body", "event", "query", "path") or _TOKEN.fullmatch(name)
    if kind not in _KINDS or not name or not fits:
        fix = f"Write it like 'header:x-session-id' or 'body:user.id'; the places are {', '.join(_KINDS)}."
        raise ConfigurationError(f"{text!r} is no place of an id.", fix=fix)
    return Source(kind, name)


def checked_id(id: object) -> str:
    """An id that can be a key. Raises `SessionIdError`."""
    if isinstance(id, str) and _ID.fullmatch(id):
        return id
    raise SessionIdError(f"A session's id can't be {id if not isinstance(id, str) else id[:80]!r}.")


def new_id() -> str:
    """An id nobody can guess: 24 characters."""
    from binascii import b2a_base64
    from os import urandom

    return b2a_base64(urandom(18), newline=False).decode("ascii").replace("+", "-").replace("/", "_")


def key_of(id: str, owner: str | None = None) -> str:
    """The key of a session's journal. Owners can't meet: theirs are kept apart by a digest, which no id contains."""
    if owner is None:
        return f"session:{id}"
    from hashlib import sha256

    return f"session:{sha256(owner.encode('utf-8', 'surrogatepass')).hexdigest()[:40]}/{id}"


def found_in(event: Any, sources: Sequence[Source]) -> tuple[str, Source] | None:
    """The id that an event has, checked, and where it was; `None` where it has none. Raises `SessionIdError`."""
    sent = Sent(event)
    for source in sources:
        value = sent.at(source)
        if value is not None and value != "":
            return checked_id(str(value) if type(value) is int else value), source
    return None


def owner_of(event: Any, context: Any, owner: str | Callable[[Any, Any], Any] | None) -> str | None:
    """Whose session it is: what a function of event and context says, or a place of the event has.

    Raises `UnauthorizedError` where an owner is asked for and the event has none, and `ConfigurationError` for a
    function that has to be awaited.
    """
    if owner is None:
        return None
    found = owner(event, context) if callable(owner) else Sent(event).at(source_of(owner))
    if hasattr(found, "__await__"):
        getattr(found, "close", str)()
        raise ConfigurationError(f"owner={owner!r} is asynchronous.", fix="Give a function that says it at once.")
    if isinstance(found, (str, int)) and found != "" and not isinstance(found, bool):
        return str(found)
    raise UnauthorizedError("Nobody is known to have sent this, and sessions belong to somebody.")


class Sent:
    """What an event has at its places; `None` where it has nothing there, or nothing that can be read."""

    def __init__(self, event: Any) -> None:
        self._event: Mapping[str, Any] = _mapping(event)
        self._request: Request | None = None
        self._looked = False

    def at(self, source: Source) -> Any:
        """What is at a place."""
        return _READ[source.kind](self, source.name)

    @property
    def request(self) -> Request | None:
        """The event as an HTTP request, or as much of one as it is."""
        if not self._looked:
            self._looked, self._request = True, _request(self._event)
        return self._request

    def header(self, name: str) -> Any:
        """The value of a header."""
        return None if self.request is None else self.request.headers.get(name)

    def cookie(self, name: str) -> Any:
        """The value of a cookie."""
        return None if self.request is None else self.request.cookies.get(name)

    def query(self, name: str) -> Any:
        """The value of a query's parameter."""
        return None if self.request is None else self.request.query.get(name)

    def path(self, name: str) -> Any:
        """The value of a path's parameter."""
        return None if self.request is None else self.request.path_parameters.get(name)

    def body(self, path: str) -> Any:
        """The value of a field of a JSON body."""
        body = self._event.get("body")
        if isinstance(body, str) and self.request is not None:
            first = path.partition(".")[0]
            body = self._json() if first.encode() in self.request.raw_body else None
        return _field(body, path)

    def event(self, path: str) -> Any:
        """The value of a field of the event itself."""
        return _field(self._event, path)

    def _json(self) -> Any:
        try:
            return None if self.request is None else self.request.json()
        except ValueError:
            return None  # the function's to refuse


def _request(event: Mapping[str, Any]) -> Request | None:
    """The request that an event is; tests and direct invocations may leave out what marks it as one."""
    from ..runtime.events import HTTP_KINDS, kind_of
    from ..runtime.request import request_of

    seen = dict(event)
    if kind_of(seen) not in HTTP_KINDS:
        seen |= {"httpMethod": "GET", "requestContext": {"http": {}} if isinstance(seen.get("cookies"), list) else {}}
    if not isinstance(seen.get("body"), str):
        seen["body"] = None
    try:
        return request_of(seen)
    except (ValueError, TypeError, AttributeError, LookupError):
        return None  # whoever reads the request will say what is wrong with it


def _field(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = _mapping(value).get(name)
    return value


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if hasattr(value, "items") else {}


_READ: dict[str, Callable[[Sent, str], Any]] = {
    "header": Sent.header, "cookie": Sent.cookie, "query": Sent.query, "path": Sent.path, "body": Sent.body,
    "event": Sent.event,
}  # fmt: skip


def cookie(name: str, id: str, *, max_age: int | None, path: str = "/", same_site: str = "Lax") -> str:
    """A `Set-Cookie` header's value: sent back to this site over HTTPS, and hidden from scripts."""
    age = "" if max_age is None else f"; Max-Age={max_age}"
    return f"{name}={id}{age}; Path={path}; Secure; HttpOnly; SameSite={same_site}"
