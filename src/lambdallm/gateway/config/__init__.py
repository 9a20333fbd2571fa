"""The gateway's settings: `gateway.yaml` (or `.yml`, `.json`), or the same values built in code.

    from lambdallm.gateway.config import load_gateway

`values` is what the gateway is told, `fields` the table of what a file may say, `checks` finds what no table can,
`load` makes values of a file, `schema` tells editors. Files are read by the machinery of `core.config`.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "CacheSettings": "values",
    "ConfigFileError": "load",
    "CorsSettings": "values",
    "FILES": "load",
    "FetchSettings": "values",
    "FilterSettings": "values",
    "GatewayConfig": "values",
    "KeySettings": "values",
    "LimitSettings": "values",
    "McpServer": "values",
    "ModelSettings": "values",
    "Named": "values",
    "TargetSettings": "values",
    "UsageSettings": "values",
    "gateway_path": "load",
    "gateway_schema": "schema",
    "load_gateway": "load",
    "read_gateway": "load",
}

__all__ = [
    "FILES",
    "CacheSettings",
    "ConfigFileError",
    "CorsSettings",
    "FetchSettings",
    "FilterSettings",
    "GatewayConfig",
    "KeySettings",
    "LimitSettings",
    "McpServer",
    "ModelSettings",
    "Named",
    "TargetSettings",
    "UsageSettings",
    "gateway_path",
    "gateway_schema",
    "load_gateway",
    "read_gateway",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .load import FILES, ConfigFileError, gateway_path, load_gateway, read_gateway
    from .schema import gateway_schema
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

__getattr__, __dir__ = door(__name__, _HOMES)
