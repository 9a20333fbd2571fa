"""Somebody's own quotas as flows: an object with `take` and `settle`, blocking or asynchronous."""

from __future__ import annotations

from ..backends.adapt import called
from ..backends.errors import BackendError
from ..errors import ConfigurationError
from .quota import Short, Taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from ..flow import Flow
    from .quota import Charge


def as_quotas(backend: Any, timeout_seconds: float) -> Any:
    """Quotas as flows: the object's own where it gives them. Raises `ConfigurationError` for one that has no quotas."""
    missing = [name for name in ("take", "settle") if not callable(getattr(backend, name, None))]
    if missing:
        fix = "Give a RedisBackend, a DynamoDBBackend, or an object after QuotaBackendProtocol."
        said = f"A {type(backend).__name__} is no quota backend: it has no {' and no '.join(missing)}."
        raise ConfigurationError(said, fix=fix)
    return backend if getattr(backend, "gives_flows", False) else ForeignQuotas(backend, timeout_seconds)


class ForeignQuotas:
    """The flows over an object's methods, each waited for at most `timeout_seconds`. Raises `BackendError`."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: Any, timeout_seconds: float) -> None:
        self._backend, self._seconds = backend, timeout_seconds

    def take(self, key: str, charges: Sequence[Charge], wait_seconds: float = 0.0) -> Flow[Taken | Short]:
        """Take all charges or none."""
        answer = yield from called(self._backend.take, key, charges, wait_seconds, seconds=self._seconds)
        if not isinstance(answer, (Taken, Short)):
            fix = "Let it return Taken or Short."
            raise BackendError(f"{type(self._backend).__name__}.take gave {answer!r}.", fix=fix, retryable=False)
        return answer

    def settle(self, taken: Taken, used: Sequence[float]) -> Flow[None]:
        """Say how much was used of each charge."""
        yield from called(self._backend.settle, taken, used, seconds=self._seconds)
