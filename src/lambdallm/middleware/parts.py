"""Parts of an event by name: what identifies a caller, a request, a payload. Pure.

    "header:Idempotency-Key"      a header, whatever its case
    "body", "body.order.lines[0]" the body's JSON, or what is in it
    "ip", "principal"             the address the request came from; who `AuthMiddleware` found the caller to be
    "event", "detail.order_id"    the whole event, or what is in it
    ("principal", "body.order")   several together
    lambda event, context: …      anything else

What is not there is `None`. There is no query language here: what needs one is a function.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from .http import body_json, header, source_ip

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Read: TypeAlias = Callable[[Any, Any], Any]
    Part: TypeAlias = str | Read | Sequence["Part"]


def reader(part: Part) -> Read:
    """What reads a part from an event and its context. Raises `ConfigurationError` for a name that means nothing."""
    if callable(part):
        return part
    if isinstance(part, str):
        return _named(part)
    if not isinstance(part, (list, tuple)) or not part:
        raise ConfigurationError(f"{part!r} names no part of an event.", fix="Write it like 'header:Idempotency-Key'.")
    readers = tuple(map(reader, part))
    return lambda event, context: _together([read(event, context) for read in readers])


def _together(values: list[Any]) -> list[Any] | None:
    """All values; none where one is missing: it would make different events look alike."""
    return None if any(value is None for value in values) else values


def _named(name: str) -> Read:
    kind, marked, rest = name.partition(":")
    if marked:
        if kind != "header" or not rest.strip():
            raise ConfigurationError(f"{name!r} names no part of an event.", fix="Write a header like 'header:Name'.")
        return lambda event, context: header(event, rest.strip())
    first, *steps = _steps(name)
    if first == "ip" and not steps:
        return lambda event, context: source_ip(event)
    if first == "principal" and not steps:
        return lambda event, context: getattr(getattr(context, "principal", None), "id", None) or None
    if first == "body":
        return lambda event, context: _found(body_json(event), steps)
    if first == "event":
        return lambda event, context: _found(event, steps)
    return lambda event, context: _found(event, [first, *steps])


def _steps(path: str) -> list[str | int]:
    """`a.b[0].c` as its steps."""
    steps: list[str | int] = []
    for piece in path.split("."):
        key, *indexes = piece.replace("]", "").split("[")
        if not all(index.isdigit() for index in indexes) or not (key or indexes) or piece.count("]") != len(indexes):
            raise ConfigurationError(f"{path!r} is no path into an event.", fix="Write it like 'body.order.lines[0]'.")
        steps += [*([key] if key else []), *map(int, indexes)]
    return steps


def _found(value: Any, steps: Sequence[str | int]) -> Any:
    for step in steps:
        fits = isinstance(value, list) if isinstance(step, int) else isinstance(value, dict)
        try:
            value = value[step] if fits else None
        except (KeyError, IndexError):
            return None
    return value
