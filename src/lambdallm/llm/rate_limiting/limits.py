"""What a limiter is told, checked and made values; and the words in which it refuses. Pure."""

from __future__ import annotations

from ..errors import ConfigurationError, LLMRateLimitError
from .bucket import Bucket, Window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .bucket import Unit
    from .quota import Charge, Short

    KeyOf = Callable[[str, str], str]

_KEYS: dict[str, KeyOf] = {
    "provider": lambda provider, _model: provider,
    "model": lambda provider, model: f"{provider}/{model}",
    "all": lambda _provider, _model: "all",
}


def limits_of(
    unit: Unit, minute: float | None, burst: float | None, day: float | None, month: float | None
) -> tuple[Bucket | Window, ...]:
    """The limits of one unit. A bucket holds a minute's worth where no burst is given, but one at least."""
    limits: list[Bucket | Window] = []
    if minute is not None:
        rate = _above(0, f"{unit}_per_minute", minute)
        most = rate if burst is None else burst
        limits.append(Bucket(unit, rate, max(1.0, most) if burst is None else _above(1, f"{unit[:-1]}_burst", most)))
    elif burst is not None:
        fix = f"Give {unit}_per_minute too."
        raise ConfigurationError(f"{unit[:-1]}_burst is {burst!r}, and there is no rate.", fix=fix)
    if day is not None:
        limits.append(Window(unit, _above(0, f"{unit}_per_day", day), "day"))
    if month is not None:
        limits.append(Window(unit, _above(0, f"{unit}_per_month", month), "month"))
    return tuple(limits)


def _above(least: float, name: str, value: float) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and value < float("inf")
    if not number or value <= 0 or value < least:
        fix = f"Give a number {'above 0' if least == 0 else f'of {least} or more'}, or None."
        raise ConfigurationError(f"{name} is {value!r}.", fix=fix)
    return value


def chosen_key(key: Any) -> KeyOf:
    """What makes a key of provider and model. Raises `ConfigurationError`."""
    found: KeyOf | None = key if callable(key) else _KEYS.get(key)
    if found is None:
        fix = f"Give one of {', '.join(_KEYS)}, or a function of provider and model."
        raise ConfigurationError(f"key is {key!r}.", fix=fix)
    return found


def too_large(key: str, charge: Charge) -> LLMRateLimitError:
    """The error for a call that no waiting makes possible."""
    limit = charge.limit
    holds = f"{limit.most:g} at once" if isinstance(limit, Bucket) else str(limit)
    message = f"The call needs {charge.amount:g} {limit.unit}, and the limit{_of(key)} is {holds}. No call was made."
    fix = "Ask for less (shorter messages, a lower max_tokens), or raise the limit."
    return LLMRateLimitError(message, fix=fix, code=limit.name, retryable=False, sent=False)


def reached(key: str, short: Short) -> LLMRateLimitError:
    """The error for a call that comes too early."""
    limit, wait = short.charge.limit, short.wait_seconds
    message = f"The limit of {limit}{_of(key)} is reached; there is room in {_seconds(wait)} s. No call was made."
    return LLMRateLimitError(message, code=limit.name, retry_after=wait, sent=False)


def unchecked(key: str, why: str, wait_seconds: float) -> LLMRateLimitError:
    """The error for a call whose limits can't be looked up."""
    message = f"The rate limits{_of(key)} can't be checked: {why} No call was made."
    fix = "Mend the backend; with on_backend_failure='open' calls go on without limits."
    return LLMRateLimitError(message, fix=fix, code="backend", retry_after=wait_seconds, sent=False)


def _seconds(wait: float) -> str:
    return f"{wait:.3g}" if wait < 100 else f"{wait:.0f}"


def _of(key: str) -> str:
    return f" for {key!r}" if key else ""
