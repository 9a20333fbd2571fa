"""What a gateway is told: values, however they came. Nothing is looked up, made or opened here.

Secrets are texts that are the secret or name it (`secret:…`, see `llm.auth.secrets`); no `repr` shows one.
"""

from __future__ import annotations

from ..._value import Value
from ...llm.types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

_SECRET = ("api_key", "admin_key", "pepper", "headers")


class _Settings(Value):
    """Values whose `repr` shows of a secret only where it is kept."""

    def __repr__(self) -> str:
        told = []
        for name in self._fields:
            value = getattr(self, name)
            if value != self._defaults.get(name):
                told.append(f"{name}={_shown(value)!r}" if name in _SECRET else f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(told)})"


def _shown(secret: Any) -> str:
    return secret if isinstance(secret, str) and secret.startswith("secret:") else "***"


class TargetSettings(_Settings):
    """One model at one provider, and how it is called.

    `target` is `provider/model`, a model's id that the catalog knows, or the name of another of the gateway's models;
    with `engine` `litellm` it is the model's name in LiteLLM. `weight` is a share of the calls where they are shared
    out, the lowest `priority` is asked first. `options` are fields of `ChatRequest` for requests that do not set them.
    Times are in seconds: `timeout_seconds` is the longest silence, `total_seconds` the longest call with its attempts.
    `None` leaves a setting to the provider's definition.
    """

    target: str
    engine: Literal["native", "litellm"] = "native"
    weight: float = 1.0
    priority: float = 0
    api_key: str | None = None
    base_url: str | None = None
    wire: str | None = None
    options: Mapping[str, Any] = EMPTY
    timeout_seconds: float | None = None
    total_seconds: float | None = None
    max_retries: int | None = None
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    max_concurrency: int | None = None
    failure_threshold: int = 5
    recovery_seconds: float = 30.0

    @property
    def name(self) -> str:
        """The model's name as the catalog takes it."""
        return f"litellm/{self.target.removeprefix('litellm/')}" if self.engine == "litellm" else self.target


class Named(Value):
    """Something by its name, with its options: a filter, a strategy."""

    name: str
    options: Mapping[str, Any] = EMPTY


