"""The playground's API, below `/_playground/api/`: what the project has, running it, and the runs so far.

It asks the workshop what there is and the observer to run it; how the page looks it does not know.
"""

from __future__ import annotations

import codecs
import json
import re
import threading
import time
import uuid

from ...runtime.emulator.errors import EmulatorError
from ...runtime.emulator.listener import HttpReply, HttpRequest
from ...runtime.emulator.payloads import Visit, new_trace_id, url_event
from ...runtime.emulator.replies import PRELUDE_TYPE, Malformed, streamed_reply
from ..dev_observer import Served, our_context, parsed
from ..dev_samples import samples
from ..dev_workshop import PLAY
from .feed import Feed, Hub
from .guard import refusal
from .record import answered, asked, happened, log_line
from .static import SAFE, static_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..dev_observer import Observer, Seen
    from ..dev_workshop import Workshop
    from .runs import Runs

    Shape = dict[str, Any]

PLACE = "/_playground"
_API = f"{PLACE}/api/"
_KINDS = ("function", "prompt", "chain", "agent")
_RUN = re.compile(r"runs/(r\d{1,12})")
_STREAM = (*SAFE, ("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no"))


class Refused(Exception):
    """A request can't be served; its words are for whoever sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Playground:
    """Answers the page. `address` is where functions are reached."""

    def __init__(self, workshop: Workshop, observer: Observer, runs: Runs, hub: Hub, address: str) -> None:
        self._workshop, self._observer, self._runs, self._hub = workshop, observer, runs, hub
        self._address = address
        self._under_way: dict[str, Seen] = {}
        self._feeds: dict[str, Feed] = {}
        workshop.on_change = lambda: hub.send("project", {})
        observer.on_end = self._came_by_itself

    def __call__(self, request: HttpRequest) -> HttpReply:
        """The reply to a request for the page or its API."""
        if (refused := refusal(request)) is not None:
            return _problem(*refused)
        if request.path == PLACE:
            return HttpReply(308, (*SAFE, ("Location", f"{PLACE}/")))
        if not request.path.startswith(_API):
            return static_reply(request.path.removeprefix(f"{PLACE}/"))
        try:
            return self._api(request, request.path.removeprefix(_API))
        except Refused as error:
            return _problem(error.status, str(error))

    def runs(self, request_id: str) -> bool:
        """Whether an invocation is one of the page's runs, under way."""
        return request_id in self._feeds

    def line(self, text: str, function: str, request_id: str) -> None:
        """A function has printed a line: the pages that watch hear of it, and the run it belongs to."""
        told = log_line(text)
        if (feed := self._feeds.get(request_id)) is not None:
            feed.put("log", told)
        self._hub.send("log", {"function": function, "request_id": request_id, **told})

    def _api(self, request: HttpRequest, path: str) -> HttpReply:
        ways = {
            ("GET", "project"): lambda: _json(self._project()),
            ("GET", "runs"): lambda: _json({"runs": self._runs.newest_first()}),
            ("GET", "watch"): lambda: HttpReply(200, _STREAM, self._hub.open()),
            ("POST", "run"): lambda: HttpReply(200, _STREAM, self._run(_body(request))),
            ("POST", "stop"): lambda: _json(self._stop(_body(request))),
        }
        if (way := ways.get((request.method, path))) is not None:
            return way()
        if request.method == "GET" and (found := _RUN.fullmatch(path)):
            run = self._runs.get(found[1])
            if run is None:
                raise Refused(404, f"There is no run {found[1]!r}.")
            return _json(run)
        known = {name for _, name in ways}
        raise Refused(405 if path in known else 404, f"The playground has no {request.method} {path!r:.80}.")

    def _project(self) -> Shape:
        self._workshop.look()
        told = self._workshop.described()
        own = told.pop("samples", ())
        entries = self._workshop.project.entries
        ids = {self._workshop.id_of(entry.name): entry for entry in entries}
        functions = []
        for item in told.get("functions") or [_unloaded(id, entry, self._workshop) for id, entry in ids.items()]:
            if item["id"] in ids:
                url = f"{self._address}/" + (f"{ids[item['id']].name}/" if len(entries) > 1 else "")
                functions.append({**item, "url": url, "samples": samples(own, _url_event)})
        empty: Shape = {"prompts": [], "chains": [], "agents": [], "models": []}
        return {**empty, "name": "", "version": "", **told, "functions": functions}

    def _run(self, body: Shape) -> Iterable[bytes]:
        """Start a run; its events come as they happen, to a page that stays or not."""
        name, payload, options = self._wanted(body)
        feed = Feed()
        served = Served(f"playground {body['kind']} {body['id']}", 0, self._runs.new_id())
        threading.Thread(target=self._perform, args=(feed, served, body, (name, payload, options)), daemon=True).start()
        return feed

    def _wanted(self, body: Shape) -> tuple[str, bytes, Shape]:
        """Which function is to be invoked with what. Raises `Refused`."""
        kind, id = body.get("kind"), body.get("id")
        if kind not in _KINDS or not isinstance(id, str):
            raise Refused(400, f"A run needs a kind of {', '.join(_KINDS)}, and an id.")
        self._workshop.look()
        if kind != "function":
            self._workshop.described()
            return PLAY, json.dumps(body).encode(), {"client_context": our_context(streams=True)}
        entry = self._workshop.entry(id)
        if entry is None:
            raise Refused(404, f"The project has no function {id!r}.")
        self._workshop.wait_for(entry.name)
        context = our_context(model=body.get("model") or None, streams=True)
        return entry.name, json.dumps(body.get("event")).encode(), {"client_context": context}

    def _perform(self, feed: Feed, served: Served, body: Shape, wanted: tuple[str, bytes, Shape]) -> None:
        name, payload, options = wanted
        run = asked(str(served.run), body["kind"], body["id"], time.time(), body)
        request_id = str(uuid.uuid4())
        self._feeds[request_id] = feed
        feed.put("begin", {"run": served.run, "request_id": request_id})
        try:
            self._observer.serving(served)
            seen = self._observer.invoke(name, payload, streams=True, request_id=request_id, **options)
            self._under_way[str(served.run)] = seen
            for text in _texts(seen):
                feed.put("piece", {"text": text})
            seen.wait()
            run |= self._told(seen)
        except EmulatorError as error:
            run |= _refused({"errorType": error.code, "errorMessage": str(error), "stackTrace": []})
        finally:
            self._under_way.pop(str(served.run), None)
            del self._feeds[request_id]
            self._finish(feed, run)

    def _finish(self, feed: Feed, run: Shape) -> None:
        self._runs.add(run)
        feed.put("end", run)
        feed.close()

    def _stop(self, body: Shape) -> Shape:
        """End a run: its function's process with it, as Lambda ends one that is out of time."""
        seen = self._under_way.get(str(body.get("run")))
        if seen is not None:
            seen.stop()
            self._observer.stop(seen.request_id)
        return {"stopped": seen is not None}

    def _came_by_itself(self, seen: Seen) -> None:
        """An event came by another way: it is a run too."""
        body = {"event": parsed(seen.payload)}
        id = self._workshop.id_of(seen.function)
        run = {**asked(self._runs.new_id(), "function", id, seen.begun, body), **self._told(seen)}
        self._runs.add(run)
        self._hub.send("run", self._runs.short(run["run"]))

    def _told(self, seen: Seen) -> Shape:
        """What came of an invocation that is over."""
        failure = seen.failure if seen.function_error or "failure" in seen.notes else None
        if seen.stopped:
            error = {"errorType": "Stopped", "errorMessage": "The run was stopped.", "stackTrace": []}
            failure = {"error": error, "status": None}
        elif failure is not None:
            failure = {**failure, "error": {"stackTrace": [], **failure["error"]}}
        came = answered(seen.chunks, seen.content_type, streamed=seen.streamed, failure=failure)
        return {**came, **happened(seen.notes.get("trace"), seen.report, seen.lines, self._observer.init_ms(seen))}


