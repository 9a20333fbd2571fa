"""The runs of a project, newest first: in memory, and on disk so that they are there after a restart."""

from __future__ import annotations

import json
import os
import re
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Shape = dict[str, Any]

KEPT = 200
_FILE = re.compile(r"r(\d+)\.json")


class Runs:
    """Keeps the newest runs below `.lambdallm/dev/runs/` of a project's folder. Threads may share it."""

    def __init__(self, root: str, kept: int = KEPT) -> None:
        self._folder = os.path.join(root, ".lambdallm", "dev", "runs")
        self._kept = kept
        self._lock = threading.Lock()
        self._runs: dict[str, Shape] = {}
        self._last = 0
        self._read()

    def new_id(self) -> str:
        """An id that no run of this project has had: r1, r2, …"""
        with self._lock:
            self._last += 1
            return f"r{self._last}"

    def add(self, run: Shape) -> None:
        """Keep a run that has ended; the oldest beyond the newest 200 go."""
        with self._lock:
            self._runs[run["run"]] = run
            gone = sorted(self._runs, key=_number)[: -self._kept]
            for id in gone:
                del self._runs[id]
            self._write(run, gone)

    def get(self, id: str) -> Shape | None:
        """A run, whole."""
        with self._lock:
            return self._runs.get(id)

    def newest_first(self) -> list[Shape]:
        """The runs without the messages of their calls, newest first."""
        with self._lock:
            return [short(self._runs[id]) for id in sorted(self._runs, key=_number, reverse=True)]

    def _read(self) -> None:
        """What an earlier `dev` has left. A file that can't be read is left alone."""
        names = os.listdir(self._folder) if os.path.isdir(self._folder) else []
        numbers = sorted(int(found[1]) for name in names if (found := _FILE.fullmatch(name)))
        self._last = numbers[-1] if numbers else 0
        for number in numbers[-self._kept :]:
            try:
                with open(os.path.join(self._folder, f"r{number}.json"), encoding="utf-8") as file:
                    run = json.load(file)
                if run["run"] == f"r{number}":
                    self._runs[run["run"]] = run
            except (OSError, ValueError, KeyError, TypeError):
                continue

    def _write(self, run: Shape, gone: list[str]) -> None:
        """A disk that can't be written to costs the runs of earlier days, nothing else."""
        try:
            os.makedirs(self._folder, exist_ok=True)
            _keep_out_of_git(os.path.dirname(self._folder))
            path = os.path.join(self._folder, f"{run['run']}.json")
            with open(f"{path}.new", "w", encoding="utf-8", errors="replace") as file:
                json.dump(run, file, ensure_ascii=False, default=repr)
            os.replace(f"{path}.new", path)
            for id in gone:
                os.unlink(os.path.join(self._folder, f"{id}.json"))
        except OSError:
            pass


def short(run: Shape) -> Shape:
    """A run without what was said to models, which may be long."""
    return {**run, "calls": [{name: call[name] for name in call if name != "messages"} for call in run["calls"]]}


def _number(id: str) -> int:
    return int(id[1:])


def _keep_out_of_git(folder: str) -> None:
    path = os.path.join(folder, ".gitignore")
    if not os.path.exists(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write("*\n")
