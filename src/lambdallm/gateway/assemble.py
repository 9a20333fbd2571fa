"""A gateway from its configuration: keys, meter, models and the routes that come with them, put together.

Secrets that the gateway itself needs (the admin key, the pepper) are read here, once, when it starts.
"""

from __future__ import annotations

from .app import Gateway
from .config.load import load_gateway

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike

    from .config.values import GatewayConfig, KeySettings
    from .keys.keys import Keys
    from .routes import Route
    from .usage.meter import Meter


def assembled(path: str | PathLike[str] | None = None) -> Gateway:
    """The gateway of a file, or of the one that `config.gateway_path` finds; without any, of the defaults.

    Raises `ConfigurationError` for what is wrong in it, a weak admin key included.
    """
    return gateway_of(load_gateway(path))


def gateway_of(config: GatewayConfig) -> Gateway:
    """The gateway of a configuration."""
    keys = None if config.keys.store == "none" else _keys(config.keys)
    routes: list[Route] = []
    if keys is not None and keys.admins is not None:
        from .keys.routes import KEY_ROUTES

        routes += KEY_ROUTES
    return Gateway(config, keys=keys, meter=_meter(config), routes=routes)


def _keys(settings: KeySettings) -> Keys | None:
    from ..llm.drivers import shared_driver
    from .keys.opened import opened_keys

    return shared_driver().run(opened_keys(settings))


def _meter(config: GatewayConfig) -> Meter:
    from .usage.meter import Meter

    said = config.usage
    return Meter(
        said.store, when_down=said.when_down, reservation_seconds=said.reservation_seconds, keep_days=said.keep_days
    )
