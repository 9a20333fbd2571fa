"""Lambda's API on one address, so that an unmodified boto3 client, or `aws lambda … --endpoint-url`, works against it.

    with Account(emulator) as account, Listener(ApiFront(account), port=9001) as listener:
        boto3.client("lambda", endpoint_url=listener.address, …).invoke(FunctionName="app")

Signatures are taken unchecked. An operation that is not emulated is refused by its name, never ignored.

Source: the AWS Lambda API Reference; paths and statuses are those of botocore's service description.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, unquote
from uuid import uuid4

from . import api_aliases, api_events, api_functions, api_invoke, api_sources
from .call import Call
from .errors import EmulatorError
from .listener import HttpReply
from .service_errors import ServiceError, refusal_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from .account import Account
    from .listener import HttpRequest

    Operation: TypeAlias = Callable[[Account, Call], Any]

_FUNCTION = "/2015-03-31/functions/{FunctionName}"
_SOURCES = "/2015-03-31/event-source-mappings"
_EVENTS = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
_CONCURRENCY = "/functions/{FunctionName}/concurrency"

OPERATIONS: Mapping[tuple[str, str], tuple[int, Operation]] = {
    ("POST", f"{_FUNCTION}/invocations"): (200, api_invoke.invoke),
    ("POST", "/2021-11-15/functions/{FunctionName}/response-streaming-invocations"): (200, api_invoke.invoke_streaming),
    ("POST", "/2014-11-13/functions/{FunctionName}/invoke-async"): (202, api_invoke.invoke_async),
    ("GET", "/2015-03-31/functions"): (200, api_functions.list_functions),
    ("GET", _FUNCTION): (200, api_functions.get_function),
    ("GET", f"{_FUNCTION}/configuration"): (200, api_functions.get_configuration),
    ("PUT", f"{_FUNCTION}/configuration"): (200, api_functions.update_configuration),
    ("POST", f"{_FUNCTION}/versions"): (201, api_functions.publish_version),
    ("GET", f"{_FUNCTION}/versions"): (200, api_functions.list_versions),
    ("PUT", f"/2017-10-31{_CONCURRENCY}"): (200, api_functions.put_concurrency),
    ("GET", f"/2019-09-30{_CONCURRENCY}"): (200, api_functions.get_concurrency),
    ("DELETE", f"/2017-10-31{_CONCURRENCY}"): (204, api_functions.delete_concurrency),
    ("POST", f"{_FUNCTION}/aliases"): (201, api_aliases.create),
    ("GET", f"{_FUNCTION}/aliases"): (200, api_aliases.list_all),
    ("GET", f"{_FUNCTION}/aliases/{{Name}}"): (200, api_aliases.get),
    ("PUT", f"{_FUNCTION}/aliases/{{Name}}"): (200, api_aliases.update),
    ("DELETE", f"{_FUNCTION}/aliases/{{Name}}"): (204, api_aliases.delete),
    ("PUT", _EVENTS): (200, api_events.put),
    ("POST", _EVENTS): (200, api_events.update),
    ("GET", _EVENTS): (200, api_events.get),
    ("DELETE", _EVENTS): (204, api_events.delete),
    ("POST", _SOURCES): (202, api_sources.create),
    ("GET", _SOURCES): (200, api_sources.list_all),
    ("GET", f"{_SOURCES}/{{UUID}}"): (200, api_sources.get),
    ("PUT", f"{_SOURCES}/{{UUID}}"): (202, api_sources.update),
    ("DELETE", f"{_SOURCES}/{{UUID}}"): (202, api_sources.delete),
}
"""What is emulated: method and path to the status of success and what does it."""

PREFIX = re.compile(r"/20\d\d-\d\d-\d\d/")
"""How a path of Lambda's API begins, for who serves it beside something else."""


class ApiFront:
    """The front end of an account's functions."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._routes = [
            (method, _pattern(template), status, operation)
            for (method, template), (status, operation) in OPERATIONS.items()
        ]

    def __call__(self, request: HttpRequest) -> HttpReply:
        """The reply to a request."""
        try:
            reply = self._reply(request)
        except ServiceError as error:
            reply = error.reply()
        except EmulatorError as error:
            reply = refusal_of(error).reply()
        if any(name.lower() == "x-amzn-requestid" for name, _ in reply.headers):
            return reply
        return reply.replace(headers=(*reply.headers, ("x-amzn-RequestId", f"{uuid4()}")))

    def _reply(self, request: HttpRequest) -> HttpReply:
        for method, pattern, status, operation in self._routes:
            if method == request.method and (found := pattern.fullmatch(request.path)):
                path = {name: unquote(value) for name, value in found.groupdict().items()}
                query = dict(parse_qsl(request.query, keep_blank_values=True))
                return _told(status, operation(self.account, Call(request, path, query)))
        said = f"{request.method} {request.path} is no operation of Lambda that is emulated."
        raise ServiceError("UnknownOperationException", said)


def _told(status: int, result: Any) -> HttpReply:
    if isinstance(result, HttpReply):
        return result
    if result is None:
        return HttpReply(status)
    body = json.dumps(result, ensure_ascii=False).encode()
    return HttpReply(status, (("Content-Type", "application/json"),), body)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?")
