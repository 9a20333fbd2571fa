"""`/health`: it answers. `/ready`: it can serve, its models are found. Neither calls a provider or needs a key."""

from __future__ import annotations

import json

from ..errors import JSON
from ..http import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...llm.flow import Flow
    from ..app import Gateway
    from ..caller import Caller
    from ..http import GatewayRequest


def health(_gateway: Gateway, _request: GatewayRequest, _caller: Caller) -> Flow[Reply]:
    """That it lives."""
    yield from ()
    return Reply(200, (JSON,), b'{"status":"ok"}')


def ready(gateway: Gateway, request: GatewayRequest, _caller: Caller) -> Flow[Reply]:
    """Whether every model that is listed can be found; 503 where one can't. Which, the log says."""
    yield from ()
    try:
        models = len(list(gateway.models.listed()))
    except Exception as error:  # noqa: BLE001  # whatever it is, the gateway is not ready
        gateway.log(error, request)
        return Reply(503, (JSON,), b'{"status":"not_ready"}')
    return Reply(200, (JSON,), json.dumps({"status": "ready", "models": models}).encode())
