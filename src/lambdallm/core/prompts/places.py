"""Where in a YAML or JSON text something stands: asked when there is an error to tell, and not before."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Path = tuple[str | int, ...]

_SPACE = " \t\r\n"


def is_json(path: str, text: str) -> bool:
    """Whether a file is read as JSON: by its name, or because it begins like an object."""
    return path.endswith(".json") or text.lstrip().startswith("{")


def place_in_json(text: str, path: Path) -> tuple[int, int]:
    """The line and column, from 1, of the key or item that a path leads to, as far as it leads."""
    found = at = _space(text, 0)
    for step in path:
        place = _member(text, at, step) if text[at : at + 1] in ("{", "[") else None
        if place is None:
            break
        found, at = place
    return text.count("\n", 0, found) + 1, found - text.rfind("\n", 0, found)


def _member(text: str, at: int, step: str | int) -> tuple[int, int] | None:
    """Where a member of an object or array begins, and its value. The text is JSON that has been read before."""
    from json import JSONDecoder

    read = JSONDecoder().raw_decode
    is_object, number, last = text[at] == "{", 0, None
    at = _space(text, at + 1)
    while text[at] not in "}]":
        begin = at
        name: Any = number
        if is_object:
            name, at = read(text, at)
            at = _space(text, _space(text, at) + 1)
        if name == step:
            last = begin, at
        _, at = read(text, at)
        at = _space(text, at)
        at = _space(text, at + 1) if text[at] == "," else at
        number += 1
    return last


def _space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at


def place_in_yaml(node: Any, path: Path) -> tuple[int, int]:
    """The same in a tree of PyYAML's nodes."""
    mark = node.start_mark
    for step in path:
        found = [
            (key.start_mark, value) for key, value in _pairs(node) if (key.value if key is not value else None) == step
        ]
        if isinstance(step, int) and node.id == "sequence" and step < len(node.value):
            found = [(node.value[step].start_mark, node.value[step])]
        if not found:
            break
        mark, node = found[-1]
    return mark.line + 1, mark.column + 1


def _pairs(node: Any) -> list[tuple[Any, Any]]:
    return list(node.value) if node.id == "mapping" else []


def repeated_key(node: Any) -> Any:
    """The first key that stands twice in a mapping of a YAML tree, which readers would take the last of."""
    seen = set()
    for key, value in _pairs(node):
        if key.id == "scalar" and (key.tag, key.value) in seen:
            return key
        seen.add((key.tag, key.value) if key.id == "scalar" else id(key))
        if (found := repeated_key(value)) is not None:
            return found
    if node.id == "sequence":
        return next((found for item in node.value if (found := repeated_key(item)) is not None), None)
    return None
