"""Vectors for texts, to clients of OpenAI's and Gemini's protocols.

A request of OpenAI's to a model that is asked in OpenAI's own protocol passes through; any other is translated.
"""

from __future__ import annotations

import json

from ...llm.call import prepared
from ...llm.errors import InvalidRequestError
from ...llm.flow import ReaderLeft
from ...llm.result import Err
from ...llm.retry import RetryPolicy, retried
from ...llm.types import EmbeddingRequest, Usage
from ...llm.wire.codec import Encoded
from ..account import cost_of_target, opened
from ..body import parsed, read, with_model
from ..errors import JSON
from ..http import GatewayError, Reply
from ..protocols import PROTOCOLS
from .passing import answered_whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...llm.catalog.resolve import Target
    from ...llm.flow import Flow
    from ...llm.types import Embeddings, InputType
    from ..account import Account
    from ..app import Gateway
    from ..body import Asked
    from ..caller import Caller
    from ..http import GatewayRequest
    from ..serving import Served

    Json = dict[str, Any]

_READ = ("model", "input", "dimensions", "user", "encoding_format")
_TASKS: dict[str, InputType] = {
    "RETRIEVAL_QUERY": "query", "RETRIEVAL_DOCUMENT": "document", "CLASSIFICATION": "classification",
    "CLUSTERING": "clustering", "SEMANTIC_SIMILARITY": "similarity", "QUESTION_ANSWERING": "query",
}  # fmt: skip


