"""Find the JSON in what a model said: the whole text, a fenced block, or the first balanced object or list."""

from __future__ import annotations

import json

from ..errors import ExtractionParseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def extract_json_block(text: str) -> str:
    """The JSON text inside a model's answer. Raises `ExtractionParseError` where there is none."""
    for candidate in _candidates(text):
        try:
            json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return candidate
    shown = text if len(text) <= 200 else text[:200] + "…"
    raise ExtractionParseError(f"The model's answer holds no JSON: {shown!r}.", text=text)


def parse_json(text: str) -> Any:
    """The value of the JSON inside a model's answer. Raises `ExtractionParseError` where there is none."""
    return json.loads(extract_json_block(text))


def _candidates(text: str) -> Iterator[str]:
    yield text.strip()
    for block in text.split("```")[1::2]:
        yield block.partition("\n")[2].strip()
        yield block.strip()
    starts = [at for at, mark in enumerate(text) if mark in "{["][:50]
    for at in starts:
        end = _balanced_end(text, at)
        if end is not None:
            yield text[at:end]


def _balanced_end(text: str, start: int) -> int | None:
    """Where the bracket opened at `start` is closed, strings and escapes read over."""
    depth, at, in_string = 0, start, False
    while at < len(text):
        mark = text[at]
        if in_string:
            at += mark == "\\"
            in_string = mark != '"'
        elif mark == '"':
            in_string = True
        elif mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return None
