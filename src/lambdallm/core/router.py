"""Who chooses the model of a call: `handler(router=…)`.

A router has one method: `route(request, context)` gives the name of a model, or several in the order to ask them. A
model that the call or its prompt names is not routed. A router of the client library (`LLMRouter`, or any client that
completes and streams) is taken as it is: it makes the calls itself.
"""

from __future__ import annotations

from ..llm.clients.behind import Behind
from ..llm.errors import ConfigurationError
from ..llm.flow import Perform, ReaderLeft
from ..llm.lifecycle import relayed
from ..llm.result import Err
from .calls import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Protocol

    from ..llm.call import CallSettings
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.routing.capable import Field
    from ..llm.streaming.record import StreamRecord
    from ..llm.types import ChatRequest, Completion
    from .context import LambdaLLMContext

    class Router(Protocol):
        """Chooses models."""

        def route(self, request: ChatRequest, context: LambdaLLMContext) -> str | Sequence[str]:
            """The model to ask, or several, the first one first. The request names none yet."""


class CostAwareRouter:
    """Asks the cheapest model that can do what a call needs, then the next cheapest.

        @handler(router=CostAwareRouter(["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", "openai/gpt-4o"]))

    Prices and abilities are the catalog's; a text counts with the tokens it is estimated to have. With `max_cost_usd`
    models whose call is estimated to cost more are left out, and once `budget_usd` of an invocation is spent only the
    cheapest is asked. Models of unknown price come last. It keeps nothing between invocations but what it knows of its
    models.
    """

    def __init__(
        self, models: Iterable[str], *, max_cost_usd: float | None = None, budget_usd: float | None = None
    ) -> None:
        self.models = tuple(str(model) for model in models)
        if not self.models:
            raise ConfigurationError("CostAwareRouter has no models.", fix="Name at least one.")
        self.max_cost_usd, self.budget_usd = max_cost_usd, budget_usd
        self._field: Field | None = None

    def route(self, request: ChatRequest, context: LambdaLLMContext) -> tuple[str, ...]:
        """The names of those that can answer, the cheapest first. Raises `ConfigurationError` where none can."""
        from ..llm.routing.strategies.cost import CostOptimizedStrategy

        call = self._call(request)
        able = self._known().capable(call, None)
        if not able.candidates:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in able.left_out.items())
            raise ConfigurationError(f"No model of the router can answer this call. {reasons}", fix="Add one that can.")
        names = tuple(one.name for one in CostOptimizedStrategy().plan(call, able.candidates).order)
        if self.budget_usd is not None and context.total_cost >= self.budget_usd:
            return names[:1]
        return tuple(name for name in names if self._affordable(name, call)) or names[:1]

    def _call(self, request: ChatRequest) -> Any:
        from ..llm.routing.needs import estimated_tokens, needs_of
        from ..llm.routing.plan import RoutedCall

        fields = ("tools", "response_format", "thinking", "max_tokens")
        options = {name: value for name in fields if (value := getattr(request, name))}
        tokens = estimated_tokens(request.messages, options)
        return RoutedCall(request.messages, options, needs_of(request.messages, options), tokens)

    def _known(self) -> Field:
        """What is known of the models, looked up by the first call."""
        if self._field is None:
            from ..llm.routing.candidate import candidates_of
            from ..llm.routing.capable import Field

            named = [_Named(Route(model).end, model) for model in self.models]
            from ..llm.routing.candidate import Candidate

            candidates = [Candidate(each, name=each.name) for each in named]
            self._field = Field(tuple(facts for _, facts in candidates_of(candidates, blocking=True)))
        return self._field

    def _affordable(self, name: str, call: Any) -> bool:
        if self.max_cost_usd is None:
            return True
        from ..llm.routing.plan import EXPECTED_OUTPUT_TOKENS

        price = next(one.price for one in self._known().candidates if one.name == name)
        if price is None:
            return False
        output = min(call.max_tokens or EXPECTED_OUTPUT_TOKENS, EXPECTED_OUTPUT_TOKENS)
        return bool((call.input_tokens * price.input + output * price.output) / 1e6 <= self.max_cost_usd)