class FilterSettings(Value):
    """The filters of messages on their way in and of answers on their way out, in their order.

    `on_block` is said in the place of a blocked answer; `None` is an error. `reversible` puts back in the answer what
    was replaced in the messages.
    """

    input: tuple[Named, ...] = ()
    output: tuple[Named, ...] = ()
    on_block: str | None = None
    reversible: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is none."""
        return not self.input and not self.output


class ModelSettings(Value):
    """One model as clients name it: one target, or a group of them that a strategy chooses from, then fallbacks.

    `strategy` is one of `sequential`, `weighted`, `cost`, `latency` and `race`. The `fallbacks` are asked in their
    order where all of the group have failed; `on_error` says what follows a class of errors: `next`, `larger` (a
    context window), `elsewhere` (another provider) or `stop`. `total_seconds` is the longest call with all of its
    targets. `cache` is whether answers may come from the gateway's cache, `filters` replace the gateway's. A model that
    is `listed` stands in the list that clients are given.
    """

    targets: tuple[TargetSettings, ...]
    strategy: Named = Named("sequential")
    fallbacks: tuple[TargetSettings, ...] = ()
    on_error: Mapping[str, str] = EMPTY
    total_seconds: float | None = None
    hedge_seconds: float | None = None
    cache: bool = True
    filters: FilterSettings | None = None
    listed: bool = True


class KeySettings(_Settings):
    """Where the keys of clients are kept.

    `store` is `cognito` (a user `pool`, in `region`), `sqlite` (a file at `path`), `memory`, or `none`: everybody who
    reaches the gateway may use it. Keys begin with `prefix`. `admin_key` lets in who administers them, as do the
    `admins`, ARNs of IAM. A key is looked up again after `stale_seconds`, the longest that a revoked one works.
    """

    store: Literal["cognito", "sqlite", "memory", "none"] = "none"
    path: str | None = None
    pool: str | None = None
    region: str | None = None
    prefix: str = "sk-"
    admin_key: str | None = None
    admins: tuple[str, ...] = ()
    pepper: str | None = None
    stale_seconds: float = 60.0
    audit: str | None = None


class UsageSettings(Value):
    """Where it is counted who has used how much.

    `store` is `memory`, `sqlite` or `sqlite:path`, `dynamodb` or `dynamodb:table`, or a `redis://` URL. Where it does
    not answer, requests are let through (`open`) or not (`closed`).
    """

    store: str = "memory"
    when_down: Literal["open", "closed"] = "closed"
    keep_days: int = 400
    reservation_seconds: float = 900.0

    def __repr__(self) -> str:
        return f"UsageSettings(store={self.store.rpartition('@')[2]!r}, when_down={self.when_down!r})"


class LimitSettings(Value):
    """What one request may be. Sizes are in bytes, times in seconds.

    `body_bytes` bounds the body, `depth` how deep its JSON is nested, `seconds` how long it may take. The rest
    limits every key that has no limits of its own.
    """

    body_bytes: int = 20 * 2**20
    depth: int = 64
    seconds: float | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    daily_budget_usd: float | None = None
    monthly_budget_usd: float | None = None


class CacheSettings(Value):
    """Where answers are kept for those who ask the same, whoever they are: `memory`, `dynamodb:table`, or a
    `redis://` URL."""

    store: str = "memory"
    ttl_seconds: float | None = 3600.0
    max_entries: int = 1000
    max_bytes: int = 64 * 2**20

    def __repr__(self) -> str:
        return f"CacheSettings(store={self.store.rpartition('@')[2]!r}, ttl_seconds={self.ttl_seconds!r})"


class CorsSettings(Value):
    """Which pages of the web may ask from a browser. None may, unless named: `https://app.example`, or `*`."""

    origins: tuple[str, ...] = ()
    headers: tuple[str, ...] = ("authorization", "content-type", "x-api-key")
    max_age_seconds: int = 600


class FetchSettings(Value):
    """What the gateway fetches by itself for a request: only from hosts and buckets that are named."""

    hosts: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    max_bytes: int = 20 * 2**20
    seconds: float = 10.0


class McpServer(_Settings):
    """A server of tools that stands behind the gateway's keys. Its tools are called `prefix` and their own name.

    `tools` are those that are let through; empty is all of them. `headers` are sent to it, and may name secrets.
    """

    url: str
    prefix: str = ""
    tools: tuple[str, ...] = ()
    headers: Mapping[str, str] = EMPTY


class GatewayConfig(_Settings):
    """All that a gateway is told.

        GatewayConfig(models={"fast": ModelSettings((TargetSettings("openai/gpt-4o-mini"),))})

    `models` go by the names that clients use. `expose` are names or patterns (`openai/*`) of the catalog's models that
    clients may name themselves; `None` is all of them where no `models` are named, else none. `default_model` answers
    a request that names none. `providers` are further files of definitions, `api_keys` keys or references to them, by
    provider. `show_errors` gives clients the words of providers' errors.
    """

    models: Mapping[str, ModelSettings] = EMPTY
    expose: tuple[str, ...] | None = None
    default_model: str | None = None
    providers: tuple[str, ...] = ()
    api_keys: Mapping[str, str] = EMPTY
    secret_ttl_seconds: float = 300.0
    keys: KeySettings = KeySettings()
    usage: UsageSettings = UsageSettings()
    limits: LimitSettings = LimitSettings()
    cache: CacheSettings | None = None
    filters: FilterSettings = FilterSettings()
    cors: CorsSettings = CorsSettings()
    fetch: FetchSettings = FetchSettings()
    mcp: Mapping[str, McpServer] = EMPTY
    show_errors: bool = False

    def __repr__(self) -> str:
        shown = self.replace(api_keys={name: _shown(key) for name, key in self.api_keys.items()})
        return super(GatewayConfig, shown).__repr__()
