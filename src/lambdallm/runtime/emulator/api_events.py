"""Lambda's operations on a function's settings for asynchronous events."""

from __future__ import annotations

from .aliases import LATEST
from .retries import AsyncSettings
from .service_errors import ServiceError
from .validate import Rule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .account import Account
    from .call import Call

_RULES = {
    "MaximumRetryAttempts": Rule(int, least=0, most=2),
    "MaximumEventAgeInSeconds": Rule(int, least=60, most=21_600),
    "DestinationConfig": Rule(dict),
}


def put(account: Account, call: Call) -> dict[str, Any]:
    """`PutFunctionEventInvokeConfig`: what is not given is as it was at first."""
    return _set(account, call, AsyncSettings())


def update(account: Account, call: Call) -> dict[str, Any]:
    """`UpdateFunctionEventInvokeConfig`: what is not given stays."""
    return _set(account, call, _known(account, call))


def get(account: Account, call: Call) -> dict[str, Any]:
    """`GetFunctionEventInvokeConfig`."""
    return _told(account, call, _known(account, call))


def delete(account: Account, call: Call) -> None:
    """`DeleteFunctionEventInvokeConfig`."""
    _known(account, call)
    account.destinations.set(call.name, call.qualifier, None)


def _known(account: Account, call: Call) -> AsyncSettings:
    settings = account.destinations.settings(call.name, call.qualifier)
    if settings is None:
        arn = account.arn(call.name, call.qualifier or LATEST)
        raise ServiceError("ResourceNotFoundException", f"The function {arn} doesn't have an EventInvokeConfig")
    return settings


def _set(account: Account, call: Call, settings: AsyncSettings) -> dict[str, Any]:
    body = call.body(_RULES)
    changes: dict[str, Any] = {}
    if body.get("MaximumRetryAttempts") is not None:
        changes["retries"] = body["MaximumRetryAttempts"]
    if body.get("MaximumEventAgeInSeconds") is not None:
        changes["max_age_seconds"] = float(body["MaximumEventAgeInSeconds"])
    for name, field in (("OnSuccess", "on_success"), ("OnFailure", "on_failure")):
        if name in (body.get("DestinationConfig") or {}):
            changes[field] = (body["DestinationConfig"][name] or {}).get("Destination") or None
    settings = settings.replace(**changes)
    account.destinations.set(call.name, call.qualifier, settings)
    return _told(account, call, settings)


def _told(account: Account, call: Call, settings: AsyncSettings) -> dict[str, Any]:
    targets = {"OnSuccess": settings.on_success, "OnFailure": settings.on_failure}
    return {
        "LastModified": account.clock.now(),
        "FunctionArn": account.arn(call.name, call.qualifier or LATEST),
        "MaximumRetryAttempts": settings.retries,
        "MaximumEventAgeInSeconds": int(settings.max_age_seconds),
        "DestinationConfig": {name: {"Destination": arn} if arn else {} for name, arn in targets.items()},
    }
