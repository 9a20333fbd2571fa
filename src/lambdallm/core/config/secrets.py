"""Secrets among settings: read where they are kept, when they are needed.

Jwt(secret=secret("secret:app/jwt"))
"""

from __future__ import annotations

from ...llm.auth.secrets import is_reference, reference_of, secret_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...llm.flow import Flow


def secret(text: str) -> Callable[[], str]:
    """A function that gives the secret a reference names, for whatever takes one: read when called, kept for a while.

    It blocks. Raises `ConfigurationError` for a text that names none, and when called `ServiceError` where it can't be
    read.
    """
    reference_of(text, {"LAMBDALLM_ENV": "any"})

    def read() -> str:
        from ...llm.drivers import shared_driver

        return shared_driver().run(secret_value(text))

    return read


def in_clear(value: Any) -> Flow[Any]:
    """A setting with the secrets that it names in the place of their references. Raises as `secret_value` does."""
    if is_reference(value):
        return (yield from secret_value(value))
    if isinstance(value, dict):
        clear: dict[str, Any] = {}
        for name, held in value.items():
            clear[name] = yield from in_clear(held)
        return clear
    if isinstance(value, list):
        items = []
        for item in value:
            items.append((yield from in_clear(item)))
        return items
    return value
