"""A gateway for tests: served over loopback by uvicorn, before a scripted provider that keeps what it is asked."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lambdallm.gateway import CatalogModels, Gateway, GatewayRequest, Reply
from lambdallm.gateway.hosts.asgi import application
from lambdallm.llm.drivers import Driver
from lambdallm.runtime.request import Headers

MODELS = {"fast": "echo/echo", "gpt": "openai/gpt-4o-mini", "claude": "anthropic/claude-haiku-4-5",
          "gemini": "gemini/gemini-2.5-flash"}  # fmt: skip
HELLO = [{"role": "user", "content": "Say hello"}]


class Upstream:
    """Answers what it was told to, in order; without a word it answers 500. `asked` are the requests that came."""

    def __init__(self):
        self.asked, self._answers = [], []
        self.left = threading.Event()
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                upstream._serve(self)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, body, status=200, headers=()):
        """A whole answer: bytes, or what JSON says."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._answers.append((status, dict(headers), [data]))

    def stream(self, *pieces, cut=False):
        """A streamed answer; a piece may be an event to wait for. With `cut` the connection breaks at its end."""
        self._answers.append((200, {"content-type": "text/event-stream"}, [*pieces, *([None] if cut else [])]))

    def forget(self):
        self._answers.clear()

    @property
    def last(self):
        return self.asked[-1]

    def _serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        self.asked.append(Asked(handler.path, {name.lower(): each for name, each in handler.headers.items()}, body))
        status, headers, pieces = self._answers.pop(0) if self._answers else (500, {}, [b"nothing scripted"])
        handler.send_response(status)
        if "content-type" not in headers or headers["content-type"] != "text/event-stream":
            for name, value in {"content-type": "application/json", **headers}.items():
                handler.send_header(name, value)
            handler.send_header("content-length", str(len(pieces[0])))
            handler.end_headers()
            handler.wfile.write(pieces[0])
            return
        handler.send_header("content-type", "text/event-stream")
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        self._pieces(handler, pieces)

    def _pieces(self, handler, pieces):
        handler.close_connection = True
        try:
            for piece in pieces:
                if piece is None:
                    return
                if isinstance(piece, threading.Event):
                    assert piece.wait(20)
                    continue
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                handler.wfile.flush()
            handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.left.set()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Asked:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body

    @property
    def json(self):
        return json.loads(self.body)


class Meter:
    """Counts nothing but keeps what it is told."""

    def __init__(self):
        self.reserved, self.settled = [], []
        self.told = threading.Condition()

    def reserve(self, caller, model, tokens, cost_usd):
        yield from ()
        self.reserved.append((caller.user, model, tokens, cost_usd))
        return len(self.reserved)

    def settle(self, reservation, usage, cost_usd, *, model, ok, latency_ms, status):
        yield from ()
        with self.told:
            self.settled.append({"usage": usage, "cost": cost_usd, "model": model, "ok": ok, "status": status})
            self.told.notify_all()

    def wait(self, count=1):
        with self.told:
            assert self.told.wait_for(lambda: len(self.settled) >= count, 20)
        return self.settled[-1]


def at_upstream(monkeypatch, upstream):
    """Have the catalog's providers stand at the scripted one, each with a key."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{upstream.url}/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", upstream.url)
    monkeypatch.setenv("GEMINI_BASE_URL", f"{upstream.url}/v1beta")
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.setenv(name, "upstream-key")


def gateway(**options):
    return Gateway(models=CatalogModels(MODELS, max_retries=0), **options)


@contextmanager
def served(app, **options):
    """A gateway over loopback: its URL."""
    import uvicorn

    config = uvicorn.Config(application(app, **options), host="127.0.0.1", port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def ask(app, method, path, body=None, *, headers=(), query=(), deadline=None, driver=None):
    """One request without a host: a `Reply`, or status, headers and the list of pieces."""
    driver = driver or Driver()
    data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    request = GatewayRequest(method, path, Headers(headers), query, data, request_id="r-1", deadline=deadline)
    try:
        answer = driver.run(app.handle(request))
        if isinstance(answer, Reply):
            return Answer(answer.status, answer.headers, [answer.body])
        pieces = list(driver.iterate(answer.pieces))
        if pieces and isinstance(pieces[0], Reply):
            return Answer(pieces[0].status, pieces[0].headers, [pieces[0].body])
        return Answer(answer.status, answer.headers, pieces)
    finally:
        driver.run(app.drive_owed())
        driver.close()


class Answer:
    def __init__(self, status, headers, pieces):
        self.status, self.headers, self.pieces = status, dict(headers), pieces
        self.body = b"".join(pieces)

    @property
    def json(self):
        return json.loads(self.body)


def sse(*events, name=None):
    """Server-sent events of JSON values."""
    lead = "" if name is None else f"event: {name}\n"
    return "".join(f"{lead}data: {json.dumps(each, separators=(',', ':'))}\n\n" for each in events).encode()


def chat_chunks(*words, usage=True, finish="stop"):
    """A stream of OpenAI's, an event to a piece."""
    head = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 7, "model": "gpt-4o-mini"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in words)]
    found = [sse({**head, "choices": [{"index": 0, "delta": each, "finish_reason": None}]}) for each in deltas]
    found.append(sse({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]}))
    if usage:
        counted = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
        found.append(sse({**head, "choices": [], "usage": counted}))
    return [*found, b"data: [DONE]\n\n"]


def claude_events(*words):
    """A stream of Anthropic's, an event to a piece."""
    usage = {"input_tokens": 12, "output_tokens": 1}
    start = {"id": "msg_up", "type": "message", "role": "assistant", "model": "claude-haiku-4-5", "content": [],
             "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip
    text = [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": w}} for w in words]
    events = [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *text,
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 6}},
        {"type": "message_stop"},
    ]  # fmt: skip
    return [sse(each, name=each["type"]) for each in events]


def gemini_events(*words):
    """A stream of Gemini's, an event to a piece."""
    return [
        sse({"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}, "index": 0,
                             **({"finishReason": "STOP"} if word is words[-1] else {})}],
             "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": n + 1, "totalTokenCount": n + 10},
             "modelVersion": "gemini-2.5-flash", "responseId": "up"})
        for n, word in enumerate(words)
    ]  # fmt: skip


USED = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
CHAT = {
    "id": "chatcmpl-up", "object": "chat.completion", "created": 7, "model": "gpt-4o-mini",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": USED, "own_field": {"x": 1.10},
}  # fmt: skip
MESSAGE = {
    "id": "msg_up", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
    "content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn", "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 6},
}  # fmt: skip
CONTENT = {
    "candidates": [
        {"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP", "index": 0},
    ],
    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12},
    "modelVersion": "gemini-2.5-flash", "responseId": "up",
}  # fmt: skip
