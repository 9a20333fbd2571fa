"""What stands between Lambda and a function: events and responses as values, and the client that runs functions.

`kind_of`, `request_of`, `records_of`, `Response` and the streams are pure. `python -m lambdallm.runtime` serves a
function in Lambda: `RuntimeClient` speaks to the Runtime API, `run` is its loop, `LambdaContext` what functions get.
`before_snapshot`, `after_restore` and `on_shutdown` say what is done around an environment's life; `scripts` has the
executables of a deployment. It knows neither the framework nor the client library.
"""

from __future__ import annotations

from .._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .._hooks import after_restore, before_snapshot
    from .client import RuntimeClient
    from .context import LambdaContext
    from .errors import EventError, ResponseTooLarge, RuntimeApiError, RuntimeFault
    from .events import kind_of
    from .faults import Fault, fault_of
    from .invocation import Invocation
    from .loop import Outcome, run
    from .records import Record, records_of
    from .request import Headers, Request, request_of
    from .response import Response
    from .shutdown import on_shutdown
    from .streams import Head, ResponseStream

__all__ = [
    "EventError", "Fault", "Head", "Headers", "Invocation", "LambdaContext", "Outcome", "Record", "Request", "Response",
    "ResponseStream", "ResponseTooLarge", "RuntimeApiError", "RuntimeClient", "RuntimeFault", "after_restore",
    "before_snapshot", "fault_of", "kind_of", "on_shutdown", "records_of", "request_of", "run",
]  # fmt: skip

_HOMES = {
    "EventError": "errors",
    "ResponseTooLarge": "errors",
    "RuntimeApiError": "errors",
    "RuntimeFault": "errors",
    "Fault": "faults",
    "fault_of": "faults",
    "Head": "streams",
    "ResponseStream": "streams",
    "Headers": "request",
    "Request": "request",
    "request_of": "request",
    "Invocation": "invocation",
    "LambdaContext": "context",
    "Outcome": "loop",
    "run": "loop",
    "Record": "records",
    "records_of": "records",
    "Response": "response",
    "RuntimeClient": "client",
    "after_restore": "lambdallm._hooks",
    "before_snapshot": "lambdallm._hooks",
    "on_shutdown": "shutdown",
    "kind_of": "events",
}

__getattr__, __dir__ = door(__name__, _HOMES)
