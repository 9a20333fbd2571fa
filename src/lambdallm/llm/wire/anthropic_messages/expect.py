"""Fields of a client's request, and what is said of one that is not as it should be.

The words are those of the API's own server: the path to the field, joined by dots, then what should be there.
"""

from __future__ import annotations

from ...errors import InvalidRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_KINDS: dict[type, str] = {
    str: "a valid string",
    int: "a valid integer",
    float: "a valid number",
    bool: "a valid boolean",
    dict: "an object",
    list: "a valid list",
}
_SHOWN = 80


def malformed(path: str, words: str) -> InvalidRequestError:
    """The error about what stands at a path."""
    return InvalidRequestError(f"{path}: {words}", param=path)


def required(record: dict[str, Any], name: str, kind: type, path: str) -> Any:
    """A field that must be there. `path` is the record's."""
    if record.get(name) is None:
        raise malformed(joined(path, name), "Field required")
    return checked(record[name], kind, joined(path, name))


def optional(record: dict[str, Any], name: str, kind: type, path: str) -> Any:
    """A field that may be there; one that is null is not."""
    return None if record.get(name) is None else checked(record[name], kind, joined(path, name))


def checked(value: Any, kind: type, path: str) -> Any:
    """The value, where it is of that kind. A number may be whole; a boolean is no number."""
    fits = type(value) is kind or (kind is float and type(value) is int)
    if not fits:
        raise malformed(path, f"Input should be {_KINDS[kind]}, not {shown(value)}")
    return value


def objects(values: list[Any], path: str) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects of a list, each with its path."""
    for index, value in enumerate(values):
        place = f"{path}.{index}"
        yield checked(value, dict, place), place


def joined(path: str, name: str) -> str:
    """The path of a field."""
    return f"{path}.{name}" if path else name


def shown(value: Any) -> str:
    """A value as an error quotes it: shortened, and what is nested only by its kind."""
    if isinstance(value, (dict, list)):
        return _KINDS[type(value)]
    return repr(value[:_SHOWN] if isinstance(value, str) else value)[: _SHOWN + 2]
