"""The OpenAI chat protocol, which most providers speak in some dialect.
"""

from __future__ import annotations

from .openai_chat_response import decode_response
from .openai_chat_stream import StreamDecoder
from .openai_error import decode_error

__all__ = ["StreamDecoder", "decode_error", "decode_response"]
