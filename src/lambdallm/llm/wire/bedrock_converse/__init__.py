"""Amazon Bedrock's Converse and ConverseStream: one JSON protocol for every chat model on Bedrock.

The model is in the URL, so a body never names it. Requests are encoded in `request` and
`content`, streams decoded in `stream`; here are whole answers and errors.

What differs between models is declared as facts of their catalog entries:

`json_schema`           true where the model takes `outputConfig.textFormat`
`top_k_field`           where `top_k` goes below `additionalModelRequestFields`, as a dotted path: `top_k`,
                        `inferenceConfig.topK`; likewise `seed_field`, `user_field`, `n_field`, `logprobs_field`,
                        `presence_penalty_field`, `frequency_penalty_field`
`thinking`              `enabled` and `disabled`: what to put below `additionalModelRequestFields`, where the strings
                        `{budget_tokens}` and `{effort}` stand for the values asked for, as in
                        `{"thinking": {"type": "enabled", "budget_tokens": "{budget_tokens}"}}`; `budgets`: tokens by
                        effort, for models that count (`default` for no effort given); `efforts`: the model's words
                        by ours. `"disabled": null` says that thinking can't be turned off
`cache_places`          where the model takes cache markers, of `tools`, `system` and `messages` (default all)
`cache_ttls`            how long it keeps prompts, with what a marker says for it (default `5m`, and `1h` by its `ttl`)
`single_tool_calls`     what to put there for `parallel_tool_calls=False`
`unsupported`           names of request fields that the model refuses: asking for one is an error
`ignored`               names of request fields to leave out with a warning

Source: Bedrock API reference, "Converse" and "Common errors".
"""

from __future__ import annotations

import json

from ....transport.types import find_header
from ...errors import ProviderResponseError, error_for
from ...result import Err, Ok
from ...types import ChatMessage, Choice, Completion
from ..failures import wait_seconds
from ..headers import request_id
from .content import decode_block
from .fields import read_finish_reason, read_metadata, read_usage
from .request import encode_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ..codec import Decoder

PATHS = {"chat": "/model/{model}/converse", "stream": "/model/{model}/converse-stream"}

_ANSWER_FIELDS = ("output", "stopReason", "usage")
_LONGEST_MESSAGE = 4000


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer ("Converse", response syntax)."""
    answer = _json(body)
    output = answer.get("output") if isinstance(answer, dict) else None
    message = output.get("message") if isinstance(output, dict) else None
    if not isinstance(answer, dict) or not isinstance(message, dict):
        return Err(_no_answer(status, headers, body, answer))
    content = message.get("content")
    blocks = content if isinstance(content, list) else []
    parts = tuple(part for block in blocks if (part := decode_block(block)) is not None)
    choice = Choice(ChatMessage("assistant", parts), *read_finish_reason(answer.get("stopReason")))
    metadata = read_metadata(answer, _ANSWER_FIELDS)
    usage = read_usage(answer.get("usage"), answer.get("serviceTier"))
    return Ok(Completion((choice,), usage=usage, metadata=metadata))


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx. Its type is in a header, or in the body's `__type` or `code` where a proxy lost it."""
    answer = _json(body)
    return _error(status, headers, body, answer if isinstance(answer, dict) else {})


def _error(status: int, headers: Headers, body: bytes, record: dict[str, Any]) -> LLMError:
    message = record.get("message") or record.get("Message") or record.get("errorMessage")
    kind = _type(find_header(headers, "x-amzn-errortype") or record.get("__type") or record.get("code"))
    text = message if isinstance(message, str) else body.decode("utf-8", "replace").strip()[:_LONGEST_MESSAGE]
    return error_for(
        status,
        text or f"The provider answered HTTP {status} without saying why.",
        type=kind,
        code=kind,
        request_id=request_id(headers),
        retry_after=wait_seconds(status, headers, text),
    )


def _type(name: Any) -> str | None:
    """The bare name in `ValidationException:http://…` and in `com.amazon.coral.service#ValidationException`."""
    return (name.partition(":")[0].rpartition("#")[2] or None) if isinstance(name, str) else None


def _no_answer(status: int, headers: Headers, body: bytes, answer: Any) -> LLMError:
    """The error in a 200: AWS answers an unknown operation with `{"Output": {"__type": …}}`."""
    inside = answer.get("Output") if isinstance(answer, dict) else None
    record = inside if isinstance(inside, dict) else answer if isinstance(answer, dict) else {}
    if any(key in record for key in ("__type", "message", "Message")):
        return _error(status, headers, body, record)
    shown = body[:80].decode("utf-8", "replace")
    return ProviderResponseError(
        f"The answer has no `output.message`: {shown!r}.", status=status, request_id=request_id(headers)
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .stream import StreamDecoder as Fresh

    return Fresh()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
