"""A stand-in for `lambdallm dev`: speaks the playground's protocol from canned data, so that any case can be shown."""

import json
import queue
import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import lambdallm.cli

PAGE = Path(lambdallm.cli.__file__).parent / "playground"
TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
POLICY = "default-src 'self'; img-src 'self' data:; object-src 'none'; frame-ancestors 'none'"


def an_input(name, type="string", **changes):
    given = {"name": name, "type": type, "required": True, "default": None, "choices": None, "description": None}
    return {**given, **changes}


def a_project(**changes):
    """A shop with two functions, three prompts and a chain."""
    event = {"version": "2.0", "rawPath": "/", "requestContext": {"http": {"method": "POST"}}, "body": '{"text": "Hi"}'}
    handler = {
        "id": "app.lambda_handler",
        "name": "lambda_handler",
        "file": "app.py",
        "line": 31,
        "doc": "Answers a customer's question from the product pages.",
        "settings": {"model": "openai/gpt-4o-mini", "timeout_strategy": "fail-fast", "fallback_model": None},
        "url": "http://127.0.0.1:3000/",
        "samples": [{"name": "direct", "event": {"text": "Hello"}}, {"name": "function URL", "event": event}],
    }
    summarize = {
        "id": "app.summarize",
        "name": "summarize",
        "file": "app.py",
        "line": 5,
        "system": None,
        "model": None,
        "template": "Summarize the text below in {sentences} sentences for {audience}.\n\n{text}",
        "inputs": [
            an_input("text", description="Plain text or Markdown."),
            an_input("sentences", "integer", default=2),
            an_input("audience", "enum", choices=["customers", "engineers", "lawyers"], default="customers"),
        ],
    }
    classify = {
        "id": "app.classify",
        "name": "classify",
        "file": "app.py",
        "line": 14,
        "model": "openai/gpt-4o-mini",
        "template": "Which of {labels} fits?\n{text}",
        "system": "You sort messages. Answer with one label.",
        "inputs": [
            an_input("text"),
            an_input("labels", "json", default=["refund", "question", "praise"]),
            an_input("threshold", "number", required=False, default=0.5),
            an_input("strict", "boolean"),
            an_input("explain", "boolean", required=False),
        ],
    }
    steps = [
        {"name": "summarize", "kind": "step", "children": []},
        {
            "name": "both",
            "kind": "parallel",
            "children": [
                {"name": "classify", "kind": "step", "children": []},
                {"name": "translate", "kind": "step", "children": []},
            ],
        },
    ]
    pipeline = {
        "id": "app.pipeline",
        "name": "pipeline",
        "file": "chains.py",
        "line": 30,
        "steps": steps,
        "inputs": [an_input("text")],
    }
    again = {**handler, "id": "jobs.nightly", "name": "nightly", "file": "jobs.py", "line": 8, "doc": None}
    again |= {"url": None, "samples": []}
    models = ["local", "echo", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"]
    project = {"name": "shop", "version": "0.5.0", "functions": [handler, again], "prompts": [summarize, classify]}
    return {**project, "chains": [pipeline], "agents": [], "models": models, "error": None, **changes}


def text(words):
    return {"type": "text", "text": words}


def a_call(answer="A short summary.", **changes):
    call = {
        "provider": "openai",
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "parts": [text("You are brief.")]},
            {"role": "user", "parts": [text("Summarize this.")]},
        ],
        "answer": {"role": "assistant", "parts": [text(answer)]} if isinstance(answer, str) else answer,
        "tokens_in": 12,
        "tokens_out": 40,
        "cached_tokens": 0,
        "reasoning_tokens": 0,
        "cost_usd": 0.00012,
        "finish_reason": "stop",
        "warnings": [],
        "attempts": 1,
        "error": None,
        "begun_ms": 3.2,
        "first_token_ms": 80.0,
        "ended_ms": 118.0,
    }
    return {**call, **changes}


def a_run(run="r1", kind="prompt", id="app.summarize", result="A short summary.", **changes):
    given = {
        "run": run,
        "kind": kind,
        "id": id,
        "begun": time.time() - 90,
        "event": {"text": "Hello"} if kind == "function" else None,
        "inputs": None if kind == "function" else {"text": "A long text.", "sentences": 2, "audience": "customers"},
        "model": None,
        "template": None,
        "status": 200,
        "headers": {"content-type": "text/plain; charset=utf-8"},
        "result": result,
        "streamed": True,
        "error": None,
        "calls": [a_call(result if isinstance(result, str) else "{}")],
        "spans": [
            {"name": "cold start", "kind": "init", "begun_ms": -31.2, "ended_ms": 0, "depth": 0},
            {"name": "invocation", "kind": "invoke", "begun_ms": 0, "ended_ms": 120.4, "depth": 0},
            {"name": "openai/gpt-4o-mini", "kind": "model", "begun_ms": 3.2, "ended_ms": 118.0, "depth": 1},
        ],
        "log": [{"line": "asked the model", "level": "INFO"}],
        "tokens_in": 12,
        "tokens_out": 40,
        "cost_usd": 0.00012,
        "report": {
            "init_ms": 31.2,
            "duration_ms": 120.4,
            "billed_ms": 152,
            "memory_mb": 512,
            "max_memory_mb": 38,
            "cost_usd": 0.0000012,
            "first_byte_ms": 80.1,
        },
    }
    return {**given, **changes}


