"""Counting tokens in Anthropic's protocol: `POST /v1/messages/count_tokens`, both directions.

The body is a Messages call's without what doesn't change its input. Source: Messages API reference, "Count tokens in a
Message". The facts are those of `anthropic_messages`.
"""

from __future__ import annotations

import json

from ..errors import ProviderResponseError
from ..result import Err, Ok
from ..types import TokenCount
from .anthropic_messages.request import as_json, request_body
from .anthropic_messages.response import MALFORMED, decode_error, rest_of
from .codec import Encoded
from .headers import request_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LambdaLLMError, LLMError
    from ..result import Result
    from ..types import ChatRequest
    from .codec import EncodedError, Facts

PATHS = {"count_tokens": "/v1/messages/count_tokens"}

_SETTINGS_OF_ANSWERS = dict.fromkeys(
    ("temperature", "top_p", "top_k", "seed", "n", "logprobs", "presence_penalty", "frequency_penalty", "user")
)
_NOT_COUNTED = ("max_tokens", "metadata", "service_tier", "container", "inference_geo", "diagnostics")
_LONGEST_MESSAGE = 500


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's input. What only shapes the answer is not counted and not sent, without a word about it."""
    warnings: list[str] = []
    asked = request.replace(stop=(), stream=False, **_SETTINGS_OF_ANSWERS)
    body, headers = request_body(asked, facts, warnings)
    body.setdefault("model", request.model)  # also where the URL of a call names the model: that of a count does not
    return Encoded(as_json({k: v for k, v in body.items() if k not in _NOT_COUNTED}), headers, tuple(warnings))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[TokenCount, LLMError]:
    """How many tokens the input has."""
    try:
        answer: dict[str, Any] = json.loads(body)
        if "error" in answer:
            return Err(decode_error(status, headers, body))
        count = answer["input_tokens"]
        if type(count) is not int:
            raise TypeError(f"'input_tokens' is {count!r}")
        return Ok(TokenCount(count, metadata=rest_of(answer, frozenset(("input_tokens",)))))
    except MALFORMED as problem:
        words = f"The answer counts no tokens: {problem}"[:_LONGEST_MESSAGE]
        return Err(ProviderResponseError(words, status=status, request_id=request_id(headers)))


def decode_request(body: bytes, *, model: str | None = None) -> ChatRequest:
    """What a client wants counted. Raises `InvalidRequestError` as the codec of messages does."""
    from .anthropic_messages.read_request import read_request

    return read_request(body, model, False, counting=True)


def encode_response(count: TokenCount) -> bytes:
    """The count, as JSON."""
    return as_json({"input_tokens": count.input_tokens})


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as the API's own server would report it."""
    from .anthropic_messages.write_error import encode_error as write

    return write(error)
