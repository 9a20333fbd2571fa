"""What a client is told when it is made."""

from __future__ import annotations

from .._value import Value
from .types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..transport.types import Headers


class ClientConfig(Value):
    """One provider, one model and how to call it.

        ClientConfig(provider="openai", model="gpt-4o", options={"temperature": 0})

    `None` leaves a setting to the provider's definition in the catalog: its default model, the environment variable its
    key is in, its time limits. `options` are fields of `ChatRequest` for every call that does not set them itself.
    Times are in seconds: `timeout` is the longest silence, `chunk_timeout` the longest wait for the next chunk of a
    stream, `total_timeout` the longest call. After `failure_threshold` failures in a row no call is made for
    `recovery_seconds`.
    """

    provider: str = "openai"
    model: str | None = None
    api_key: str | None = None
    base_url: str | None = None
    wire: str | None = None
    headers: Headers = ()
    options: Mapping[str, Any] = EMPTY
    connect_timeout: float | None = 10.0
    timeout: float | None = None
    chunk_timeout: float | None = None
    total_timeout: float | None = None
    max_retries: int = 3
    failure_threshold: int = 5
    recovery_seconds: float = 30.0
    check_token_limit: bool = True

    def __repr__(self) -> str:
        shown = (name for name in self._fields if name not in ("api_key", "headers"))
        told = (f"{name}={getattr(self, name)!r}" for name in shown if getattr(self, name) != self._defaults.get(name))
        return f"ClientConfig({', '.join(told)})"
