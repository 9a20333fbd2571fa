"""What may be said of a key when it is made or changed, each field with its check. Pure; raises `GatewayError` 400."""

from __future__ import annotations

from ..http import GatewayError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

_MOST_COUNT = 10**12
_MOST_DOLLARS = 10.0**9
_LAST_SECOND = 253_402_300_799  # the end of the year 9999


def read_fields(given: Mapping[str, Any], allowed: Iterable[str], now: float) -> dict[str, Any]:
    """What was given, checked, with times as seconds since the epoch; `null` takes a limit away."""
    names = tuple(allowed)
    for name in given:
        if name not in names:
            from ...llm.catalog.definition import suggestion

            raise bad(name, f"There is no field {name!r} here. {suggestion(name, names)}".strip(), "unknown_field")
    fields = {name: CHECKS[name](name, value) for name, value in given.items()}
    return _with_expiry(fields, now)


def bad(param: str, said: str, code: str = "invalid_value") -> GatewayError:
    """A request that says something that can't be."""
    return GatewayError(400, said, code=code, param=param)


def _with_expiry(fields: dict[str, Any], now: float) -> dict[str, Any]:
    if "expires_in_seconds" in fields:
        if "expires_at" in fields:
            raise bad("expires_in_seconds", "Give expires_at or expires_in_seconds, not both.")
        seconds = fields.pop("expires_in_seconds")
        fields["expires_at"] = None if seconds is None else int(now) + seconds
    at = fields.get("expires_at")
    if at is not None and not now < at <= _LAST_SECOND:
        raise bad("expires_at", f"A key can't expire at {at}. Give seconds since the epoch that are still to come.")
    return fields


def _name(param: str, value: Any) -> str:
    return _text(param, "" if value is None else value, 100, spaces=True)


def _user(param: str, value: Any) -> str:
    if not value:
        raise bad(param, "A key has a user. Give its name.")
    return _text(param, value, 128)


def _text(param: str, value: Any, most: int, *, spaces: bool = False) -> str:
    ok = isinstance(value, str) and len(value) <= most and value.isprintable() and (spaces or " " not in value)
    if not ok:
        without = "" if spaces else " without spaces"
        raise bad(param, f"{param} is {value!r:.80}. Give at most {most} printable characters{without}.")
    return str(value)


def _models(param: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 50:
        raise bad(param, f"{param} is {value!r:.80}. Give a list of at most 50 names, in which * stands for any text.")
    if not all(isinstance(one, str) and one for one in value):
        raise bad(param, f"{param} has a name that is none. Give a list of names, in which * stands for any text.")
    return tuple(dict.fromkeys(_text(param, one, 200) for one in value))


def _labels(param: str, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > 20:
        raise bad(param, f"{param} is {value!r:.80}. Give an object of at most 20 texts.")
    return {_text(param, key, 64): _text(param, text, 256, spaces=True) for key, text in value.items()}


def _count(param: str, value: Any) -> int | None:
    if value is not None and not (type(value) is int and 0 < value <= _MOST_COUNT):
        raise bad(param, f"{param} is {value!r:.80}. Give a whole number above 0, or null for no limit.")
    return value


def _dollars(param: str, value: Any) -> float | None:
    if value is not None and not (type(value) in (int, float) and 0 <= value <= _MOST_DOLLARS):
        raise bad(param, f"{param} is {value!r:.80}. Give US dollars, or null for no budget.")
    return value  # type: ignore[no-any-return]  # a number or nothing, by the line above


CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "user": _user, "name": _name, "models": _models, "labels": _labels, "requests_per_minute": _count,
    "tokens_per_minute": _count, "daily_budget_usd": _dollars, "monthly_budget_usd": _dollars, "expires_at": _count,
    "expires_in_seconds": _count, "overlap_seconds": _count,
}  # fmt: skip
CHANGEABLE = tuple(name for name in CHECKS if name not in ("user", "overlap_seconds"))
