"""`@handler`: turns a function of an event and a `LambdaLLMContext` into what AWS Lambda calls.

The function may be asynchronous: it then runs in the environment's event loop. What happens in which order in an
invocation is in `lifecycle`; here are the settings that all invocations of a handler share.
"""

from __future__ import annotations

import os

from .._value import Value
from ..llm.errors import ConfigurationError
from ..llm.models import Model
from .config import project_config
from .context import LambdaLLMContext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias, overload

    from ..middleware.base import Middleware
    from ..state.session import Session
    from .config import Config
    from .metrics import Sink
    from .router import Router

    Function: TypeAlias = Callable[[Any, LambdaLLMContext], Any]
    Handler: TypeAlias = Callable[[Any, Any], Any]
else:

    def overload(_function):
        """Stand in for `typing.overload`, which only type checkers read."""


class _DefaultText(str):
    """A default that can be told from the same value given on purpose, which a configuration may not override."""


class _DefaultNumber(int):
    """The same for whole numbers."""


class _DefaultLayers(tuple):  # type: ignore[type-arg]  # it is always empty
    """The same for no middleware."""

    __slots__ = ()


_MODEL: Any = _DefaultText(Model.CLAUDE_3_HAIKU.value)
_STRATEGY: Any = _DefaultText("fail-fast")
_BUFFER: Any = _DefaultNumber(5)
_RETRIES: Any = _DefaultNumber(3)
_LAYERS: tuple[Any, ...] = _DefaultLayers()
_STRATEGIES = ("fail-fast", "truncate", "checkpoint")
_COROUTINE_FLAGS = 0x80 | 0x200
"""Of a code object: it is that of a coroutine function, or of an asynchronous generator function."""


class HandlerSettings(Value):
    """What a handler decides for all of its invocations. `timeout_buffer` is in seconds."""

    model: Model | str = Model.CLAUDE_3_HAIKU
    timeout_strategy: str = "fail-fast"
    timeout_buffer: float = 5
    max_retries: int = 3
    fallback_model: Model | str | None = None
    middleware: tuple[Middleware, ...] = ()
    session: Any = None
    router: Any = None
    checkpoint_store: Any = None
    cache: Any = None
    metrics_sinks: tuple[Sink, ...] = ()
    embedding_model: str | None = None
    max_tokens: int | None = None
    """The project's limit for prompts given as text; `None` leaves `Prompt`'s."""
    temperature: float | None = None
    response_streaming: str | Sequence[str] | None = None
    """The sources that take streams: see `streaming`."""


@overload
def handler(model: Function) -> Handler: ...  # noqa: D103  # the implementation has the text


@overload
def handler(  # noqa: D103, F811
    model: Model | str = ...,
    timeout_strategy: str = ...,
    timeout_buffer: int = ...,
    max_retries: int = ...,
    fallback_model: Model | str | None = ...,
    middleware: Sequence[Middleware] | None = ...,
    session: Session | None = ...,
    router: Router | object | None = ...,
    *,
    checkpoint_store: object = ...,
    cache: object = ...,
    metrics_sinks: Sequence[Sink] = ...,
    embedding_model: str | None = ...,
    response_streaming: str | Sequence[str] | None = ...,
) -> Callable[[Function], Handler]: ...


def handler(  # noqa: F811
    model: Model | str | Function = _MODEL,
    timeout_strategy: str = _STRATEGY,
    timeout_buffer: int = _BUFFER,
    max_retries: int = _RETRIES,
    fallback_model: Model | str | None = None,
    middleware: Sequence[Middleware] | None = None,
    session: Session | None = None,
    router: Router | object | None = None,
    *,
    checkpoint_store: object = None,
    cache: object = None,
    metrics_sinks: Sequence[Sink] = (),
    embedding_model: str | None = None,
    response_streaming: str | Sequence[str] | None = None,
) -> Handler | Callable[[Function], Handler]:
    """Make a Lambda handler of a function, which may be `async`.

        @handler(model=Model.CLAUDE_3_HAIKU, max_retries=3)
        def lambda_handler(event, context):
            return context.invoke("Hello {name}", name="World")

    `timeout_buffer` seconds are kept back from Lambda's limit; when they are reached, `timeout_strategy` decides:
    `fail-fast` raises `DeadlineExceededError`, `truncate` gives the function what has been generated so far, and
    `checkpoint` ends the invocation with an id from which a later one goes on, without paying again for what was
    answered (the answers are kept in `checkpoint_store`, or where the session is). `max_retries` counts the tries after
    the first. `session` is loaded and saved for each invocation, `router` chooses models (see `router`), `cache`
    answers what was asked before, `metrics_sinks` get the measurements of each invocation, and `embedding_model` is
    what `context.embed` calls. `response_streaming` names the sources whose events are answered piece by piece where
    the function gives pieces: `function_url` (without it the only one), `rest`, `direct`, or `off`. What is not given
    comes from `LAMBDALLM_…` variables, then `lambdallm.yaml`, then the defaults. It can be used without parentheses.
    Raises `ConfigurationError` for a value of the wrong kind.
    """
    if callable(model) and not isinstance(model, str):
        return handler()(model)
    given = HandlerSettings(
        model, timeout_strategy, timeout_buffer, max_retries, fallback_model,
        _LAYERS if middleware is None else tuple(middleware), session, router,
        checkpoint_store, cache, tuple(metrics_sinks), embedding_model, response_streaming=response_streaming,
    )  # fmt: skip
    _check(given)
    given = _prepared(given)
    return lambda function: _decorated(function, given)


