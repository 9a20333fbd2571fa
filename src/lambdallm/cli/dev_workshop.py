"""The project under way: its functions on the emulator, replaced when a file changes, and what the playground knows.

A request after a save gets the new code: files are looked at before each one, and whoever comes while a function is
being loaded waits for it. What can't be loaded is told once, and every event is told it again until it is mended.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from ..runtime.emulator.errors import EmulatorError
from ..runtime.emulator.function import Function
from .console import milliseconds
from .dev_env import environment
from .dev_observer import our_context
from .dev_targets import find_project
from .target import TargetError
from .watch import changed, snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .dev_log import Terminal
    from .dev_observer import Observer
    from .dev_targets import Entry

    Shape = dict[str, Any]

PLAY = "_playground"
"""The function that describes the project, and runs its prompts and chains; nobody else sees it."""

_WARMED = 4
"""So many functions are started before anybody asks, and those that were asked since `dev` began."""

_LONG_LOOK_SECONDS = 0.02
_LONG_LOAD_SECONDS = 3.0
_WAITING_SECONDS = 0.05


class Options:
    """What was typed: which functions, on which model, with which limits."""

    def __init__(self, target: str | None, model: str | None, timeout: float, memory_mb: int) -> None:
        self.target, self.model, self.timeout, self.memory_mb = target, model, timeout, memory_mb


class Workshop:
    """Keeps the functions on the emulator what the files say. Threads may share it."""

    def __init__(self, options: Options, observer: Observer, terminal: Terminal) -> None:
        self.options, self.observer, self.terminal = options, observer, terminal
        self.project = find_project(options.target)
        self.description: Shape = {}
        self.error: Shape | None = None
        self.on_change: Callable[[], None] = lambda: None
        self._lock = threading.RLock()
        self._seen = snapshot(self.project.root)
        self._ready: dict[str, threading.Event] = {}
        self._described = threading.Event()
        self._started = threading.Event()
        self._unclear = ""
        self._used: set[str] = set()
        self._number = 0
        self._looked = 0.0
        self._loading_since, self._told_slow = 0.0, False
        self.look_seconds = 0.0
        """What the last look at the files took; where it takes long there are fewer."""

    def start(self, stop: Callable[[], bool]) -> None:
        """Load the functions, and wait for the first of them, or until `stop` says so.

        Raises `TargetError` where it can't be told which function is meant.
        """
        with self._lock:
            self._put_all()
        self._begin_loading()
        while not self._started.wait(_WAITING_SECONDS) and not stop():
            self.terminal.tick()
            self._tell_slow()
        if self._unclear:
            raise TargetError(self._unclear)

    def _tell_slow(self) -> None:
        """Say once that a function takes long to be loaded: it may hang, and nothing else would be seen of that."""
        if self._told_slow or time.monotonic() - self._loading_since < _LONG_LOAD_SECONDS:
            return
        if waiting := [name for name, event in self._ready.items() if not event.is_set()]:
            self._told_slow = True
            self.terminal.say(f"{waiting[0]} is still being loaded.", "yellow", event="loading", function=waiting[0])

    def look(self) -> None:
        """Take up what has changed in the files since the last look."""
        self._tell_slow()
        with self._lock:
            begun = time.perf_counter()
            if begun - self._looked < self.look_seconds > _LONG_LOOK_SECONDS:
                return
            now = snapshot(self.project.root)
            self._looked = time.perf_counter()
            self.look_seconds = self._looked - begun
            files, self._seen = changed(self._seen, now), now
            if files:
                self._reload(files)

    def close(self) -> None:
        """Let go of what is being loaded: nothing of it is told any more."""
        self._number += 1

    def wait_for(self, name: str | None = None) -> None:
        """Wait until a function is loaded, or has failed to; without a name for all that are being loaded."""
        if name is not None:
            self._used.add(name)
        ready = None
        while ready is not self._ready:  # newer code has come meanwhile
            with self._lock:
                ready = self._ready
            for event in ready.values() if name is None else (ready[name],) if name in ready else ():
                event.wait(self.options.timeout + 15)

    def entry(self, id: str) -> Entry | None:
        """The function that the playground calls by an id, such as `app.lambda_handler`."""
        return next((entry for entry in self.project.entries if self.id_of(entry.name) == id), None)

    def id_of(self, name: str) -> str:
        """What the playground calls a function."""
        found = next((entry for entry in self.project.entries if entry.name == name), None)
        if found is None:
            return name
        if found.function is not None:
            return f"{found.module}.{found.function}"
        listed = [item["id"] for item in self.description.get("functions", ())]
        return next((id for id in listed if id.rpartition(".")[0] == found.module), found.handler)

    def described(self) -> Shape:
        """What the project has, as of the newest code; what was last known where that can't be loaded."""
        self._described.wait(self.options.timeout + 15)
        return {**self.description, "error": self.error}

    def _reload(self, files: list[str]) -> None:
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        path = os.path.relpath(files[0], self.project.root)
        self.terminal.say(f"{path}{more} changed", "cyan", event="changed", files=files)
        try:
            self.project = find_project(self.options.target, self.project)
        except TargetError as error:
            self.terminal.say(f"error: {error}", "red", event="error")
            return
        self._put_all()
        self._begin_loading()

    def _put_all(self) -> None:
        """Put the functions on the emulator, each anew; those that are gone go."""
        self._number += 1
        self._described.clear()
        emulator, wanted = self.observer, {entry.name: self._function(entry) for entry in self.project.entries}
        wanted[PLAY] = self._player()
        for name in [name for name in emulator.all_functions if name not in wanted]:
            emulator.remove(name)
        for name, function in wanted.items():
            (emulator.replace if name in emulator.all_functions else emulator.add)(function)
        before, self._ready = self._ready, {name: threading.Event() for name in self._warmed()}
        self._loading_since, self._told_slow = time.monotonic(), False
        for event in before.values():  # whoever waits for code that is old now waits for this
            event.set()

    def _warmed(self) -> list[str]:
        names = [entry.name for entry in self.project.entries]
        return [name for at, name in enumerate(names) if at < _WARMED or name in self._used]

    def _function(self, entry: Entry) -> Function:
        return self._made(entry.name, entry.handler, self._place(entry))

    def _player(self) -> Function:
        entries = [self._place(entry) for entry in self.project.entries]
        return self._made(PLAY, "lambdallm.playground", {"play": True, "entries": entries})

    def _place(self, entry: Entry) -> Shape:
        file = os.path.relpath(entry.file, self.project.root)
        return {"module": entry.module, "function": entry.function, "file": file}

    def _made(self, name: str, handler: str, told: Shape) -> Function:
        root, options = self.project.root, self.options
        told = {**told, "model": options.model}
        return Function(
            name=name, code=root, handler=handler, timeout=options.timeout, memory_mb=options.memory_mb,
            command=(sys.executable, "-m", "lambdallm.cli.dev_child", json.dumps(told)),
            shell=environment(root, os.environ), url_mode="RESPONSE_STREAM",
        )  # fmt: skip

    def _begin_loading(self) -> None:
        threading.Thread(target=self._load, args=(self._number, self._ready), daemon=True).start()

    def _load(self, number: int, ready: Mapping[str, threading.Event]) -> None:
        """Load the functions, then describe the project; given up where newer code has come."""
        failure = None
        for name, event in ready.items():
            if number == self._number:
                failure = self._warm(name, number, ready) or failure
            event.set()
            self._started.set()
        if number == self._number:
            self._describe(number, failure)

    def _warm(self, name: str, number: int, ready: Mapping[str, threading.Event]) -> Shape | None:
        """Start a function's process, tell how that went, and let its events through; the failure where it failed."""
        try:
            begun = time.perf_counter()
            answer = self.observer.quietly(name, b"{}", client_context=our_context(warm=True))
            told = json.loads(answer.read() or b"null") or {}
            took = answer.report.init_ms
            failure: Shape | None = told.get("failure") or _crash(answer.error)
            self.observer.warmed(name, None if failure else took)
            if number == self._number:
                took = (time.perf_counter() - begun) * 1000 if took is None else took
                self._tell(str(told.get("name") or name), took, failure)
            return failure
        except EmulatorError:
            return None  # it has been replaced or taken away by newer code
        finally:
            ready[name].set()

    def _tell(self, name: str, init_ms: float, failure: Shape | None) -> None:
        if failure is not None and failure["unclear"] and not self._started.is_set():
            self._unclear = failure["said"]  # which the command itself tells, and ends
            return
        if failure is None:
            self.terminal.say(f"{name} is loaded (cold start {milliseconds(init_ms)})", "green", event="loaded")
            return
        if failure["frames"]:
            self.terminal.say(failure["frames"], event="frames")
        self.terminal.say(f"error: {failure['said']}", "red", event="error")
        if not failure["unclear"]:
            self.terminal.say("The function can't be loaded: save a correction.", "red", event="unloaded")

    def _describe(self, number: int, known: Shape | None) -> None:
        """Ask the project what it has."""
        try:
            answer = self.observer.quietly(PLAY, b'{"describe": true}')
        except EmulatorError:
            return
        told = json.loads(answer.read() or b"{}")
        failure: Shape | None = _crash(answer.error) or told.pop("failure", None)
        if number != self._number:
            return
        self.error = None if failure is None else failure["error"]
        if answer.error is None:
            self.description = told if failure is None else _with_known(told, self.description)
        if failure is not None and known is None:
            self._tell(self.project.entries[0].name, 0.0, failure)
        self._described.set()
        self.on_change()


def _with_known(told: Shape, known: Shape) -> Shape:
    """What could be described, and what was known of the rest."""
    lists: Shape = {}
    for name in ("functions", "prompts", "chains"):
        ids = {item["id"] for item in told[name]}
        lists[name] = [*told[name], *(item for item in known.get(name, ()) if item["id"] not in ids)]
    return {**told, **lists}


def _crash(error: Shape | None) -> Shape | None:
    """The failure of a process that ended while it was loaded."""
    if error is None:
        return None
    said = ": ".join(str(error[name]) for name in ("errorType", "errorMessage") if error.get(name))
    return {"error": error, "said": said, "frames": "", "status": None, "unclear": False}