def openai(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """`POST /v1/embeddings`."""
    asked = read(request, gateway.limits)
    served = gateway.served(asked.model, caller)
    target = _target(served)
    account = yield from opened(gateway, caller, served, asked.value, len(asked.body))
    passes = served.direct and target.facts.get("embedding_wire", target.provider.embedding_wire) == "openai_embeddings"
    work = _passed(request, asked, served, target) if passes else _translated(request, asked, served, target)
    return (yield from _settled(gateway, account, target, work))


def gemini(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """`POST /v1beta/models/{model}:embedContent`, and `:batchEmbedContents`."""
    value = parsed(request.body, gateway.limits)
    served = gateway.served(request.params["model"].removeprefix("models/"), caller)
    target = _target(served)
    account = yield from opened(gateway, caller, served, value, len(request.body))
    several = request.params["action"] == "batchEmbedContents"
    work = _of_gemini(request, value, served, target, several=several)
    return (yield from _settled(gateway, account, target, work))


def _target(served: Served) -> Target:
    """Who makes the vectors: vectors of several models can't be compared, so it is always the same."""
    if served.target is None:
        message = f"The model {served.name!r} chooses among several, and vectors of several models can't be compared."
        raise GatewayError(400, f"{message} Name one model.", param="model")
    return served.target


def _settled(gateway: Gateway, account: Account, target: Target, work: Flow[tuple[bytes, Usage | None]]) -> Flow[Reply]:
    try:
        body, usage = yield from work
    except ReaderLeft:
        account.owe(None)
        raise
    except Exception as error:
        yield from account.failed(error, gateway.refusal_status(error, PROTOCOLS["openai_chat"]))
        raise
    yield from account.settled(usage, cost_of_target(usage, target), 200)
    return Reply(200, (JSON, *account.headers("openai_chat")), body)


def _passed(request: GatewayRequest, asked: Asked, served: Served, target: Target) -> Flow[tuple[bytes, Usage | None]]:
    settings = served.settings.replace(deadline=request.deadline)
    body = with_model(asked, target.model.id)
    ready = yield from prepared("embed", "openai_embeddings", lambda _: Encoded(body), target, settings)
    result = yield from retried(lambda: answered_whole(ready), RetryPolicy(settings.max_retries, settings.deadline))
    if isinstance(result, Err):
        raise result.error.located(target.provider.name, target.model.id)
    whole, answer = result.value
    return whole, answer.usage


def _translated(
    request: GatewayRequest, asked: Asked, served: Served, target: Target
) -> Flow[tuple[bytes, Usage | None]]:
    value = asked.value
    for name in value:
        if name not in _READ:
            raise InvalidRequestError(
                f"{name!r} can't be sent to this model.", param=name, code="unsupported_parameter"
            )
    form = value.get("encoding_format")
    if form not in (None, "float", "base64"):
        raise InvalidRequestError(f"'encoding_format' is {form!r}. Use 'float' or 'base64'.", param="encoding_format")
    size, user = value.get("dimensions"), value.get("user")
    asks = EmbeddingRequest(target.model.id, _texts(value.get("input"), "input"), dimensions=size, user=user)
    answer = yield from _embedded(request, asks, served, target)
    return _openai_body(answer, asked.model, base64=form == "base64"), answer.usage


def _texts(given: Any, where: str) -> tuple[str, ...]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        message = f"{where!r} is {given!r:.80}. Send a text, or a list of texts, none of them empty."
        raise InvalidRequestError(message, param=where)
    return tuple(texts)


def _embedded(request: GatewayRequest, asks: EmbeddingRequest, served: Served, target: Target) -> Flow[Embeddings]:
    from ...llm.embedding.flow import embed

    result = yield from embed(asks, target, served.settings.replace(deadline=request.deadline))
    if isinstance(result, Err):
        raise result.error
    return result.value


def _openai_body(answer: Embeddings, model: str, *, base64: bool) -> bytes:
    write: Any = _as_base64 if base64 else list
    rows = [{"object": "embedding", "index": n, "embedding": write(v)} for n, v in enumerate(answer.vectors)]
    used = 0 if answer.usage is None else answer.usage.input_tokens
    usage = {"prompt_tokens": used, "total_tokens": used}
    body = {"object": "list", "data": rows, "model": answer.model or model, "usage": usage}
    return json.dumps(body, separators=(",", ":")).encode()


def _as_base64(vector: tuple[float, ...]) -> str:
    """Little-endian floats of 32 bits, as OpenAI's SDK asks for them where nobody says otherwise."""
    from binascii import b2a_base64
    from struct import pack

    return b2a_base64(pack(f"<{len(vector)}f", *vector), newline=False).decode()


def _of_gemini(
    request: GatewayRequest, value: Json, served: Served, target: Target, *, several: bool
) -> Flow[tuple[bytes, Usage | None]]:
    wanted = value.get("requests") if several else [value]
    if not isinstance(wanted, list) or not wanted or not all(isinstance(each, dict) for each in wanted):
        raise InvalidRequestError("'requests' is no list of requests. Send at least one.", param="requests")
    settings = {_settings(each) for each in wanted}
    if len(settings) > 1:
        raise InvalidRequestError("The requests ask for different things. Send those alike at once.", param="requests")
    task, size = settings.pop()
    texts = tuple(_text(each, f"requests[{n}].content" if several else "content") for n, each in enumerate(wanted))
    asks = EmbeddingRequest(target.model.id, texts, dimensions=size, input_type=task)
    answer = yield from _embedded(request, asks, served, target)
    rows = [{"values": list(vector)} for vector in answer.vectors]
    body = {"embeddings": rows} if several else {"embedding": rows[0]}
    return json.dumps(body, separators=(",", ":")).encode(), answer.usage


def _settings(asked: Json) -> tuple[InputType | None, int | None]:
    known = ("model", "content", "taskType", "outputDimensionality", "embedContentConfig")
    for name in asked:
        if name not in known:
            raise InvalidRequestError(f"{name!r} can't be sent to this model.", param=name)
    config = {**(asked.get("embedContentConfig") or {}), **asked}
    task = config.get("taskType")
    if task is not None and task not in _TASKS:
        raise InvalidRequestError(f"'taskType' is {task!r}. Use one of {', '.join(_TASKS)}.", param="taskType")
    size = config.get("outputDimensionality")
    if size is not None and (type(size) is not int or size < 1):
        raise InvalidRequestError(f"'outputDimensionality' is {size!r}. Give a number.", param="outputDimensionality")
    return (None if task is None else _TASKS[task]), size


def _text(asked: Json, where: str) -> str:
    content = asked.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    if not isinstance(parts, list) or not all(isinstance(p, dict) and isinstance(p.get("text"), str) for p in parts):
        raise InvalidRequestError(f"{where!r} is {content!r:.80}. Send parts of text.", param=where)
    return "".join(part["text"] for part in parts)
