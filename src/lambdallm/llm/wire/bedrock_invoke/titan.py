"""Amazon Titan Text (Lite, Express, Premier): a prompt, and results.

A conversation is written with the speakers' names, as the user guide has it. Source: Bedrock user guide, "Amazon Titan
Text models".
"""

from __future__ import annotations

from . import PATHS
from .errors import decode_error
from .prompt_codec import encode_prompt
from .prompts import Template
from .shape import Shape, read_answer, stream_decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, Encoded, Facts

TEMPLATES = {
    "titan": Template(user="User: %s\n", assistant="Bot: %s\n", answer="Bot:", begun="Bot: %s", alone="%s"),
}

ANSWER = Shape(text=(("outputText",),), reason=("completionReason",), candidates="results")

_PLACES = {
    "max_tokens": "textGenerationConfig.maxTokenCount",
    "temperature": "textGenerationConfig.temperature",
    "top_p": "textGenerationConfig.topP",
    "stop": "textGenerationConfig.stopSequences",
}


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    return encode_prompt(request, facts, templates=TEMPLATES, usual="titan", places=_PLACES, field="inputText")


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
