"""The Anthropic Messages protocol: `POST /v1/messages`, as its API reference describes it, version 2023-06-01.

The door of the dialect. Towards a provider: requests are written in `request` (their content in `blocks`), whole
answers and errors are read in `response`, streams in `stream`. Towards a client: requests are read in `read_request`
and `read_content`, answers are written in `write_response`, `write_stream` and `write_error`.

What a catalog entry may declare, all of it optional:

    anthropic_version   the protocol's version: a header, or a body field where the model is not in the body
    model_in_body       false where the URL names the model (default true)
    stream_in_body      false where the URL says that the answer streams (default true)
    anthropic_beta      names of beta features to turn on; `extra["anthropic_beta"]` adds to them for one request
    beta_in_body        true where beta features are a body field instead of a header (default false)
    max_output_tokens   the model's limit, sent as `max_tokens` where the request has none (4096 when unknown)
    thinking            the types of thinking the model takes: some of enabled, adaptive, disabled, between_tools
                        (default the first three)
    effort              the levels of effort it takes: some of low, medium, high, xhigh, max (default all)
    json_schema         true where `output_config.format` is understood (default false)
    system_in_messages  true where a system message may stand between two turns (default false)
    cache_automatic     false where a mark on the whole request is unknown: it goes to the last part (default true)
    cache_places        where `prompt_cache` puts marks, of tools, system, messages (default all)
    cache_ttls          how long prompts are kept, with the fields that ask for it (default 5m and 1h)
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
    from ...errors import LambdaLLMError
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, EncodedError, Encoder

PATHS = {"chat": "/v1/messages", "stream": "/v1/messages"}
"""Below an endpoint without `/v1`, as `ANTHROPIC_BASE_URL` has it. Entries whose URL names the model give their own."""


STREAM_TYPE = "text/event-stream; charset=utf-8"


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for. Raises `InvalidRequestError` in the API's own words, naming the field."""
    from .read_request import decode_request as read

    return read(body, model=model, stream=stream)


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer to a client's request."""
    from .write_response import encode_response as write

    return write(answer, request, id=id, created=created)


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as the API's own server would report it."""
    from .write_error import encode_error as write

    return write(error)


def StreamEncoder(request: ChatRequest, *, id: str, created: int) -> Encoder:
    """A fresh encoder for one streamed answer."""
    from .write_stream import StreamEncoder as Fresh

    return Fresh(request, id=id, created=created)


__all__ = [
    "PATHS",
    "STREAM_TYPE",
    "StreamDecoder",
    "StreamEncoder",
    "decode_error",
    "decode_request",
    "decode_response",
    "encode_error",
    "encode_request",
    "encode_response",
]
