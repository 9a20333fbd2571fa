"""Clients of boto3 for what the library has no words for, one for each service: making one takes tenths of a second."""

from __future__ import annotations

import os

from .._hooks import before_snapshot
from ..llm.errors import MissingExtraError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_clients: dict[tuple[object, ...], Any] = {}
_DECIDES = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL")


def raw_client(service: str) -> Any:
    """The client of a service in this process and its region. Raises `MissingExtraError` without boto3."""
    key = (service, os.getpid(), *map(os.environ.get, _DECIDES))
    if key not in _clients:
        try:
            import boto3
        except ImportError as error:
            raise MissingExtraError(f"A raw {service!r} client", "deploy") from error
        if not _clients:
            before_snapshot(_close)
        _clients.setdefault(key, boto3.client(service))
    return _clients[key]


def _close() -> None:
    """Close the connections of all clients, which open others; the clients themselves take long to make."""
    for client in _clients.values():
        client.close()
