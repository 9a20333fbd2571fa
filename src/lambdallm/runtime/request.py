"""The HTTP request that an event carries, in one form whichever service sent it: API Gateway, function URL, ALB."""

from __future__ import annotations

from .._value import Value
from .errors import EventError
from .events import HTTP_KINDS, NOTHING, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    Pairs = tuple[tuple[str, str], ...]


class Headers:
    """Headers, found without regard to case. `headers["x-user"]` is the first value, `all` gives every one."""

    __slots__ = ("_values", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: Pairs = tuple(pairs)
        self._values: dict[str, list[str]] = {}
        for name, value in self.pairs:
            self._values.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()][0]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first value of a header."""
        return self._values.get(name.lower(), [default])[0]

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a header, in order."""
        return tuple(self._values.get(name.lower(), ()))

    def items(self) -> list[tuple[str, str]]:
        """Each name in lower case with its first value."""
        return [(name, values[0]) for name, values in self._values.items()]

    def keys(self) -> list[str]:
        """The names in lower case."""
        return list(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"Headers({list(self._values)!r})"


class Request(Value):
    """An HTTP request.

    `path` is as the client wrote it, its stage included where the API has one in its address. `query` and `cookies`
    have the last value of each name; `query_pairs` has all. `raw_body` is decoded from base64 where it came in that.
    `path_parameters` are those of the route. Its `repr` shows no content: headers may hold credentials.
    """

    method: str
    path: str
    headers: Headers
    query_pairs: Pairs = ()
    cookies: Mapping[str, str] = NOTHING
    raw_body: bytes = b""
    path_parameters: Mapping[str, str] = NOTHING
    source_ip: str = ""
    kind: str = "api_gateway_v2"

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of one that comes twice, the last."""
        return dict(self.query_pairs)

    @property
    def media_type(self) -> str:
        """The body's type without its parameters, in lower case; empty where the request names none."""
        return (self.headers.get("content-type") or "").partition(";")[0].strip().lower()

    @property
    def text(self) -> str:
        """The body as text. Raises `EventError` where it is none in its charset."""
        charset = _parameter(self.headers.get("content-type") or "", "charset") or "utf-8"
        if not charset.lower().replace("_", "-").startswith(_CHARSETS):
            raise EventError(f"The body is in {charset[:40]!r}, which is not read.", "Send it in UTF-8.")
        try:
            return self.raw_body.decode(charset)
        except (ValueError, LookupError) as error:
            raise EventError(f"The body is no text in {charset[:40]!r}.", "Send it in UTF-8.") from error

    def json(self) -> Any:
        """The body read as JSON. Raises `EventError` naming the place where it is none."""
        import json

        text = self.text
        try:
            return json.loads(text)
        except RecursionError as error:
            raise EventError("The body is JSON nested too deep.", "Send it flatter.") from error
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise EventError(f"The body is not JSON: {error.msg} at {place}.", "Correct that place.") from error
        except ValueError as error:
            raise EventError("The body is JSON with a number too long.", "Send it as text.") from error

    def form(self) -> dict[str, str]:
        """The fields of a form, URL-encoded or multipart; files as text are fields too. Raises `EventError`."""
        return dict(self.form_pairs())

    def form_pairs(self) -> Pairs:
        """The fields of a form, those that come twice too."""
        if self.media_type == "multipart/form-data":
            return _multipart(self.headers.get("content-type") or "", self.raw_body)
        return _pairs(self.text)

    def content(self) -> Any:
        """The body by its type: JSON, a form's fields, text; bytes where the type is none of these.

        A body without a type is JSON where it reads as such, else text. No body is `None`.
        """
        kind = self.media_type
        if not self.raw_body:
            return None
        if kind == "application/json" or kind.endswith("+json"):
            return self.json()
        if kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return self.form()
        if not kind:
            return self._guessed()
        return self.text if kind.startswith("text/") or kind in ("application/xml",) else self.raw_body

    def _guessed(self) -> Any:
        try:
            return self.json()
        except EventError:
            try:
                return self.text
            except EventError:
                return self.raw_body

    def __repr__(self) -> str:
        return f"Request(method={self.method!r}, path={self.path!r}, kind={self.kind!r})"


def request_of(event: Any) -> Request:
    """The HTTP request that an event carries. Raises `EventError` for an event of another kind."""
    kind = kind_of(event)
    if kind not in HTTP_KINDS:
        raise EventError(f"The event is no HTTP request, but of the kind {kind!r}.", "Read the event itself.")
    read = _of_payload_2 if kind in ("api_gateway_v2", "function_url") else _of_payload_1
    request = read(event)
    return request.replace(kind=kind, raw_body=_body(event), path_parameters=_texts(event.get("pathParameters")))


def _of_payload_2(event: dict[str, Any]) -> Request:
    """Payload format 2.0: cookies apart, several values of a header joined by commas, the query as it was written."""
    http = event["requestContext"]["http"]
    headers = Headers(_texts(event.get("headers")).items())
    raw = event.get("rawQueryString")
    pairs = _pairs(raw) if raw else tuple(_texts(event.get("queryStringParameters")).items())
    listed = event.get("cookies")
    cookies = listed if isinstance(listed, list) else headers.all("cookie")
    path = event.get("rawPath") or http.get("path") or "/"
    return Request(str(http.get("method", "GET")).upper(), path, headers, pairs, _cookies(cookies), source_ip=_ip(http))


def _of_payload_1(event: dict[str, Any]) -> Request:
    """Payload format 1.0 and load balancers: several values in lists, where there are such."""
    context = event["requestContext"]
    headers = Headers(_several(event, "headers", "multiValueHeaders"))
    pairs = _several(event, "queryStringParameters", "multiValueQueryStringParameters")
    if "elb" in context:  # a load balancer passes on what the client wrote
        pairs = tuple((_decoded(name), _decoded(value)) for name, value in pairs)
    address = _ip(context.get("identity")) or (headers.get("x-forwarded-for") or "").rpartition(",")[2].strip()
    return Request(
        str(event.get("httpMethod", "GET")).upper(), event.get("path") or "/", headers, pairs,
        _cookies(headers.all("cookie")), source_ip=address,
    )  # fmt: skip


def _several(event: dict[str, Any], single: str, several: str) -> Pairs:
    """Every pair; of a name that only the one or the other has too."""
    lists = event.get(several) or {}
    pairs = tuple((str(name), str(value)) for name, values in lists.items() for value in values or ())
    return pairs + tuple((name, value) for name, value in _texts(event.get(single)).items() if name not in lists)


def _texts(given: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in given.items() if value is not None} if given else {}


def _ip(given: Any) -> str:
    return str(given.get("sourceIp") or "") if isinstance(given, dict) else ""


def _body(event: dict[str, Any]) -> bytes:
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise EventError(f"The event's body is of type {type(body).__name__}.", "Send it as text.")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    from binascii import Error, a2b_base64

    try:
        return a2b_base64(body, strict_mode=True)
    except Error as error:
        raise EventError("The event's body is no base64, though it says so.", "Correct isBase64Encoded.") from error


def _cookies(headers: Iterable[str]) -> dict[str, str]:
    """The cookies of `Cookie` headers. A value in quotes is taken out of them."""
    found: dict[str, str] = {}
    for header in headers:
        for pair in str(header).split(";"):
            name, equals, value = pair.strip().partition("=")
            if equals and name:
                found[name] = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    return found


def _pairs(text: str) -> Pairs:
    """The pairs of a query or a form, decoded."""
    if not text:
        return ()
    parts = (part.partition("=") for part in text.split("&") if part)
    return tuple((_decoded(name), _decoded(value)) for name, _, value in parts)


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    from urllib.parse import unquote_plus

    return unquote_plus(text)


def _parameter(header: str, name: str) -> str:
    for part in header.split(";")[1:]:
        key, _, value = part.strip().partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return ""


def _multipart(content_type: str, body: bytes) -> Pairs:
    """The fields of a multipart body (RFC 7578). Raises `EventError` for one without its boundary."""
    boundary = _parameter(content_type, "boundary")
    if not boundary or not boundary.isascii():
        raise EventError("The multipart body names no boundary.", "Let the client set the Content-Type.")
    mark = b"\r\n--" + boundary.encode()
    whole = (b"\r\n" + body).partition(mark + b"--")[0]
    found = []
    for part in whole.split(mark)[1:]:
        head, _, content = part.partition(b"\r\n\r\n")
        name = _field_name(head.decode("utf-8", "replace"))
        if name is not None:
            found.append((name, content.decode("utf-8", "replace")))
    return tuple(found)


def _field_name(head: str) -> str | None:
    """The name in a part's `Content-Disposition`."""
    import re

    for line in head.split("\r\n"):
        header, _, value = line.partition(":")
        if header.strip().lower() == "content-disposition":
            for name, quoted, plain in re.findall(r';\s*(\w+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))', value):
                if name.lower() == "name":
                    return re.sub(r"\\(.)", r"\1", quoted) or str(plain)
    return None


_CHARSETS = (
    "utf-8", "utf8", "utf-16", "utf-32", "us-ascii", "ascii", "iso-8859-", "latin", "windows-125", "cp125", "koi8",
    "shift", "sjis", "euc-", "gb", "big5", "iso-2022-",
)  # fmt: skip
"""How names of charsets begin that clients send; Python knows others, some of which take quadratic time."""
