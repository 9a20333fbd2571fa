"""The Anthropic Messages protocol: `POST /v1/messages`, as its API reference describes it, version 2023-06-01.

The door of the codec: requests are written in `request` (its content in `blocks`), whole answers
and errors are read in `response`, streams in `stream`.

What a catalog entry may declare, all of it optional:

    anthropic_version   the protocol's version: a header, or a body field where the model is not in the body
    model_in_body       false where the URL names the model (default true)
    stream_in_body      false where the URL says that the answer streams (default true)
    anthropic_beta      names of beta features to turn on; `extra["anthropic_beta"]` adds to them for one request
    beta_in_body        true where beta features are a body field instead of a header (default false)
    max_output_tokens   the model's limit, sent as `max_tokens` where the request has none (4096 when unknown)
    thinking            the types of thinking the model takes: some of enabled, adaptive, disabled (default all)
    effort              the levels of effort it takes: some of low, medium, high, xhigh, max (default all)
    json_schema         true where `output_config.format` is understood (default false)
    system_in_messages  true where a system message may stand between two turns (default false)
    unsupported         names of request fields the model refuses: asking for one is an error
    ignored             names of request fields to leave out with a warning

Never in silence: what can't be expressed raises `UnsupportedParameterError`, what is changed or left out is in
`Encoded.warnings`.
"""

from __future__ import annotations

from .request import encode_request
from .response import decode_error, decode_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..codec import Decoder

PATHS = {"chat": "/v1/messages", "stream": "/v1/messages"}
"""Below an endpoint without `/v1`, as `ANTHROPIC_BASE_URL` has it. Entries whose URL names the model give their own."""


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
