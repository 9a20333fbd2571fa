"""Ollama's own chat protocol: `POST /api/chat`, answered in one JSON object or in lines of them.

The door of the codec: requests are written in `request` (their messages in `messages`), whole answers and errors are
read in `response`, streams in `stream`. `ollama_generate` speaks the older `/api/generate` with the same means.

What a catalog entry may declare, all of it optional:

    options      options for every request that doesn't set them itself: `{"num_ctx": 16384}`
    efforts      the server's words for efforts of thinking (default: low, medium, high and max as they are, and the
                 nearest of them for the others); `{}` for models that only turn it on or off
    thinking     false where earlier thinking is not sent back (default true)
    unsupported  names of request fields that the model refuses: asking for one is an error
    ignored      names of request fields to leave out with a warning

`extra` is merged into the body, and `extra["options"]` into its options: `keep_alive`, `num_ctx`, `min_p`, `truncate`.

Source: github.com/ollama/ollama, `docs/api.md`, `api/types.go`; "Thinking", "Tool calling", "Errors".
"""

from __future__ import annotations

from .request import encode_request
from .response import decode_error, decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..codec import Decoder

PATHS = {"chat": "/api/chat", "stream": "/api/chat"}


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
