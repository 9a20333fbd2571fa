"""What is taken for a client by whatever works over one: routers, extractors, filters."""

from __future__ import annotations

from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

_COROUTINE = 0x80  # inspect.CO_COROUTINE; importing inspect costs more than all of this


def accepted(client: T, *, blocking: bool, methods: tuple[str, ...] = ("complete",)) -> T:
    """The client, if it is one and of the right kind, as far as that can be told before it is called.

    Raises `ConfigurationError` for what lacks a method, and for one that awaits where nobody does, or blocks where it
    would hold up the event loop.
    """
    if isinstance(client, type) or not all(callable(getattr(client, method, None)) for method in methods):
        *first, last = methods
        listed = f"{', '.join(first)} and {last}" if first else last
        made = "create_llm_client('openai/gpt-4o-mini', blocking=True)" if blocking else "OpenAIClient()"
        raise ConfigurationError(f"{client!r} is no client.", fix=f"Give an object with {listed}, such as {made}.")
    if _waits(client) is blocking:
        module = "the asynchronous class of the same name" if blocking else "the same name from the module's `sync`"
        one, other = ("asynchronous", "blocks") if blocking else ("blocking", "is asynchronous")
        fix = f"Give one made with blocking={blocking}, or use {module}."
        raise ConfigurationError(f"{client!r} is {one}, and what it is given to {other}.", fix=fix)
    return client


def _waits(client: Any) -> bool | None:
    """Whether a client awaits; `None` where nothing says so."""
    code = getattr(getattr(client.complete, "__func__", client.complete), "__code__", None)
    if code is not None and code.co_flags & _COROUTINE:
        return True
    return False if hasattr(type(client), "__enter__") and not hasattr(type(client), "__aenter__") else None
