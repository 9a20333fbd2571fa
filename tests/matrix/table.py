"""What a caller sees of each function, whoever runs it: said once, for every runner, event source and way to answer.

Request ids stand as `ID`. A type of `None` is the service's own; a message of `None` is in the words of who noticed.
"""

import json
import re
from typing import NamedTuple

from matrix.callers import HTTP, Failed, Reply, Value
from matrix.runners import AWS_CLIENT

TEXT, JSON, HTML = "text/plain; charset=utf-8", "application/json", "text/html"
SSE, LINES, PNG = "text/event-stream", "application/x-ndjson", "image/png"
STREAMING = ("url", "rest", "direct")
"""The sources that take an answer piece by piece where the function is told that they do."""


class Row(NamedTuple):
    """One function. What a queue gets is what who invokes directly gets in one piece, unless `queue` says otherwise."""

    call: str
    request: Reply | Failed
    """What an HTTP client gets."""
    direct: Value | Failed
    streamed: Reply | None = None
    """What it gets piece by piece, where that is not the same."""
    streamed_direct: Value | None = None
    queue: Value | None = None
    plain: str = ""
    """Without the framework: the result is a `response` with a status, another `value`, or of a type that only our
    runtime takes; AWS's client awaits nothing and knows no generators."""
    kinds: tuple = (*HTTP, "direct", "sqs")


def expected(row, kind, runner):
    """What is to be seen of a row."""
    if row.plain not in ("", "value", "response") and runner.client is AWS_CLIENT:
        return Failed("Runtime.MarshalError", f"Unable to marshal response: Object of type {row.plain} {_NOT_JSON}")
    streams = runner.streams and kind in STREAMING
    if kind == "rest" and runner.is_whole and (refused := _refused_by_rest(row, streams)):
        return refused
    if kind == "sqs":
        return row.queue or row.direct
    whole, streamed = (row.direct, row.streamed_direct) if kind == "direct" else (row.request, row.streamed)
    found = (streamed or whole) if streams else whole
    return found if runner.shows_ends else _as_if_whole(found)


def _as_if_whole(found):
    if isinstance(found, Reply):
        return found._replace(cut=False)
    return found._replace(broken="") if isinstance(found, Value) else found


_NOT_JSON = "is not JSON serializable"


def _refused_by_rest(row, streams):
    """A REST API takes nothing that is not a response, and where it streams nothing without a stream's head."""
    if isinstance(row.request, Failed) or row.plain not in ("value", "response", "coroutine"):
        return None
    if streams:
        return Reply(500, JSON, {"message": "Internal server error"})
    return None if row.plain == "response" else Reply(502, JSON, {"message": "Internal server error"})


def comparable(seen, wanted):
    """What was seen, without what the table leaves open."""
    if isinstance(seen, Failed):
        open_message = isinstance(wanted, Failed) and wanted.message is None
        return Failed(seen.type, None if open_message else _without_ids(seen.message))
    if isinstance(seen, Value):
        return seen._replace(value=_without_ids(seen.value))
    body = _without_ids(seen.body)
    if seen.type == JSON and body:
        body = json.loads(body, parse_constant=str)
    open_type = isinstance(wanted, Reply) and wanted.type is None
    return seen._replace(body=body, type=None if open_type else seen.type, own=seen.own.replace(" ", ""))


_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def _without_ids(value):
    if isinstance(value, str):
        return re.sub(_ID, "ID", value)
    if isinstance(value, bytes):
        return re.sub(_ID.encode(), b"ID", value)
    if isinstance(value, dict):
        return {key: _without_ids(item) for key, item in value.items()}
    return value


def failing(call, type, message, status=None, error=None, **more):
    """A function that raises: who sent a request is told as little as they may know."""
    if status is None:
        return Row(call, Failed(type, message), Failed(type, message), **more)
    return Row(call, _told(status, *error), Failed(type, message), **more)


def _told(status, word, message):
    return Reply(status, JSON, {"error": {"type": word, "message": message, "request_id": "ID"}})


INTERNAL = (500, ("internal", "The function failed."))


def answer(call, type, body, direct, status=200, cookies=(), own="", **more):
    return Row(call, Reply(status, type, body, cookies, own), Value(direct), **more)


def stream(call, type, body, direct=None, status=200, cookies=(), own=""):
    """A function in pieces: in one piece they are text, or a response with a type."""
    if direct is None:
        named = {"X-Own": own} if own else {}
        cache = {"Cache-Control": "no-cache"} if type in (SSE, LINES) else {}
        direct = {"statusCode": status, "body": body.decode(), "headers": {"Content-Type": type, **cache, **named}}
        direct |= {"cookies": list(cookies)} if cookies else {}
    pieces = _parsed(body)
    return Row(call, Reply(status, type, body, cookies, own), Value(direct), streamed_direct=Value(pieces))


