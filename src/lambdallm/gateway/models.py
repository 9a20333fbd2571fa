"""The models of a configuration as the gateway serves them: by the names that clients use, each made when first asked.

It fits the ports of `serving`: `ConfiguredModels.find` gives a `ConfiguredModel`, whose calls are flows.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..llm.catalog.resolve import resolve
from ..llm.config import ClientConfig
from ..llm.errors import ConfigurationError, LLMModelNotFoundError
from .clients import FlowClient, FlowFilter, options_in
from .config.values import ModelSettings, TargetSettings
from .filtering import filters_made

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..llm.caching.cache import AnswerCache
    from ..llm.call import CallSettings
    from ..llm.catalog.definition import ProviderDefinition
    from ..llm.catalog.loader import Catalog
    from ..llm.catalog.resolve import Target
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.streaming.record import StreamRecord
    from ..llm.types import ChatRequest, Completion
    from .config.values import CacheSettings, GatewayConfig
    from .routers import FlowRouter

_MOST_EXPOSED = 1000
"""Names of exposed models come from outside; those beyond are made for each call."""
_OF_CLIENT = {
    "timeout_seconds": "timeout",
    "total_seconds": "total_timeout",
    **{
        name: name
        for name in (
            "api_key", "base_url", "wire", "options", "max_retries", "requests_per_minute", "tokens_per_minute",
            "max_concurrency", "failure_threshold", "recovery_seconds",
        )
    },
}  # fmt: skip
"""Settings of a target, as fields of `ClientConfig`."""


class ConfiguredModel:
    """One model under the name that clients use; `client` is who is asked: one target, or several, or filters.

    `target` is who answers where that is always the same. `direct` says that a request in the target's own protocol may
    go to it as it is: there is no cache, filter, default or limit that has to read it.
    """

    def __init__(self, name: str, client: Any, *, direct: bool = False, listed: bool = True) -> None:
        self.name, self.client, self.direct, self.listed = name, client, direct, listed

    @property
    def targets(self) -> tuple[Target, ...]:
        """Everybody who may answer, for what they cost and can do."""
        from ..llm.clients.behind import answering

        return tuple(end.target for end in answering(self.client) if end.target is not None)

    @property
    def target(self) -> Target | None:
        """Who answers, where that is always the same."""
        if isinstance(self.client, FlowClient):
            return self.client.target
        found = self.targets
        return found[0] if len(found) == 1 else None

    @property
    def first(self) -> FlowClient:
        """The client of its first target: who makes embeddings and counts tokens, which others can't make alike."""
        client = self.client
        while not isinstance(client, FlowClient):
            client = client.behind()[0].client
        return client

    @property
    def settings(self) -> CallSettings:
        """How its first target is called."""
        return self.first.settings

    def chat(self, request: ChatRequest, deadline: float | None = None) -> Flow[Result[Completion, LLMError]]:
        """A whole answer. Raises `ConfigurationError` and its kin for what is wrong before anything is sent."""
        flow: Flow[Result[Completion, LLMError]] = self.client.complete(
            request.messages, **options_in(request), deadline=deadline
        )
        return flow

    def stream(
        self, request: ChatRequest, deadline: float | None = None
    ) -> tuple[Flow[Result[None, LLMError]], StreamRecord]:
        """A flow that emits `StreamChunk`s, and the record that it keeps."""
        stream = self.client.stream_chat(request.messages, **options_in(request), deadline=deadline)
        return stream.flow, stream.record

    def __repr__(self) -> str:
        return f"ConfiguredModel({self.name!r})"


