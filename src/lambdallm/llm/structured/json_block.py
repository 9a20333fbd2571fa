"""Find the JSON in what a model said: the whole text, a fenced block, or objects and lists between words.

Thinking that the model wrote between tags before its answer is looked at last. Nothing is repaired here: `repair` does
that, for those who ask for it.
"""

from __future__ import annotations

import json
import re

from ..errors import ExtractionParseError
from .json_text import bracketed, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_FENCE = re.compile(r"(?:```|~~~)[\w+.-]*+[ \t]*+\n?")
_AFTER_THINKING = re.compile(r"(?:</(?:think|thinking|thought|reasoning)>|\[/THINK\])(?=[ \t]*+\n|\s*+\Z)")
_MOST_SHOWN = 200


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)
"""Reads JSON as it is defined: Python's own reader takes `NaN` and `Infinity` too."""


def extract_json_block(text: str) -> str:
    """The JSON text inside a model's answer, the first there is.

        extract_json_block('Here you are:\\n```json\\n{"a": 1}\\n```')   # '{"a": 1}'

    Takes time in proportion to the text's length. Raises `ExtractionParseError` where there is none.
    """
    return _first(text)[0]


def parse_json(text: str) -> Any:
    """The value of the JSON inside a model's answer. Raises `ExtractionParseError` where there is none."""
    return _first(text)[1]


def _first(text: str) -> tuple[str, Any]:
    for found in json_blocks(text):
        return found
    raise no_json(text)


def no_json(text: str) -> ExtractionParseError:
    """The error for an answer without JSON."""
    shown = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
    return ExtractionParseError(f"The model's answer holds no JSON: {shown!r}.", text=text)


def json_blocks(text: str) -> Iterator[tuple[str, Any]]:
    """Every JSON text inside an answer with its value, the likeliest first."""
    whole = text.strip().removeprefix("\ufeff")
    parsed = _parsed(whole)
    if parsed is not None:
        yield whole, parsed[0]
        return
    for part in _answer_first(text):
        yield from _fenced(part)
        for start, end in bracketed(part):
            if (parsed := _parsed(part[start:end])) is not None:
                yield part[start:end], parsed[0]


def _answer_first(text: str) -> Iterator[str]:
    """The text after the model's thinking, then the thinking; the text as it is where it holds none."""
    from ..thinking.tags import split

    if (told := split(text)) is not None:
        yield told[1]
        yield told[0].text
        return
    closed = next(_AFTER_THINKING.finditer(text), None)
    if closed is not None:
        yield text[closed.end() :]
        text = text[: closed.start()]
    yield text


def _fenced(text: str) -> Iterator[tuple[str, Any]]:
    """The values that stand at the beginning of a fence, whether or not it is closed. They may hold fences."""
    at = 0
    while (fence := _FENCE.search(text, at)) is not None:
        found = walk(text, fence.end())
        block = text[fence.end() : found.at].strip()
        if found.whole and (parsed := _parsed(block)) is not None and _ends(text, found.at):
            yield block, parsed[0]
        at = max(found.at, fence.end())


def _ends(text: str, at: int) -> bool:
    """Whether nothing but a fence or the end of the line follows: `42 apples` in a fence is no number."""
    rest = text[at : at + 80].lstrip(" \t\r")
    return not rest or rest.startswith(("\n", "`", "~", ";"))


def _parsed(block: str) -> tuple[Any] | None:
    """The value of a JSON text, in a tuple of its own; `None` for what is none, or is nested beyond all reason."""
    try:
        return (_DECODER.decode(block),)
    except (ValueError, RecursionError):
        return None
