"""How the pieces of a streamed answer are written: server-sent events, lines of JSON, plain text, or bytes as they are.

| format   | text                 | any other value   | the end, time's end, an error                        |
|----------|----------------------|-------------------|------------------------------------------------------|
| `sse`    | `data: {"text":"…"}` | `data: ` its JSON | `event: done`, `truncated`, `error`, with JSON       |
| `ndjson` | `{"text":"…"}`       | its JSON          | `{"done":{…}}`, `{"truncated":{…}}`, `{"error":{…}}` |
| `text`   | as it is             | its JSON          | nothing, a line of words, a connection that is cut   |
| `raw`    | in UTF-8             | its JSON in UTF-8 | nothing, nothing, a connection that is cut           |

Each piece is written by itself. JSON keeps line breaks of every kind, so that an event or a line is one line. Bytes go
as they are in `text` and `raw`; in the others they are `{"base64":"…"}`. Of a model's stream the text goes out: its
thinking and its tool calls are the function's. Pure: nothing is sent or counted here.

Sources: https://html.spec.whatwg.org/multipage/server-sent-events.html, https://github.com/ndjson/ndjson-spec
"""

from __future__ import annotations

from json.encoder import JSONEncoder, encode_basestring

from ..middleware.streamed import content_of
from .responses import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    Format = Literal["sse", "ndjson", "text", "raw"]

_json = JSONEncoder(default=plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_ascii = JSONEncoder(default=plain, allow_nan=False, separators=(",", ":")).encode


class Text:
    """Text as it is."""

    media_type = "text/plain; charset=utf-8"
    by_itself = True
    """Whether a body of this format has its type by what it is."""

    def __init__(self, notice: str | None = None) -> None:
        self._notice = notice

    def piece(self, piece: Any) -> bytes:
        """The bytes of a piece; none where it says nothing."""
        content = content_of(piece)
        if type(content) is str:
            return content.encode("utf-8", "replace")
        return content if isinstance(content, bytes) else dumped(content)

    def done(self, _facts: Mapping[str, Any]) -> bytes:
        """What ends it."""
        return b""

    def truncated(self, _facts: Mapping[str, Any]) -> bytes:
        """What ends it where time does."""
        return (self._notice or "").encode("utf-8", "replace")

    def failed(self, _facts: Mapping[str, Any]) -> bytes:
        """What tells an error; nothing where the connection that is cut has to."""
        return b""

    def body(self, content: bytes) -> str | bytes:
        """All of it as a body: text, or bytes where it is none."""
        return content.decode("utf-8", "replace")


class Raw(Text):
    """Bytes as they are, in a format of the function's own."""

    media_type = "application/octet-stream"

    def truncated(self, _facts: Mapping[str, Any]) -> bytes:
        """Nothing: nobody here knows the format."""
        return b""

    def body(self, content: bytes) -> str | bytes:
        """Bytes."""
        return content


class Lines(Text):
    """One line of JSON for each piece."""

    media_type = "application/x-ndjson"
    by_itself = False

    def piece(self, piece: Any) -> bytes:
        """The line of a piece."""
        return _said(b"", piece, b"\n")

    def done(self, facts: Mapping[str, Any]) -> bytes:
        """`{"done": …}`."""
        return dumped({"done": facts}) + b"\n"

    def truncated(self, facts: Mapping[str, Any]) -> bytes:
        """`{"truncated": …}`."""
        return dumped({"truncated": facts}) + b"\n"

    def failed(self, facts: Mapping[str, Any]) -> bytes:
        """`{"error": …}`."""
        return dumped({"error": facts}) + b"\n"


class Events(Text):
    """Server-sent events. Pieces have no name of an event, so that `onmessage` gets them."""

    media_type = "text/event-stream"
    by_itself = False

    def piece(self, piece: Any) -> bytes:
        """The event of a piece."""
        return _said(b"data: ", piece, b"\n\n")

    def done(self, facts: Mapping[str, Any]) -> bytes:
        """`event: done`."""
        return b"event: done\ndata: " + dumped(facts) + b"\n\n"

    def truncated(self, facts: Mapping[str, Any]) -> bytes:
        """`event: truncated`."""
        return b"event: truncated\ndata: " + dumped(facts) + b"\n\n"

    def failed(self, facts: Mapping[str, Any]) -> bytes:
        """`event: error`."""
        return b"event: error\ndata: " + dumped(facts) + b"\n\n"


FORMATS: Mapping[Format, type[Text]] = {"sse": Events, "ndjson": Lines, "text": Text, "raw": Raw}

_ACCEPTED: Mapping[str, Format] = {
    "text/event-stream": "sse", "application/x-ndjson": "ndjson", "application/ndjson": "ndjson",
    "application/jsonl": "ndjson", "text/plain": "text",
}  # fmt: skip


def format_for(accept: str | None, first: Any) -> Format:
    """The format that a client wants, by its `Accept`; else the one that the first piece has by itself."""
    content = content_of(first)
    if isinstance(content, bytes) and content:
        return "raw"
    return _wanted(accept or "") or ("text" if type(content) is str or content == b"" else "ndjson")


def _wanted(accept: str) -> Format | None:
    """The format that is wanted most; of several the one that comes first."""
    found: list[tuple[float, Format]] = []
    for part in accept.split(","):
        media, _, parameters = part.partition(";")
        format = _ACCEPTED.get(media.strip().lower())
        if format is not None:
            found.append((_weight(parameters), format))
    best = max(found, key=lambda one: one[0], default=(0.0, None))
    return best[1] if best[0] > 0 else None


def _weight(parameters: str) -> float:
    """The weight `q` of a media range (RFC 9110, 12.4.2); one that can't be read is 1."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 1.0
    return 1.0


def _said(before: bytes, piece: Any, after: bytes) -> bytes:
    """A piece as JSON, between what stands around it."""
    content = piece if type(piece) is str else content_of(piece)
    if type(content) is str:
        if not content:
            return b""
        try:
            return before + b'{"text":' + encode_basestring(content).encode() + b"}" + after
        except UnicodeEncodeError:  # half of a surrogate pair, which only an escape can say
            return before + dumped({"text": content}) + after
    if isinstance(content, bytes):
        if not content:
            return b""
        from binascii import b2a_base64

        content = {"base64": b2a_base64(content, newline=False).decode("ascii")}
    return before + dumped(content) + after


def dumped(value: Any) -> bytes:
    """A value as JSON. Raises `TypeError` or `ValueError` for what JSON has no word for."""
    try:
        return _json(value).encode()
    except UnicodeEncodeError:
        return _ascii(value).encode()
    except ValueError as error:
        if "JSON compliant" not in str(error):
            raise
        raise ValueError("A piece has NaN or an infinity, which JSON can't say. Put None in its place.") from error
