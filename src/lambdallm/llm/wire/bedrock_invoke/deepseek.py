"""DeepSeek-R1: a prompt that opens the model's thinking, and choices that hold a text.

The template ends by opening `<think>`, as DeepSeek asks, so that every answer begins inside it: an entry declares
`"thinking_tags": "opened"` to have thinking told apart from text. Earlier thinking is left out of a prompt, which is
what the template does. Sources: Bedrock user guide, "DeepSeek models"; the model's own `tokenizer_config.json`.
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
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
    "deepseek": Template(
        begin="<｜begin▁of▁sentence｜>", system="%s", user="<｜User｜>%s",
        assistant="<｜Assistant｜>%s<｜end▁of▁sentence｜>", answer="<｜Assistant｜><think>\n", begun=None,
        marks=("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>"),
        forget="</think>",
    ),
}  # fmt: skip

ANSWER = Shape(text=(("text",), ("generation",)), reason=("stop_reason",), candidates="choices")

_PLACES = {name: name for name in ("max_tokens", "temperature", "top_p", "stop")}


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say: how much to think, for one."""
    thinking = request.thinking
    if thinking is not None and (not thinking.enabled or thinking.effort or thinking.budget_tokens is not None):
        message = f"thinking={thinking!r} can't be asked: this model always thinks, as much as it likes."
        raise UnsupportedParameterError(message, param="thinking")
    return encode_prompt(
        request, facts, templates=TEMPLATES, usual="deepseek", places=_PLACES, taken=("thinking",)
    )  # fmt: skip


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
