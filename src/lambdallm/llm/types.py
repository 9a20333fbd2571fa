"""The values of the client library: messages and their parts, requests, answers, pieces of a stream, usage.

What a provider sends that has no field here is kept in `metadata` or as a `ProviderPart`, so that a conversation
sent back is the conversation received: thinking signatures, encrypted reasoning, citations, cache markers.
"""

from __future__ import annotations

import json

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, Literal, TypeAlias

    from .routing.decision import RoutingDecision

    Role = Literal["system", "developer", "user", "assistant", "tool"]
    FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error", "other"]
    InputType = Literal["query", "document", "classification", "clustering", "similarity"]
    Metadata: TypeAlias = Mapping[str, Any]


class _Empty(dict):  # type: ignore[type-arg]  # it never holds anything
    """The empty mapping, which stays empty: a default that values share, JSON writes and pickle keeps."""

    __slots__ = ()

    def _refuse(self, *_given: object, **_named: object) -> None:
        raise TypeError("This mapping is shared and stays empty; make one of your own.")

    __setitem__ = setdefault = update = __ior__ = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> str:
        return "EMPTY"


EMPTY: Metadata = _Empty()


class TextPart(Value):
    """Text. `citations` are the provider's own records."""

    text: str
    citations: tuple[Metadata, ...] = ()
    metadata: Metadata = EMPTY


class RefusalPart(Value):
    """The model's words for declining, where a provider sends them apart from the answer."""

    text: str
    metadata: Metadata = EMPTY


class ImagePart(Value):
    """An image: `data` (bytes, with `media_type`) or a `url`. `detail` is OpenAI's `low`, `high` or `auto`."""

    url: str | None = None
    data: bytes | None = None
    media_type: str | None = None
    detail: str | None = None
    metadata: Metadata = EMPTY


class AudioPart(Value):
    """Sound: `data` (bytes) with its `media_type`, such as `audio/wav`."""

    data: bytes
    media_type: str
    metadata: Metadata = EMPTY


class DocumentPart(Value):
    """A document: `data` (bytes, with `media_type`), plain `text`, a `url`, or a `file_id` known to the provider."""

    data: bytes | None = None
    media_type: str | None = None
    text: str | None = None
    url: str | None = None
    file_id: str | None = None
    name: str | None = None
    metadata: Metadata = EMPTY


class ReasoningPart(Value):
    """What the model thought. `signature` and `encrypted` prove it to the provider and go back unchanged."""

    text: str = ""
    signature: str | None = None
    encrypted: str | None = None
    id: str | None = None
    metadata: Metadata = EMPTY


class ToolCall(Value):
    """A call the model asks for.

    `arguments` is the parsed JSON, `None` where the text is no JSON; `arguments_json` is the text as it was sent,
    `None` where the protocol carries an object.
    """

    id: str
    name: str
    arguments: Any = None
    arguments_json: str | None = None
    metadata: Metadata = EMPTY

    @classmethod
    def from_json(cls, id: str, name: str, text: str, metadata: Metadata = EMPTY) -> ToolCall:
        """A call from its arguments' JSON text. No text at all is how some providers say "no arguments": `{}`."""
        if not text.strip():
            return cls(id, name, {}, text, metadata)
        try:
            return cls(id, name, json.loads(text), text, metadata)
        except (ValueError, RecursionError):
            return cls(id, name, None, text, metadata)


class ToolResult(Value):
    """What a tool answered, for the call with `call_id`."""

    call_id: str
    content: str | tuple[Part, ...] = ""
    name: str | None = None
    is_error: bool = False
    metadata: Metadata = EMPTY


class ProviderPart(Value):
    """A block only its provider understands (a hosted tool's call or result), kept whole under its `type`.

    `protocol` is the wire protocol it came in (`"anthropic_messages"`): others leave it out and say so, or refuse it.
    A part without it is sent as it stands.
    """

    type: str
    value: Metadata = EMPTY
    protocol: str = ""


if TYPE_CHECKING:
    Part: TypeAlias = (
        TextPart
        | RefusalPart
        | ImagePart
        | AudioPart
        | DocumentPart
        | ReasoningPart
        | ToolCall
        | ToolResult
        | ProviderPart
    )


