"""The runs of a project, newest first: in memory, and on disk so that they are there after a restart."""

from __future__ import annotations

import json
import os
import re
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Shape = dict[str, Any]

KEPT = 200
KEPT_BYTES = 64 * 1024 * 1024
"""Of all runs together, as JSON: events may have six megabytes each."""

_LONG_BYTES = 64 * 1024
_LONG: Mapping[str, Any] = {"event": None, "inputs": None, "result": None, "log": []}
_FILE = re.compile(r"r(\d+)\.json")
_OF_HEADERS = ("headers", "multiValueHeaders")
_SECRET = frozenset(
    ("authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-amz-security-token")
)
_LEFT_OUT = "(not kept)"


class Runs:
    """Keeps the newest runs below `.lambdallm/dev/runs/` of a project's folder. Threads may share it."""

    def __init__(self, root: str, kept: int = KEPT, most_bytes: int = KEPT_BYTES) -> None:
        self._folder = os.path.join(root, ".lambdallm", "dev", "runs")
        self._kept, self._most_bytes = kept, most_bytes
        self._lock = threading.Lock()
        self._runs: dict[str, Shape] = {}
        self._sizes: dict[str, int] = {}
        self._last = 0
        self._read()

    def new_id(self) -> str:
        """An id that no run of this project has had: r1, r2, …"""
        with self._lock:
            self._last += 1
            return f"r{self._last}"

    def add(self, run: Shape) -> None:
        """Keep a run that has ended; the oldest go, beyond the newest 200 and where all together are long."""
        text = json.dumps(without_secrets(run), ensure_ascii=False, default=repr)
        with self._lock:
            self._runs[run["run"]], self._sizes[run["run"]] = run, len(text)
            gone = self._outgrown()
            for id in gone:
                del self._runs[id], self._sizes[id]
            self._write(run["run"], text, gone)

    def _outgrown(self) -> list[str]:
        """The oldest, as many as are too many; never the newest."""
        ids, total = sorted(self._runs, key=_number), sum(self._sizes.values())
        gone = ids[: -self._kept]
        total -= sum(self._sizes[id] for id in gone)
        for id in ids[len(gone) : -1]:
            if total <= self._most_bytes:
                break
            gone.append(id)
            total -= self._sizes[id]
        return gone

    def get(self, id: str) -> Shape | None:
        """A run, whole."""
        with self._lock:
            return self._runs.get(id)

    def newest_first(self) -> list[Shape]:
        """The runs as a list has them, newest first."""
        with self._lock:
            return [self._short(id) for id in sorted(self._runs, key=_number, reverse=True)]

    def short(self, id: str) -> Shape:
        """A run of the newest as a list has it."""
        with self._lock:
            return self._short(id)

    def _short(self, id: str) -> Shape:
        return short(self._runs[id], cut=self._sizes[id] > _LONG_BYTES)

    def _read(self) -> None:
        """What an earlier `dev` has left. A file that can't be read is left alone."""
        names = os.listdir(self._folder) if os.path.isdir(self._folder) else []
        numbers = sorted(int(found[1]) for name in names if (found := _FILE.fullmatch(name)))
        self._last = numbers[-1] if numbers else 0
        total = 0
        for number in reversed(numbers[-self._kept :]):
            try:
                with open(os.path.join(self._folder, f"r{number}.json"), encoding="utf-8") as file:
                    text = file.read(self._most_bytes + 1)
                if (total := total + len(text)) > self._most_bytes:
                    break
                run = json.loads(text)
                if run["run"] == f"r{number}":
                    self._runs[run["run"]], self._sizes[run["run"]] = run, len(text)
            except (OSError, ValueError, KeyError, TypeError):
                continue

    def _write(self, id: str, text: str, gone: list[str]) -> None:
        """A disk that can't be written to costs the runs of earlier days, nothing else."""
        try:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            _keep_out_of_git(os.path.dirname(self._folder))
            path = os.path.join(self._folder, f"{id}.json")
            with open(f"{path}.new", "w", encoding="utf-8", errors="replace", opener=_private) as file:
                file.write(text)
            os.replace(f"{path}.new", path)
            for one in gone:
                os.unlink(os.path.join(self._folder, f"{one}.json"))
        except OSError:
            pass


def short(run: Shape, *, cut: bool = False) -> Shape:
    """A run without what was said to models, which may be long; `cut` where the rest is long too."""
    left_out = ("messages", "answer") if cut else ("messages",)
    calls = [{name: call[name] for name in call if name not in left_out} for call in run["calls"]]
    return {**run, "calls": calls, **({**_LONG, "cut": True} if cut else {})}


def without_secrets(run: Shape) -> Shape:
    """A run for the disk: what its event and its response have as credentials in headers is left out."""
    event = run.get("event")
    if isinstance(event, dict):
        parts = {name: _veiled(event[name]) for name in _OF_HEADERS if isinstance(event.get(name), dict)}
        cookies = {"cookies": [_LEFT_OUT] * len(event["cookies"])} if isinstance(event.get("cookies"), list) else {}
        event = {**event, **parts, **cookies}
    headers = run.get("headers")
    return {**run, "event": event, "headers": _veiled(headers) if isinstance(headers, dict) else headers}


def _veiled(headers: Shape) -> Shape:
    return {
        name: ([_LEFT_OUT] if isinstance(value, list) else _LEFT_OUT) if name.lower() in _SECRET else value
        for name, value in headers.items()
    }


def _private(path: str, flags: int) -> int:
    """Open for its owner alone: what was said to a function is nobody else's."""
    return os.open(path, flags, 0o600)


def _number(id: str) -> int:
    return int(id[1:])


def _keep_out_of_git(folder: str) -> None:
    path = os.path.join(folder, ".gitignore")
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("*\n")
