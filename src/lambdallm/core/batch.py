"""A function for each record of a batch: what failed is said record by record, and nothing is begun that can't end.

| source               | a record that fails, or that no time is left for                                         |
|----------------------|------------------------------------------------------------------------------------------|
| SQS                  | comes again by itself                                                                    |
| SQS, FIFO            | comes again with those of its message group that follow it, which are not begun          |
| Kinesis, DynamoDB    | comes again with all that follow it in the shard, which are not begun                    |
| SNS, S3, EventBridge | is raised, as Lambda tries the whole event again                                         |

A record whose processing pauses at a checkpoint is one that time has ended. The event source needs
`FunctionResponseTypes: [ReportBatchItemFailures]`: without it Lambda takes the answer for success.
"""

from __future__ import annotations

from ..llm.result import Err
from ..runtime.events import BATCH_KINDS
from .flows import attempted, paused_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..llm.flow import Flow
    from ..runtime.records import Record


class _Pending(Exception):
    """No time was left for a record."""


def processed(context: Any, function: Callable[[Record], Any]) -> Flow[dict[str, Any]]:
    """What Lambda is told of a batch: `{"batchItemFailures": […]}`. Failures are logged.

    Raises `EventError` for an event without records, and the first failure where its source knows no partial ones.
    """
    failed: list[dict[str, str]] = []
    groups: set[str] = set()
    for record in context.records:
        if record.group is not None and record.group in groups:
            failed.append({"itemIdentifier": record.id})
            continue
        error = yield from _failure(context, function, record)
        if error is None:
            continue
        if record.kind not in BATCH_KINDS:
            raise error
        _log(record, error)
        failed.append({"itemIdentifier": record.id})
        if record.group is not None:
            groups.add(record.group)
        if record.kind != "sqs":
            break  # a stream goes on from the first that failed
    context.metrics.record("batch.failures", len(failed))
    return {"batchItemFailures": failed}


def _failure(context: Any, function: Callable[[Record], Any], record: Record) -> Flow[Exception | None]:
    """Why a record is not done; `None` where it is."""
    if context.should_checkpoint:
        return _Pending("No time is left for it.")
    result = yield from attempted(lambda: function(record), awaits=context.awaits)
    if not isinstance(result, Err):
        return None
    return result.error if paused_at(result.error) is None else _Pending("Its time is up.")


def _log(record: Record, error: Exception) -> None:
    from logging import getLogger

    log = getLogger("lambdallm")
    if isinstance(error, _Pending):
        log.warning("No time was left for record %s.", record.id)
    else:
        log.error("Record %s failed: %s", record.id, error, exc_info=error)
