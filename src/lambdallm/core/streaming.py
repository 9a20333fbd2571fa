"""`StreamingResponse`, and where an answer may go out piece by piece: which events' sources can take it so.

AWS's events do not say whether their source streams, so a setting does: `response_streaming` names the kinds that do
here, `function_url`, `rest` (API Gateway's REST APIs), `direct` (InvokeWithResponseStream), or `off`. What the formats
look like is in `frames`, what happens in which order in `following`.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from ..runtime.events import RETRIED_KINDS, kind_of
from ..runtime.response import Response
from ..runtime.sources import SETTING, source_of, sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..runtime.streams import Head
    from .context import LambdaLLMContext
    from .frames import Format, Text

_SINGLE = (str, bytes, bytearray, dict)
NOTICE = "\n[The answer ends here: its time was up.]\n"


class StreamingResponse(Response):
    """An answer that goes out piece by piece, and how.

        return StreamingResponse(context.stream("Tell me about {it}", it=it), format="sse", cookies=("seen=yes",))

    `body` is a generator, an async generator, a stream, or any iterable of pieces: text, values for JSON, bytes.
    `format` is `"sse"`, `"ndjson"`, `"text"` or `"raw"`; without one a `Content-Type` among the headers means `raw`,
    then the client's `Accept` decides, then the first piece: text is `text`, bytes are `raw`, other values `ndjson`.
    `notice` ends a `text` that time has cut off, `None` says nothing. With `accounts` the last event of `sse` and
    `ndjson` says usage and cost; `ending` is what it says instead where that is known already, as of an answer that is
    given again. Raises `ConfigurationError` for a format that is none.
    """

    format: Format | None = None
    notice: str | None = NOTICE
    accounts: bool = True
    ending: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if self.format is not None:
            from .frames import FORMATS

            if self.format not in FORMATS:
                fix = f"Use one of {', '.join(map(repr, FORMATS))}, or none for what the client accepts."
                raise ConfigurationError(f"The format of the stream is {self.format!r}.", fix=fix)

    @property
    def pieces(self) -> Any:
        """The body as what can be iterated over: a single value is one piece."""
        body = self.body
        if hasattr(body, "__aiter__") or hasattr(body, "__next__"):
            return body
        several = hasattr(body, "__iter__") and not isinstance(body, _SINGLE) and not hasattr(body, "model_dump")
        return iter(body if several else () if body is None else (body,))

    @property
    def content_type(self) -> str | None:
        """The type that the headers name."""
        own = (str(value) for name, value in self.headers.items() if name.lower() == "content-type")
        return next(own, None)

    def form(self, context: LambdaLLMContext, first: Any) -> Text:
        """How its pieces are written, the first of which is known."""
        from ..middleware.http import header
        from .frames import FORMATS, format_for

        own = "raw" if self.content_type else None
        format = self.format or own or format_for(header(context.event, "accept"), first)
        return FORMATS[format](self.notice)  # type: ignore[index]  # "raw" is one of them

    def head(self, context: LambdaLLMContext, form: Text) -> Head:
        """What goes before the pieces to an HTTP client."""
        from ..runtime.response import head_of
        from .responses import more_headers

        return head_of(context.event, self, more_headers(context), {"Content-Type": form.media_type, **_HEADERS})

    def in_one(self, form: Text, content: bytes) -> Response:
        """The response with all of its pieces as its body."""
        body: str | bytes = form.body(content)
        if isinstance(body, bytes) and self.content_type:
            body = _text_if_any(body)
        more = {} if form.by_itself else {"Content-Type": form.media_type, "Cache-Control": "no-cache"}
        known = {name.lower() for name in self.headers}
        headers = {name: value for name, value in more.items() if name.lower() not in known}
        return Response(body, self.status, headers | dict(self.headers), self.cookies)


def _text_if_any(body: bytes) -> str | bytes:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
"""Nothing on the way keeps pieces back: no cache, no proxy, no browser that wants a kilobyte to tell the type by."""


def of_result(result: Any) -> StreamingResponse:
    """A result that comes in pieces, as a response."""
    if isinstance(result, StreamingResponse):
        return result
    if isinstance(result, Response):
        own = {name: getattr(result, name) for name in StreamingResponse._fields if hasattr(result, name)}
        return StreamingResponse(**own)
    return StreamingResponse(result)


_NEVER = {
    "api_gateway_v2": "An HTTP API can't stream. Put a function URL before it, or a REST API that transfers in streams",
    "alb": "A load balancer can't stream. Use a function URL, or a REST API that transfers in streams",
}
_HOW = {
    "function_url": "Where its invoke mode is RESPONSE_STREAM",
    "rest": "Where this REST API's response transfer mode is STREAM",
    "direct": "Where callers use InvokeWithResponseStream",
}
_told: set[str] = set()


def may_stream(context: LambdaLLMContext) -> bool:
    """Whether an answer can go out piece by piece. If not, the reason is logged, once for each kind of event."""
    word, asked = source_of(context.event), sources(context.settings.response_streaming)
    if word in asked:
        from ..runtime.hook import streams_here

        if streams_here(context.lambda_context):
            return True
    if context.lambda_context is not None and asked:
        _tell(context.event, word, word in asked)
    return False


def as_its_source_reads(response: Any, context: LambdaLLMContext) -> Any:
    """A response in one piece as a stream of one, where the setting says that its event's source reads streams alone.

    API Gateway answers 500 to any other where its transfer mode is STREAM, and a function URL with the invoke mode
    RESPONSE_STREAM sends the whole JSON as the body.
    """
    whole = isinstance(response, dict) and "statusCode" in response
    if whole and source_of(context.event) in {"function_url", "rest"}.intersection(
        sources(context.settings.response_streaming)
    ):
        from ..runtime.hook import streams_here

        if streams_here(context.lambda_context):
            from ..runtime.streams import OnePiece

            return OnePiece(response)
    return response


def _tell(event: Any, word: str, wanted: bool) -> None:
    kind = kind_of(event)
    if kind in RETRIED_KINDS or kind in _told:
        return
    _told.add(kind)
    from logging import getLogger

    if not word:
        why = f"{_NEVER.get(kind, _NEVER['api_gateway_v2'])}."
    elif wanted:
        why = "This runtime takes no streams. Run the function under lambdallm.runtime."
    else:
        why = f"{_HOW[word]}, add {word!r} to {SETTING}."
    getLogger("lambdallm").warning("A streamed answer to an event of the kind %r goes out in one piece. %s", kind, why)
