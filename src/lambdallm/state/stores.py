"""Which store a name means, and one of each for the life of the environment.

    dynamodb                LAMBDALLM_STATE_TABLE, else the table `lambdallm-state`
    dynamodb:my-table
    redis                   LAMBDALLM_REDIS_URL, else REDIS_URL
    redis://…, rediss://…
    file                    LAMBDALLM_STATE_FILE, else `.lambdallm/state.db`, on Lambda `/tmp/lambdallm-state.db`
    file:/tmp/state.db
    memory                  this process's memory: lost with its environment

Anything else is an object: a store of journals (`gives_flows`), or one of the documented shape (`get` and `put`).
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from ..llm.flow import ENVIRONMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..llm.flow import Environ, Flow
    from .store import StateStore

_FIX = "Use 'dynamodb', 'redis', 'file' or 'memory', or an object with get(session_id) and put(session_id, data, ttl)."
_NAMES = ("dynamodb", "redis", "rediss", "file", "memory")
_made: dict[str, StateStore] = {}


def check_store(store: object) -> None:
    """Raise `ConfigurationError` for what is no store."""
    if isinstance(store, str):
        if store.partition(":")[0] not in _NAMES or store.endswith(":"):
            from ..transport.types import redact_url

            raise ConfigurationError(f"store is {redact_url(store)!r}.", fix=_FIX)
    elif not getattr(store, "gives_flows", False) and not (hasattr(store, "get") and hasattr(store, "put")):
        raise ConfigurationError(f"store is {store!r}, which is no store.", fix=_FIX)


def store_of(store: object) -> Flow[StateStore]:
    """The store that a name or an object means. Raises `ConfigurationError`."""
    check_store(store)
    if not isinstance(store, str):
        return as_journals(store)
    place = _place(store, (yield ENVIRONMENT))
    if place not in _made:
        _made.setdefault(place, _make(place))
    return _made[place]


def as_journals(store: Any) -> StateStore:
    """An object as a store of journals: itself, or its `get` and `put` made one."""
    if getattr(store, "gives_flows", False):
        journals: StateStore = store
        return journals
    from .documents import DocumentStateStore

    return DocumentStateStore(store)


def _place(store: str, environ: Environ) -> str:
    """The name with the place that the environment gives it. Raises `ConfigurationError` where it gives none."""
    if ":" in store:
        return store
    find = _PLACES[store]
    return find(environ)


def _table(environ: Environ) -> str:
    return f"dynamodb:{environ.get('LAMBDALLM_STATE_TABLE') or 'lambdallm-state'}"


def _server(environ: Environ) -> str:
    url = environ.get("LAMBDALLM_REDIS_URL") or environ.get("REDIS_URL")
    if not url:
        fix = "Set LAMBDALLM_REDIS_URL, or use store='redis://host:6379/0'."
        raise ConfigurationError("store is 'redis', and no server is named.", fix=fix)
    return url


def _file(environ: Environ) -> str:
    on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in environ
    usual = "/tmp/lambdallm-state.db" if on_lambda else ".lambdallm/state.db"
    return f"file:{environ.get('LAMBDALLM_STATE_FILE') or usual}"


_PLACES: dict[str, Callable[[Environ], str]] = {
    "dynamodb": _table, "redis": _server, "file": _file, "memory": lambda _: "memory:",
}  # fmt: skip


def _make(place: str) -> StateStore:
    kind, _, rest = place.partition(":")
    if kind == "memory":
        from .memory import MemoryStateStore

        return MemoryStateStore()
    if kind == "dynamodb":
        from .dynamodb import DynamoDBStateStore

        return DynamoDBStateStore(rest)
    if kind == "file":
        from .file import FileStateStore

        return FileStateStore(rest)
    from .redis import RedisStateStore

    return RedisStateStore(place)
