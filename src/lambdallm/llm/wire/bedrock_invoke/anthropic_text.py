"""Claude's text completions, as Claude 2 and Instant answered them: a prompt, and a completion.

Source: Bedrock user guide, "Anthropic Claude Text Completions API".
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

_MAX_TOKENS = 4096

TEMPLATES = {
    "claude": Template(
        system="%s", user="\n\nHuman: %s", assistant="\n\nAssistant: %s", answer="\n\nAssistant:",
        begun="\n\nAssistant: %s", marks=("\n\nHuman:", "\n\nAssistant:"),
    ),
}  # fmt: skip

ANSWER = Shape(text=(("completion",),), reason=("stop_reason",))

_PLACES = {
    "max_tokens": "max_tokens_to_sample", "temperature": "temperature", "top_p": "top_p", "top_k": "top_k",
    "stop": "stop_sequences",
}  # fmt: skip


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body; `max_tokens_to_sample` must be there, and is the model's limit where none is asked for.

    Raises `UnsupportedParameterError` naming what the body can't say.
    """
    always = {"max_tokens_to_sample": facts.get("max_output_tokens", _MAX_TOKENS)}
    return encode_prompt(request, facts, templates=TEMPLATES, usual="claude", places=_PLACES, always=always)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
