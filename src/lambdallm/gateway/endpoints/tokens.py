"""How many tokens a request has: as its provider counts them where that can, else estimated, which the answer says."""

from __future__ import annotations

import json

from ...llm.result import Err
from ..body import parsed, read
from ..errors import JSON
from ..http import Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...llm.flow import Flow
    from ...llm.types import ChatRequest
    from ..app import Gateway
    from ..caller import Caller
    from ..http import GatewayRequest
    from ..serving import Served

    Headers = tuple[tuple[str, str], ...]

ESTIMATED = (("x-lambdallm-warnings", "the tokens are estimated"),)


def anthropic(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """`POST /v1/messages/count_tokens`."""
    from ...llm.wire.anthropic_count_tokens import decode_request

    asked = read(request, gateway.limits, gateway.default_model)
    served = gateway.served(asked.model, caller)
    counted, headers = yield from _counted(request, served, decode_request(asked.body, model=asked.model))
    return Reply(200, (JSON, *headers), json.dumps({"input_tokens": counted}).encode())


def gemini(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """`POST /v1beta/models/{model}:countTokens`: of contents, or of a whole request."""
    from ...llm.wire.gemini import decode_request

    model = request.params["model"]
    served = gateway.served(model, caller)
    value: Any = parsed(request.body, gateway.limits)
    inner = value.get("generateContentRequest")
    body = json.dumps(inner if isinstance(inner, dict) else value).encode()
    counted, headers = yield from _counted(request, served, decode_request(body, model=model, stream=False))
    return Reply(200, (JSON, *headers), json.dumps({"totalTokens": counted}).encode())


def _counted(request: GatewayRequest, served: Served, asked: ChatRequest) -> Flow[tuple[int, Headers]]:
    target = served.target
    if target is not None and target.facts.get("count_wire", target.provider.count_wire) is not None:
        from ...llm.pipeline import count_tokens

        result = yield from count_tokens(asked, target, served.settings.replace(deadline=request.deadline))
        if isinstance(result, Err):
            raise result.error
        return result.value.input_tokens, ()
    from ...llm.pricing.tokens.base import request_tokens
    from ...llm.pricing.tokens.estimate import EstimatingCounter

    return request_tokens(EstimatingCounter(), asked), ESTIMATED
