"""Lambda's operations on event source mappings, of SQS queues."""

from __future__ import annotations

from .event_sources import SourceSettings
from .names import split_name
from .service_errors import wrong
from .validate import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .account import Account
    from .call import Call
    from .sources import Mapping

_UPDATE = {
    "FunctionName": Rule(least=1, most=256),
    "Enabled": Rule(bool),
    "BatchSize": Rule(int, least=1, most=10_000),
    "MaximumBatchingWindowInSeconds": Rule(int, least=0, most=300),
    "FunctionResponseTypes": Rule(list, most=1),
    "ScalingConfig": Rule(dict),
}
_CREATE = {
    **_UPDATE,
    "FunctionName": _UPDATE["FunctionName"].replace(required=True),
    "EventSourceArn": Rule(pattern=r"arn:[^:]+:[^:]+:[^:]*:\d{12}:.+", required=True),
}
_WORKERS = 5


def create(account: Account, call: Call) -> dict[str, Any]:
    """`CreateEventSourceMapping`, of a queue."""
    body = call.body(_CREATE)
    _check_known(body, _CREATE)
    if ":sqs:" not in body["EventSourceArn"]:
        raise wrong(f"The emulator reads SQS queues, and {body['EventSourceArn']} is none.")
    settings = _settings(body, SourceSettings(), body["EventSourceArn"])
    enabled = body.get("Enabled") is not False
    made = account.sources.create(body["EventSourceArn"], body["FunctionName"], settings, enabled=enabled)
    return _told(account, made) | {"State": "Creating"}


def update(account: Account, call: Call) -> dict[str, Any]:
    """`UpdateEventSourceMapping`: what is not given stays."""
    body = call.body(_UPDATE)
    _check_known(body, {**_UPDATE, "UUID": Rule()})
    known = account.sources.get(call.path["UUID"])
    changed = known.replace(
        settings=_settings(body, known.settings, known.queue),
        function=body.get("FunctionName") or known.function,
        enabled=known.enabled if body.get("Enabled") is None else body["Enabled"],
    )
    return _told(account, account.sources.change(changed)) | {"State": "Updating"}


def get(account: Account, call: Call) -> dict[str, Any]:
    """`GetEventSourceMapping`."""
    return _told(account, account.sources.get(call.path["UUID"]))


def list_all(account: Account, call: Call) -> dict[str, Any]:
    """`ListEventSourceMappings`, all or those of a queue or a function."""
    queue, function = call.query.get("EventSourceArn"), call.query.get("FunctionName")
    found = [
        mapping
        for mapping in account.sources.all()
        if queue in (None, mapping.queue)
        and (function is None or split_name(function)[0] == split_name(mapping.function)[0])
    ]
    page, more = call.page(found)
    return {"EventSourceMappings": [_told(account, mapping) for mapping in page], **more}


def delete(account: Account, call: Call) -> dict[str, Any]:
    """`DeleteEventSourceMapping`."""
    return _told(account, account.sources.delete(call.path["UUID"])) | {"State": "Deleting"}


def _check_known(body: dict[str, Any], rules: dict[str, Rule]) -> None:
    if unknown := sorted(set(body) - set(rules)):
        raise wrong(f"The emulator does not know {', '.join(unknown)} of event sources. Leave it out.")


def _settings(body: dict[str, Any], known: SourceSettings, queue: str) -> SourceSettings:
    fields = {"BatchSize": "batch_size", "MaximumBatchingWindowInSeconds": "window_seconds"}
    changes = {field: body[name] for name, field in fields.items() if body.get(name) is not None}
    if "FunctionResponseTypes" in body:
        changes["reports_failures"] = "ReportBatchItemFailures" in (body["FunctionResponseTypes"] or ())
    if "ScalingConfig" in body:
        changes["workers"] = _workers((body["ScalingConfig"] or {}).get("MaximumConcurrency"))
    settings = known.replace(**changes)
    _check(settings, queue)
    return settings


def _workers(given: Any) -> int:
    if given is None:
        return _WORKERS
    if isinstance(given, bool) or not isinstance(given, int) or not 2 <= given <= 1000:
        raise wrong(f"MaximumConcurrency is {given!r}. Give a number from 2 to 1000.")
    return given


def _check(settings: SourceSettings, queue: str) -> None:
    if queue.endswith(".fifo") and settings.batch_size > 10:
        raise wrong("BatchSize of a FIFO queue is at most 10.")
    if queue.endswith(".fifo") and settings.window_seconds:
        raise wrong("Batching window is not supported for FIFO queues.")
    if settings.batch_size > 10 and not settings.window_seconds:
        raise wrong("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")


def _told(account: Account, mapping: Mapping) -> dict[str, Any]:
    name, qualifier = split_name(mapping.function)
    settings = mapping.settings
    types = ["ReportBatchItemFailures"] if settings.reports_failures else []
    more = {"ScalingConfig": {"MaximumConcurrency": settings.workers}} if settings.workers != _WORKERS else {}
    return {
        "UUID": mapping.id,
        "EventSourceMappingArn": account.arn("x").replace("function:x", f"event-source-mapping:{mapping.id}"),
        "EventSourceArn": mapping.queue,
        "FunctionArn": account.arn(name, qualifier),
        "BatchSize": settings.batch_size,
        "MaximumBatchingWindowInSeconds": int(settings.window_seconds),
        "FunctionResponseTypes": types,
        "State": "Enabled" if mapping.enabled else "Disabled",
        "StateTransitionReason": "USER_INITIATED",
        "LastModified": mapping.modified,
        **more,
    }
