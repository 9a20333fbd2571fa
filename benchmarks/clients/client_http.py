"""The standard library by hand: `http.client` and `json`, with no retry, no types and no errors."""

import json
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

_HEADERS = {"Authorization": "Bearer sk-benchmark", "Content-Type": "application/json"}


def client(url: str) -> tuple[HTTPConnection, str]:
    parts = urlsplit(url)
    if parts.scheme == "http":
        return HTTPConnection(parts.netloc), parts.path
    import ssl

    return HTTPSConnection(parts.netloc, context=ssl.create_default_context()), parts.path


def _open(client: tuple[HTTPConnection, str], **options: object):
    connection, path = client
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], **options}
    connection.request("POST", f"{path}/v1/chat/completions", json.dumps(body), _HEADERS)
    return connection.getresponse()


def call(client: tuple[HTTPConnection, str]) -> str:
    return json.loads(_open(client).read())["choices"][0]["message"]["content"]


def stream(client: tuple[HTTPConnection, str]) -> str:
    response = _open(client, stream=True)
    pieces = []
    for line in response:
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:])["choices"]:
                pieces.append(choice["delta"].get("content") or "")
    return "".join(pieces)
