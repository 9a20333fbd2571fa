"""The OpenAI completions protocol towards clients: a text to go on from, answered by a chat model.

A dialect as `llm/wire/codec` describes it, of which the half towards providers is `llm/wire/openai_completions`. The
prompt becomes the one user message; what only a model of texts can do (`suffix`, `echo`, tokens as a prompt) is refused
by name. Source: OpenAI, "Create completion", "The completion object".
"""

from __future__ import annotations

from ..llm.errors import UnsupportedParameterError
from ..llm.streaming.accumulator import Accumulator
from ..llm.types import ChatMessage, ChatRequest
from ..llm.wire.body import body_writer
from ..llm.wire.openai_asked import parsed, take
from ..llm.wire.openai_chat.answer import usage_body
from ..llm.wire.openai_completions import (
    PATHS,
    PROTOCOL,
    StreamDecoder,
    decode_error,
    decode_response,
    encode_request,
)
from ..llm.wire.openai_error_told import encode_error, error_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..llm.errors import LambdaLLMError
    from ..llm.types import Choice, Completion, StreamChunk

STREAM_TYPE = "text/event-stream"

_KINDS = {
    "max_tokens": "integer", "temperature": "number", "top_p": "number", "n": "integer", "seed": "integer",
    "presence_penalty": "number", "frequency_penalty": "number", "user": "string",
}  # fmt: skip
_READ = ("model", "prompt", "stream", "stop", "stream_options", *_KINDS)
_SAYS_NOTHING: dict[str, Any] = {"echo": False, "best_of": 1, "suffix": "", "logit_bias": {}}
_as_bytes = body_writer()


def decode_request(body: bytes, *, model: str | None = None, stream: bool | None = None) -> ChatRequest:
    """What a client asks for. Raises `InvalidRequestError`, of which `UnsupportedParameterError` is a kind."""
    asked = parsed(body)
    for name, value in asked.items():
        if name not in _READ and value is not None and value != _SAYS_NOTHING.get(name, ...):
            raise UnsupportedParameterError(f"{name!r} can't be sent: a chat model answers here.", param=name)
    settings = {name: take(asked, name, kind) for name, kind in _KINDS.items()}
    options = take(asked, "stream_options", "object")
    return ChatRequest(
        model or take(asked, "model", "string") or "",
        (ChatMessage("user", _prompt(asked.get("prompt"))),),
        stop=_stop(asked.get("stop")),
        stream=bool(take(asked, "stream", "boolean")) if stream is None else stream,
        extra={} if options is None else {"stream_options": options},
        dialect=PROTOCOL,
        **settings,
    )


def _prompt(given: Any) -> str:
    prompts = given if isinstance(given, list) else [given]
    if len(prompts) != 1 or not isinstance(prompts[0], str) or not prompts[0]:
        message = f"'prompt' is {given!r:.80}, and a chat model takes one text that is not empty."
        raise UnsupportedParameterError(message, fix="Send one text in each request.", param="prompt")
    return prompts[0]


def _stop(given: Any) -> tuple[str, ...]:
    words = [] if given is None else [given] if isinstance(given, str) else given
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        fix = "Send a text, or a list of texts."
        raise UnsupportedParameterError(f"'stop' is {given!r:.80}.", fix=fix, param="stop")
    return tuple(words)


def _word(choice: Choice) -> str:
    return {"length": "length", "content_filter": "content_filter", "refusal": "content_filter"}.get(
        choice.finish_reason or "", "stop"
    )


def _envelope(answer: Completion, request: ChatRequest, id: str, created: int) -> dict[str, Any]:
    name = answer.model or request.model
    return {"id": answer.id or id, "object": "text_completion", "created": created, "model": name}


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer."""
    body = _envelope(answer, request, id, created)
    body["choices"] = [
        {"text": choice.message.text, "index": choice.index, "logprobs": None, "finish_reason": _word(choice)}
        for choice in answer.choices
    ]
    if answer.usage is not None:
        body["usage"] = usage_body(answer.usage)
    return _as_bytes(body)


class StreamEncoder:
    """The events of an answer in pieces: text as it comes, at the end each choice's reason."""

    def __init__(self, request: ChatRequest, *, id: str, created: int) -> None:
        self._request, self._id, self._created = request, id, created
        self._tells_usage = bool((request.extra.get("stream_options") or {}).get("include_usage"))
        self._all = Accumulator()
        self._head: dict[str, Any] = {}

    def feed(self, chunks: Sequence[StreamChunk]) -> bytes:
        """The bytes for these chunks."""
        self._all.add(chunks)
        if chunks and not self._head:
            self._head = _envelope(self._all.completion(), self._request, self._id, self._created)
        return b"".join(self._event(chunk.index, chunk.delta, None) for chunk in chunks if chunk.delta)

    def close(self) -> bytes:
        """The bytes that end the stream normally."""
        answer = self._all.completion()
        self._head = self._head or _envelope(answer, self._request, self._id, self._created)
        ends = b"".join(self._event(choice.index, "", _word(choice)) for choice in answer.choices)
        usage = b""
        if self._tells_usage and answer.usage is not None:
            usage = b"data: " + _as_bytes({**self._head, "choices": [], "usage": usage_body(answer.usage)}) + b"\n\n"
        return ends + usage + b"data: [DONE]\n\n"

    def fail(self, error: LambdaLLMError) -> bytes:
        """The bytes that end a stream which has begun with an error."""
        return b"data: " + _as_bytes({"error": error_object(error)}) + b"\n\n"

    def _event(self, index: int, text: str, word: str | None) -> bytes:
        choice = {"text": text, "index": index, "logprobs": None, "finish_reason": word}
        return b"data: " + _as_bytes({**self._head, "choices": [choice]}) + b"\n\n"


__all__ = [
    "PATHS", "STREAM_TYPE", "StreamDecoder", "StreamEncoder", "decode_error", "decode_request", "decode_response",
    "encode_error", "encode_request", "encode_response",
]  # fmt: skip
