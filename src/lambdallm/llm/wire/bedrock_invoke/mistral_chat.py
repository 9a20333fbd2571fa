"""Mistral's models since Large 2407: the chat form, with Mistral's word for a tool that must be called.

Source: Bedrock user guide, "Mistral AI chat completion" and "Pixtral Large".
"""

from __future__ import annotations

from . import PATHS
from .chat import StreamDecoder, decode_error, decode_response
from .chat import encode_request as _encode_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...types import ChatRequest
    from ..codec import Encoded, Facts

_FACTS = {"param_names": {"seed": "random_seed"}}


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    choice = request.tool_choice
    if choice is not None and choice.mode == "required":
        request = request.replace(tool_choice=choice.replace(mode="any"))
    return _encode_request(request, _FACTS | dict(facts))


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
