"""What our encoders write, read by the vendors' own SDKs from a server on loopback."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from lambdallm.llm.errors import LLMError
from lambdallm.llm.result import Err
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import Completion, StreamChunk
from lambdallm.testing.conformance.table import find


class Recorded(NamedTuple):
    """What our decoder made of a recorded exchange: an answer, its chunks where it was streamed, or an error."""

    exchange: dict[str, Any]
    answer: Completion | None
    chunks: tuple[StreamChunk, ...]
    error: LLMError | None


def is_chat(exchange: dict[str, Any]) -> bool:
    """Whether an exchange is one with a chat model, in a protocol of ours."""
    row = find(exchange["provider"], exchange["api"])
    return row is not None and row.for_model(exchange.get("model") or "").tells == "chat"


def answers(exchange: dict[str, Any]) -> bool:
    return is_chat(exchange) and exchange["response"]["status"] < 300


def fails(exchange: dict[str, Any]) -> bool:
    return is_chat(exchange) and exchange["response"]["status"] >= 300


def recorded(path: Path) -> Recorded | None:
    """An exchange with a chat model, decoded; `None` where no codec of ours reads its API, or it is no chat."""
    exchange = json.loads(path.read_bytes())
    row = find(exchange["provider"], exchange["api"])
    api = row.for_model(exchange.get("model") or "") if row is not None else None
    if api is None or api.tells != "chat":
        return None
    codec = importlib.import_module(f"lambdallm.llm.wire.{api.codec}")
    response = exchange["response"]
    headers = tuple((response.get("headers") or {}).items())
    body = _bytes(response)
    if not 200 <= response["status"] < 300:
        return Recorded(exchange, None, (), codec.decode_error(response["status"], headers, body))
    if exchange.get("stream"):
        decoder = codec.StreamDecoder()
        chunks = (*decoder.feed(body), *decoder.close())
        accumulator = Accumulator()
        accumulator.add(chunks)
        return Recorded(exchange, accumulator.completion(), chunks, decoder.error)
    result = codec.decode_response(response["status"], headers, body)
    if isinstance(result, Err):
        return Recorded(exchange, None, (), result.error)
    return Recorded(exchange, result.value, (), None)


def _bytes(response: dict[str, Any]) -> bytes:
    from base64 import b64decode

    encoded = response.get("body_b64")
    return b64decode(encoded) if encoded is not None else (response.get("body") or "").encode()


class Judge:
    """A server that answers every request with `status`, `type` and the pieces of `body`; it keeps what was asked."""

    def __init__(self) -> None:
        self.status, self.type, self.body = 200, "application/json", (b"",)
        self.headers: tuple[tuple[str, str], ...] = ()
        self.asked: list[tuple[str, Any]] = []
        self.url = ""

    def says(self, *body: bytes, status: int = 200, type: str = "application/json", headers: Any = ()) -> None:
        """Set the next answer; several pieces are sent one after the other."""
        self.status, self.type, self.body, self.headers = status, type, body, tuple(headers)


@contextmanager
def judging() -> Iterator[Judge]:
    """A judge at `judge.url` for as long as the block runs."""
    judge = Judge()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            judge.asked.append((self.path, json.loads(asked) if asked else None))
            self.send_response(judge.status)
            for name, value in (("Content-Type", judge.type), *judge.headers):
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for piece in filter(None, judge.body):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that leaves early is no failure."""

    server = Server(("127.0.0.1", 0), Handler)
    judge.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
