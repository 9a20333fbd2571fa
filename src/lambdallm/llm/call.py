"""One call made ready: which codec, which URL, whose key, how long. What is wrong is raised before anything is sent."""

from __future__ import annotations

from .._value import Value
from ..transport.types import HttpRequest, Timeouts
from .auth import authorized, percent_encoded
from .errors import ConfigurationError, DeadlineExceededError
from .flow import ENVIRONMENT, NOW, Send, Sleep
from .pricing.cost import cost_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..transport.types import Headers
    from .catalog.definition import ProviderDefinition
    from .catalog.resolve import Target
    from .flow import Environ, Flow
    from .types import Completion
    from .wire.codec import Encoded


class CallSettings(Value):
    """What a caller may decide for a call apart from the request itself.

    `wire` is another wire protocol that the provider speaks (`openai_responses` instead of `openai_chat`).
    `timeout` is the longest silence, `chunk_timeout` the longest wait for the next piece of a stream (a provider's
    signs of life are none) and `total` the longest call, in seconds; `deadline` is a reading of the
    monotonic clock that no attempt and no wait goes beyond. `None` leaves a setting to the provider's definition.
    """

    api_key: str | None = None
    base_url: str | None = None
    wire: str | None = None
    headers: Headers = ()
    connect_timeout: float | None = 10.0
    timeout: float | None = None
    chunk_timeout: float | None = None
    total: float | None = None
    deadline: float | None = None
    max_retries: int = 3

    def __repr__(self) -> str:
        return f"CallSettings(base_url={self.base_url!r}, timeout={self.timeout!r}, max_retries={self.max_retries!r})"


class Prepared(Value):
    """A call that is ready to be sent. `codec` is the module that speaks its protocol."""

    request: HttpRequest
    timeouts: Timeouts
    codec: Any
    target: Target
    warnings: tuple[str, ...] = ()
    chunk_timeout: float | None = None


def labelled(answer: Completion, target: Target, *, warnings: tuple[str, ...] = (), **facts: Any) -> Completion:
    """A decoded answer with what only its call knows: provider, model, price, warnings, and further `facts` of it."""
    return answer.replace(
        provider=target.provider.name,
        model=answer.model or target.model.id,
        cost_usd=cost_of(answer.usage, target),
        warnings=(*answer.warnings, *warnings),
        **facts,
    )


def prepared(
    operation: str, wire: str, encode: Callable[[Any], Encoded], target: Target, settings: CallSettings
) -> Flow[Prepared]:
    """A call of an operation over a wire protocol; `encode` is given the codec and makes the body."""
    environ = yield ENVIRONMENT
    provider = target.provider
    if not wire:
        fix = "Choose another provider, or name one of its protocols."
        raise ConfigurationError(f"{provider.title or provider.name} has no chat models.", fix=fix)
    codec = codec_named(wire)
    encoded = encode(codec)
    url = url_of(target, path_of(target, wire, codec, operation), settings.base_url, environ)
    headers = (("Content-Type", "application/json"), *encoded.headers, *provider.headers.items(), *settings.headers)
    bare = HttpRequest("POST", url, headers, encoded.body)
    http = yield from _within(settings.deadline, authorized(bare, provider, settings.api_key, environ))
    read = provider.timeout if settings.timeout is None else settings.timeout
    if operation == "stream" and settings.chunk_timeout is not None:
        read = min(read, settings.chunk_timeout)
    timeouts = Timeouts(settings.connect_timeout, read, settings.total, settings.deadline)
    return Prepared(http, timeouts, codec, target, encoded.warnings, settings.chunk_timeout)


def _within(deadline: float | None, flow: Flow[HttpRequest]) -> Flow[HttpRequest]:
    """A flow none of whose requests waits beyond the deadline: those for a token belong to the call they are for.

    Raises `DeadlineExceededError` where it would sleep beyond it.
    """
    if deadline is None:
        return (yield from flow)
    outcome: Any = None
    try:
        while True:
            effect = flow.send(outcome)
            if type(effect) is Send:
                effect = effect.replace(timeouts=effect.timeouts.replace(deadline=deadline))
            elif type(effect) is Sleep and (yield NOW).monotonic + effect.seconds >= deadline:
                flow.close()
                raise DeadlineExceededError("No time is left to find out the key or token of a call.")
            outcome = yield effect
    except StopIteration as done:
        http: HttpRequest = done.value
        return http


