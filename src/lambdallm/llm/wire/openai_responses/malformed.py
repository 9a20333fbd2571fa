"""A client's fields checked for one kind or several, with OpenAI's words for what is wrong from `openai_asked`.

Source: error messages of OpenAI's API.
"""

from __future__ import annotations

from .. import openai_asked
from ..openai_asked import missing, path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import InvalidRequestError

_NAMES = {
    str: "a string", int: "an integer", float: "a decimal", bool: "a boolean", list: "an array", dict: "an object",
}  # fmt: skip


def wrong_kind(where: str, value: Any, *kinds: type) -> InvalidRequestError:
    """The error for a value of none of these kinds."""
    return openai_asked.wrong_kind(value, " or ".join(_NAMES[kind] for kind in kinds), where)


def optional(record: dict[str, Any], key: str, *kinds: type, where: str = "") -> Any:
    """The value of a field; `None` where it is absent or null. Raises for one of the wrong kind."""
    value = record.get(key)
    if value is None or any(_is(value, kind) for kind in kinds):
        return value
    raise wrong_kind(path(where, key), value, *kinds)


def needed(record: dict[str, Any], key: str, *kinds: type, where: str = "") -> Any:
    """The value of a field that must be there."""
    value = optional(record, key, *kinds, where=where)
    if value is None:
        raise missing(path(where, key))
    return value


def _is(value: Any, kind: type) -> bool:
    """Whether a value is of a JSON kind: `true` is no number."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