class ConfiguredModels:
    """The models of a configuration. Safe to share between threads and event loops.

    models = ConfiguredModels(load_gateway("gateway.yaml"))
    answer = driver.run(models.find("fast").chat(request, deadline))
    """

    def __init__(
        self, config: GatewayConfig, *, environ: Mapping[str, str] | None = None, catalog: Catalog | None = None
    ) -> None:
        import os

        self.config, self._environ = config, os.environ if environ is None else environ
        self.catalog = catalog if catalog is not None else _catalog(config, self._environ)
        self.cache = None if config.cache is None else cache_of(config.cache)
        self._made: dict[str, ConfiguredModel] = {}
        self._lock = allocate_lock()
        _use_ttl(config.secret_ttl_seconds)

    def find(self, name: str) -> ConfiguredModel:
        """The model of that name; `""` is the default one. Raises `LLMModelNotFoundError`."""
        name = name or self.config.default_model or ""
        if (found := self._made.get(name)) is None:
            made = self._named(name)
            with self._lock:
                if len(self._made) >= _MOST_EXPOSED and name not in self.config.models:
                    return made
                found = self._made.setdefault(name, made)
        return found

    def listed(self) -> list[ConfiguredModel]:
        """Those that clients are told of, in the configuration's order; then those of the catalog that are exposed."""
        own = [self.find(name) for name, settings in self.config.models.items() if settings.listed]
        return [*own, *(self.find(name) for name in self._exposed_names() if name not in self.config.models)]

    def _named(self, name: str) -> ConfiguredModel:
        if (settings := self.config.models.get(name)) is not None:
            return self._model(name, settings, ())
        if not self._is_exposed(name):
            raise LLMModelNotFoundError(
                f"The model {name!r} does not exist.", fix="GET /v1/models lists those there are."
            )
        return self._model(name, ModelSettings((TargetSettings(name),)), ())

    @property
    def _patterns(self) -> tuple[str, ...]:
        expose = self.config.expose
        return expose if expose is not None else () if self.config.models else ("*",)

    def _is_exposed(self, name: str) -> bool:
        """Whether a name may be asked for that is the catalog's, by that name or by the one that it means."""
        if not (patterns := self._patterns) or not name:
            return False
        if "*" in patterns:
            return True
        found = resolve(name, self.catalog).name
        return any(fits(pattern, found) for pattern in patterns)

    def _exposed_names(self) -> Iterator[str]:
        """The models of the catalog that are exposed: those named, and of a pattern those whose provider has a key."""
        for pattern in self._patterns:
            if "*" not in pattern:
                yield resolve(pattern, self.catalog).name
                continue
            for provider in self.catalog.all():
                if self._has_key(provider):
                    names = (f"{provider.name}/{id}" for id in provider.models)
                    yield from (name for name in names if fits(pattern, name))

    def _has_key(self, provider: ProviderDefinition) -> bool:
        if provider.name in self.config.api_keys or provider.secret_path:
            return True
        return any(self._environ.get(variable) for scheme in provider.auth for variable in scheme.env)

    def _model(self, name: str, settings: ModelSettings, trail: tuple[str, ...]) -> ConfiguredModel:
        client = self._client(name, settings, trail)
        return ConfiguredModel(name, client, direct=_is_direct(client, settings), listed=settings.listed)

    def _client(self, name: str, settings: ModelSettings, trail: tuple[str, ...]) -> Any:
        """The client of a model: its group, then its fallbacks, between its filters."""
        if name in trail:
            circle = " → ".join((*trail, name))
            raise ConfigurationError(f"{circle} is a circle.", fix="Have one of them name a model of a provider.")
        trail = (*trail, name)
        cache = self.cache if settings.cache and not trail[:-1] else None
        alone = len(settings.targets) == 1 and not settings.fallbacks
        if alone:
            client = self._target(settings.targets[0], trail, cache, settings)
        else:
            client = self._router(settings, trail, cache)
        chosen = settings.filters if settings.filters is not None else self.config.filters
        filters = None if trail[:-1] and settings.filters is None else filters_made(chosen)
        return client if filters is None else FlowFilter(client, filters)

    def _router(self, settings: ModelSettings, trail: tuple[str, ...], cache: AnswerCache | None) -> FlowRouter:
        """A router over the group; where there are fallbacks too, one over the group's and them."""
        from ..llm.routing.factory import strategy_named
        from .routers import FlowRouter

        common: dict[str, Any] = {"fallback": settings.on_error or None}
        outer = {**common, "timeout": settings.total_seconds, "cache": cache, "scope": trail[-1]}
        group = [self._candidate(each, trail) for each in settings.targets]
        strategy = strategy_named(settings.strategy.name, **settings.strategy.options)
        if not settings.fallbacks:
            return FlowRouter(group, strategy, hedge_seconds=settings.hedge_seconds, **outer)
        first: Any = group[0]
        if len(group) > 1:
            first = _named("group", FlowRouter(group, strategy, hedge_seconds=settings.hedge_seconds, **common))
        others = [self._candidate(each.replace(priority=0), trail) for each in settings.fallbacks]
        hedge = settings.hedge_seconds if len(group) == 1 else None
        return FlowRouter(_once([first.replace(priority=0), *others]), "sequential", hedge_seconds=hedge, **outer)

    def _candidate(self, settings: TargetSettings, trail: tuple[str, ...]) -> Any:
        from ..llm.routing.candidate import Candidate

        client = self._target(settings, trail, None)
        named = settings.target if settings.target in self.config.models else None
        return Candidate(client, name=named, priority=settings.priority, weight=settings.weight)

    def _target(
        self,
        settings: TargetSettings,
        trail: tuple[str, ...],
        cache: AnswerCache | None,
        model: ModelSettings | None = None,
    ) -> Any:
        """The client of one target, which may be another model of the configuration."""
        if settings.engine == "native" and (other := self.config.models.get(settings.target)) is not None:
            return self._client(settings.target, other, trail)
        target = resolve(settings.name, self.catalog)
        return FlowClient(target, self._configured(settings, target, model), cache=cache)

    def _configured(self, settings: TargetSettings, target: Target, model: ModelSettings | None) -> ClientConfig:
        """How a target is called; it is tried less often where others can be asked in its place."""
        given = {ours: value for name, ours in _OF_CLIENT.items() if (value := getattr(settings, name)) is not None}
        if settings.api_key is None and (key := self.config.api_keys.get(target.provider.name)) is not None:
            given["api_key"] = key
        given.setdefault("max_retries", 1 if model is None else 2)
        if model is not None:
            latest = {"total_timeout": model.total_seconds, "hedge_seconds": model.hedge_seconds}
            given |= {name: value for name, value in latest.items() if value is not None}
        return ClientConfig(**given)


