"""The state of a router and the flows behind its methods, for the one that awaits and the one that blocks."""

from __future__ import annotations

from ..clients.behind import Behind, breaker_of, keeps_deadlines
from ..coerce import messages_of, options_of
from ..errors import ConfigurationError, ProviderTimeoutError
from ..flow import NOW, Await, Perform, Start
from ..options import checked_cache, checked_listeners
from ..result import Err
from ..types import HealthCheckResult
from .candidate import candidates_of
from .capable import Field
from .fallback import fallback_of
from .flow import Asked, Routing, routed
from .needs import estimated_tokens, needs_of
from .plan import RoutedCall
from .record import RoutingRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, ClassVar

    from ..caching.cache import AnswerCache
    from ..coerce import Messages
    from ..errors import LambdaLLMError, LLMError
    from ..flow import Flow
    from ..notices import Listener, Operation
    from ..protocols import RoutingStrategyProtocol, TokenCounterProtocol
    from ..result import Result
    from ..task import Task
    from ..types import Completion
    from .candidate import Candidate, CandidateFacts
    from .flow import Calls


class RouterTemplate:
    """What both routers are made of; see `LLMRouter` for the arguments."""

    keeps_deadlines: ClassVar[bool] = True

    def __init__(
        self,
        candidates: Iterable[Any],
        strategy: RoutingStrategyProtocol | str | None = None,
        *,
        fallback: Mapping[type[LambdaLLMError] | str, str] | None = None,
        timeout: float | None = None,
        hedge_seconds: float | None = None,
        token_counter: TokenCounterProtocol | None = None,
        cache: object | None = None,
        listeners: Iterable[Listener] = (),
        calls: Calls,
        blocking: bool,
    ) -> None:
        listed = candidates_of(candidates, blocking=blocking)
        clients = {known.name: one.client for one, known in listed}
        self.candidates: tuple[Candidate, ...] = tuple(one for one, _ in listed)
        """The candidates with their clients and names, in the order they were given."""
        self._timeout, self._token_counter = timeout, token_counter
        self._cache = None if cache is None else _cache(cache)
        self.listeners = checked_listeners(listeners)
        self._routing = Routing(
            _strategy(strategy),
            Field(tuple(known for _, known in listed)),
            clients,
            {name: breaker_of(client) for name, client in clients.items()},
            fallback_of(fallback),
            calls,
            frozenset(name for name, client in clients.items() if keeps_deadlines(client)),
            hedge_seconds,
        )

    @property
    def strategy(self) -> RoutingStrategyProtocol:
        """What chooses."""
        return self._routing.strategy

    @property
    def facts(self) -> tuple[CandidateFacts, ...]:
        """What is known of each candidate, in the same order."""
        return self._routing.field.candidates

    def behind(self, model: str | None = None) -> tuple[Behind, ...]:
        """The candidates that may answer a call for `model`; see `HandsOnProtocol`."""
        asked = {known.name for known in self._routing.field.asked(model)}
        return tuple(Behind(one.client, None, one.facts) for one in self.candidates if one.name in asked)

    def _asked(self, messages: Messages, given: Mapping[str, Any], *, stream: bool = False) -> Asked:
        """A call's messages and options; what concerns the router alone is taken from them."""
        options = options_of(given)
        own = {name: options.pop(name, None) for name in ("model", "deadline", "timeout")}
        if own["timeout"] is None:
            own["timeout"] = self._timeout
        if self._cache is not None:
            own["cache"] = checked_cache(options.pop("cache", True))
        asked = messages_of(messages)
        tokens = self._input_tokens(asked, options)
        return Asked(RoutedCall(asked, options, needs_of(asked, options), tokens, stream), **own)

    def _input_tokens(self, messages: tuple[Any, ...], options: Mapping[str, Any]) -> int:
        if self._token_counter is not None:
            return self._token_counter.count_messages(messages)
        return estimated_tokens(messages, options)

    def _record(self) -> RoutingRecord:
        strategy = self._routing.strategy
        name: str = getattr(strategy, "name", type(strategy).__name__)
        return RoutingRecord(name, self.facts)

    def _routed(self, asked: Asked, record: RoutingRecord) -> Flow[Result[Completion, LLMError]]:
        """The flow of a call, from the cache or by a candidate; the listeners are told."""
        call = self._cached_route(asked, record)
        if not self.listeners:
            return (yield from call)
        from ..clients.heard import heard

        stream = asked.call.stream
        operation: Operation = "stream" if stream else "chat"
        request, come = asked.request().replace(stream=stream), record.completion if stream else None
        return (yield from heard(self.listeners, operation, ("router", asked.model or ""), request, call, come))

    def _cached_route(self, asked: Asked, record: RoutingRecord) -> Flow[Result[Completion, LLMError]]:
        cache = self._cache
        if cache is None or asked.cache is False:
            return (yield from routed(self._routing, asked, record))
        from .cached import cached_route

        asked = asked.begun((yield NOW).monotonic)
        names = " ".join(sorted(self._routing.clients))
        return (yield from cached_route(cache, names, asked, lambda: routed(self._routing, asked, record), record))

    def _checked(self, timeout: float) -> Flow[HealthCheckResult]:
        """Every candidate's health, asked beside one another; the router is as healthy as its healthiest."""
        begun = (yield NOW).monotonic
        tasks = {}
        for name, client in self._routing.clients.items():
            tasks[name] = yield Start(_health(client, timeout))
        for task in tasks.values():
            left = begun + timeout - (yield NOW).monotonic
            yield Await((task.signal,), max(left, 0.0))
        found = {name: _health_of(task, name) for name, task in tasks.items()}
        healthy = any(result.healthy for result in found.values())
        errors = [result.error for result in found.values() if result.error is not None]
        latency = ((yield NOW).monotonic - begun) * 1000
        return HealthCheckResult(healthy, "router", latency, None if healthy or not errors else errors[-1], found)


def _health(client: Any, timeout: float) -> Flow[Any]:
    return (yield Perform(lambda: client.health_check(timeout), timeout))


def _health_of(task: Task, name: str) -> HealthCheckResult:
    """What a health check gave; one that raised is no health either, nor is one that has given nothing yet."""
    if not task.signal.fired:
        return HealthCheckResult(False, name, error=ProviderTimeoutError("No answer to the health check in time."))
    failure = task.failure or (task.value.error if isinstance(task.value, Err) else None)
    if failure is not None:
        return HealthCheckResult(False, name, error=failure if isinstance(failure, Exception) else None)
    found: HealthCheckResult = task.value
    return found


def _strategy(given: RoutingStrategyProtocol | str | None) -> RoutingStrategyProtocol:
    if given is None or isinstance(given, str):
        from .factory import strategy_named

        return strategy_named(given or "sequential")
    if not callable(getattr(given, "plan", None)) or not callable(getattr(given, "observe", None)):
        fix = "Give an object with plan(call, candidates) and observe(observation), or a strategy's name."
        raise ConfigurationError(f"{given!r} is no strategy.", fix=fix)
    return given


def _cache(given: object) -> AnswerCache:
    from ..caching.cache import as_cache

    return as_cache(given)
