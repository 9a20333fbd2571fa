"""AI21's Jurassic-2: a prompt, and completions with every token told. It does not stream.

AI21 published no template for conversations: they are written as a transcript. Jamba takes `chat`. Source: Bedrock user
guide, "AI21 Labs Jurassic-2 models".
"""

from __future__ import annotations

from . import PATHS
from .errors import decode_error
from .prompt_codec import encode_prompt
from .prompts import Template
from .settings import unsupported
from .shape import Shape, read_answer, stream_decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, Encoded, Facts

TEMPLATES = {
    "transcript": Template(
        begin="", system="\nsystem: %s", user="\nhuman: %s", assistant="\nAI: %s", answer="\nAI: ", begun="\nAI: %s",
        alone="%s",
    ),
}  # fmt: skip

ANSWER = Shape(text=(("data", "text"),), reason=("finishReason", "reason"), candidates="completions")

_PLACES = {
    "max_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP", "stop": "stopSequences",
    "n": "numResults", "logprobs": "topKReturn", "presence_penalty": "presencePenalty.scale",
    "frequency_penalty": "frequencyPenalty.scale",
}  # fmt: skip


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    if request.stream:
        raise unsupported("stream", True)
    return encode_prompt(request, facts, templates=TEMPLATES, usual="transcript", places=_PLACES)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream, should one come."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