def _is_direct(client: Any, settings: ModelSettings) -> bool:
    """Whether nothing around a model has to read its requests."""
    if not isinstance(client, FlowClient) or len(settings.targets) > 1:
        return False
    config = client.config
    limited = (config.requests_per_minute, config.tokens_per_minute, config.max_concurrency, config.hedge_seconds)
    return client._policies.cache is None and not config.options and config.wire is None and limited == (None,) * 4


def fits(pattern: str, name: str) -> bool:
    """Whether a name is one, or a pattern's: a `*` stands for any text."""
    head, starred, rest = pattern.partition("*")
    if not starred:
        return pattern == name
    parts = rest.split("*")
    if not name.startswith(head) or not name.endswith(parts[-1]) or len(name) < len(head) + len(parts[-1]):
        return False
    at = len(head)
    for part in parts[:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return at <= len(name) - len(parts[-1])


def _named(name: str, client: Any) -> Any:
    from ..llm.routing.candidate import Candidate

    return Candidate(client, name=name)


def _once(candidates: list[Any]) -> list[Any]:
    """Candidates in their order, of which none has another's name."""
    names = [each.name for each in candidates]
    return [each.replace(name=None) if each.name in names[:at] else each for at, each in enumerate(candidates)]


def _catalog(config: GatewayConfig, environ: Mapping[str, str]) -> Catalog:
    """The catalog with the configuration's own files of definitions."""
    if config.providers:
        from .config.checks import catalog_with

        return catalog_with(config.providers, environ)
    from ..llm.catalog.loader import catalog

    return catalog()


def _use_ttl(seconds: float) -> None:
    from ..llm.auth.secrets import CACHE

    CACHE.ttl_seconds = seconds


def cache_of(settings: CacheSettings) -> AnswerCache:
    """The cache that is configured."""
    from ..llm import caching

    kind, _, place = settings.store.partition(":")
    if kind == "memory":
        return caching.LLMCache(settings.max_entries, settings.max_bytes, settings.ttl_seconds)
    if kind == "dynamodb":
        return caching.DynamoDBLLMCache(place or "lambdallm", ttl_seconds=settings.ttl_seconds)
    return caching.RedisLLMCache(settings.store, ttl_seconds=settings.ttl_seconds)