def _texts(seen: Seen) -> Iterator[str]:
    """The text of an answer as it comes; nothing of one that comes in one piece."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in _bodies(seen):
        if text := decoder.decode(chunk):
            yield text


def _bodies(seen: Seen) -> Iterable[bytes]:
    seen.begin()
    chunks = iter(seen)
    if not seen.streamed:
        for _ in chunks:
            pass
        return ()
    if not seen.content_type.startswith(PRELUDE_TYPE):
        return chunks
    try:
        body = streamed_reply(chunks, seen.content_type).body
    except Malformed:
        return chunks
    return (body,) if isinstance(body, bytes) else body


def _url_event(body: Any) -> Shape:
    """The event of a function URL that is sent a body, for a sample."""
    headers = (("Host", "localhost"), ("Content-Type", "application/json"))
    text = json.dumps(body, ensure_ascii=False).encode()
    visit = Visit("sample", 0.0, new_trace_id(0.0), "local.lambda-url.us-east-1.on.aws", "local")
    return url_event(HttpRequest("POST", "/", headers, text, len(text)), visit)


def _unloaded(id: str, entry: Any, workshop: Workshop) -> Shape:
    """A function of a project that could not be loaded yet, as far as its files tell."""
    import os

    settings = dict.fromkeys(("model", "timeout_strategy", "fallback_model"))
    file = os.path.relpath(entry.file, workshop.project.root)
    return {"id": id, "name": id.rpartition(".")[2], "file": file, "line": 1, "doc": None, "settings": settings}


def _refused(error: Shape) -> Shape:
    nothing: Shape = {"calls": [], "spans": [], "log": [], "tokens_in": 0, "tokens_out": 0, "cost_usd": 0.0}
    came = {"status": None, "headers": {}, "result": None, "streamed": False, "error": error, "report": None}
    return {**came, **nothing}


def _body(request: HttpRequest) -> Shape:
    """The JSON object of a request. Raises `Refused` for anything else."""
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise Refused(400, f"The body is no JSON: {error}.") from error
    if not isinstance(body, dict):
        raise Refused(400, "The body is no JSON object.")
    return body


def _json(value: Any, status: int = 200) -> HttpReply:
    data = json.dumps(value, ensure_ascii=False, default=repr).encode("utf-8", "replace")
    return HttpReply(status, (*SAFE, ("Content-Type", "application/json")), data)


def _problem(status: int, message: str) -> HttpReply:
    return _json({"errorType": "PlaygroundError", "errorMessage": message}, status)
