"""Cohere's Command and Command Light: a prompt, and generations.

A stream comes in pieces only where the body asks for it too. Conversations are written with the speakers' names, as
Cohere's guide had it. Source: Bedrock user guide, "Cohere Command models".
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
    "command": Template(
        user="User: %s\n", assistant="Chatbot: %s\n", answer="Chatbot:", begun="Chatbot: %s", alone="%s",
    ),
}  # fmt: skip

ANSWER = Shape(text=(("text",),), reason=("finish_reason",), candidates="generations")

_PLACES = {
    "max_tokens": "max_tokens", "temperature": "temperature", "top_p": "p", "top_k": "k", "stop": "stop_sequences",
    "n": "num_generations",
}  # fmt: skip


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    always = {"stream": True} if request.stream else {}
    return encode_prompt(request, facts, templates=TEMPLATES, usual="command", places=_PLACES, always=always)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
