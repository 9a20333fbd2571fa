"""Transformers by name: messages to a provider's request, its answer to the one form that callers get.

`openai_request` and `openai_response` are the two ends of a wire protocol's codec (`llm/wire`); any codec's name with
`_request` or `_response` is a transformer's. Nothing here sends.
"""

from __future__ import annotations

import json

from .._value import Value
from ..llm.call import codec_named
from ..llm.catalog.definition import WIRES
from ..llm.coerce import messages_of, options_of, tools_of
from ..llm.errors import ConfigurationError
from ..llm.types import EMPTY, ChatRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Protocol

    from ..llm.types import Completion
    from ..transport.types import Headers

    class Transformer(Protocol):
        """What a registry holds: of a request `transform(messages, tools)`, of an answer `transform(response)`."""

        transform: Any

    Json = dict[str, Any]
else:
    Json = dict


class ProviderRequest(Json):
    """A request's JSON object, with the headers that its protocol asks for and warnings of what it leaves out."""

    headers: Headers = ()
    warnings: tuple[str, ...] = ()


class ProviderResponse(Json):
    """An answer's JSON object, with its bytes and headers as they came."""

    body: bytes = b""
    headers: Headers = ()


class UnifiedAnswer(Json):
    """An answer in the one form, whoever gave it; `completion` is the value it was made of."""

    completion: Completion | None = None


class RequestTransformer(Value):
    """Messages and tools as a provider's request. `model`, `facts` and `options` are those of one call."""

    wire: str
    model: str = ""
    facts: Mapping[str, Any] = EMPTY
    options: Mapping[str, Any] = EMPTY

    def transform(self, messages: Any, tools: Iterable[Any] | None = None) -> ProviderRequest:
        """The request. Raises `ConfigurationError` for what are no messages or tools, and
        `UnsupportedParameterError` for what the provider can't be asked."""
        request = ChatRequest(self.model, messages_of(messages), tools_of(tools or ()), **options_of(self.options))
        encoded = codec_named(self.wire).encode_request(request, self.facts)
        made = ProviderRequest(json.loads(encoded.body))
        made.headers, made.warnings = encoded.headers, encoded.warnings
        if not self.model and made.get("model") == "":
            del made["model"]
        return made


class ResponseTransformer(Value):
    """A provider's answer in the one form."""

    wire: str

    def transform(self, response: Any) -> UnifiedAnswer:
        """The answer: of its JSON object, text or bytes. Raises `LLMError` for what is no answer of the protocol."""
        headers = getattr(response, "headers", ())
        return unified(codec_named(self.wire).decode_response(200, headers, _bytes(response)).unwrap())


def _bytes(response: Any) -> bytes:
    body = getattr(response, "body", None) or response
    if isinstance(body, str):
        return body.encode()
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def unified(answer: Completion) -> UnifiedAnswer:
    """A completion in the one form, plain values throughout.

    `content` is the text, `tool_calls` have `id`, `name` and parsed `arguments`; `message` is the whole turn in
    OpenAI's form, to be sent back among the messages of the next request. What is not known is `None`.
    """
    calls = [{"id": call.id, "name": call.name, "arguments": call.arguments} for call in answer.tool_calls]
    made = UnifiedAnswer(
        content=answer.text,
        thinking=answer.thinking,
        tool_calls=calls,
        finish_reason=answer.choices[0].finish_reason if answer.choices else None,
        usage=_usage(answer),
        model=answer.model,
        id=answer.id,
        message=_message(answer),
    )
    made.completion = answer
    return made


def _usage(answer: Completion) -> dict[str, int] | None:
    usage = answer.usage
    if usage is None:
        return None
    names = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
    return {**{name: getattr(usage, name) for name in names}, "total_tokens": usage.total_tokens}


def _message(answer: Completion) -> dict[str, Any]:
    from ..llm.wire import openai_chat

    body = openai_chat.encode_response(answer, ChatRequest(answer.model or "", ()), id="", created=0)
    choices = json.loads(body).get("choices") or [{"message": {"role": "assistant", "content": ""}}]
    message: dict[str, Any] = choices[0]["message"]
    return message


class TransformerRegistry:
    """The transformers by name: those of every wire protocol, and one's own, which come first.

    registry = TransformerRegistry()
    registry.register("acme_request", AcmeRequest())     # transform(messages, tools)
    registry.register("acme_response", AcmeResponse())   # transform(response)
    """

    def __init__(self) -> None:
        self._own: dict[str, Any] = {}

    def register(self, name: str, transformer: Transformer) -> None:
        """Keep a transformer of one's own under a name. Raises `ConfigurationError` for what transforms nothing."""
        if not callable(getattr(transformer, "transform", None)):
            fix = "Give an object with transform(messages, tools), or transform(response)."
            raise ConfigurationError(f"The transformer {name!r} is {transformer!r}.", fix=fix)
        self._own[name] = transformer

    def get(self, name: str) -> Any:
        """The transformer of that name. Raises `ConfigurationError` naming how those there are are called."""
        if name in self._own:
            return self._own[name]
        protocol, _, way = name.rpartition("_")
        if way not in ("request", "response") or not protocol:
            own = f", or register {name!r}" if name else ""
            fix = f"Use openai_request, anthropic_response and their like{own}."
            raise ConfigurationError(f"No transformer is called {name!r}.", fix=fix)
        wire = WIRES.get(protocol, protocol)
        codec_named(wire)
        return RequestTransformer(wire) if way == "request" else ResponseTransformer(wire)
