"""From settings to keys: named secrets are read, stores made; what is weak or missing refuses to start."""

from __future__ import annotations

from ...llm.auth.secrets import is_reference, secret_value
from ...llm.errors import ConfigurationError
from .admins import Admins
from .keys import Keys
from .stores import key_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...llm.flow import Flow
    from ..config.values import KeySettings
    from .store import KeyStore


def opened_keys(settings: KeySettings) -> Flow[Keys | None]:
    """The keys that the settings mean; `None` where everybody is let in. For a host, when it starts.

    Without an admin key and without ARNs nobody manages keys here: this gateway only recognises them. Raises
    `ConfigurationError` for an admin key that is weak or empty, and for a short pepper; `BackendError` where a secret
    can't be read.
    """
    if settings.store == "none":
        return None
    admin_key = yield from _read(settings.admin_key)
    pepper = yield from _read(settings.pepper)
    return Keys(
        _store(settings),
        prefix=settings.prefix,
        peppers=(pepper,) if pepper else (),
        admins=None if admin_key is None and not settings.admins else Admins(admin_key, arns=settings.admins),
        audit=settings.audit,
        stale_seconds=settings.stale_seconds,
    )


def _store(settings: KeySettings) -> KeyStore:
    if settings.store != "cognito":
        return key_store(f"sqlite:{settings.path}" if settings.store == "sqlite" and settings.path else settings.store)
    if not settings.pool:
        raise ConfigurationError("The keys are in Cognito, and no user pool is named.", fix="Set keys.pool to its id.")
    from .cognito import UserPool
    from .cognito_store import CognitoKeyStore

    return CognitoKeyStore(UserPool(settings.pool, region=settings.region))


def _read(setting: str | None) -> Flow[str | None]:
    if setting is not None and is_reference(setting):
        return (yield from secret_value(setting))
    return setting
