"""Lambda's operations on aliases."""

from __future__ import annotations

from .aliases import NAME, Alias
from .service_errors import stale
from .validate import Rule, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .account import Account
    from .call import Call

_UPDATE = {
    "FunctionVersion": Rule(most=1024, pattern=r"(\$LATEST|[0-9]+)"),
    "Description": Rule(most=256),
    "RoutingConfig": Rule(dict),
    "RevisionId": Rule(),
}
_CREATE = {
    **_UPDATE,
    "Name": Rule(least=1, most=128, pattern=NAME, required=True),
    "FunctionVersion": _UPDATE["FunctionVersion"].replace(required=True),
}


def create(account: Account, call: Call) -> dict[str, Any]:
    """`CreateAlias`."""
    body = call.body(_CREATE)
    alias = Alias(body["Name"], body["FunctionVersion"], _weights(body), body.get("Description") or "")
    return _told(account, call.name, account.set_alias(call.name, alias, new=True))


def update(account: Account, call: Call) -> dict[str, Any]:
    """`UpdateAlias`: what is not given stays."""
    body = call.body(_UPDATE)
    known = account.alias(call.name, call.path["Name"])
    if body.get("RevisionId") not in (None, known.revision):
        raise stale("GetAlias")
    changes: dict[str, Any] = {"weights": _weights(body)} if "RoutingConfig" in body else {}
    for name, field in (("FunctionVersion", "version"), ("Description", "description")):
        changes |= {field: body[name]} if body.get(name) is not None else {}
    return _told(account, call.name, account.set_alias(call.name, known.replace(**changes)))


def get(account: Account, call: Call) -> dict[str, Any]:
    """`GetAlias`."""
    return _told(account, call.name, account.alias(call.name, call.path["Name"]))


def list_all(account: Account, call: Call) -> dict[str, Any]:
    """`ListAliases`, all or those of a version."""
    wanted = call.query.get("FunctionVersion")
    found = [alias for _, alias in sorted(account.aliases(call.name).items()) if wanted in (None, alias.version)]
    page, more = call.page(found)
    return {"Aliases": [_told(account, call.name, alias) for alias in page], **more}


def delete(account: Account, call: Call) -> None:
    """`DeleteAlias`."""
    account.delete_alias(call.name, call.path["Name"])


def _weights(body: Mapping[str, Any]) -> dict[str, float]:
    weights = (body.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    check({"AdditionalVersionWeights": weights}, {"AdditionalVersionWeights": Rule(dict)})
    return dict(weights)


def _told(account: Account, name: str, alias: Alias) -> dict[str, Any]:
    routing = {"RoutingConfig": {"AdditionalVersionWeights": dict(alias.weights)}} if alias.weights else {}
    return {
        "AliasArn": account.arn(name, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        **routing,
        "RevisionId": alias.revision,
    }
