"""Events to try a function with: the project's own, and empty ones. Pure."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Shape = dict[str, Any]


def samples(own: Iterable[Mapping[str, Any]], url_event: Callable[[Any], Any]) -> list[Shape]:
    """The events that a function can be tried with: the project's own, directly and as its URL's, and empty ones."""
    direct = [dict(sample) for sample in own] or [{"name": "direct", "event": {}}]
    first = direct[0]["event"]
    body = first if isinstance(first, dict) and "requestContext" not in first else {}
    return [*direct, {"name": "function URL", "event": url_event(body)}]
