"""Bodies in the form of OpenAI's chat: Jamba, OpenAI's open models, Qwen, DeepSeek V3, Writer, imported models.

The messages, settings and answers are those of `openai_chat`, with its facts; neither `model` nor `stream` is in the
body. Some say `stop_reason` where the protocol says `finish_reason`. Sources: Bedrock user guide, "AI21 Labs Jamba
models", "OpenAI models", "Mistral AI chat completion".
"""

from __future__ import annotations

import re

from ..openai_chat import decode_response as _decode_response
from ..openai_chat import encode_request as _encode_request
from . import PATHS
from .errors import decode_error
from .metrics import measured
from .settings import extra_and_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, Encoded, Facts

_THEIRS = re.compile(rb'"stop_reason"(?=\s*:)')
_OURS = b'"finish_reason"'


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    warnings: list[str] = []
    extra, headers = extra_and_headers(request, "openai_chat", warnings)
    written = _encode_request(request.replace(model=None, stream=False, extra=extra, dialect=None), facts)
    return written.replace(headers=(*written.headers, *headers), warnings=(*warnings, *written.warnings))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer; usage that the body leaves out is in Bedrock's headers."""
    result = _decode_response(status, headers, in_our_words(body))
    return result.map(lambda answer: measured(answer, headers))


def in_our_words(payload: bytes) -> bytes:
    """An answer or a piece of one with `finish_reason` where it has only `stop_reason`.

    Only a key is followed by a colon, so no text is changed.
    """
    return payload if _OURS in payload else _THEIRS.sub(_OURS, payload)


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .chat_stream import decoder

    return decoder()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
