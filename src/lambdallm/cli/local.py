"""`lambdallm local`: fetch, find and remove the embedded model."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from ..llm.clients.model_file import ModelSource

_BAR_WIDTH = 24
_REDRAW_SECONDS = 0.1


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line's parser."""
    parser = subparsers.add_parser("local", help="fetch, find or remove the embedded models")
    verbs = parser.add_subparsers(dest="local_verb", metavar="VERB", required=True)
    pull = verbs.add_parser("pull", help="fetch the embedded model into the cache folder (93 MB, once)")
    pull.add_argument("--force", action="store_true", help="fetch it even if it is there")
    pull.add_argument("--encodings", metavar="FOLDER", help="tiktoken's encodings into a folder instead (5 MB)")
    path = verbs.add_parser("path", help="print where the model is")
    remove = verbs.add_parser("remove", help="delete the fetched model")
    for verb in (pull, path, remove):
        verb.add_argument("--embeddings", action="store_true", help="the embedding model instead (23 MB)")
    parser.set_defaults(run=run)


def run(args: Namespace) -> int:
    """Do what was asked. Raises `LambdaLLMError` for what the user has to mend."""
    from ..llm.clients import model_file

    sources = model_file.MINILM if args.embeddings else (model_file.SMOLLM2,)
    if args.local_verb == "pull":
        return _pull_encodings(args.encodings) if args.encodings else _pull(sources, args.force)
    return _remove(sources) if args.local_verb == "remove" else _path(sources)


def _pull(sources: tuple[ModelSource, ...], force: bool) -> int:
    from ..llm.clients import model_file, model_pull

    progress = Bar() if sys.stderr.isatty() else Lines(sources[0].id)
    try:
        paths = [model_pull.pull(force=force, progress=progress, source=source) for source in sources]
    finally:
        progress.close()
    print(f"{sources[0].id} is ready: {_place(sources, paths[0])}")
    if sources[0] is model_file.SMOLLM2 and (named := os.environ.get(model_file.VARIABLE)):
        print(f"{model_file.VARIABLE} is set, so {named} is used instead.")
    return 0


def _pull_encodings(folder: str) -> int:
    """What counts OpenAI's tokens exactly, to be put beside a function."""
    from ..llm.pricing.tokens import fetch_encodings

    for path in fetch_encodings(folder):
        print(f"{path} is ready.")
    print(f"Put {folder!r} into the deployment package, or set TIKTOKEN_CACHE_DIR to where it is.")
    return 0


def _place(sources: tuple[ModelSource, ...], path: str) -> str:
    """Where a model lies: its file, or the folder of its files."""
    return path if len(sources) == 1 else os.path.dirname(path)


def _path(sources: tuple[ModelSource, ...]) -> int:
    from ..llm.clients import model_file
    from ..llm.errors import ConfigurationError

    if len(sources) == 1:
        print(model_file.locate(source=sources[0]).path)
        return 0
    paths = [model_file.pulled_path(source=source) for source in sources]
    if not all(map(os.path.isfile, paths)):
        raise ConfigurationError(
            f"The embedding model {sources[0].id!r} has not been pulled yet.",
            fix="Run: lambdallm local pull --embeddings.",
        )
    print(_place(sources, paths[0]))
    return 0


def _remove(sources: tuple[ModelSource, ...]) -> int:
    from ..llm.clients import model_pull

    freed = sum(model_pull.remove(source=source) for source in sources)
    print(f"Removed {freed / 1e6:.0f} MB." if freed else "There was nothing to remove.")
    return 0


class Lines:
    """Progress for a log: one line for each stage."""

    def __init__(self, name: str) -> None:
        self._name, self._stage = name, ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Say so when a new stage begins."""
        if stage != self._stage:
            self._stage = stage
            size = f" ({total / 1e6:.0f} MB)" if total else ""
            print(f"{_WORDS[stage]} {self._name}{size}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is left open."""


_WORDS = {"waiting": "Waiting for another pull of", "downloading": "Downloading", "checking": "Checking"}


class Bar:
    """Progress for a terminal: one line, redrawn a few times a second."""

    def __init__(self) -> None:
        self._stage, self._began, self._first, self._drawn = "", 0.0, 0, 0.0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Redraw, unless that was a moment ago."""
        from time import monotonic

        now = monotonic()
        if stage != self._stage:
            self._stage, self._began, self._first, self._drawn = stage, now, done, 0.0
        if now - self._drawn >= _REDRAW_SECONDS or done == total:
            self._drawn = now
            sys.stderr.write(f"\r\x1b[K{bar_line(stage, done, total, done - self._first, now - self._began)}")
            sys.stderr.flush()

    def close(self) -> None:
        """Leave the line as if it had never been there."""
        if self._stage:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def bar_line(stage: str, done: int, total: int, moved: int, seconds: float) -> str:
    """One line: stage, bar, megabytes, speed and the time left. `moved` bytes came in `seconds`."""
    if not total:
        return f"{_WORDS[stage]} the model …"
    filled = _BAR_WIDTH * done // total
    speed = moved / seconds if seconds > 0 else 0.0
    left = f"{(total - done) / speed:.0f} s left" if speed else ""
    bar = "█" * filled + "░" * (_BAR_WIDTH - filled)
    return f"{_WORDS[stage]} {bar} {done / 1e6:5.1f} / {total / 1e6:.1f} MB  {speed / 1e6:.1f} MB/s  {left}".rstrip()