class ChatMessage(Value):
    """One turn: a role and its content, text or parts.

    ChatMessage("user", "What is on this picture?")
    ChatMessage("user", (TextPart("And here?"), ImagePart(url="https://…")))
    """

    role: Role
    content: str | tuple[Part, ...] = ()
    name: str | None = None
    metadata: Metadata = EMPTY

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts, also where it was given as text."""
        if isinstance(self.content, str):
            return (TextPart(self.content),) if self.content else ()
        return self.content

    @property
    def text(self) -> str:
        """The text parts joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if type(part) is TextPart)

    @property
    def thinking(self) -> str | None:
        """The reasoning parts joined; `None` where the model gave none."""
        thoughts = [p.text for p in self.parts if type(p) is ReasoningPart and p.text]
        return "".join(thoughts) if thoughts else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the model asks for, in order."""
        return tuple(part for part in self.parts if type(part) is ToolCall)

    @property
    def refusal(self) -> str | None:
        """The refusal, where the provider sends it apart."""
        words = [p.text for p in self.parts if type(p) is RefusalPart]
        return "".join(words) if words else None


class ToolDefinition(Value):
    """A tool the model may call: `parameters` is a JSON Schema of type object."""

    name: str
    description: str = ""
    parameters: Metadata = EMPTY
    strict: bool | None = None
    metadata: Metadata = EMPTY


class ToolChoice(Value):
    """Which tool to call: let the model choose, forbid, require any, or require the one called `name`."""

    mode: Literal["auto", "none", "required", "tool"]
    name: str | None = None
    metadata: Metadata = EMPTY


class ResponseFormat(Value):
    """The form of the answer: any text, any JSON, or JSON that matches `schema`."""

    type: Literal["text", "json", "json_schema"]
    schema: Metadata | None = None
    name: str = "answer"
    description: str | None = None
    strict: bool | None = None
    metadata: Metadata = EMPTY


class Thinking(Value):
    """How much to think: `effort` in words, or `budget_tokens`. `enabled=False` turns it off where that is possible."""

    enabled: bool = True
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    budget_tokens: int | None = None
    metadata: Metadata = EMPTY


class PromptCache(Value):
    """How the provider is to keep the beginning of a request for later ones that begin the same.

    `breakpoints` are the places at whose end it is to be kept, where a provider wants that marked: the tools, the
    system's words before the first turn, all messages so far. Keeping costs more than reading once, so a question that
    nobody goes on from does better with `("tools", "system")`; `()` keeps what `cached` marks and nothing else. `ttl`
    is how long at the least, in the provider's words (`"5m"`, `"1h"`, `"24h"`), `None` its usual time. `key` tells
    which requests begin the same, for those who route by it: no secret, the same for all of them. `resource` names a
    cache made beforehand (Gemini's `cachedContents/…`), which the messages go on from.

    Providers that keep prompts by themselves need none of it. What one can't do is a warning.
    """

    ttl: str | None = None
    key: str | None = None
    breakpoints: tuple[Literal["tools", "system", "messages"], ...] = ("tools", "system", "messages")
    resource: str | None = None


class ChatRequest(Value):
    """Everything a call to a chat model says.

    `None` leaves a setting to the provider. `stop` are strings; `extra` is merged into the body as it stands, for what
    only one provider knows. Where a request was decoded from a wire protocol, `dialect` names it: then `extra` holds
    that protocol's own settings, and an encoder of another one leaves them out with a warning for each.
    """

    model: str
    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolDefinition | ProviderPart, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    n: int | None = None
    logprobs: int | None = None
    response_format: ResponseFormat | None = None
    thinking: Thinking | None = None
    user: str | None = None
    prompt_cache: PromptCache | None = None
    stream: bool = False
    extra: Metadata = EMPTY
    dialect: str | None = None


class Usage(Value):
    """Tokens of one call or of several added up.

    `input_tokens` counts all of the input, with what was read from (`cached_tokens`) and written to
    (`cache_write_tokens`) the provider's prompt cache; `output_tokens` counts all of the output, `reasoning_tokens`
    included. `native` is the provider's own record. `billed` are the input and output tokens that are charged, where a
    provider charges fewer than the model saw; `charged_usd` is what it says the whole call cost.

    What some price lists price apart: `details` counts parts of the above and fees, by the kinds of
    `catalog.definition.PRICED_APART`; `tier` is the provider's word for a service tier that is not the standard one
    (`flex`, `batch`, two joined by `+`); `others` are runs of models within the call that the counts leave out, each
    with its model's id, `""` for the same model.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    native: Metadata = EMPTY
    billed: tuple[int, int] | None = None
    charged_usd: float | None = None
    details: Mapping[str, int] = EMPTY
    tier: str | None = None
    others: tuple[tuple[str, Usage], ...] = ()

    COUNTS: ClassVar[tuple[str, ...]] = (
        "input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens",
    )  # fmt: skip

    @property
    def total_tokens(self) -> int:
        """Input and output together."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        """Both together, without `native`. A charge that only one knows, and tiers that differ, are lost."""
        if not self.total_tokens and self == Usage():
            return other.replace(native=EMPTY)
        if not other.total_tokens and other == Usage():
            return self.replace(native=EMPTY)
        billed = None
        if self.billed is not None or other.billed is not None:
            pairs = [use.billed or (use.input_tokens, use.output_tokens) for use in (self, other)]
            billed = (pairs[0][0] + pairs[1][0], pairs[0][1] + pairs[1][1])
        charged = self.charged_usd is not None and other.charged_usd is not None
        counts = {name: getattr(self, name) + getattr(other, name) for name in self.COUNTS}
        return Usage(
            **counts,
            billed=billed,
            charged_usd=(self.charged_usd or 0) + (other.charged_usd or 0) if charged else None,
            details={k: self.details.get(k, 0) + other.details.get(k, 0) for k in (*self.details, *other.details)},
            tier=self.tier if self.tier == other.tier else None,
            others=self.others + other.others,
        )


class Choice(Value):
    """One of the answers to one request. `raw_finish_reason` is the provider's own word."""

    message: ChatMessage
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    index: int = 0
    metadata: Metadata = EMPTY


class Completion(Value):
    """A whole answer. The first choice is also `text`, `tool_calls`, `finish_reason` and so on.

    `usage` and `cost_usd` are `None` when unknown, never zero for that. `warnings` name what was asked for and could
    not be done. `metadata` is what the provider sent beyond the fields here. `time_to_first_token_ms` is only known
    for streams.

    `usage` and `cost_usd` count every attempt that was paid for, failed ones and those of other models too. `cache`
    says that no call was made for this answer: `hit` (the same request was answered before), `semantic` (one that
    means the same was), `shared` (the same request was under way); it then costs 0. `routing` is how a router chose.
    """

    choices: tuple[Choice, ...]
    usage: Usage | None = None
    model: str | None = None
    id: str | None = None
    provider: str | None = None
    cost_usd: float | None = None
    latency_ms: float | None = None
    time_to_first_token_ms: float | None = None
    attempts: int = 1
    warnings: tuple[str, ...] = ()
    metadata: Metadata = EMPTY
    cache: Literal["hit", "semantic", "shared"] | None = None
    routing: RoutingDecision | None = None

    @property
    def message(self) -> ChatMessage:
        """The first choice's message, ready to be sent back in the next request."""
        return self.choices[0].message if self.choices else ChatMessage("assistant")

    @property
    def text(self) -> str:
        """The answer's text."""
        return self.message.text

    content = text

    @property
    def thinking(self) -> str | None:
        """What the model thought; `None` where it gave nothing."""
        return self.message.thinking

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the model asks for."""
        return self.message.tool_calls

    @property
    def refusal(self) -> str | None:
        """The refusal, where the provider sends it apart."""
        return self.message.refusal

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the first choice ended."""
        return self.choices[0].finish_reason if self.choices else None

    @property
    def raw_finish_reason(self) -> str | None:
        """Why the first choice ended, in the provider's own word."""
        return self.choices[0].raw_finish_reason if self.choices else None


class ToolCallDelta(Value):
    """A piece of a tool call: `index` tells one answer's calls apart, `arguments` is the next piece of JSON text."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    metadata: Metadata = EMPTY


class StreamChunk(Value):
    """A piece of an answer.

    `delta` is text, `thinking` is reasoning. `part` is something that arrives whole (a signature, a refusal, a hosted
    tool's block, citations). `block` counts the provider's content blocks where it has them; `index` is the choice.
    `usage` counts the whole call so far: the last one is right. `metadata` adds to the answer's.
    """

    delta: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    usage: Usage | None = None
    part: Part | None = None
    block: int = 0
    index: int = 0
    metadata: Metadata = EMPTY


class EmbeddingRequest(Value):
    """Texts to turn into vectors.

    `dimensions` shortens the vectors, where the model can. `input_type` says what the texts are for: to be searched
    (`document`), to search with (`query`), and so on. `extra` is merged into the body.
    """

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    input_type: InputType | None = None
    user: str | None = None
    extra: Metadata = EMPTY


class Embeddings(Value):
    """A vector for each text, in the order of the texts.

    Where a provider was asked for vectors of several types, `by_type` holds them all under its own words (`float`,
    `int8`, `ubinary`), and `vectors` the floats, or the first type where there are none. `warnings` name what was asked
    for and could not be done; `requests` counts the batches that the texts were sent in, `attempts` the tries.
    """

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage | None = None
    model: str | None = None
    provider: str | None = None
    cost_usd: float | None = None
    metadata: Metadata = EMPTY
    by_type: Mapping[str, tuple[tuple[float, ...], ...]] = EMPTY
    warnings: tuple[str, ...] = ()
    latency_ms: float | None = None
    requests: int = 1
    attempts: int = 1


class TokenCount(Value):
    """How many tokens a request's input has, as its provider counts them."""

    input_tokens: int
    cached_tokens: int = 0
    model: str | None = None
    provider: str | None = None
    metadata: Metadata = EMPTY


class HealthCheckResult(Value):
    """Whether a provider answers, how fast, and why not."""

    healthy: bool
    provider: str
    latency_ms: float | None = None
    error: Exception | None = None
    details: Metadata = EMPTY
