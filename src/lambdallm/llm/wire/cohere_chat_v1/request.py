"""Requests of Cohere's chat protocol, version 1: every setting of a `ChatRequest`, or an error that names the one.

Source: API v1 reference, "Chat (v1)".
"""

from __future__ import annotations

from ..cohere_chat.messages import unsupported
from ..cohere_chat.request import checked, response_format, settings_of, written
from .tools import encode_tool
from .turns import Turns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import ChatRequest
    from ..codec import Encoded, Facts


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming the first parameter that can't be sent."""
    warnings: list[str] = []
    request = checked(request, facts, warnings)
    _refuse(request)
    turns = Turns(warnings)
    body: dict[str, Any] = {"model": request.model} if request.model else {}
    body |= turns.encode(request.messages)
    if turns.documents:
        body["documents"] = turns.documents
    body |= settings_of(request)
    if request.tools and _offers_tools(request, warnings):
        body["tools"] = [encode_tool(tool, warnings) for tool in request.tools]
    if request.response_format is not None:
        body |= response_format(request.response_format, facts, "schema")
    return written(body, request, warnings)


def _refuse(request: ChatRequest) -> None:
    if request.logprobs is not None:
        raise unsupported("logprobs", "this version of the protocol has no setting for it")
    if request.thinking is not None and request.thinking.enabled and request.thinking.effort != "none":
        raise unsupported("thinking", "this version of the protocol has no setting for it")


def _offers_tools(request: ChatRequest, warnings: list[str]) -> bool:
    """Whether to send the tools. A choice can't be sent; not to call any is not to offer any."""
    choice = request.tool_choice
    if choice is None or choice.mode == "auto":
        return True
    if choice.mode != "none":
        raise unsupported("tool_choice", "this version of the protocol can't require a call")
    warnings.append("the tools were left out: that is how this protocol is told to call none")
    return False
