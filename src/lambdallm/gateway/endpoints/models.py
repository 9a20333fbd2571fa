"""The list of models, as each protocol's clients read it. A key is told of those that it may use."""

from __future__ import annotations

import json

from ..errors import JSON
from ..http import GatewayError, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...llm.flow import Flow
    from ..app import Gateway
    from ..caller import Caller
    from ..http import GatewayRequest
    from ..serving import Served

    Json = dict[str, Any]

_EPOCH = "1970-01-01T00:00:00Z"
"""When a model was made is not known here, and clients want a date."""


def listed(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """Those there are."""
    words = _WORDS[request.protocol]
    models = [words(served) for served in gateway.models.listed() if caller.may_use(served.name)]
    yield from ()
    return _json(_LISTS[request.protocol](models))


def one(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """One of them. Raises `LLMModelNotFoundError`; a key that may not use it is told the same."""
    yield from ()
    name = request.params["model"].removeprefix("models/")
    if not caller.may_use(name):
        raise GatewayError(404, f"The model {name[:200]!r} does not exist.", param="model", code="model_not_found")
    return _json(_WORDS[request.protocol](gateway.models.find(name)))


def _json(value: Any) -> Reply:
    return Reply(200, (JSON,), json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def _owner(served: Served) -> str:
    return "lambdallm" if served.target is None else served.target.provider.name


def _openai(served: Served) -> Json:
    return {"id": served.name, "object": "model", "created": 0, "owned_by": _owner(served)}


def _anthropic(served: Served) -> Json:
    return {"type": "model", "id": served.name, "display_name": served.name, "created_at": _EPOCH}


def _gemini(served: Served) -> Json:
    facts = None if served.target is None else served.target.model
    limits = {
        "inputTokenLimit": None if facts is None else facts.context_window,
        "outputTokenLimit": None if facts is None else facts.max_output_tokens,
    }
    known = {name: value for name, value in limits.items() if value is not None}
    embeds = facts is not None and "embedding" in facts.output
    methods = ["embedContent", "batchEmbedContents"] if embeds else ["generateContent", "streamGenerateContent"]
    named = {"name": f"models/{served.name}", "displayName": served.name, "version": "1"}
    return {**named, **known, "supportedGenerationMethods": methods}


def _anthropic_list(models: list[Json]) -> Json:
    ends = {"first_id": models[0]["id"], "last_id": models[-1]["id"]} if models else {"first_id": None, "last_id": None}
    return {"data": models, "has_more": False, **ends}


_WORDS = {"openai_chat": _openai, "anthropic_messages": _anthropic, "gemini": _gemini}
_LISTS: dict[str, Any] = {
    "openai_chat": lambda models: {"object": "list", "data": models},
    "anthropic_messages": _anthropic_list,
    "gemini": lambda models: {"models": models},
}
