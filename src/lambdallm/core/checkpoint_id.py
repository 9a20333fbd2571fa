"""Where the id of a checkpoint is in an event."""

from __future__ import annotations

from .responses import is_http_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHECKPOINT_HEADER = "X-LambdaLLM-Checkpoint"


def id_in(event: Any) -> str | None:
    """The id that an event carries: in a header of an HTTP request, or its body, or in the event itself."""
    if not is_http_event(event):
        return _id_of(event)
    from ..runtime.request import request_of

    request = request_of(event)
    return request.headers.get(CHECKPOINT_HEADER) or _id_of(_json_of(request))


def id_of_batch(event: Any) -> str | None:
    """What the records of a queue or a stream are known by: handed out again they come with another request id."""
    if not isinstance(event, dict) or "Records" not in event:
        return None
    from ..runtime.events import BATCH_KINDS, kind_of

    if kind_of(event) not in BATCH_KINDS:
        return None
    from ..runtime.records import records_of
    from .fingerprint import fingerprint

    records = records_of(event)
    where = str(records[0].raw.get("eventSourceARN", ""))
    return "batch-" + fingerprint([where, *(record.id for record in records)])


def _json_of(request: Any) -> Any:
    if b'"checkpoint"' not in request.raw_body:
        return None
    try:
        return request.json()
    except ValueError:
        return None  # the function's to refuse


def _id_of(given: Any) -> str | None:
    found = given.get("checkpoint") if isinstance(given, dict) else None
    id = found.get("id") if isinstance(found, dict) else None
    return id if isinstance(id, str) and id else None
