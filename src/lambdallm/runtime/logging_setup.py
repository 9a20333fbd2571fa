"""How `logging` looks in Lambda: a handler at the root, with request ids, as text or JSON, in UTC.

Imported when `logging` is. Source: `awslambdaric` 4.2, `bootstrap.py` and `lambda_runtime_log_utils.py`; records come
out as they do there.
"""

from __future__ import annotations

import json
import logging
import os
import time

from . import logs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_OWN_FIELDS = {
    "name", "msg", "args", "levelname", "levelno", "pathname", "filename", "module", "exc_info", "exc_text",
    "stack_info", "lineno", "funcName", "created", "msecs", "relativeCreated", "thread", "threadName", "processName",
    "process", "taskName", "aws_request_id", "tenant_id",
}  # fmt: skip
"""Of a record's attributes those that are not somebody's `extra`."""


def set_up() -> None:
    """Add the handler to the root logger, and set its level where `AWS_LAMBDA_LOG_LEVEL` names one."""
    logging.Formatter.converter = time.gmtime
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)
    handler = _ToLambda(levels=logs.is_json() or bool(level))
    handler.setFormatter(_Json() if logs.is_json() else logging.Formatter(_TEXT, "%Y-%m-%dT%H:%M:%S"))
    handler.addFilter(_with_ids)
    root.addHandler(handler)


class _ToLambda(logging.Handler):
    """Sends records to the sink."""

    def __init__(self, levels: bool) -> None:
        super().__init__()
        self._levels = levels

    def emit(self, record: logging.LogRecord) -> None:
        """Send one."""
        try:
            logs.sink().write(self.format(record), record.levelno if self._levels else 0, logs.is_json())
        except Exception:  # noqa: BLE001  # a record that can't be formatted: logging says so on standard error
            self.handleError(record)


def _with_ids(record: logging.LogRecord) -> bool:
    record.aws_request_id = logs.current.request_id
    record.tenant_id = logs.current.tenant_id
    return True


class _Json(logging.Formatter):
    """A record as a line of JSON."""

    def __init__(self) -> None:
        super().__init__(datefmt="%Y-%m-%dT%H:%M:%SZ")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        whole = isinstance(record.msg, dict) and not record.args
        fields: dict[str, Any] = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
            "message": record.msg if whole else record.getMessage(),
            "logger": record.name,
            **_raised(record),
            "requestId": record.__dict__.get("aws_request_id"),
            "tenantId": record.__dict__.get("tenant_id"),
        }
        more = {k: v for k, v in record.__dict__.items() if k not in _OWN_FIELDS and k not in fields}
        said = {k: v for k, v in (fields | more).items() if v is not None}
        return json.dumps(said, ensure_ascii=False, default=str) + "\n"


def _raised(record: logging.LogRecord) -> dict[str, Any]:
    """What a record says of an exception."""
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    from traceback import format_tb

    kind, error, trace = record.exc_info
    return {
        "stackTrace": format_tb(trace),
        "errorType": kind.__name__,
        "errorMessage": str(error),
        "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
    }
