"""Cohere's chat protocol, version 1: `POST /v1/chat`, for deployments and models that are not on version 2 yet.

The door of the codec: requests are written in `request` (their turns in `turns`, their tools in `tools`), whole
answers are read in `response`, streams in `stream`, errors in `cohere_error`. Facts: those of `cohere_chat`, but for
thinking, which this version doesn't know.

`extra` is merged into the body: `connectors`, `documents`, `search_queries_only`, `prompt_truncation`,
`citation_quality`, `safety_mode`, `force_single_step`, `raw_prompting`.

Calls have no ids here: they get `call_0`, `call_1`, …, and a result finds its call by them.

Source: Cohere, API v1 reference, "Chat (v1)"; "Tool use (v1)"; "Migrating from API v1 to API v2".
"""

from __future__ import annotations

from ..cohere_error import decode_error
from .request import encode_request
from .response import decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..codec import Decoder

PATHS = {"chat": "/v1/chat", "stream": "/v1/chat"}


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