def codec_named(wire: str) -> Any:
    """The codec of a wire protocol, `package.body` where one has several bodies.

    Raises `ConfigurationError` naming those there are.
    """
    module = f"{__package__}.wire.{wire}"
    try:
        codec = __import__(module, fromlist=["PATHS"])
        codec.PATHS, codec.decode_error  # noqa: B018  # a framing module is no codec
    except (ImportError, AttributeError) as error:
        if isinstance(error, ImportError) and not f"{module}.".startswith(f"{error.name}."):
            raise
        known = ", ".join(sorted(_codec_names()))
        raise ConfigurationError(f"No wire protocol is called {wire!r}.", fix=f"Known: {known}.") from error
    return codec


def _codec_names() -> Iterator[str]:
    """What `wire` holds that is a codec: a module or package that says where its operations live."""
    from os import path, scandir

    for entry in scandir(path.join(path.dirname(__file__), "wire")):
        file = path.join(entry.path, "__init__.py") if entry.is_dir() else entry.path
        if path.isfile(file):
            with open(file, encoding="utf-8") as source:
                if "\nPATHS = " in source.read():
                    yield entry.name.removesuffix(".py")


def path_of(target: Target, wire: str, codec: Any, operation: str) -> str:
    """Where an operation lives below the endpoint.

    What the model's facts or the provider's `paths` say for `wire:operation`, else for the operation where the model's
    usual protocol is meant, else what the protocol itself says.
    """
    paths = target.facts.get("paths", target.provider.paths)
    usual = paths.get(operation) if wire == target.wire or operation not in ("chat", "stream") else None
    path: str = paths.get(f"{wire}:{operation}", codec.PATHS[operation] if usual is None else usual)
    return path


def url_of(target: Target, path: str, base_url: str | None, environ: Environ) -> str:
    """The endpoint and a path below it, with their variables and the model's id filled in."""
    provider = target.provider
    named = (environ.get(name) for name in provider.endpoint_env)
    base = base_url or next((value for value in named if value), None) or _endpoint(provider, environ)
    if "://" not in base and provider.endpoint.startswith("http://"):
        base = f"http://{base}"  # as local servers name their address: OLLAMA_HOST=127.0.0.1:11434
    if "{model}" in path:
        path = path.replace("{model}", percent_encoded(target.model.id))
    return _filled(base, provider, environ).rstrip("/") + _filled(path, provider, environ)


def _endpoint(provider: ProviderDefinition, environ: Environ) -> str:
    """The provider's endpoint, or the one it has for a variable's value."""
    for condition, endpoint in provider.endpoints.items():
        name, _, value = condition.partition("=")
        if _variable(name, provider.variables.get(name, ()), provider, environ) == value:
            return endpoint
    return provider.endpoint


def _filled(template: str, provider: ProviderDefinition, environ: Environ) -> str:
    if "{" not in template:
        return template
    for variable, sources in provider.variables.items():
        if "{" + variable + "}" in template:
            template = template.replace("{" + variable + "}", _variable(variable, sources, provider, environ))
    return template


def _variable(name: str, sources: tuple[str, ...], provider: ProviderDefinition, environ: Environ) -> str:
    value = next((found for source in sources if (found := _from_source(source, environ))), None)
    if value is None:
        where = " or ".join(source for source in sources if ":" not in source and not source.startswith("="))
        raise ConfigurationError(f"{provider.title or provider.name} needs {name!r}.", fix=f"Set {where}.")
    return value.rstrip("/")


def _from_source(source: str, environ: Environ) -> str | None:
    """What a source of a variable holds: `=text` is a literal, `aws:region` and `google:project` ask their clouds'."""
    if source.startswith("="):
        return source[1:]
    if source == "aws:region":
        from ..aws.region import region

        return region(environ)
    if source == "google:project":
        from .auth.google import google_project

        return google_project(environ)
    return environ.get(source)
