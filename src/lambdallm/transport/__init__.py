"""The only network code: a strict HTTP/1.1 client with a driver for blocking calls and one for asyncio.

    from lambdallm.transport import HttpRequest, SyncTransport, Timeouts

    transport = SyncTransport()
    response = transport.send(HttpRequest("GET", "https://example.com/"), Timeouts(read=5))

`http1` parses, `encode` serialises, `exchange` says how one request goes; none of them waits. `wire` is a socket,
`pool` keeps idle ones, `sync` and `aio` know how to wait. Every name is resolved on first use.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .aio import AsyncioStream, AsyncioTransport
    from .errors import (
        ConnectError,
        ConnectionLost,
        ProtocolError,
        ProxyError,
        TlsError,
        TransportError,
        WaitTimeout,
    )
    from .sync import SyncStream, SyncTransport
    from .tls import TlsConfig
    from .types import (
        AsyncResponseStream,
        AsyncTransport,
        Headers,
        HttpRequest,
        HttpResponse,
        ResponseStream,
        Timeouts,
        Transport,
        find_header,
        redact_url,
    )

__all__ = [
    "AsyncResponseStream",
    "AsyncTransport",
    "AsyncioStream",
    "AsyncioTransport",
    "ConnectError",
    "ConnectionLost",
    "Headers",
    "HttpRequest",
    "HttpResponse",
    "ProtocolError",
    "ProxyError",
    "ResponseStream",
    "SyncStream",
    "SyncTransport",
    "Timeouts",
    "TlsConfig",
    "TlsError",
    "Transport",
    "TransportError",
    "WaitTimeout",
    "find_header",
    "redact_url",
]

_HOMES = {
    "aio": ("AsyncioStream", "AsyncioTransport"),
    "errors": (
        "ConnectError",
        "ConnectionLost",
        "ProtocolError",
        "ProxyError",
        "TlsError",
        "TransportError",
        "WaitTimeout",
    ),
    "sync": ("SyncStream", "SyncTransport"),
    "tls": ("TlsConfig",),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = next((home for home, names in _HOMES.items() if name in names), "types")
    value: object = getattr(import_module(f".{home}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
