"""Meta Llama: a prompt in the model's own chat template, and a generation.

`template` is `llama3` (for all of Llama 3) unless the entry says `llama2`, `llama4` or `plain`. Tools are no part of
this body. Pictures go in `images`, for the models that see. Sources: Bedrock user guide, "Meta Llama models"; the
models' own `tokenizer_config.json`; Meta, "Model Cards & Prompt formats".
"""

from __future__ import annotations

from . import PATHS
from .errors import decode_error
from .prompts import Template, template_of, write_prompt
from .settings import encoded, settings_of
from .shape import Shape, read_answer, stream_decoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import ChatRequest, Completion, ImagePart
    from ..codec import Decoder, Encoded, Facts


def _headed(start: str, end: str, stop: str, begin: str, image: str, more: tuple[str, ...]) -> Template:
    """The form of Llama 3 and 4: every turn has a head with the speaker's role, and an end."""
    head = f"{start}%s{end}\n\n"
    return Template(
        begin=begin, system=f"{head % 'system'}%s{stop}", user=f"{head % 'user'}%s{stop}",
        assistant=f"{head % 'assistant'}%s{stop}", answer=head % "assistant", begun=f"{head % 'assistant'}%s",
        image=image, marks=(begin, start, end, stop, image, *more), trimmed=True,
    )  # fmt: skip


TEMPLATES = {
    "llama3": _headed(
        "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>", "<|image|>",
        ("<|end_of_text|>", "<|eom_id|>", "<|python_tag|>"),
    ),
    "llama4": _headed(
        "<|header_start|>", "<|header_end|>", "<|eot|>", "<|begin_of_text|>", "<|image|>",
        ("<|end_of_text|>", "<|eom|>", "<|python_start|>", "<|python_end|>"),
    ),
    "llama2": Template(
        begin="<s>", system="<<SYS>>\n%s\n<</SYS>>\n\n", in_user=True, user="[INST] %s [/INST]",
        assistant=" %s </s><s>", answer="", begun=" %s",
        marks=("<s>", "</s>", "[INST]", "[/INST]", "<<SYS>>", "<</SYS>>"), trimmed=True,
    ),
}  # fmt: skip

ANSWER = Shape(text=(("generation",),), reason=("stop_reason",))

_PLACES = {"max_tokens": "max_gen_len", "temperature": "temperature", "top_p": "top_p"}


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    warnings: list[str] = []
    images: list[ImagePart] = []
    settings = settings_of(request, facts, _PLACES, warnings)
    prompt = write_prompt(request.messages, template_of(facts, TEMPLATES, "llama3"), warnings, images)
    body: dict[str, Any] = {"prompt": prompt, **settings}
    if images:
        from .images import base64_of

        body["images"] = [base64_of(image) for image in images]
    return encoded(body, request, warnings)


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    return read_answer(ANSWER, status, headers, body)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream."""
    return stream_decoder(ANSWER)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
