"""The order of versions: MAJOR.MINOR.PATCH with a pre-release behind a dash, as Semantic Versioning 2.0.0 has it.

`1` and `1.2` are `1.0.0` and `1.2.0`. What follows a `+` says how it was built, and has no part in the order.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Key: TypeAlias = tuple[int, int, int, tuple[tuple[int, int, str], ...]]

_RELEASE = ((2, 0, ""),)
"""Behind every pre-release, whose words are 0 (numbers) or 1."""


def version_key(version: str) -> Key | None:
    """What orders versions; `None` for what is none, such as a label."""
    core, dash, before = version.partition("+")[0].partition("-")
    numbers = core.split(".")
    if len(numbers) > 3 or not all(_is_number(number) for number in numbers):
        return None
    words = before.split(".") if dash else []
    if not all(word.isascii() and word.replace("-", "0").isalnum() for word in words):
        return None
    major, minor, patch = (*map(int, numbers), 0, 0)[:3]
    return major, minor, patch, tuple(map(_word, words)) if dash else _RELEASE


def is_release(key: Key) -> bool:
    """Whether it is no pre-release."""
    return key[3] == _RELEASE


def _word(word: str) -> tuple[int, int, str]:
    """Numbers by their size, before words by their letters."""
    return (0, int(word), "") if _is_number(word) else (1, 0, word)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
