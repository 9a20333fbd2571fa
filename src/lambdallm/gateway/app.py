"""The gateway's application: a request's way from its route to its answer, as a flow that any host may drive.

    size → route → key → model allowed → reserved → called → in the client's protocol → settled

Endpoints are named in `routes` and do the middle; what fails anywhere is told here, in the client's protocol. It opens
nothing and knows no host, no store and no provider.
"""

from __future__ import annotations

from ..llm.errors import LambdaLLMError
from .body import Limits, check_size
from .caller import Caller
from .errors import reply, told
from .http import GatewayError, Reply, StreamedReply
from .protocols import PROTOCOLS, spoken
from .routes import ROUTES, found

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol, TypeVar

    from ..llm.flow import Flow
    from .config.values import GatewayConfig
    from .http import GatewayRequest
    from .protocols import Protocol as Spoken
    from .routes import Route
    from .serving import Models, Served

    T = TypeVar("T", bound=Reply | StreamedReply)

    class KeyPort(Protocol):
        """Who may ask."""

        def authorized(self, request: GatewayRequest) -> Flow[Caller]:
            """Whose key a request has. Raises `GatewayError`."""
            ...

    class MeterPort(Protocol):
        """What callers may still use, and have used."""

        def reserve(self, caller: Caller, model: str, tokens: int, cost_usd: float | None) -> Flow[Any]:
            """A reservation. Raises `GatewayError` where there is nothing left."""
            ...

        def settle(
            self, reservation: Any, usage: Any, cost_usd: float | None, *, model: str, ok: bool, latency_ms: float,
            status: int,
        ) -> Flow[None]:  # fmt: skip
            """What has been used in the place of what was reserved."""
            ...


ANYONE = Caller("", "anyone")
"""Who asks where the gateway has no keys."""

_LIMITS = ("requests_per_minute", "tokens_per_minute", "daily_budget_usd", "monthly_budget_usd")
_SAFE = (("cache-control", "no-store"), ("x-content-type-options", "nosniff"))


class Gateway:
    """The application.

        gateway = Gateway(models=CatalogModels({"fast": "openai/gpt-4o-mini"}), keys=keys, meter=meter)
        answer = driver.run(gateway.handle(request))

    Without `keys` everybody is let in, without a `meter` nothing is counted; without `models` those of the
    configuration are served. `provider_errors` lets clients read the providers' own words about failures. Cut-off calls
    leave what they owe to the meter in `owed`: a host drives those flows when a request has ended.
    """

    def __init__(
        self,
        config: GatewayConfig | None = None,
        *,
        models: Models | None = None,
        keys: KeyPort | None = None,
        meter: MeterPort | None = None,
        limits: Limits | None = None,
        routes: Sequence[Route] = (),
        provider_errors: bool = False,
    ) -> None:
        self.config = config
        self.models: Models = _models_of(config) if models is None else models
        self.keys, self.meter = keys, meter
        self.limits = limits or _limits_of(config)
        self.provider_errors = provider_errors or (config is not None and config.show_errors)
        self.owed: list[Flow[None]] = []
        self._routes = [*routes, *ROUTES]

    def handle(self, request: GatewayRequest) -> Flow[Reply | StreamedReply]:
        """The answer to a request, its failures included. Raises nothing but a cancellation."""
        protocol = spoken(request.path, request.headers)
        if self.config is not None and self.config.cors.origins:
            from .cors import preflight

            if (reply := preflight(self.config.cors, request)) is not None:
                return self.labelled(reply, request, protocol)
        try:
            route, params = found(self._routes, request.method, request.path)
            if route.protocol:
                protocol = PROTOCOLS[route.protocol]
            check_size(request, self.limits)
            request = request.replace(params=params, protocol=protocol.name)
            caller = ANYONE if route.public else (yield from self.authorized(request))
            answer = yield from route.function()(self, request, caller)
        except Exception as error:  # noqa: BLE001  # the client is told, and the gateway goes on
            answer = self.refusal(error, protocol, request)
        return self.labelled(answer, request, protocol)

    @property
    def seconds(self) -> float | None:
        """The longest that a request may take, `None` where the configuration sets no limit."""
        return None if self.config is None else self.config.limits.seconds

    @property
    def default_model(self) -> str:
        """The model of a request that names none, empty where there is no such."""
        return "" if self.config is None else self.config.default_model or ""

    def authorized(self, request: GatewayRequest) -> Flow[Caller]:
        """Who asks. Raises `GatewayError` for nobody that the gateway knows."""
        caller = ANYONE if self.keys is None else (yield from self.keys.authorized(request))
        if self.config is None or caller.admin:
            return caller
        usual = {name: getattr(self.config.limits, name) for name in _LIMITS if getattr(caller, name) is None}
        return caller.replace(**usual) if any(value is not None for value in usual.values()) else caller

    def served(self, name: str, caller: Caller) -> Served:
        """The model of that name. Raises `LLMModelNotFoundError`, `GatewayError` 403 for one not allowed."""
        served = self.models.find(name)
        if not caller.may_use(served.name):
            message = f"This key may not use the model {name[:200]!r}."
            fix = "Use another, or ask whoever gave you the key."
            raise GatewayError(403, f"{message} {fix}", code="model_not_allowed", param="model")
        return served

    def refusal(self, error: Exception, protocol: Spoken, request: GatewayRequest) -> Reply:
        """A failure in the client's protocol; what it is not told is logged."""
        said = told(error, exposes=self.provider_errors)
        if said is not error:
            log(error, request)
        return reply(said, protocol, request.request_id)

    def refusal_status(self, error: Exception, protocol: Spoken) -> int:
        """The status that a failure is told with."""
        return reply(told(error, exposes=self.provider_errors), protocol).status

    def log(self, error: Exception, request: GatewayRequest) -> None:
        """Write down a failure that the client is told of in other words."""
        log(error, request)

    def labelled(self, answer: T, request: GatewayRequest, protocol: Spoken) -> T:
        """The answer with the headers that all have."""
        headers = answer.headers + _SAFE
        if request.request_id:
            headers += (("x-request-id", request.request_id),)
            if protocol.id_header != "x-request-id":
                headers += ((protocol.id_header, request.request_id),)
        if self.config is not None and self.config.cors.origins:
            from .cors import headers as of_cors

            headers += of_cors(self.config.cors, request)
        labelled: Any = answer.replace(headers=headers)
        return labelled  # type: ignore[no-any-return]  # of the same kind as it was

    def drive_owed(self) -> Flow[None]:
        """Settle what cut-off calls have left."""
        while self.owed:
            yield from self.owed.pop()


def _models_of(config: GatewayConfig | None) -> Models:
    if config is None:
        from .serving import CatalogModels

        return CatalogModels(every=True)
    from .models import ConfiguredModels

    return ConfiguredModels(config)


def _limits_of(config: GatewayConfig | None) -> Limits:
    return Limits() if config is None else Limits(config.limits.body_bytes, config.limits.depth)


def log(error: Exception, request: GatewayRequest) -> None:
    """Write down a failure that the client is told of in other words."""
    from logging import getLogger

    ours = isinstance(error, LambdaLLMError)
    about = (request.request_id or "-", request.method, request.path[:200].encode("unicode_escape").decode())
    said = " ".join(str(error).split())
    getLogger("lambdallm.gateway").error("request %s %s %s failed: %s", *about, said, exc_info=None if ours else error)
