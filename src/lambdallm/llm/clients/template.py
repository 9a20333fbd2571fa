"""What every client does around its hooks, written once for those that await and those that block.

The order is the documented one: breaker, token limit, attempts with backoff, thinking told apart. Nothing here sends or
waits: the methods give flows, and the client's driver performs them.
"""

from __future__ import annotations

from ..call import labelled
from ..catalog.definition import ProviderDefinition
from ..catalog.loader import catalog
from ..catalog.resolve import Target, targeted
from ..coerce import messages_of, options_of, thinking_of
from ..config import ClientConfig
from ..errors import ConfigurationError
from ..flow import NOW
from ..lifecycle import guarded, performed, relayed
from ..options import check_options, check_parts, checked_cache, checked_listeners
from ..result import Err, Ok
from ..streaming.accumulator import as_chunks
from ..streaming.record import StreamRecord
from ..thinking.tags import normalized
from ..types import ChatMessage, ChatRequest, HealthCheckResult
from .policies import Asked, ClientPolicies, asked_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ClassVar

    from ..caching.key import CacheQuery
    from ..coerce import Messages
    from ..errors import LLMError
    from ..flow import Flow
    from ..health.breakers import CallBreaker
    from ..health.circuit_breaker import ProviderCircuitBreaker
    from ..lifecycle import Guards, Next
    from ..notices import Listener
    from ..pricing.manager import PricingManager
    from ..protocols import TokenCounterProtocol
    from ..rate_limiting.template import RateLimiterTemplate
    from ..result import Result
    from ..types import Completion, StreamChunk, Thinking

    Hook = Callable[[Asked], Any]

_BESIDE_THE_CONFIGURATION = (
    "cache", "circuit_breaker", "driver", "listeners", "pricing", "rate_limiter", "token_counter",
)  # fmt: skip
"""What a client is made with beside the fields of its configuration."""
_MOST_REMEMBERED = 1000
"""Models' names may come from outside; those beyond are looked up again."""