def _prepared(given: HandlerSettings) -> HandlerSettings:
    """The settings with what needs it made ready once for all invocations."""
    if given.cache is not None:
        from ..llm.caching.cache import as_cache

        given = given.replace(cache=as_cache(given.cache))
    if given.router is not None:
        from .router import checked_router

        given = given.replace(router=checked_router(given.router))
    return given


def _decorated(function: Function, given: HandlerSettings) -> Handler:
    awaits = _is_async(function)
    if not awaits and given.router is not None and _is_async(getattr(given.router, "asked", None)):
        fix = "Take the one of lambdallm.llm.routing.sync, or write the function with async def."
        raise ConfigurationError("The router has to be awaited, and the function is no async one.", fix=fix)

    def invoke(event: Any, lambda_context: Any = None) -> Any:
        config = project_config()
        context = LambdaLLMContext(configured(given, config), lambda_context, event, awaits=awaits)
        if (watch := getattr(lambda_context, "on_context", None)) is not None:  # local tools look on, AWS has none
            watch(context)
        from .lifecycle import answered

        return answered(function, event, context, _lacks(given, config))

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if (value := getattr(function, name, None)) is not None:
            setattr(invoke, name, value)
    _enter(given, awaits=awaits)
    invoke.__wrapped__ = function  # type: ignore[attr-defined]  # the convention of functools.wraps
    invoke.settings = given  # type: ignore[attr-defined]  # read by tools that list a project's functions
    return invoke


def _enter(given: HandlerSettings, *, awaits: bool) -> None:
    """Be ready for what Lambda does with an environment: a snapshot of it, its end in the middle of an invocation."""
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from .warm import warm_before_snapshot

        warm_before_snapshot(lambda: configured(given, project_config()), awaits=awaits)
    if given.metrics_sinks and "AWS_LAMBDA_RUNTIME_API" in os.environ:
        from ..runtime.shutdown import watch

        watch()


def _is_async(function: Any) -> bool:
    """Whether calling it gives something to await; also where it stands behind `partial` or is an object."""
    while (inner := getattr(function, "func", None)) is not None:
        function = inner
    for each in (function, getattr(function, "__call__", None)):  # noqa: B004  # its code is asked for
        code = getattr(each, "__code__", None)
        if code is not None and code.co_flags & _COROUTINE_FLAGS:
            return True
    return False


_CONFIGURABLE = (
    "model", "fallback_model", "timeout_strategy", "timeout_buffer", "max_retries", "max_tokens", "temperature",
    "response_streaming",
)  # fmt: skip


def _lacks(given: HandlerSettings, config: Config) -> tuple[str, ...]:
    """The parts that the code left to the project's configuration, which has them: they are made in the invocation."""
    session = given.session is None and config.session is not None
    layers = bool(config.middleware) and isinstance(given.middleware, _DefaultLayers)
    return (*(("session",) if session else ()), *(("middleware",) if layers else ()))


def configured(given: HandlerSettings, config: Config) -> HandlerSettings:
    """The settings with the project's configuration in the place of what the code left to defaults."""
    changes: dict[str, Any] = {}
    for name in _CONFIGURABLE:
        value = getattr(given, name)
        configured = getattr(config, name)
        if configured is not None and (value is None or isinstance(value, (_DefaultText, _DefaultNumber))):
            changes[name] = configured
    if changes:
        given = given.replace(**changes)
        _check(given)
    return given


def _check(given: HandlerSettings) -> None:
    if given.timeout_strategy not in _STRATEGIES:
        fix = f"Use one of {', '.join(_STRATEGIES)}."
        raise ConfigurationError(f"timeout_strategy is {given.timeout_strategy!r}.", fix=fix)
    for name in ("model", "fallback_model", "embedding_model"):
        value = getattr(given, name)
        if not (isinstance(value, str) or (value is None and name != "model")) or value == "":
            raise ConfigurationError(
                f"{name} is {value!r}.", fix="Name a model, such as 'openai/gpt-4o-mini' or 'local'."
            )
    for name in ("timeout_buffer", "max_retries"):
        value = getattr(given, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ConfigurationError(f"{name} is {value!r}.", fix="Use a number that is not negative.")
    if given.response_streaming is not None:
        _check_sources(given.response_streaming)
    _check_parts(given)


_SOURCES = ("function_url", "rest", "direct", "off")


def _check_sources(setting: Any) -> None:
    words = setting.split(",") if isinstance(setting, str) else setting
    if not isinstance(words, (list, tuple)) or not all(str(word).strip().lower() in _SOURCES for word in words):
        fix = f"Use {', '.join(_SOURCES)}; several with commas between them."
        raise ConfigurationError(f"response_streaming is {setting!r}.", fix=fix)


def _check_parts(given: HandlerSettings) -> None:
    for layer in given.middleware:
        if isinstance(layer, type) or not hasattr(layer, "before_invoke"):
            raise ConfigurationError(f"middleware has {layer!r}.", fix="List instances of Middleware, made with ().")
    for sink in given.metrics_sinks:
        if not callable(sink):
            raise ConfigurationError(f"metrics_sinks has {sink!r}.", fix="List functions of the measurements.")
    if given.session is not None and (isinstance(given.session, type) or not hasattr(given.session, "opened")):
        raise ConfigurationError(f"session is {given.session!r}.", fix="Pass Session(…).")
    if given.checkpoint_store is not None:
        from ..state.stores import check_store

        check_store(given.checkpoint_store)
