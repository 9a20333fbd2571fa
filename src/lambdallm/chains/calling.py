"""What functions of the user's are given: what their parameters' names ask for.

The rule is in `Step`'s docstring. Reads signatures without `inspect` where the function is a plain one, for its cold
start; calls nothing.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ConfigurationError
from .references import suggestion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .references import Scope

ALL = ("values", "inputs", "outputs")
GIVEN = (*ALL, "context", "idempotency_key")
_VARKEYWORDS = 8


class Parameters(Value):
    """A function's parameters: `positional` ones have to be given without their names; `takes_all` is `**kwargs`."""

    names: tuple[str, ...]
    required: tuple[str, ...]
    positional: tuple[str, ...] = ()
    takes_all: bool = False

    @property
    def sole(self) -> str | None:
        """The one parameter that has to be given, where there is one alone."""
        return self.required[0] if len(self.required) == 1 else None

    @property
    def takes_everything(self) -> bool:
        """Whether it may look at any value."""
        return self.takes_all or any(name in self.names for name in ALL) or self.sole is not None


def parameters(function: Callable[..., Any]) -> Parameters:
    """The parameters of a function."""
    inner = getattr(function, "__func__", function)
    code = getattr(inner, "__code__", None)
    if code is None or hasattr(inner, "__wrapped__"):
        return _inspected(function)
    bound = 1 if inner is not function else 0
    by_place = code.co_varnames[bound : code.co_argcount]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    optional = by_place[len(by_place) - len(inner.__defaults__ or ()) :] if inner.__defaults__ else ()
    required = tuple(name for name in by_place if name not in optional)
    required += tuple(name for name in by_name if name not in (inner.__kwdefaults__ or {}))
    positional = code.co_varnames[bound : code.co_posonlyargcount]
    return Parameters(by_place + by_name, required, positional, bool(code.co_flags & _VARKEYWORDS))


def _inspected(function: Callable[..., Any]) -> Parameters:
    from inspect import Parameter, signature

    try:
        found = signature(function).parameters.values()
    except (ValueError, TypeError):  # a builtin that says nothing of itself
        return Parameters(("value",), ("value",), ("value",))
    own = [one for one in found if one.kind not in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)]
    return Parameters(
        tuple(one.name for one in own),
        tuple(one.name for one in own if one.default is Parameter.empty),
        tuple(one.name for one in own if one.kind is Parameter.POSITIONAL_ONLY),
        any(one.kind is Parameter.VAR_KEYWORD for one in found),
    )


def call(
    function: Callable[..., Any], scope: Scope, given: Mapping[str, Callable[[], Any]], of: str
) -> Callable[[], Any]:
    """The function with its arguments, to be called. `given` makes `context` and `idempotency_key`; `of` is its owner.

    Raises `ConfigurationError` naming a parameter that nothing is known for.
    """
    wanted = parameters(function)
    known: dict[str, Callable[[], Any]] = {
        "values": scope.all,
        "inputs": lambda: dict(scope.inputs),
        "outputs": lambda: dict(scope.outputs),
        **given,
    }
    arguments: dict[str, Any] = {}
    for name in wanted.names:
        if name in scope:
            arguments[name] = scope[name]
        elif name in known:
            arguments[name] = known[name]()
        elif name == wanted.sole:
            arguments[name] = scope.all()
        elif name in wanted.required:
            fix = suggestion(name, [*scope.all(), *GIVEN])
            raise ConfigurationError(f"{of} asks for {name!r}, which nothing is known of.", fix=fix)
    if wanted.takes_all:
        arguments = {**{name: value for name, value in scope.all().items() if name.isidentifier()}, **arguments}
    places = [arguments.pop(name) for name in wanted.positional if name in arguments]
    return lambda: function(*places, **arguments)


def function_name(function: Callable[..., Any]) -> str:
    """What a function is called: `module.name`, the same in another process."""
    inner: Any = getattr(function, "func", function)  # functools.partial's
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return f"{getattr(inner, '__module__', None) or type(inner).__module__}.{name}"