class ClientTemplate:
    """The state of a client and the flows around its hooks.

    A subclass names its `provider`. Where the catalog has no such entry, the client is its own: its model has no known
    price and no known limits.
    """

    provider: ClassVar[str] = ""
    default_model: ClassVar[str | None] = None
    keeps_deadlines: ClassVar[bool] = True

    def __init__(
        self,
        config: ClientConfig | None = None,
        *,
        circuit_breaker: ProviderCircuitBreaker | None = None,
        token_counter: TokenCounterProtocol | None = None,
        rate_limiter: RateLimiterTemplate | None = None,
        cache: object | None = None,
        listeners: Iterable[Listener] = (),
        pricing: PricingManager | None = None,
        **options: Any,
    ) -> None:
        self.config = self._configured(config, options)
        check_parts(
            circuit_breaker=circuit_breaker, rate_limiter=rate_limiter, token_counter=token_counter, pricing=pricing
        )
        self.token_counter = token_counter
        self.listeners = checked_listeners(listeners)
        self._policies = ClientPolicies(
            self.config,
            self.provider or type(self).__name__,
            circuit_breaker=circuit_breaker,
            rate_limiter=rate_limiter,
            cache=cache,
        )
        self._pricing = pricing
        self._targets: dict[str | None, Target] = {}

    def _configured(self, config: ClientConfig | None, options: dict[str, Any]) -> ClientConfig:
        check_options(options, (*ClientConfig._fields, *_BESIDE_THE_CONFIGURATION))
        config = config or ClientConfig()
        provider = self.provider or options.get("provider", config.provider)
        return config.replace(**{**options, "provider": provider})

    def __repr__(self) -> str:
        return f"{type(self).__name__}(provider={self.config.provider!r}, model={self.config.model!r})"

    @property
    def model(self) -> str:
        """The model it calls when a call names none."""
        return self._target(None).model.id

    @property
    def circuit_breaker(self) -> CallBreaker:
        """The breaker of the client's own model and of the way to its provider."""
        return self._policies.breaker(self._target(None))

    def get_models(self) -> list[str]:
        """The models of this provider that the catalog knows."""
        return list(self._definition().models)

    def _definition(self) -> ProviderDefinition:
        name = self.config.provider
        return catalog().find(name) or ProviderDefinition(name, "", "", default_model=self.default_model)

    def _target(self, model: str | None) -> Target:
        """The model to call, at this client's provider whatever its id looks like."""
        if (found := self._targets.get(model)) is None:
            found = self._found_target(model)
            if self._pricing is not None:
                found = found.replace(model=found.model.replace(price=self._pricing.price_of(found.name)))
            if len(self._targets) < _MOST_REMEMBERED:
                self._targets[model] = found
        return found

    def _found_target(self, model: str | None) -> Target:
        definition = self._definition()
        named = model or self.config.model or self.default_model or definition.default_model
        if named is None:
            raise ConfigurationError(f"{type(self).__name__} has no default model.", fix="Pass model=….")
        return targeted(definition, named.removeprefix(f"{definition.name}/"))

    def _asked(self, messages: Messages, given: Mapping[str, Any]) -> Asked:
        """A call's messages and options; the configuration's stand behind those of the call."""
        options = {**self.config.options, **given}
        thinking, cache = options.pop("thinking", None), options.pop("cache", True)
        deadline = options.pop("deadline", None)
        options = options_of(options)
        if thinking is not None:
            options = self._apply_thinking(options, thinking_of(thinking))
        return Asked(messages_of(messages), options, cache if cache is True else checked_cache(cache), deadline)

    def _apply_thinking(self, payload: dict[str, Any], thinking: Thinking) -> dict[str, Any]:
        """The options of a call with what asks for thinking.

        The catalog's codecs know each protocol's own words, so this only hands the setting on. Override it for a
        provider with words of its own: `payload | {"extra": {"think_hard": True}}`.
        """
        return {**payload, "thinking": thinking}

    def _normalize_thinking(self, completion: Completion) -> Completion:
        """The completion with thinking that the model wrote between tags told apart from its answer."""
        return normalized(completion)

    def _exceeds_token_limit(self, messages: Sequence[ChatMessage], model: str | None = None) -> bool:
        """Whether the messages can't fit the model's context window.

        With a `token_counter` that is counted, without one only what is sure is refused: more words than tokens.
        """
        window = self._target(model).model.context_window
        if window is None or not self.config.check_token_limit:
            return False
        if self.token_counter is not None:
            return self.token_counter.count_messages(messages, model) > window
        from ..pricing.tokens.bound import at_least

        return at_least(messages, window) > window

    def _guards(self, asked: Asked) -> Guards:
        model, target = asked.model, self._target(asked.model)
        return self._policies.guards(
            target,
            asked.deadline,
            lambda messages: self._exceeds_token_limit(messages, model),
            lambda: asked_tokens(self._input_tokens(asked), asked.options),
        )

    def _input_tokens(self, asked: Asked) -> int:
        """The tokens of a call's input with its tools and schema, counted or estimated."""
        from ..pricing.tokens.base import request_tokens
        from ..pricing.tokens.estimate import EstimatingCounter

        return request_tokens(
            self.token_counter or EstimatingCounter(), self._request_of(asked, self._target(asked.model))
        )

    def _whole(self, hook: Hook, asked: Asked) -> Flow[Result[Completion, LLMError]]:
        """A whole answer, from the cache or by a hook that makes one attempt; the listeners are told."""
        target = self._target(asked.model)
        call = self._cached(hook, asked, target)
        if not self.listeners:
            return (yield from call)
        from .heard import heard

        names = target.provider.name, target.model.id
        return (yield from heard(self.listeners, "chat", names, self._request_of(asked, target), call))

    def _cached(self, hook: Hook, asked: Asked, target: Target) -> Flow[Result[Completion, LLMError]]:
        asked, begun = yield from self._begun(asked)
        cache = self._policies.cache
        if cache is None or asked.cache is False:
            return (yield from self._answered(hook, asked, target, begun))
        from ..caching.flow import cached

        query = yield from self._query(asked, target)
        call = lambda: self._answered(hook, asked, target, begun)  # noqa: E731
        return (yield from cached(cache, query, call, refresh=asked.cache == "refresh", deadline=asked.deadline))

    def _answered(self, hook: Hook, asked: Asked, target: Target, begun: float) -> Flow[Result[Completion, LLMError]]:
        """A whole answer by the hook, within the guards."""
        record = StreamRecord(target)

        def attempt(record: StreamRecord) -> Flow[Result[Any, LLMError]]:
            return performed(lambda: hook(asked), record, asked.deadline)

        result = yield from guarded(attempt, asked.messages, self._guards(asked), record)
        if isinstance(result, Err):
            return Err(record.explained(result.error.located(target.provider.name, target.model.id)))
        answer = self._normalize_thinking(result.value)
        if answer.provider is None:
            answer = labelled(answer, target)
        latency = ((yield NOW).monotonic - begun) * 1000
        return Ok(record.counted(answer).replace(latency_ms=latency, attempts=record.attempts))

    def _pieces(
        self, begin: Callable[[Asked], Next], asked: Asked, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        """A streamed answer, from the cache or by a hook whose iterator `begin` opens; the listeners are told."""
        call = self._cached_pieces(begin, asked, record)
        if not self.listeners:
            return (yield from call)
        from .heard import heard

        target = self._target(asked.model)
        names, request = (target.provider.name, target.model.id), self._request_of(asked, target).replace(stream=True)
        return (yield from heard(self.listeners, "stream", names, request, call, record.completion))

    def _cached_pieces(
        self, begin: Callable[[Asked], Next], asked: Asked, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        asked, record.begun = yield from self._begun(asked)
        cache = self._policies.cache
        if cache is None or asked.cache is False:
            return (yield from self._streamed_pieces(begin, asked, record))
        from ..caching.stream import cached_stream

        query = yield from self._query(asked, self._target(asked.model))
        refresh = asked.cache == "refresh"
        call = lambda: self._streamed_pieces(begin, asked, record)  # noqa: E731
        return (yield from cached_stream(cache, query, call, record, refresh=refresh, deadline=asked.deadline))

    def _streamed_pieces(
        self, begin: Callable[[Asked], Next], asked: Asked, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        def attempt(record: StreamRecord) -> Flow[Result[Any, LLMError]]:
            return relayed(lambda: begin(asked), record, *self._chunk_limits(asked))

        result = yield from guarded(attempt, asked.messages, self._guards(asked), record)
        record.ended = (yield NOW).monotonic
        if isinstance(result, Err):
            target = self._target(asked.model)
            return Err(record.explained(result.error.located(target.provider.name, target.model.id)))
        return Ok(None)

    def _query(self, asked: Asked, target: Target) -> Flow[CacheQuery]:
        """The call as the cache is asked for it."""
        from ..caching.key import queried

        request = self._request_of(asked, target)
        config = self.config
        wire, namespace = config.wire, config.cache_namespace
        return (yield from queried(request, target, base_url=config.base_url, wire=wire, namespace=namespace))

    def _request_of(self, asked: Asked, target: Target) -> ChatRequest:
        """The call as a request; options that only a client of one's own knows are in `extra`."""
        known = {name: value for name, value in asked.options.items() if name in ChatRequest._fields}
        own = {name: value for name, value in asked.options.items() if name not in known and name != "model"}
        request = ChatRequest(**{**known, "model": target.model.id, "messages": asked.messages})
        return request.replace(extra={**request.extra, **own}) if own else request

    def _given(self, asked: Asked) -> dict[str, Any]:
        """What a hook is given beside the messages."""
        return dict(asked.options)

    def _begun(self, asked: Asked) -> Flow[tuple[Asked, float]]:
        """The call with its deadline, and when it began."""
        now = (yield NOW).monotonic
        if self.config.total_timeout is None:
            return asked, now
        latest = now + self.config.total_timeout
        return asked.replace(deadline=latest if asked.deadline is None else min(latest, asked.deadline)), now

    def _ping(self) -> ChatMessage:
        return ChatMessage("user", "Say OK.")

    def _health(self, error: Exception | None, latency_ms: float) -> HealthCheckResult:
        return HealthCheckResult(error is None, self.config.provider, latency_ms, error)

    def _in_one_piece(self, answer: Completion) -> Iterable[StreamChunk]:
        """A whole answer as the chunks of a stream."""
        return as_chunks(answer)

    def _chunk_limits(self, asked: Asked) -> tuple[float | None, float | None]:
        """The longest wait for a hook's next chunk, and the deadline that is to be kept around the hook."""
        return self.config.chunk_timeout, asked.deadline
