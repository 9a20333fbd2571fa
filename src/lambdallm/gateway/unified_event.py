"""What an event of the single function may say, and what is wrong with one. Pure."""

from __future__ import annotations

from ..llm.catalog.definition import suggestion
from ..llm.errors import InvalidRequestError, UnknownProviderError
from ..llm.types import ChatRequest
from .rollout import KEYS, rollout_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_SETTINGS = tuple(name for name in ChatRequest._fields if name not in ("messages", "tools", "stream", "dialect"))
_KNOWN = ("provider", "messages", "tools", "stream", *KEYS, *_SETTINGS)


def settings_in(event: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `ChatRequest` that an event sets, its model among them."""
    return {name: event[name] for name in _SETTINGS if event.get(name) is not None}


def check_event(event: Any, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise `InvalidRequestError` for an event that is no request, `UnknownProviderError` for one to nobody known."""
    if not hasattr(event, "keys"):
        raise _bad(f"The event is {event!r:.80}.", "Send an object with 'provider' and 'messages'.")
    for field in ("provider", "messages"):
        if not event.get(field):
            raise _bad(f"The event has no {field!r}.", f"Add {field!r}.", field)
    name = event["provider"]
    if not isinstance(name, str) or name not in entries:
        raise UnknownProviderError(f"No provider is called {name!r:.80}.", fix=suggestion(str(name), entries))
    if event.get("stream"):
        raise _bad("An event is answered whole.", "Leave 'stream' out.", "stream")
    known = {*_KNOWN, *(flags.key for entry in entries.values() if (flags := rollout_of(entry)).key)}
    for field in event:
        if field not in known:
            raise _bad(f"The event has an unknown field {field!r:.80}.", suggestion(str(field), known), str(field))


def _bad(message: str, fix: str, param: str | None = None) -> InvalidRequestError:
    return InvalidRequestError(message, fix=fix, param=param, sent=False)
