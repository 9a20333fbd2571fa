"""Cohere's chat protocol, version 2: `POST /v2/chat`.

The door of the codec: requests are written in `request` (their messages in `messages`), whole answers are read in
`response`, streams in `stream`, errors in `cohere_error`. `cohere_chat_v1` speaks the version before.

What a catalog entry may declare, all of it optional:

    thinking     false for models that can't think: asking for it is an error, and earlier thinking is left out of the
                 messages with a warning (default true)
    budgets      tokens to think with, by effort: `{"low": 2048}`; the protocol itself has budgets and no efforts
    json_schema  false where answers can be bound to JSON, but not to a schema (default true)
    unsupported  names of request fields that the model refuses: asking for one is an error
    ignored      names of request fields to leave out with a warning

`extra` is merged into the body: `documents`, `citation_options`, `safety_mode`, `strict_tools`, `priority`.

A plan that the model makes before it calls tools (`tool_plan`) is reasoning here, and goes back as the plan it was.
A document in a user's message joins the request's `documents`; in a tool's result it stays where it is.

Source: Cohere, API reference, "Chat (v2)" and "Chat with streaming (v2)"; "Tool use", "Reasoning", "Citations".
"""

from __future__ import annotations

from ..cohere_error import decode_error
from .request import encode_request
from .response import decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..codec import Decoder

PATHS = {"chat": "/v2/chat", "stream": "/v2/chat"}


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
