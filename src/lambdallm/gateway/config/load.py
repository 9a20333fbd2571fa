"""From a file of settings to a `GatewayConfig`. Raises `ConfigFileError` for all that is wrong, each with its place."""

from __future__ import annotations

import os

from ...core.config.reading import ConfigFileError
from ...llm.types import EMPTY
from .values import (
    CacheSettings,
    CorsSettings,
    FetchSettings,
    FilterSettings,
    GatewayConfig,
    KeySettings,
    LimitSettings,
    McpServer,
    ModelSettings,
    Named,
    TargetSettings,
    UsageSettings,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any

__all__ = ["FILES", "ConfigFileError", "gateway_path", "load_gateway", "read_gateway"]

FILES = ("gateway.yaml", "gateway.yml", "gateway.json")


def gateway_path(environ: Mapping[str, str]) -> str | None:
    """The file that applies: the one in LAMBDALLM_GATEWAY, else that of the folder; `None` where none is."""
    if named := environ.get("LAMBDALLM_GATEWAY"):
        return named
    folder = environ.get("LAMBDA_TASK_ROOT") or os.getcwd()
    places = (os.path.join(folder, name) for name in FILES)
    return next((place for place in places if os.path.isfile(place)), None)


def load_gateway(path: str | PathLike[str] | None = None, environ: Mapping[str, str] | None = None) -> GatewayConfig:
    """The settings of a gateway: of the file, or of the one that `gateway_path` finds; without any, the defaults.

    Raises `ConfigFileError` naming the file, all places in it and what to write instead; `ConfigurationError` for a
    file that can't be read.
    """
    environ = os.environ if environ is None else environ
    found = path or gateway_path(environ)
    if not found:
        return GatewayConfig()
    return read_gateway(_values_in(found, environ), os.path.dirname(os.path.abspath(found)))


def _values_in(path: str | PathLike[str], environ: Mapping[str, str]) -> dict[str, Any]:
    from ...core.config.reading import settings_in
    from .checks import mistakes
    from .fields import FILE

    folder = os.path.dirname(os.path.abspath(path))
    return settings_in(path, FILE, environ, lambda merged: mistakes(merged, folder, environ))


def read_gateway(values: Mapping[str, Any], folder: str = "") -> GatewayConfig:
    """The configuration that plain values mean; they have been checked. Paths in them are below `folder`."""
    made: dict[str, Any] = {
        name: values[name] for name in ("default_model", "secret_ttl_seconds", "show_errors") if name in values
    }
    made |= {name: kind(**_plain(values[name])) for name, kind in _SECTIONS.items() if values.get(name)}
    if (expose := values.get("expose")) is not None:
        made["expose"] = tuple(expose)
    return GatewayConfig(
        models={name: _model(given) for name, given in (values.get("models") or EMPTY).items()},
        providers=tuple(os.path.join(folder, place) for place in values.get("providers") or ()),
        api_keys=values.get("api_keys") or EMPTY,
        cache=_cache(values.get("cache")),
        filters=filters_of(values.get("filters")) or FilterSettings(),
        mcp=_servers(values.get("mcp") or EMPTY),
        **made,
    )


_SECTIONS: dict[str, Any] = {
    "keys": KeySettings, "usage": UsageSettings, "limits": LimitSettings, "cors": CorsSettings, "fetch": FetchSettings,
}  # fmt: skip


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as values have them: lists as tuples, so that nobody changes them."""
    return {name: tuple(held) if isinstance(held, list) else held for name, held in values.items()}


def _cache(given: Any) -> CacheSettings | None:
    if given is None or given is False:
        return None
    return CacheSettings() if given is True else CacheSettings(**given)


def _servers(mcp: Mapping[str, Any]) -> dict[str, McpServer]:
    return {name: McpServer(**_plain(server)) for name, server in (mcp.get("servers") or EMPTY).items()}


_OF_MODEL = ("on_error", "hedge_seconds", "cache", "listed")
_OF_TARGET = tuple(name for name in TargetSettings._fields if name not in ("weight", "priority", "total_seconds"))


def _model(given: Any) -> ModelSettings:
    """A model as the file has it: a target's name, or a mapping of its own fields and those of its one target."""
    if isinstance(given, str):
        return ModelSettings((TargetSettings(given),))
    own = {name: given[name] for name in _OF_MODEL if name in given}
    grouped = "group" in given
    one = {name: given[name] for name in _OF_TARGET if name in given}
    targets = tuple(_target(each) for each in given["group"]) if grouped else (TargetSettings(**one),)
    return ModelSettings(
        targets,
        strategy=named(given.get("strategy") or "sequential"),
        fallbacks=tuple(_target(each) for each in given.get("fallbacks") or ()),
        total_seconds=given.get("total_seconds"),
        filters=filters_of(given.get("filters")),
        **own,
    )


def _target(given: Any) -> TargetSettings:
    return TargetSettings(given) if isinstance(given, str) else TargetSettings(**given)


def filters_of(given: Mapping[str, Any] | None) -> FilterSettings | None:
    """The filters that a mapping names; `None` where nothing is said of filters."""
    if given is None:
        return None
    lists = {way: tuple(named(each) for each in given.get(way) or ()) for way in ("input", "output")}
    return FilterSettings(**lists, on_block=given.get("on_block"), reversible=given.get("reversible", False))


def named(given: Any) -> Named:
    """A name, or a mapping of one name to its options."""
    if isinstance(given, str):
        return Named(given)
    ((name, options),) = given.items()
    return Named(name, options or EMPTY)
