"""Which store of keys a name means.

    cognito:eu-central-1_Ab12Cd34E      a user pool, by its id
    sqlite                              the file `.lambdallm/keys.db`
    sqlite:/var/lib/gateway/keys.db
    memory                              this process's memory: lost with it
    dynamodb:my-table, redis://…        a shared store of state, where there is no Cognito

Anything else is an object: a store of keys (`load`, `enrol`, `save`, `page`).
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .store import KeyStore

_FIX = "Use 'cognito:<pool id>', 'sqlite', 'sqlite:<path>', 'memory', 'dynamodb:<table>' or a Redis URL."
SQLITE_FILE = ".lambdallm/keys.db"


def key_store(store: object) -> KeyStore:
    """The store that a name or an object means. Raises `ConfigurationError`."""
    if not isinstance(store, str):
        if not all(hasattr(store, name) for name in ("load", "enrol", "save", "page")):
            raise ConfigurationError(f"{store!r} is no store of keys.", fix=_FIX)
        made: KeyStore = store  # type: ignore[assignment]  # it has the operations
        return made
    kind, _, rest = store.partition(":")
    make = _KINDS.get(kind)
    if make is None or (not rest and kind not in ("sqlite", "memory")):
        from ...transport.types import redact_url

        raise ConfigurationError(f"The store of keys is {redact_url(store)!r}.", fix=_FIX)
    return make(store, rest)


def _cognito(_store: str, pool: str) -> KeyStore:
    from .cognito import UserPool
    from .cognito_store import CognitoKeyStore

    return CognitoKeyStore(UserPool(pool))


def _sqlite(_store: str, path: str) -> KeyStore:
    from ...state.file import FileStateStore
    from .state_store import StateKeyStore

    return StateKeyStore(FileStateStore(path or SQLITE_FILE))


def _memory(_store: str, _rest: str) -> KeyStore:
    from ...state.memory import MemoryStateStore
    from .state_store import StateKeyStore

    return StateKeyStore(MemoryStateStore())


def _dynamodb(_store: str, table: str) -> KeyStore:
    from ...state.dynamodb import DynamoDBStateStore
    from .state_store import StateKeyStore

    return StateKeyStore(DynamoDBStateStore(table))


def _redis(url: str, _rest: str) -> KeyStore:
    from ...state.redis import RedisStateStore
    from .state_store import StateKeyStore

    return StateKeyStore(RedisStateStore(url))


_KINDS: dict[str, Callable[[str, str], KeyStore]] = {
    "cognito": _cognito, "sqlite": _sqlite, "memory": _memory, "dynamodb": _dynamodb, "redis": _redis, "rediss": _redis,
}  # fmt: skip
