"""Where a line of the log goes, and in which form.

    nothing given               a line of JSON on standard output, with `timestamp`, `level` and `message`
    a `logging.Logger`          the line as its message; the fields as `extra` where AWS_LAMBDA_LOG_FORMAT is JSON
    Powertools' `Logger`        the fields as `extra`: it makes JSON of them itself
    a function                  is called with the fields

Lambda keeps lines of JSON on standard output as they are, filters them by `level`, and needs nothing set up for that.
"""

from __future__ import annotations

import json

from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Fields = dict[str, Any]
    Write = Callable[[str, str, Fields, float, Mapping[str, str]], None]

LEVELS = {"TRACE": 5, "DEBUG": 10, "INFO": 20, "WARN": 30, "WARNING": 30, "ERROR": 40, "FATAL": 50, "CRITICAL": 50}


def writer(logger: Any) -> Write:
    """What writes lines. Raises `ConfigurationError` for what nothing can be written to."""
    if logger is None:
        return _print
    if hasattr(logger, "append_keys"):
        return lambda level, message, fields, wall, environ: logger.log(LEVELS[level], message, extra=plain(fields))
    if hasattr(logger, "handlers") and hasattr(logger, "log"):
        return lambda level, message, fields, wall, environ: _to_logger(logger, level, message, fields, environ)
    if not callable(logger):
        fix = "Give a logging.Logger, Powertools' Logger, or a function of the fields."
        raise ConfigurationError(f"logger is {logger!r}.", fix=fix)
    return lambda level, message, fields, wall, environ: logger(_dated(level, message, fields, wall))


def _print(level: str, message: str, fields: Fields, wall: float, environ: Mapping[str, str]) -> None:
    import sys

    sys.stdout.write(f"{_line(_dated(level, message, fields, wall))}\n")
    sys.stdout.flush()


def _to_logger(logger: Any, level: str, message: str, fields: Fields, environ: Mapping[str, str]) -> None:
    if environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON":
        logger.log(LEVELS[level], message, extra=_extra(plain(fields)))
        return
    logger.log(LEVELS[level], "%s", _line({"message": message, **fields}))


def _extra(fields: Fields) -> Fields:
    """Fields that a log record takes: names of its own would be refused."""
    from logging import makeLogRecord

    taken = {*vars(makeLogRecord({})), "message", "asctime"}
    return {f"{name}_" if name in taken else name: value for name, value in fields.items()}


def _dated(level: str, message: str, fields: Fields, wall: float) -> Fields:
    from time import gmtime, strftime

    stamp = f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(wall))}.{int(wall * 1000) % 1000:03d}Z"
    return {"timestamp": stamp, "level": level, "message": message, **fields}


def _line(fields: Fields) -> str:
    """One line. What is no character (half of a pair, as JSON allows) is written as JSON's escape for it."""
    text = json.dumps(fields, ensure_ascii=False, default=_shown)
    return text.encode("utf-8", "backslashreplace").decode()


def plain(value: Any) -> Any:
    """A value as JSON has it; what JSON has no word for is shown as text."""
    return json.loads(json.dumps(value, ensure_ascii=False, default=_shown))


_CREDENTIALS = frozenset(
    (
        *("authorization", "proxy-authorization", "cookie", "cookies", "set-cookie", "x-api-key", "apikey"),
        *("x-amz-security-token", "x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "authorizationtoken"),
    )
)
"""Headers and fields of events that show who somebody is: whoever reads a log could be them."""


def without_credentials(value: Any) -> Any:
    """JSON without what stands under the names of credentials."""
    if isinstance(value, dict):
        return {
            name: "[CREDENTIALS]" if held and name.lower() in _CREDENTIALS else without_credentials(held)
            for name, held in value.items()
        }
    return [without_credentials(each) for each in value] if isinstance(value, list) else value


def _shown(value: Any) -> Any:
    if hasattr(value, "_fields") or hasattr(value, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in getattr(value, "_fields", None) or value.__dataclass_fields__}
    return repr(value) if isinstance(value, (bytes, bytearray)) else str(value)
