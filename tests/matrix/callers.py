"""What is asked of a function, from each source, and what comes back: as a request over HTTP or as an event."""

import base64
import http.client
import json
import urllib.parse
from contextlib import contextmanager
from typing import NamedTuple

from events import event

HTTP = ("url", "rest", "http")
"""A function URL, a REST API (payload format 1.0), an HTTP API (2.0)."""


class Reply(NamedTuple):
    """What an HTTP client gets."""

    status: int
    type: str
    body: bytes
    cookies: tuple = ()
    own: str = ""
    """The header `X-Own`."""
    cut: bool = False
    """The connection ended before the body did."""


class Failed(NamedTuple):
    """What a caller is told whose invocation failed."""

    type: str
    message: str


class Value(NamedTuple):
    """What a caller gets who invokes the function directly: JSON where it is JSON, else bytes."""

    value: object
    broken: str = ""
    """The type of the error that a stream ended with."""


_FIXTURES = {"url": "function_url", "rest": "api_gateway_v1", "http": "api_gateway_v2", "sqs": "sqs"}


def event_of(kind, call, session=None, **more):
    """The event by which a source asks for one of the functions."""
    wish = {"call": call, **more}
    if kind == "direct":
        return wish
    made = event(_FIXTURES[kind])
    if kind == "sqs":
        bodies = [json.dumps(wish), "2", "3"]
        records = [record | {"body": body} for record, body in zip(made["Records"], bodies, strict=True)]
        return {"Records": records}
    wish = {name: str(value) for name, value in wish.items()}
    headers = {"accept": "*/*"} | ({"x-session-id": session} if session else {})
    return made | {"queryStringParameters": wish, "headers": headers, "body": None, "isBase64Encoded": False}


@contextmanager
def opened(port, call, session=None, **more):
    """A request's response, its body not read yet."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        query = urllib.parse.urlencode({"call": call, **more})
        connection.request("GET", f"/things?{query}", headers={"x-session-id": session} if session else {})
        yield connection.getresponse()
    finally:
        connection.close()


def request(port, call, **more):
    """A request's reply."""
    with opened(port, call, **more) as response:
        try:
            body, cut = response.read(), False
        except http.client.IncompleteRead as error:
            body, cut = error.partial, True
        headers = response.headers
        own = ",".join(headers.get_all("x-own", ()))
        cookies = tuple(headers.get_all("set-cookie", ()))
        return Reply(response.status, headers.get("content-type", ""), body, cookies, own, cut)


def reply_of(data):
    """The reply that a service makes of what a function answers to Lambda: with a prelude, or as one JSON object."""
    prelude, end, body = data.partition(bytes(8))
    answer = json.loads(prelude)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        text = answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)
        return Reply(200, "application/json", text.encode("utf-8", "replace"))
    if not end:
        body = (answer.get("body") or "").encode()
        body = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body
    pairs = list(answer.get("headers", {}).items())
    pairs += [(name, value) for name, values in answer.get("multiValueHeaders", {}).items() for value in values]
    found = {}
    for name, value in pairs:
        found.setdefault(name.lower(), []).extend(value if isinstance(value, list) else [value])
    cookies = (*answer.get("cookies", ()), *found.get("set-cookie", ()))
    type = found.get("content-type", [""])[0]
    return Reply(answer["statusCode"], type, body, tuple(cookies), ",".join(found.get("x-own", ())))


def value_of(data, broken=""):
    try:
        return Value(json.loads(data, parse_constant=str), broken)
    except ValueError:
        return Value(data, broken)


def failed_of(error):
    return Failed(error["errorType"], error.get("errorMessage", ""))
