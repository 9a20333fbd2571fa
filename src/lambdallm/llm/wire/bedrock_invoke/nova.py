"""Amazon Nova: the messages of Converse, in a body of its own (schema `messages-v1`).

Facts are those of `bedrock_converse`; what goes below `additionalModelRequestFields` there stands in the body itself
here, and thinking among the inference settings. Source: Amazon Nova user guide, "Complete request schema" and "Request
and response schema".
"""

from __future__ import annotations

import json

from ...errors import UnsupportedParameterError
from ...result import Err, Ok
from ..bedrock_converse import decode_response as _decode_response
from ..bedrock_converse.request import as_json, body_of
from ..codec import Encoded
from . import PATHS
from .errors import decode_error
from .metrics import measured, metrics_in, usage_of
from .settings import extra_and_headers, merge

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import ChatRequest, Completion
    from ..codec import Decoder, Facts

_FACTS = {
    "top_k_field": "inferenceConfig.topK",
    "thinking": {
        "enabled": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "{effort}"}},
        "disabled": {"reasoningConfig": {"type": "disabled"}},
        "efforts": {"minimal": "low", "xhigh": "high", "max": "high", "default": "medium"},
    },
}
_SCHEMA = "messages-v1"


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming what it can't say."""
    warnings: list[str] = []
    request = _permitted(request, facts, warnings)
    extra, headers = extra_and_headers(request, "bedrock_converse", warnings)
    body: dict[str, Any] = {"schemaVersion": _SCHEMA, **body_of(request, {**_FACTS, **facts}, warnings)}
    merge(body, body.pop("additionalModelRequestFields", {}))
    if "reasoningConfig" in body:
        merge(body, {"inferenceConfig": {"reasoningConfig": body.pop("reasoningConfig")}})
    if "outputConfig" in body:
        raise UnsupportedParameterError("This body has no place for a schema.", param="response_format")
    return Encoded(as_json(merge(body, extra)), headers, tuple(warnings))


def _permitted(request: ChatRequest, facts: Facts, warnings: list[str]) -> ChatRequest:
    """The request without what the entry calls ignored; an error for what it calls unsupported."""
    given = [name for name in (*facts.get("unsupported", ()), *facts.get("ignored", ())) if _is_set(request, name)]
    for name in given:
        if name in facts.get("unsupported", ()):
            raise UnsupportedParameterError(f"{name!r} can't be asked of this model.", param=name)
    warnings += [f"{name!r} was left out: this model ignores it" for name in given]
    return request.replace(**{name: request._defaults[name] for name in given}) if given else request


def _is_set(request: ChatRequest, name: str) -> bool:
    return getattr(request, name, None) not in (None, ())


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. Counts that the body leaves out are in Bedrock's headers."""
    result = _decode_response(status, headers, body)
    if isinstance(result, Err):
        return result
    usage = usage_of(_native(body), metrics_in(headers))
    return Ok(measured(result.value, headers).replace(usage=usage))


def _native(body: bytes) -> dict[str, Any]:
    """The body's own record of usage, whose names for cached tokens are not Converse's."""
    usage = json.loads(body.decode("utf-8", "replace")).get("usage")
    return usage if isinstance(usage, dict) else {}


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .nova_stream import decoder

    return decoder()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
