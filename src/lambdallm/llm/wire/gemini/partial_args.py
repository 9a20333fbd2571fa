"""Arguments that Vertex streams value by value (`streamFunctionCallArguments`), put together as they come.

Source: Vertex AI, "Function calling: streaming function call arguments"; `PartialArg`: a value at a JSON path
(RFC 9535, names and numbers only), where text goes on while `willContinue` says so.
"""

from __future__ import annotations

import re

from .fields import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,6})\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_VALUES = ("stringValue", "numberValue", "boolValue")
_DEEPEST = 64


class PartialArgs:
    """The arguments of one call so far."""

    def __init__(self) -> None:
        self.args: dict[str, Any] = {}
        self._texts: dict[str, tuple[Any, str | int, list[str]]] = {}

    def add(self, pieces: Any) -> None:
        """Take the next values; one whose path leads nowhere is left out."""
        for piece in records(pieces):
            path = piece.get("jsonPath")
            steps = _steps(path) if isinstance(path, str) else []
            if steps and (target := _target(self.args, steps)) is not None:
                self._put(str(path), target, steps[-1], piece)

    def whole(self) -> dict[str, Any]:
        """All arguments, texts joined."""
        for target, key, texts in self._texts.values():
            target[key] = "".join(texts)
        self._texts.clear()
        return self.args

    def _put(self, path: str, target: Any, key: str | int, piece: dict[str, Any]) -> None:
        text = piece.get("stringValue")
        if isinstance(text, str) and path in self._texts:
            self._texts[path][2].append(text)
            return
        value = next((piece[name] for name in _VALUES if name in piece), None)
        if isinstance(target, list):
            _extend(target, key, value)
        else:
            target[key] = value
        if isinstance(text, str):
            self._texts[path] = (target, key, [text])


def _steps(path: str) -> list[str | int]:
    """The names and places of `$.a.b[0]`; none where it is no such path."""
    found = list(_STEP.finditer(path, 1))
    if not path.startswith("$") or sum(len(step[0]) for step in found) != len(path) - 1 or len(found) > _DEEPEST:
        return []
    return [int(step[2]) if step[2] else step[1] or step[3] or step[4] or "" for step in found]


def _target(root: Any, steps: list[str | int]) -> Any:
    """What holds the last step, made where it is missing; `None` where the path and what came before disagree."""
    holder = root
    for step, after in zip(steps, steps[1:], strict=False):  # noqa: RUF007 - itertools for a call in a thousand
        known = _get(holder, step)
        if known is None:
            known = [] if isinstance(after, int) else {}
            if not _fits(holder, step):
                return None
            if isinstance(holder, list):
                _extend(holder, step, known)
            else:
                holder[step] = known
        holder = known
    return holder if _fits(holder, steps[-1]) else None


def _get(holder: Any, step: str | int) -> Any:
    if isinstance(holder, list) and isinstance(step, int):
        return holder[step] if step < len(holder) else None
    return holder.get(step) if isinstance(holder, dict) else None


def _fits(holder: Any, step: str | int) -> bool:
    """Whether a step leads into a holder; a list grows by one at a time."""
    if isinstance(step, int):
        return isinstance(holder, list) and step <= len(holder)
    return isinstance(holder, dict)


def _extend(target: list[Any], key: str | int, value: Any) -> None:
    if key == len(target):
        target.append(value)
    else:
        target[int(key)] = value
