"""What Lambda hands to a function and takes from it: events of every source as values, responses in every shape.

Pure: nothing here opens, waits or reads a clock. It knows neither the framework nor the client library.
"""

from __future__ import annotations

from .._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import EventError
    from .events import kind_of
    from .records import Record, records_of
    from .request import Headers, Request, request_of
    from .response import Response

__all__ = ["EventError", "Headers", "Record", "Request", "Response", "kind_of", "records_of", "request_of"]

_HOMES = {
    "EventError": "errors",
    "kind_of": "events",
    "Record": "records",
    "records_of": "records",
    "Headers": "request",
    "Request": "request",
    "request_of": "request",
    "Response": "response",
}

__getattr__, __dir__ = door(__name__, _HOMES)