class _Named:
    """A model by its name, as a candidate: its facts are asked for, never itself."""

    def __init__(self, end: Behind, name: str) -> None:
        self._end, self.name = end, name

    def behind(self, _model: str | None = None) -> tuple[Behind, ...]:
        return (self._end,)

    def complete(self, *_args: Any, **_options: Any) -> Any:
        raise NotImplementedError

    chat = stream_chat = close = complete


class ClientRoute(Route):
    """The way through a client of the client library, which chooses, retries and prices by itself."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.asked = client.complete
        self.plugin = None
        self.target: Any = None

    @property
    def end(self) -> Behind:
        """Who answers: the client, or those behind it."""
        return Behind(self.client)

    @property
    def model(self) -> str:
        """No model in particular."""
        return ""

    def chat(self, request: ChatRequest, settings: CallSettings) -> Flow[Result[Completion, LLMError]]:
        """The flow of a whole answer."""
        options = _options(request, settings)
        tools = options.pop("tools", None)
        if tools:
            result = yield Perform(lambda: self.client.chat(request.messages, tools, **options))
        else:
            result = yield Perform(lambda: self.client.complete(request.messages, **options))
        answer: Result[Completion, LLMError] = result
        return answer

    def stream(
        self, request: ChatRequest, settings: CallSettings, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        """The flow of an answer in pieces."""
        chunks = self.client.stream_chat(request.messages, **_options(request, settings))

        def begin() -> Any:
            if hasattr(chunks, "__aiter__"):
                pieces = aiter(chunks)
                return lambda: anext(pieces, None)
            return _Next(chunks)

        try:
            result = yield from relayed(begin, record, None, settings.deadline)
        except ReaderLeft:
            if hasattr(chunks, "aclose"):
                yield Perform(chunks.aclose)
            raise
        if not isinstance(result, Err):
            record.ready = chunks.completion
        return result


class _Next:
    """The chunks of a stream, one a call; closed with it."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = iter(chunks)
        self.close = getattr(chunks, "close", lambda: None)

    def __call__(self) -> Any:
        return next(self._chunks, None)


def _options(request: ChatRequest, settings: CallSettings) -> dict[str, Any]:
    """A request as the options of a client's call."""
    left_out = ("model", "messages", "stream")
    defaults = request._defaults
    given = {n: v for n in request._fields if n not in left_out and (v := getattr(request, n)) != defaults.get(n)}
    return given if settings.deadline is None else {**given, "deadline": settings.deadline}


def checked_router(given: Any) -> Any:
    """A router: an object with `route`, or a client. Raises `ConfigurationError` for anything else."""
    if isinstance(given, type):
        raise ConfigurationError(f"router is {given!r}.", fix=f"Make one: {given.__name__}(…).")
    if callable(getattr(given, "route", None)):
        return given
    if callable(getattr(given, "complete", None)) and callable(getattr(given, "stream_chat", None)):
        return ClientRoute(given)
    fix = "Pass CostAwareRouter([…]), an LLMRouter, or an object with route(request, context)."
    raise ConfigurationError(f"router is {given!r}.", fix=fix)


def routed(router: Any, request: ChatRequest, context: LambdaLLMContext) -> tuple[str | Route, ...]:
    """Whom a router has asked, one after another. A test's stand-in takes every call."""
    from ..providers.registry import plugged_in

    if isinstance(router, ClientRoute):
        return ("stand-in",) if plugged_in("") is not None else (router,)
    named = router.route(request, context)
    names = (named,) if isinstance(named, str) or not hasattr(named, "__iter__") else tuple(named)
    if not names or not all(isinstance(name, str) and name for name in names):
        fix = "Return the name of a model, or several."
        raise ConfigurationError(f"The router {router!r} gave {named!r}.", fix=fix)
    return tuple(str(name) for name in names)
