"""Lambda's operations on functions, versions and concurrency."""

from __future__ import annotations

import sys
from uuid import NAMESPACE_URL, uuid5

from .aliases import LATEST
from .function import OUR_RUNTIME
from .service_errors import stale, wrong
from .validate import Rule
from .versions import code_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .account import Account
    from .call import Call
    from .function import Function
    from .versions import Code

_CONFIGURATION = {
    "Handler": Rule(most=128, pattern=r"[^\s]+"),
    "Timeout": Rule(int, least=1, most=900),
    "MemorySize": Rule(int, least=128, most=10_240),
    "Environment": Rule(dict),
    "EphemeralStorage": Rule(dict),
    "DeadLetterConfig": Rule(dict),
    "RevisionId": Rule(),
}
_KNOWN = frozenset((*_CONFIGURATION, "FunctionName"))
_PUBLISH = {"Description": Rule(most=256), "CodeSha256": Rule(), "RevisionId": Rule()}
_CONCURRENCY = {"ReservedConcurrentExecutions": Rule(int, least=0, required=True)}


def list_functions(account: Account, call: Call) -> dict[str, Any]:
    """`ListFunctions`; with `FunctionVersion=ALL` published versions too."""
    names = sorted(account.emulator.functions)
    found = [account.function(name) for name in names]
    if call.query.get("FunctionVersion") == "ALL":
        found = [each for function in found for each in (function, *account.versions.of(function.name))]
    page, more = call.page(found)
    return {"Functions": [configuration(account, function) for function in page], **more}


def get_function(account: Account, call: Call) -> dict[str, Any]:
    """`GetFunction`. Its code is where it lies on this machine."""
    function = account.function(call.name, call.qualifier)
    reserved = account.reserved(call.name)
    return {
        "Configuration": configuration(account, function, call.qualifier),
        "Code": {"RepositoryType": "local", "Location": f"file://{function.code}"},
        **({"Concurrency": {"ReservedConcurrentExecutions": reserved}} if reserved is not None else {}),
    }


def get_configuration(account: Account, call: Call) -> dict[str, Any]:
    """`GetFunctionConfiguration`."""
    return configuration(account, account.function(call.name, call.qualifier), call.qualifier)


def update_configuration(account: Account, call: Call) -> dict[str, Any]:
    """`UpdateFunctionConfiguration`, of what the emulator knows; the rest is refused."""
    body = call.body(_CONFIGURATION)
    if unknown := sorted(set(body) - _KNOWN):
        raise wrong(f"The emulator can't change {', '.join(unknown)}. Leave it out.")
    changes = _changes(body)
    if "DeadLetterConfig" in body:
        account.destinations.set_dead_letters(call.name, body["DeadLetterConfig"].get("TargetArn") or None)
    function = account.change(call.name, **changes) if changes else account.function(call.name)
    return configuration(account, function)


def _changes(body: dict[str, Any]) -> dict[str, Any]:
    fields = {"Handler": "handler", "Timeout": "timeout", "MemorySize": "memory_mb"}
    changes = {field: body[name] for name, field in fields.items() if body.get(name) is not None}
    if "Environment" in body:
        changes["environment"] = dict(body["Environment"].get("Variables") or {})
    if "EphemeralStorage" in body:
        changes["tmp_mb"] = body["EphemeralStorage"].get("Size", 512)
    return changes


def publish_version(account: Account, call: Call) -> dict[str, Any]:
    """`PublishVersion`."""
    body = call.body(_PUBLISH)
    account.function(call.name)
    if body.get("RevisionId") not in (None, revision(account, account.function(call.name))):
        raise stale("GetFunction")
    made = account.publish(call.name, body.get("Description") or "", body.get("CodeSha256"))
    return configuration(account, made, made.version)


def list_versions(account: Account, call: Call) -> dict[str, Any]:
    """`ListVersionsByFunction`, `$LATEST` first."""
    page, more = call.page((account.function(call.name), *account.versions.of(call.name)))
    return {"Versions": [configuration(account, each, each.version) for each in page], **more}


def put_concurrency(account: Account, call: Call) -> dict[str, Any]:
    """`PutFunctionConcurrency`."""
    number = call.body(_CONCURRENCY)["ReservedConcurrentExecutions"]
    account.reserve(call.name, number)
    return {"ReservedConcurrentExecutions": number}


def get_concurrency(account: Account, call: Call) -> dict[str, Any]:
    """`GetFunctionConcurrency`."""
    number = account.reserved(call.name)
    return {} if number is None else {"ReservedConcurrentExecutions": number}


def delete_concurrency(account: Account, call: Call) -> None:
    """`DeleteFunctionConcurrency`."""
    account.reserve(call.name, None)


def revision(account: Account, function: Function, code: Code | None = None) -> str:
    """An id that changes when the function does."""
    dead = account.destinations.dead_letters(function.name)
    return f"{uuid5(NAMESPACE_URL, f'{(code or code_of(function.code)).sha256} {function!r} {dead}')}"


def configuration(account: Account, function: Function, qualifier: str | None = None) -> dict[str, Any]:
    """A function's configuration, as most operations answer it."""
    code = code_of(function.code)
    shown = qualifier or (function.version if function.version != LATEST else None)
    dead = account.destinations.dead_letters(function.name)
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    variables = dict(function.environment)
    return {
        "FunctionName": function.name,
        "FunctionArn": account.arn(function.name, shown),
        "Runtime": python if function.command == OUR_RUNTIME else "provided.al2023",
        "Role": f"arn:aws:iam::{account.emulator.account}:role/emulated",
        "Handler": function.handler,
        "CodeSize": code.size,
        "CodeSha256": code.sha256,
        "Description": account.versions.description(function.name, function.version),
        "Timeout": max(1, round(function.timeout)),
        "MemorySize": function.memory_mb,
        "LastModified": account.modified(function.name),
        "Version": function.version,
        "RevisionId": revision(account, function, code),
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": [function.architecture],
        "TracingConfig": {"Mode": "PassThrough"},
        "EphemeralStorage": {"Size": function.tmp_mb},
        "SnapStart": {
            "ApplyOn": "PublishedVersions" if function.snapstart else "None",
            "OptimizationStatus": "On" if function.snapstart and function.version != LATEST else "Off",
        },
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{function.name}"},
        **({"Environment": {"Variables": variables}} if variables else {}),
        **({"DeadLetterConfig": {"TargetArn": dead}} if dead else {}),
    }
