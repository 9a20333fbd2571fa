"""The event for one invocation: from a file, from standard input, or typed on the command line."""

from __future__ import annotations

import json
import os
import sys

from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def read_event(file: str | None, data: str | None) -> Any:
    """The event in `file` (`-` is standard input) or in `data`; `{}` without either.

    `data` that does not begin like JSON is an event of plain text. Raises `ConfigurationError` naming file and line.
    """
    if data is not None:
        return _parsed(data, "--data") if data.lstrip()[:1] in ("{", "[", '"') else _plain(data)
    if file is None:
        return {}
    if file == "-":
        return _parsed(sys.stdin.read(), "standard input")
    try:
        with open(file, encoding="utf-8-sig") as content:
            return _parsed(content.read(), file)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ConfigurationError(f"The event {file!r} can't be read: {reason}.", fix=_nearby(file)) from error


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{where}, line {error.lineno}, column {error.colno}"
        raise ConfigurationError(f"{place}: the event is not JSON: {error.msg}.", fix="Correct that place.") from error


def _plain(text: str) -> Any:
    """A number, `true` or `null` as such; anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _nearby(file: str) -> str:
    """What else could have been meant: the events of the project."""
    folder = os.path.dirname(file) or "."
    place = folder if os.path.isdir(folder) else "events"
    found = sorted(name for name in os.listdir(place) if name.endswith(".json")) if os.path.isdir(place) else []
    return f"There is {', '.join(os.path.join(place, name) for name in found)}." if found else "Correct the path."