def _parsed(body):
    try:
        return json.loads(body)
    except ValueError:
        return body


NO_USAGE = b'"usage":{"input_tokens":0,"output_tokens":0},"cost_usd":0'
DONE = b'{"finish_reason":null,' + NO_USAGE + b',"request_id":"ID"}'
FAILURE = b'event: error\ndata: {"type":"internal","message":"The function failed.","request_id":"ID"}\n\n'
FIELDS = {"thing": {"name": "box", "sizes": [1, 2.5]}, "day": "2026-03-04", "tags": ["new"], "price": 1.5, "n": None}
PLAIN_FIELDS = {"text": "Grüße", "numbers": [1, 2.5, None, True], "id": "ID"}
COOKIES = ("a=1; Path=/", "b=2")
NO_RECORDS = "An event of the kind {!r} has no records. Read the event itself."
WHOLE = {"statusCode": 202, "headers": {"Content-Type": HTML, "X-Own": "yes"}, "body": "<p>é</p>"}
MARSHAL, SIZE = "Runtime.MarshalError", "Function.ResponseSizeTooLarge"
TEA = b"".join(b'data: {"text":"%b"}\n\n' % word for word in (b"Tell", b" me", b" about", b" tea"))
TEA_DONE = b'{"finish_reason":"stop","usage":{"input_tokens":4,"output_tokens":4},"cost_usd":0.0,"request_id":"ID"}'

ROWS = [
    answer("answers.text", TEXT, "Grüße".encode(), "Grüße"),
    answer("answers.fields", JSON, FIELDS, FIELDS),
    answer("answers.whole", HTML, "<p>é</p>".encode(), WHOLE, status=202, own="yes"),
    answer("answers.cookies", JSON, {"id": 7}, status=201, cookies=COOKIES, own="a,b", direct={
        "statusCode": 201, "body": '{"id": 7}', "cookies": list(COOKIES),
        "headers": {"Content-Type": JSON, "Location": "/things/7", "X-Own": "a, b"},
    }),
    answer("answers.raw", PNG, b"\x89PNG\x00\xff", {
        "statusCode": 200, "body": "iVBORwD/", "isBase64Encoded": True, "headers": {"Content-Type": PNG},
    }),
    answer("answers.nothing", None, b"", None, status=204),
    answer("answers.asked", TEXT, b"Hello, Ada!", "Hello, Ada!"),
    answer("answers.awaited", JSON, {"answer": "Hello, Ada!", "id": "ID"}, {"answer": "Hello, Ada!", "id": "ID"}),
    answer("answers.chain", JSON, *[{"answer": "HELLO, ADA! How are you?", "cost": 0.0}] * 2),
    failing("answers.records", "EventError", NO_RECORDS.format("direct"), kinds=("direct", "sqs"),
            queue=Value({"batchItemFailures": [{"itemIdentifier": "m-3"}]})),

    answer("plain.fields", JSON, PLAIN_FIELDS, PLAIN_FIELDS, plain="value"),
    answer("plain.whole", HTML, "<p>é</p>".encode(), WHOLE, status=202, own="yes", plain="response"),
    answer("plain.number", JSON, 7, 7, plain="value"),
    answer("plain.half_a_letter", JSON, {"text": "?"}, {"text": "\ud83d"}, plain="value"),
    answer("plain.awaited", JSON, {"text": "later"}, {"text": "later"}, plain="coroutine"),
    stream("plain.pieces", TEXT, "one, twö".encode(), "one, twö")._replace(plain="generator"),
    stream("plain.awaited_pieces", "application/octet-stream", b"\x00\x01\xff", b"\x00\x01\xff")._replace(
        plain="async_generator"),
    answer("plain.not_a_number", JSON, "NaN", "NaN", plain="value"),
    answer("plain.just_fits", None, None, "x" * 6_291_554, kinds=("direct",), plain="value"),
    failing("plain.raises", "KeyError", "'no such thing'"),
    failing("plain.a_set", MARSHAL, f"Unable to marshal response: Object of type set {_NOT_JSON}"),
    failing("plain.an_object", MARSHAL, f"Unable to marshal response: Object of type object {_NOT_JSON}"),
    failing("plain.a_circle", MARSHAL, "Unable to marshal response: Circular reference detected"),
    failing("plain.recursion", "RecursionError", "maximum recursion depth exceeded"),
    failing("plain.too_large", SIZE, None, kinds=("url", "direct")),
    failing("plain.fails_early", "ValueError", "before the first", plain="generator"),
    failing("plain.fails_midway", "ValueError", "in the middle", plain="generator",
            streamed=Reply(200, TEXT, b"one, ", cut=True), streamed_direct=Value(b"one, ", "ValueError")),

    stream("streams.words", TEXT, "one twö".encode(), "one twö"),
    stream("streams.awaited_words", TEXT, "one twö".encode(), "one twö"),
    stream("streams.values", LINES, b'{"n":1}\n{"n":2}\n{"done":' + DONE + b"}\n",
           '{"n":1}\n{"n":2}\n{"done":' + DONE.decode() + "}\n"),
    stream("streams.events", SSE, b'data: {"text":"one\\n"}\n\ndata: {"n":2}\n\nevent: done\ndata: ' + DONE + b"\n\n"),
    stream("streams.awaited_events", SSE, b'data: {"text":"Hello, Ada!"}\n\ndata: {"text":"bye"}\n\n'
           b'event: done\ndata: {"finish_reason":"stop","request_id":"ID"}\n\n'),
    stream("streams.lines", LINES, b'{"text":"one"}\n{"n":2}\n{"base64":"/w=="}\n{"done":' + DONE + b"}\n"),
    stream("streams.page", "text/html; charset=utf-8", "<p>é</p>".encode(), status=201, cookies=COOKIES, own="yes"),
    stream("streams.picture", PNG, b"\x89PNG\x00\xff", {
        "statusCode": 200, "body": "iVBORwD/", "isBase64Encoded": True, "headers": {"Content-Type": PNG},
    }),
    stream("streams.nothing", TEXT, b""),
    stream("streams.model", TEXT, b"Tell me about tea", "Tell me about tea"),
    stream("streams.awaited_model", SSE, TEA + b"event: done\ndata: " + TEA_DONE + b"\n\n"),
    failing("streams.fails_early", "ValueError", "before the first", *INTERNAL),
    failing("streams.fails_midway", "ValueError", "in the middle", *INTERNAL,
            streamed=Reply(200, SSE, b'data: {"text":"one"}\n\n' + FAILURE, cut=True),
            streamed_direct=Value(b'data: {"text":"one"}\n\n' + FAILURE, "ValueError")),
    failing("streams.breaks_off", "ValueError", "in the middle", *INTERNAL,
            streamed=Reply(200, TEXT, b"one", cut=True), streamed_direct=Value(b"one", "ValueError")),

    failing("failures.raises", "KeyError", "'no such thing'", *INTERNAL),
    failing("failures.awaited_raises", "KeyError", "'no such thing'", *INTERNAL),
    failing("failures.refuses", "Conflict", "There is one already.", 409, ("conflict", "There is one already.")),
    failing("failures.busy_model", "LLMRateLimitError", None, 429,
            ("rate_limit", "Too many requests. Try again later.")),
    failing("failures.an_object", "TypeError",
            "A value of type object can't be sent as JSON. Return a dictionary, a list or text.", *INTERNAL),
    answer("failures.not_a_number", JSON, None, {"n": "NaN"}, kinds=("direct", "sqs")),
    failing("failures.not_a_number", "", "", *INTERNAL, kinds=HTTP),
    failing("failures.too_large", SIZE, None, kinds=("http", "direct")),
]  # fmt: skip

