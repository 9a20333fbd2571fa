"""Claude on Bedrock: the body of `anthropic_messages`, with the version in it and without model and stream.

The facts of `anthropic_messages` hold, their defaults being Bedrock's. Answers in the form of the old text completions
are read too. Source: Bedrock user guide, "Anthropic Claude Messages API".
"""

from __future__ import annotations

from ...result import Err, Ok
from ..anthropic_messages import decode_response as _decode_response
from ..anthropic_messages import encode_request as _encode_request
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

_FACTS = {
    "model_in_body": False,
    "stream_in_body": False,
    "anthropic_version": "bedrock-2023-05-31",
    "beta_in_body": True,
}

_COMPLETION = b'"completion"'


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    warnings: list[str] = []
    extra, headers = extra_and_headers(request, "anthropic_messages", warnings)
    written = _encode_request(request.replace(extra=extra, dialect=None), {**_FACTS, **facts})
    return written.replace(headers=(*written.headers, *headers), warnings=(*warnings, *written.warnings))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer: a message, or a completion of the old form."""
    result = _decode_response(status, headers, body)
    if isinstance(result, Err):
        return _not_a_message(result, status, headers, body)
    return Ok(measured(result.value, headers))


def _not_a_message(
    result: Result[Completion, LLMError], status: int, headers: Headers, body: bytes
) -> Result[Completion, LLMError]:
    if _COMPLETION in body:
        from .anthropic_text import decode_response as decode_completion

        other = decode_completion(status, headers, body)
        return result if isinstance(other, Err) else other
    return result


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .anthropic_stream import decoder

    return decoder()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
