"""What settings stand for: the session and the layers of middleware that a project's file configures.

Secrets among their options are read when the first invocation needs them: both are flows.

    middleware:
      - logging
      - auth: {jwt: {secret: "secret:app/jwt", audience: app}, api_keys: {ci: "sha256:…"}}
      - cost: {daily_budget: 5, backend: "dynamodb:budgets"}
      - app.layers:Tenant: {strict: true}
"""

from __future__ import annotations

from ..._hooks import before_snapshot
from ..._value import Value
from ...llm.auth.secrets import is_reference
from ...llm.errors import ConfigurationError
from .fields import LAYERS
from .project import project_config
from .secrets import in_clear, secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...llm.flow import Flow
    from ...middleware.base import Middleware
    from ...state.session import Session
    from .project import Config

_BACKENDS = ("backend", "store")
"""Options of ours that are shared stores, which a file names: `dynamodb:table`, `redis://…`."""

_TABLE = "lambdallm"


class Parts(Value):
    """What the project's settings stand for."""

    session: Session | None = None
    middleware: tuple[Middleware, ...] = ()


_made: list[tuple[Config, Parts]] = []


def project_parts() -> Flow[Parts]:
    """What this environment's settings stand for, made once while they stay the same. Raises as `session_of` does."""
    config = project_config()
    for known, parts in _made:
        if known is config:
            return parts
    session = yield from session_of(config)
    layers = yield from middleware_of(config)
    if not _made:
        before_snapshot(_made.clear)  # their secrets are read anew
    _made[:] = [(config, Parts(session, layers))]
    return _made[0][1]


def session_of(config: Config) -> Flow[Session | None]:
    """The session that is configured; `None` where none is. Raises `ConfigurationError`, and as `secret_value` does."""
    if config.session is None:
        return None
    from ...state.session import Session

    options = yield from in_clear(config.session)
    return Session(**options)


def middleware_of(config: Config) -> Flow[tuple[Middleware, ...]]:
    """The layers that are configured, outermost first. Raises as `session_of` does."""
    layers = []
    for name, options in config.middleware:
        layers.append((yield from _layer(name, options)))
    return tuple(layers)


def _layer(name: str, options: Mapping[str, Any]) -> Flow[Middleware]:
    cls = _class(name)
    try:
        verifiers, rest = _verifiers(options) if name == "auth" else ((), options)
    except TypeError as error:
        raise _misfit(name, options, error) from error
    clear = yield from in_clear(dict(rest))
    if name in LAYERS:
        named = [each for each in _BACKENDS if isinstance(clear.get(each), str)]
        clear |= {each: _backend(clear[each], f"{name}.{each}") for each in named}
    try:
        layer: Middleware = cls(*verifiers, **clear)
    except TypeError as error:
        raise _misfit(name, options, error) from error
    return layer


def _misfit(name: str, options: Mapping[str, Any], error: TypeError) -> ConfigurationError:
    fix = f"Check its options: {', '.join(options) or 'it has none'}."
    return ConfigurationError(f"The middleware {name!r} can't be made: {error}.", fix=fix)


def _class(name: str) -> Any:
    """The class of a layer: ours by its short name, one of the project's by `package.module:Class`."""
    module, _, cls = name.partition(":")
    if name in LAYERS:
        module, cls = "lambdallm.middleware", LAYERS[name]
    if not cls:
        from ...llm.catalog.definition import suggestion

        fix = f"{suggestion(name, LAYERS)} Or name one of your own, package.module:Class."
        raise ConfigurationError(f"No middleware is called {name!r}.", fix=fix)
    from importlib import import_module

    try:
        return getattr(import_module(module), cls)
    except (ImportError, AttributeError) as error:
        fix = "Check the name, and that the module is in the package that is deployed."
        raise ConfigurationError(f"The middleware {name!r} can't be imported: {error}.", fix=fix) from error


def _verifiers(options: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """What callers are recognised by, and the other options. The secret of tokens is followed when it changes."""
    from ...middleware import ApiKeys, Jwt

    verifiers: list[Any] = []
    if "api_keys" in options:
        verifiers.append(ApiKeys(options["api_keys"]))
    if "jwt" in options:
        if not isinstance(options["jwt"], dict):
            raise ConfigurationError("auth.jwt is no mapping.", fix="Write {secret: …, audience: …}, or a jwks_url.")
        tokens = dict(options["jwt"])
        if is_reference(tokens.get("secret")):
            tokens["secret"] = secret(tokens["secret"])
        verifiers.append(Jwt(**tokens))
    return tuple(verifiers), {name: held for name, held in options.items() if name not in ("api_keys", "jwt")}


def _backend(text: str, option: str) -> Any:
    """The shared store that a text names; it may hold a password. Raises `ConfigurationError`."""
    from ...llm.backends import DynamoDBBackend, RedisBackend

    kind, _, place = text.partition(":")
    if kind == "dynamodb":
        return DynamoDBBackend(place or _TABLE)
    if kind in ("redis", "rediss", "unix") and place:
        return RedisBackend(text)
    fix = "Write dynamodb:table or redis://host:6379/0."
    raise ConfigurationError(f"The option {option} names no shared store.", fix=fix)