EXIT = "RequestId: ID Error: Runtime exited with error: {}"
LOSSES = [
    failing("plain.exits", "Runtime.ExitError", EXIT.format("exit status 3")),
    failing("plain.leaves", "Runtime.ExitError", EXIT.format("exit status 2")),
    failing("plain.dies", "Runtime.ExitError", EXIT.format("signal: killed")),
    failing("plain.dies_midway", "Runtime.ExitError", EXIT.format("exit status 3"), plain="generator",
            streamed=Reply(200, TEXT, b"one, ", cut=True), streamed_direct=Value(b"one, ", "Runtime.ExitError")),
    failing("streams.dies_midway", "Runtime.ExitError", EXIT.format("exit status 3"),
            streamed=Reply(200, TEXT, b"one", cut=True), streamed_direct=Value(b"one", "Runtime.ExitError")),
]  # fmt: skip
"""What ends the environment: the next invocation has another."""

LATE = failing("plain.late", "Sandbox.Timedout", None)
"""What Lambda ends, and the environment with it."""

TRUNCATED = (
    b'event: truncated\ndata: {"reason":"deadline","finish_reason":null,' + NO_USAGE + b',"request_id":"ID"}\n\n'
)
TOO_SLOW = failing(
    "streams.too_slow", "DeadlineExceededError", None, 504, ("timeout", "The function had no time left to answer."),
    streamed=Reply(200, SSE, b'data: {"text":"one"}\n\n' + TRUNCATED),
    streamed_direct=Value(b'data: {"text":"one"}\n\n' + TRUNCATED),
)  # fmt: skip
"""What ends in time by itself, where no time is left."""

BY_CALL = {row.call: row for row in (*ROWS, *LOSSES, LATE)}
