"""Success or failure as a value: what flows and client methods return where failing is ordinary.

At the framework's surface the same error object is raised instead: `result.unwrap()` is the bridge.
"""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Generic, Literal, NoReturn, TypeVar

    T_co = TypeVar("T_co", covariant=True)
    E_co = TypeVar("E_co", covariant=True, bound=BaseException)
    U = TypeVar("U")

    class _OfValue(Value, Generic[T_co]): ...

    class _OfError(Value, Generic[E_co]): ...

else:

    class _OfValue(Value):
        def __class_getitem__(cls, _item):
            return cls

    _OfError = _OfValue
    T_co = E_co = None


class Ok(_OfValue[T_co]):
    """A success holding its value."""

    value: T_co

    def is_ok(self) -> Literal[True]:
        """Whether this is `Ok`."""
        return True

    def is_err(self) -> Literal[False]:
        """Whether this is `Err`."""
        return False

    def unwrap(self) -> T_co:
        """The value."""
        return self.value

    def map(self, change: Callable[[T_co], U]) -> Ok[U]:
        """The result with its value changed."""
        return Ok(change(self.value))


class Err(_OfError[E_co]):
    """A failure holding its error."""

    error: E_co

    def is_ok(self) -> Literal[False]:
        """Whether this is `Ok`."""
        return False

    def is_err(self) -> Literal[True]:
        """Whether this is `Err`."""
        return True

    def unwrap(self) -> NoReturn:
        """Raise the error."""
        raise self.error

    def map(self, _change: Callable[..., object]) -> Err[E_co]:
        """Itself: there is no value to change."""
        return self


if TYPE_CHECKING:
    Result = Ok[T_co] | Err[E_co]
