"""The project's settings: the file's, those of one environment over them, the process's variables over both.

    model: openai/gpt-4o-mini
    fallback_model: local
    session: {store: "dynamodb:chats", ttl_hours: "${SESSION_HOURS:-24}"}
    api_keys: {openai: "secret:ssm:/app/{env}/openai"}
    environments:
      prod: {model: openai/gpt-4o}

What code says is over all of these, which is the handler's business. Nothing is read before it is asked for.
"""

from __future__ import annotations

import os
import sys

from ..._value import Value
from ...llm.errors import ConfigurationError
from ...llm.types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike
    from typing import Any

    from .kinds import Problem

FILES = ("lambdallm.yaml", "lambdallm.yml", "lambdallm.json")
_FILE_ONLY = ("middleware", "api_keys")


class Config(Value):
    """A project's settings; `None` leaves the documented default.

    `session` are the arguments of a `Session`, `middleware` the layers by name with their options, outermost first;
    `parts` makes both. `api_keys` are keys or references to them, by provider; its `repr` shows the references only.
    """

    model: str | None = None
    fallback_model: str | None = None
    timeout_strategy: str | None = None
    timeout_buffer: int | None = None
    max_retries: int | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    response_streaming: str | Sequence[str] | None = None
    session: Mapping[str, Any] | None = None
    middleware: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    api_keys: Mapping[str, str] = EMPTY
    secret_ttl_seconds: float | None = None

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in self._fields if getattr(self, name) != self._defaults[name]}
        if "api_keys" in shown:
            shown["api_keys"] = {n: key if key.startswith("secret:") else "***" for n, key in self.api_keys.items()}
        if self.session and "store" in self.session:
            shown["session"] = {**self.session, "store": _without_password(self.session["store"])}
        if "middleware" in shown:
            shown["middleware"] = tuple(name for name, _ in self.middleware)
        return f"Config({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def _without_password(store: str) -> str:
    """A store's name as it may be shown: a URL without who connects."""
    kind, _, place = store.partition("://")
    return f"{kind}://{place.rpartition('@')[2]}" if place else kind


_VARIABLES = tuple((name, f"LAMBDALLM_{name.upper()}") for name in Config._fields if name not in _FILE_ONLY)


def load_config(path: str | PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The settings of a project: the file's, with those of the environment (`LAMBDALLM_MODEL`, …) over them.

    Without a `path` it looks for `lambdallm.yaml`, `.yml` or `.json` in the function's folder (`LAMBDA_TASK_ROOT`, or
    the current one); no file is no settings. Raises `ConfigurationError` naming the file and all places, or the
    variable.
    """
    environ = os.environ if environ is None else environ
    found = path or config_path(environ)
    over = _from_variables(environ)
    if not found:
        return _config(over)
    from .reading import merge

    return _config(merge(_from_file(found, environ), over))


def config_path(environ: Mapping[str, str]) -> str | None:
    """The file of settings that applies: the one in LAMBDALLM_CONFIG, else that of the folder; `None` where none is."""
    if named := environ.get("LAMBDALLM_CONFIG"):
        return named
    folder = environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    places = (os.path.join(folder, name) for name in FILES)
    return next((place for place in places if os.path.isfile(place)), None)


def _from_file(path: str | PathLike[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """What applies of a file: checked as a whole, its references filled in where they apply."""
    from .fields import FILE
    from .reading import settings_in

    return settings_in(path, FILE, environ, _unknown)


def _unknown(merged: Mapping[str, Any]) -> list[Problem]:
    """What no table can tell: providers and layers that nobody knows."""
    return [*_unknown_providers(merged.get("api_keys") or {}), *_unknown_layers(merged.get("middleware") or ())]


def _unknown_providers(keys: Mapping[str, str]) -> list[Problem]:
    if not keys:
        return []
    from ...llm.catalog.loader import catalog
    from .reading import unknown_providers

    return unknown_providers(keys, catalog().names())


def _unknown_layers(layers: Sequence[Any]) -> list[Problem]:
    """The layers whose names are none of ours; those of `package.module:Class` are imported later."""
    if not layers:
        return []
    from ...llm.catalog.definition import suggestion
    from .fields import LAYERS
    from .kinds import Problem

    named = ((at, name) for at, layer in enumerate(layers) for name in ([layer] if isinstance(layer, str) else layer))
    strange = [(at, name) for at, name in named if name not in LAYERS and ":" not in name]
    fix = "Or name one of your own, package.module:Class."
    return [
        Problem(("middleware", at), f"no middleware is called {name!r}.", f"{suggestion(name, LAYERS)} {fix}")
        for at, name in strange
    ]


def _from_variables(environ: Mapping[str, str]) -> dict[str, Any]:
    """What `LAMBDALLM_MODEL` and its like say."""
    return {name: _read(name, variable, text) for name, variable in _VARIABLES if (text := environ.get(variable))}


def _read(name: str, variable: str, text: str) -> Any:
    from .fields import FIELDS

    kind = FIELDS[name].kind
    try:
        return kind.read(text)
    except ValueError as error:
        raise ConfigurationError(f"{variable} is {kind.shown(text)}.", fix=f"It should be {kind.words}.") from error


def _config(values: Mapping[str, Any]) -> Config:
    """The settings in the form that code has them."""
    session = values.get("session")
    layers = [({each: {}} if isinstance(each, str) else each) for each in values.get("middleware") or ()]
    return Config(
        **{
            **values,
            "session": {} if session is True else None if session is False else session,
            "middleware": tuple((name, options or {}) for layer in layers for name, options in layer.items()),
            "api_keys": values.get("api_keys") or EMPTY,
        }
    )


class _Noting:
    """The process's variables, and which of them were asked for."""

    def __init__(self) -> None:
        self.read: dict[str, str | None] = {}

    def get(self, name: str, default: str | None = None) -> str | None:
        value = self.read[name] = os.environ.get(name)
        return default if value is None else value


_loaded: list[tuple[str, dict[str, str | None], Config]] = []


def project_config() -> Config:
    """The settings of this environment, read once while the folder and all variables they depend on stay the same."""
    folder = os.getcwd()
    get = os.environ.get
    for known, read, config in _loaded:
        if known == folder and all(get(name) == value for name, value in read.items()):
            return config
    noting: Any = _Noting()
    config = load_config(environ=noting)
    _loaded[:] = [(folder, noting.read, config)]
    _use(config)
    return config


def _use(config: Config) -> None:
    """Have calls take their keys from it, in the place of those of another configuration."""
    if config.api_keys or "lambdallm.llm.auth.keys" in sys.modules:
        from ...llm.auth.keys import use_keys

        use_keys(config.api_keys)
    seconds = config.secret_ttl_seconds
    if seconds is not None or "lambdallm.llm.auth.secrets" in sys.modules:
        from ...llm.auth.secrets import CACHE, TTL_SECONDS

        CACHE.ttl_seconds = TTL_SECONDS if seconds is None else seconds
