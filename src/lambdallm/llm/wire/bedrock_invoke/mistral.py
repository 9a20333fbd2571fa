"""Mistral's first models on Bedrock (7B Instruct, Mixtral, Small and Large 2402): a prompt, and outputs.

Later ones take `mistral_chat`. Sources: Bedrock user guide, "Mistral AI text completion"; the models' own
`tokenizer_config.json` (version 1 of their template).
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
    "mistral": Template(
        begin="<s>", in_user=True, user="[INST] %s [/INST]", assistant=" %s</s>", answer="", begun=" %s",
        marks=("<s>", "</s>", "[INST]", "[/INST]"),
    ),
}  # fmt: skip

ANSWER = Shape(text=(("text",),), reason=("stop_reason",), candidates="outputs")

_PLACES = {name: name for name in ("max_tokens", "temperature", "top_p", "top_k", "stop")}


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    return encode_prompt(request, facts, templates=TEMPLATES, usual="mistral", places=_PLACES)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