def streamed(*pieces, run="r9", log=(), **changes):
    """A script: the run begins, says its pieces and ends with all of them as the result."""

    def script(body):
        yield "begin", {"run": run, "request_id": "11111111-2222-3333-4444-555555555555"}
        for line in log:
            yield "log", {"line": line, "level": "INFO"}
        yield from (("piece", {"text": piece}) for piece in pieces)
        asked = {name: body.get(name) for name in ("model", "template", "event", "inputs")}
        yield "end", a_run(run, body["kind"], body["id"], "".join(pieces), **{**asked, "begun": time.time(), **changes})

    return script


class FakePlayground:
    """`project` and `runs` are what it answers, `script(body)` what a run does, `asked` what came in."""

    def __init__(self):
        self.project = a_project()
        self.runs = []
        self.script = streamed("A short ", "summary.")
        self.asked = []
        self.stopped = threading.Event()
        self.refuse = None
        self._watchers = []
        self.address = None

    def push(self, event, data):
        """Tell the pages that watch."""
        for watcher in self._watchers:
            watcher.put((event, data))

    def full(self, run):
        return next((one for one in self.runs if one["run"] == run), None)

    def listed(self):
        without = lambda call: {name: value for name, value in call.items() if name not in ("messages", "answer")}  # noqa: E731
        return [{**run, "calls": [without(call) for call in run["calls"]]} for run in self.runs]

    def started(self, body):
        """What a run streams; its RUN is kept, as the server does."""
        for event, data in self.script(body):
            if event == "end":
                self.runs.insert(0, data)
            yield event, data

    def watching(self):
        waiting = queue.Queue()
        self._watchers.append(waiting)
        return iter(waiting.get, None)

    def end(self):
        for watcher in self._watchers:
            watcher.put(None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections.append(self.connection)

    def log_message(self, *_):
        pass

    def do_GET(self):
        fake, path = self.server.fake, self.path.partition("?")[0].removeprefix("/_playground/")
        if path == "api/project":
            return self.say(fake.project)
        if path == "api/runs":
            return self.say({"runs": fake.listed()})
        if path.startswith("api/runs/"):
            run = fake.full(path.removeprefix("api/runs/"))
            return self.say(run) if run else self.say({"errorMessage": f"There is no run {path[9:]!r}."}, 404)
        if path == "api/watch":
            return self.stream(fake.watching())
        return self.static(path or "index.html")

    def do_POST(self):
        fake = self.server.fake
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        fake.asked.append((self.path.removeprefix("/_playground/api/"), body))
        if fake.refuse:
            return self.say({"errorMessage": fake.refuse}, 400)
        if self.path.endswith("/stop"):
            fake.stopped.set()
            return self.say({})
        return self.stream(fake.started(body))

    def say(self, data, status=200):
        self.reply(status, "application/json", json.dumps(data).encode())

    def static(self, name):
        file = PAGE / name
        if not file.is_file():
            return self.reply(404, "text/plain", b"no such file")
        return self.reply(200, TYPES[file.suffix], file.read_bytes())

    def reply(self, status, kind, body):
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", len(body)), ("Content-Security-Policy", POLICY)):
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b": open\n\n")
            for event, data in events:
                self.wfile.write(f"event: {event}\ndata: {json.dumps(data)}\n\n".encode())
        except (BrokenPipeError, ConnectionResetError):
            pass  # the page is gone


@contextmanager
def fake_playground(port=0):
    """One that listens, until the block ends. Its `address` is the page's."""
    fake = FakePlayground()
    server = ThreadingHTTPServer(("127.0.0.1", port), _Handler)
    server.daemon_threads = True
    server.fake, server.connections = fake, []
    fake.address = f"http://127.0.0.1:{server.server_port}/_playground/"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.end()
        server.shutdown()
        server.server_close()
        for connection in server.connections:
            with suppress(OSError):  # it is closed
                connection.shutdown(socket.SHUT_RDWR)
        thread.join()
