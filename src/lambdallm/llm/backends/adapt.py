"""Objects of one's own as backends: `get`, `set` and `delete`, blocking or asynchronous, made flows.

Knows nothing of what is stored. Blocking methods are called in worker threads where an event loop runs, so they must
bear being called from several threads.
"""

from __future__ import annotations

from ..errors import ConfigurationError, LambdaLLMError
from ..flow import Perform
from ..result import Err, Ok
from .aside import aside, loop_runs_here
from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, Protocol

    from ..flow import Flow
    from ..result import Result

    class BytesBackend(Protocol):
        """A store of bytes by key, as flows. All raise `BackendError`."""

        gives_flows: Literal[True]

        def load(self, key: str) -> Flow[bytes | None]:
            """What is kept under a key; `None` where nothing is, or its time has passed."""

        def save(self, key: str, value: bytes, ttl_seconds: float | None = None) -> Flow[None]:
            """Keep a value, for `ttl_seconds` where given."""

        def remove(self, key: str) -> Flow[None]:
            """Forget a key; one that is not there is fine."""


_SECONDS = 1.0


def as_flows(backend: Any, *, timeout_seconds: float = _SECONDS) -> BytesBackend:
    """A backend's flows: its own, or those over `get(key)`, `set(key, value, ttl_seconds)` and `delete(key)`.

    Raises `ConfigurationError` for an object that lacks one of them.
    """
    if getattr(backend, "gives_flows", False):
        flows: BytesBackend = backend
        return flows
    missing = [name for name in ("get", "set", "delete") if not callable(getattr(backend, name, None))]
    if missing:
        fix = "Give it get(key), set(key, value, ttl_seconds) and delete(key)."
        raise ConfigurationError(f"{backend!r} is no cache backend: it has no {' and no '.join(missing)}.", fix=fix)
    return _Foreign(backend, timeout_seconds)


class _Foreign:
    """The flows over somebody's object."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: Any, timeout_seconds: float) -> None:
        self._backend, self._seconds = backend, timeout_seconds

    def load(self, key: str) -> Flow[bytes | None]:
        value: bytes | None = yield from called(self._backend.get, key, seconds=self._seconds)
        return value

    def save(self, key: str, value: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        yield from called(self._backend.set, key, value, ttl_seconds, seconds=self._seconds)

    def remove(self, key: str) -> Flow[None]:
        yield from called(self._backend.delete, key, seconds=self._seconds)

    def __repr__(self) -> str:
        return repr(self._backend)


def called(method: Callable[..., Any], *arguments: Any, seconds: float) -> Flow[Any]:
    """What somebody's method gives, awaited where it is asynchronous; waited for at most `seconds`.

    Raises `BackendError` from whatever the method raises, and `ConfigurationError` for an asynchronous method where no
    event loop runs.
    """
    if not is_asynchronous(method):
        outcome = yield from aside(lambda: method(*arguments), seconds)
        pending = outcome.value if isinstance(outcome, Ok) else None
        if hasattr(pending, "__await__"):
            outcome = yield Perform(lambda: _settled(lambda: pending), seconds)
    elif loop_runs_here():
        outcome = yield Perform(lambda: _settled(lambda: method(*arguments)), seconds)
    else:
        fix = "Use the asynchronous client, or give the backend blocking methods."
        raise ConfigurationError(f"{_name(method)} is asynchronous, and no event loop runs here.", fix=fix)
    if isinstance(outcome, Err):
        raise as_backend_error(outcome.error, _name(method)) from outcome.error
    return outcome.value


def is_asynchronous(function: Any) -> bool:
    """Whether it is written with `async def`."""
    from inspect import iscoroutinefunction

    return iscoroutinefunction(function)


async def _settled(begin: Callable[[], Any]) -> Result[Any, Exception]:
    try:
        return Ok(await begin())
    except Exception as error:  # noqa: BLE001  # as in `aside`
        return Err(error)


def as_backend_error(error: Exception, name: str) -> LambdaLLMError:
    """What was raised by the foreign method of that name; what its caller must mend passes as it is."""
    if isinstance(error, (BackendError, ConfigurationError)):
        return error
    said = str(error).rstrip(".")
    return BackendError(f"{name} failed: {said + ' ' if said else ''}({type(error).__name__}).")


def _name(method: Any) -> str:
    return getattr(method, "__qualname__", None) or repr(method)
