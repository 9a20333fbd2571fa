"""`@handler`: turns a function of an event and a `LambdaLLMContext` into what AWS Lambda calls.

The order of an invocation: context → middleware `before_invoke` → the function → middleware `after_invoke`, the last
one first → the response. An error goes through `on_error` in that same order before it is raised.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ConfigurationError, NotYetError
from ..llm.models import Model
from .config import project_config
from .context import LambdaLLMContext
from .responses import is_stream, lambda_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias, overload

    from ..middleware.base import Middleware

    Function: TypeAlias = Callable[[Any, LambdaLLMContext], Any]
    Handler: TypeAlias = Callable[[Any, Any], Any]
else:

    def overload(_function):
        """Stand in for `typing.overload`, which only type checkers read."""


class _DefaultText(str):
    """A default that can be told from the same value given on purpose, which a configuration may not override."""


class _DefaultNumber(int):
    """The same for whole numbers."""


_MODEL: Any = _DefaultText(Model.CLAUDE_3_HAIKU.value)
_STRATEGY: Any = _DefaultText("fail-fast")
_BUFFER: Any = _DefaultNumber(5)
_RETRIES: Any = _DefaultNumber(3)
_STRATEGIES = ("fail-fast", "truncate", "checkpoint")
_COROUTINE_FLAGS = 0x80 | 0x200


class HandlerSettings(Value):
    """What a handler decides for all of its invocations. `timeout_buffer` is in seconds."""

    model: Model | str = Model.CLAUDE_3_HAIKU
    timeout_strategy: str = "fail-fast"
    timeout_buffer: float = 5
    max_retries: int = 3
    fallback_model: Model | str | None = None
    middleware: tuple[Middleware, ...] = ()
    max_tokens: int | None = None
    """The project's limit for prompts given as text; `None` leaves `Prompt`'s."""
    temperature: float | None = None


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
    session: object = ...,
    router: object = ...,
) -> Callable[[Function], Handler]: ...


def handler(  # noqa: F811
    model: Model | str | Function = _MODEL,
    timeout_strategy: str = _STRATEGY,
    timeout_buffer: int = _BUFFER,
    max_retries: int = _RETRIES,
    fallback_model: Model | str | None = None,
    middleware: Sequence[Middleware] | None = None,
    session: object = None,
    router: object = None,
) -> Handler | Callable[[Function], Handler]:
    """Make a Lambda handler of a function.

        @handler(model=Model.CLAUDE_3_HAIKU, max_retries=3)
        def lambda_handler(event, context):
            return context.invoke("Hello {name}", name="World")

    `timeout_buffer` seconds are kept back from Lambda's limit; `max_retries` counts the tries after the first. What is
    not given comes from `LAMBDALLM_…` variables, then `lambdallm.yaml`, then the defaults. It can be used without
    parentheses. Raises `ConfigurationError` for a value of the wrong kind.
    """
    if callable(model) and not isinstance(model, str):
        return handler()(model)
    given = HandlerSettings(
        model, timeout_strategy, timeout_buffer, max_retries, fallback_model, tuple(middleware or ())
    )
    _check(given, session, router)
    return lambda function: _decorated(function, given)


def _decorated(function: Function, given: HandlerSettings) -> Handler:
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _COROUTINE_FLAGS:
        raise NotYetError(f"{function.__name__!r} is an async function.", fix="Write it with def for now.")

    def invoke(event: Any, lambda_context: Any = None) -> Any:
        context = LambdaLLMContext(_configured(given), lambda_context, event)
        if (watch := getattr(lambda_context, "on_context", None)) is not None:  # local tools look on, AWS has none
            watch(context)
        result = _run(function, event, context, given.middleware)
        if is_stream(result) and getattr(lambda_context, "accepts_stream", False):
            return result
        return lambda_response(event, result)

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        if (value := getattr(function, name, None)) is not None:
            setattr(invoke, name, value)
    invoke.__wrapped__ = function  # type: ignore[attr-defined]  # the convention of functools.wraps
    invoke.settings = given  # type: ignore[attr-defined]  # read by tools that list a project's functions
    return invoke


def _run(function: Function, event: Any, context: LambdaLLMContext, middleware: tuple[Middleware, ...]) -> Any:
    entered: list[Middleware] = []
    try:
        for layer in middleware:
            entered.append(layer)
            changed = layer.before_invoke(event, context)
            event = event if changed is None else changed
        result = function(event, context)
        for layer in reversed(middleware):
            changed = layer.after_invoke(event, result, context)
            result = result if changed is None else changed
        return result
    except Exception as error:
        for layer in reversed(entered):
            answer = layer.on_error(event, error, context)
            if answer is not None:
                return answer
        raise


def _configured(given: HandlerSettings) -> HandlerSettings:
    """The settings with the project's configuration in the place of what the code left to defaults."""
    config = project_config()
    changes: dict[str, Any] = {}
    for name in config._fields:
        value = getattr(given, name)
        configured = getattr(config, name)
        if configured is not None and (value is None or isinstance(value, (_DefaultText, _DefaultNumber))):
            changes[name] = configured
    if changes:
        given = given.replace(**changes)
        _check(given, None, None)
    return given


def _check(given: HandlerSettings, session: object, router: object) -> None:
    if given.timeout_strategy not in _STRATEGIES:
        fix = f"Use one of {', '.join(_STRATEGIES)}."
        raise ConfigurationError(f"timeout_strategy is {given.timeout_strategy!r}.", fix=fix)
    for name in ("model", "fallback_model"):
        value = getattr(given, name)
        if not (isinstance(value, str) or (value is None and name == "fallback_model")) or value == "":
            raise ConfigurationError(
                f"{name} is {value!r}.", fix="Name a model, such as 'openai/gpt-4o-mini' or 'local'."
            )
    for name in ("timeout_buffer", "max_retries"):
        value = getattr(given, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise ConfigurationError(f"{name} is {value!r}.", fix="Use a number that is not negative.")
    for layer in given.middleware:
        if isinstance(layer, type) or not hasattr(layer, "before_invoke"):
            raise ConfigurationError(f"middleware has {layer!r}.", fix="List instances of Middleware, made with ().")
    if given.timeout_strategy != "fail-fast":
        raise NotYetError(f"timeout_strategy={given.timeout_strategy!r} is not part of this version.")
    for name, extra in (("session", session), ("router", router)):
        if extra is not None:
            raise NotYetError(f"handler({name}=…) is not part of this version.")
