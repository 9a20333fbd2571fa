"""What a client sent in the wrong form, told in OpenAI's words with the path to it, and the value quoted besides.

Source: error messages of OpenAI's API.
"""

from __future__ import annotations

from ...errors import InvalidRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 80
_NAMES = {
    str: "a string", int: "an integer", float: "a decimal", bool: "a boolean", list: "an array", dict: "an object",
}  # fmt: skip


def refused(message: str, where: str | None, code: str | None = None) -> InvalidRequestError:
    """The error for a request that a client must change."""
    return InvalidRequestError(message, param=where, code=code, type="invalid_request_error")


def wrong_kind(where: str, value: Any, *kinds: type) -> InvalidRequestError:
    """The error for a value of another kind than expected."""
    expected = " or ".join(_NAMES[kind] for kind in kinds)
    return refused(f"Invalid type for {where!r}: expected {expected}, but got {_shown(value)} instead.", where,
                   "invalid_type")  # fmt: skip


def wrong_value(where: str, value: Any, known: tuple[str, ...]) -> InvalidRequestError:
    """The error for a word that is none of those known."""
    words = ", ".join(repr(word) for word in known)
    return refused(f"Invalid value: {_shown(value)}. Supported values are: {words}.", where, "invalid_value")


def optional(record: dict[str, Any], key: str, *kinds: type, where: str = "") -> Any:
    """The value of a field; `None` where it is absent or null. Raises for one of the wrong kind."""
    value = record.get(key)
    if value is None or any(_is(value, kind) for kind in kinds):
        return value
    raise wrong_kind(_path(where, key), value, *kinds)


def needed(record: dict[str, Any], key: str, *kinds: type, where: str = "") -> Any:
    """The value of a field that must be there."""
    value = optional(record, key, *kinds, where=where)
    if value is None:
        path = _path(where, key)
        raise refused(f"Missing required parameter: {path!r}.", path, "missing_required_parameter")
    return value


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a JSON kind: `true` is no number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
