"""A local Lambda: real function processes behind the Runtime API, with AWS's limits, logs and errors.

    from lambdallm.runtime.emulator import Emulator, Function

The rest of `lambdallm.runtime` never imports it. It needs Linux or macOS.
"""

from __future__ import annotations

from ..._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .account import Account
    from .aliases import Alias
    from .answer import Answer
    from .api import ApiFront
    from .clock import Clock
    from .cors import Cors
    from .emulator import Emulator
    from .errors import (
        ConfigurationError,
        EmulatorError,
        FunctionNotFoundError,
        NotIsolatedWarning,
        PayloadTooLargeError,
        TooManyRequestsError,
    )
    from .event_sources import SourceSettings
    from .function import Function
    from .gateway import GatewayFront, HttpApi, RestApi
    from .limits import Limits
    from .listener import Listener
    from .logs import Line
    from .queues import MemoryQueue
    from .report import Report
    from .retries import AsyncSettings
    from .routes import Route
    from .url import UrlFront

__all__ = [
    "Account",
    "Alias",
    "Answer",
    "ApiFront",
    "AsyncSettings",
    "Clock",
    "ConfigurationError",
    "Cors",
    "Emulator",
    "EmulatorError",
    "Function",
    "FunctionNotFoundError",
    "GatewayFront",
    "HttpApi",
    "Limits",
    "Line",
    "Listener",
    "MemoryQueue",
    "NotIsolatedWarning",
    "PayloadTooLargeError",
    "Report",
    "RestApi",
    "Route",
    "SourceSettings",
    "TooManyRequestsError",
    "UrlFront",
]

_HOMES = {
    "Account": "account",
    "Alias": "aliases",
    "Answer": "answer",
    "ApiFront": "api",
    "AsyncSettings": "retries",
    "Clock": "clock",
    "ConfigurationError": "errors",
    "Cors": "cors",
    "Emulator": "emulator",
    "EmulatorError": "errors",
    "Function": "function",
    "FunctionNotFoundError": "errors",
    "GatewayFront": "gateway",
    "HttpApi": "gateway",
    "Limits": "limits",
    "Line": "logs",
    "Listener": "listener",
    "MemoryQueue": "queues",
    "NotIsolatedWarning": "errors",
    "PayloadTooLargeError": "errors",
    "Report": "report",
    "RestApi": "gateway",
    "Route": "routes",
    "SourceSettings": "event_sources",
    "TooManyRequestsError": "errors",
    "UrlFront": "url",
}

__getattr__, __dir__ = door(__name__, _HOMES)
