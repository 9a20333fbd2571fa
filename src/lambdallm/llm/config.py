"""What a client is told when it is made."""

from __future__ import annotations

from .._value import Value
from .options import check_settings
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
    stream, `total_timeout` the longest call with all its attempts. After `failure_threshold` failures in a row no call
    is made for `recovery_seconds`.

    `requests_per_minute` and `tokens_per_minute` limit the calls to the provider, `max_concurrency` those under way at
    once; a `RateLimiter` of your own knows more kinds of limits. Where an attempt has given nothing for
    `hedge_seconds`, a second one is made beside it and the faster is the answer: for where waiting is dearer. Clients
    that share a cache and may not share answers have a `cache_namespace` each. Raises
    `ConfigurationError` for numbers that make no sense.
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
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    max_concurrency: int | None = None
    hedge_seconds: float | None = None
    cache_namespace: str = ""

    def __post_init__(self) -> None:
        check_settings(self)

    def __repr__(self) -> str:
        shown = (name for name in self._fields if name not in ("api_key", "headers"))
        told = (f"{name}={getattr(self, name)!r}" for name in shown if getattr(self, name) != self._defaults.get(name))
        return f"ClientConfig({', '.join(told)})"


class LLMConfig(Value):
    """Several providers and how to choose among them: what `routing.router_of` makes a router of.

        LLMConfig(providers=("openai/gpt-4o-mini", ClientConfig("anthropic")), strategy="cost")
        LLMConfig.of({"providers": [{"provider": "groq", "priority": 1}, "openai"], "strategy": "latency",
                      "options": {"explore": 0.05}, "fallback": {"LLMRateLimitError": "stop"}})

    `providers` are models' names, `ClientConfig`s, mappings of the fields of `ClientConfig` and `routing.Candidate`, or
    clients; without any, those named providers whose API key is in the environment. `strategy` is `sequential`, `race`,
    `cost`, `latency` or `weighted`, and `options` are its own. `fallback` says what follows a class of errors: `next`,
    `larger` (a context window), `elsewhere` (another provider) or `stop`. `timeout` is the longest call with all of its
    candidates and `hedge_seconds` the wait before a second is asked beside the first, in seconds.
    """

    providers: tuple[Any, ...] = ()
    strategy: str = "sequential"
    options: Mapping[str, Any] = EMPTY
    fallback: Mapping[Any, str] = EMPTY
    timeout: float | None = None
    hedge_seconds: float | None = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> LLMConfig:
        """A configuration from plain values. Raises `ConfigurationError` naming what it misspells."""
        for name in given:
            if name not in cls._fields:
                from .catalog.definition import suggestion
                from .errors import ConfigurationError

                raise ConfigurationError(f"LLMConfig has no field {name!r}.", fix=suggestion(name, cls._fields))
        return cls(**{**given, "providers": tuple(given.get("providers", ()))})

    def __repr__(self) -> str:
        shown = tuple(_without_secrets(one) for one in self.providers)
        told = (
            f"{name}={getattr(self, name)!r}"
            for name in self._fields[1:]
            if getattr(self, name) != self._defaults[name]
        )
        return f"LLMConfig({', '.join([f'providers={shown!r}', *told])})"


def _without_secrets(provider: Any) -> Any:
    if not isinstance(provider, dict):
        return provider
    return {name: value for name, value in provider.items() if name not in ("api_key", "headers")}
