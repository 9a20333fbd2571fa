"""The OpenAI completions protocol (`POST …/completions`), where a model continues a text: OpenAI, Together, vLLM.

A prompt is one text. It is the text of the one user message, or `extra["prompt"]` in any form the provider takes
(several prompts, tokens); what else only this protocol has (`suffix`, `echo`, `best_of`) is given in `extra` too.
`logprobs` is a number here. Facts of the catalog entry: `unsupported`, `ignored`, `supports`, `param_names` and
`stream_usage`, as in `openai_chat`.

Sources: OpenAI, "Create completion"; Together, "Create completion"; vLLM, "Completions API".
"""

from __future__ import annotations

import json

from ..errors import ProviderResponseError, UnsupportedParameterError
from ..result import Err, Ok
from ..types import EMPTY, ChatMessage, Choice, Completion, StreamChunk, TextPart
from .body import body_writer
from .codec import Encoded, is_set, without_ignored
from .failures import decode_error, error_inside, stream_error
from .framing import FramingError
from .headers import request_id
from .notes import extra_of
from .openai_chat.events import ChoiceEvents
from .openai_chat.fields import finish_reason, grow, leftovers, read_usage, records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LLMError
    from ..result import Result
    from ..types import ChatRequest, Metadata
    from .codec import Facts

PATHS = {"chat": "/completions", "stream": "/completions"}
PROTOCOL = "openai_completions"

_PLAIN = (
    "model", "max_tokens", "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "n",
    "logprobs", "user",
)  # fmt: skip
_BEYOND = ("top_k", "tools", "tool_choice", "parallel_tool_calls", "response_format", "thinking")
"""Settings that the protocol does not have; of these only `top_k` is one that a provider may declare."""

_ANSWER_FIELDS = frozenset(("id", "object", "model", "choices", "usage", "error"))
_CHOICE_FIELDS = frozenset(("index", "text", "finish_reason", "delta"))
_ONE_TEXT = "Send one user message of text alone, or choose a model with a chat API."
_SHOWN = 80


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming the first parameter that it can't take."""
    warnings: list[str] = []
    request = without_ignored(request, facts, warnings)
    _refuse(request, facts)
    if request.prompt_cache is not None:
        from .prompt_cache import without_controls

        without_controls(request, warnings)
    extra = extra_of(request, PROTOCOL, warnings)
    names = facts.get("param_names", {})
    body = {names.get(key, key): value for key in _PLAIN if (value := getattr(request, key)) is not None}
    if request.stop:
        body[names.get("stop", "stop")] = list(request.stop)
    if request.stream:
        body |= {"stream": True}
        body |= {"stream_options": {"include_usage": True}} if facts.get("stream_usage", True) else {}
    prompt = {} if "prompt" in extra else {"prompt": _prompt(request.messages, warnings)}
    return Encoded(_as_bytes({**body, **prompt, **extra}), warnings=tuple(warnings))


def _refuse(request: ChatRequest, facts: Facts) -> None:
    beyond = (name for name in _BEYOND if name != "top_k" or name not in facts.get("supports", ()))
    for name in (*facts.get("unsupported", ()), *beyond):
        if is_set(request, name):
            raise UnsupportedParameterError(f"{name!r} can't be sent: a completion of text has none.", param=name)


def _prompt(messages: tuple[ChatMessage, ...], warnings: list[str]) -> str:
    """The one user message's text."""
    if len(messages) != 1 or messages[0].role != "user":
        roles = ", ".join(repr(message.role) for message in messages[:5]) or "no messages"
        raise _no_prompt(f"A completion continues one text, and the request has {roles}.")
    other = next((type(part).__name__ for part in messages[0].parts if not isinstance(part, TextPart)), None)
    if other is not None:
        raise _no_prompt(f"A completion continues one text, and the message holds a {other}.")
    for noted in (messages[0], *messages[0].parts):
        warnings += [f"{name!r} left out: a prompt is bare text" for name in getattr(noted, "metadata", EMPTY)]
    return messages[0].text


def _no_prompt(why: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(why, fix=_ONE_TEXT, param="messages")


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error object inside it, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason})", status, headers))
    if found := error_inside(answer):
        return Err(found.error(found.status, request_id=request_id(headers)))
    choices = records(answer.get("choices")) if isinstance(answer, dict) else []
    if not choices:
        return Err(_unreadable("The answer has no choices.", status, headers))
    return Ok(
        Completion(
            tuple(_choice(choice, place) for place, choice in enumerate(choices)),
            usage=read_usage(answer),
            metadata=leftovers(answer, _ANSWER_FIELDS),
            id=_word(answer, "id"),
            model=_word(answer, "model"),
        )
    )


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def _word(answer: dict[str, Any], key: str) -> str | None:
    value = answer.get(key)
    return value if isinstance(value, str) else None


def _choice(choice: dict[str, Any], place: int) -> Choice:
    text = _text(choice)
    message = ChatMessage("assistant", (TextPart(text),) if text else ())
    reason, raw = finish_reason(choice.get("finish_reason"))
    return Choice(message, reason, raw, _index(choice, place), _noted(leftovers(choice, _CHOICE_FIELDS)))


def _text(choice: dict[str, Any]) -> str:
    text = choice.get("text")
    return text if isinstance(text, str) else ""


def _index(choice: dict[str, Any], place: int) -> int:
    index = choice.get("index")
    return index if type(index) is int else place


def _noted(fields: dict[str, Any]) -> Metadata:
    return {PROTOCOL: fields} if fields else EMPTY


class StreamDecoder(ChoiceEvents):
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        super().__init__()
        self._extras: dict[int, dict[str, Any]] = {}
        self._finished: set[int] = set()

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        chunks: list[StreamChunk] = []
        try:
            events = [] if self._is_over() else self._sse.feed(data)
        except FramingError as reason:
            self._fail(f"The stream is malformed: {reason}.")
            return chunks
        for name, payload in events:
            if not self._is_over():
                self._payload(name, payload, chunks)
        return chunks

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        chunks: list[StreamChunk] = []
        for name, payload in () if self._is_over() else self._sse.close():
            self._payload(name, payload, chunks, cut=True)
        if not self._is_over():
            whole = self._finished == self._extras.keys()
            self._finish(chunks, "" if whole else "The stream broke off before its end.")
        return chunks

    def _any_finished(self) -> bool:
        return bool(self._finished)

    def _metadata(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        named = {key: value for key in ("id", "model") if (value := _word(event, key)) is not None}
        self._tell(leftovers(event, _ANSWER_FIELDS) | named, chunks)

    def _choice(self, choice: dict[str, Any], chunks: list[StreamChunk]) -> None:
        index = _index(choice, 0)
        grow(self._extras.setdefault(index, {}), leftovers(choice, _CHOICE_FIELDS))
        if text := _text(choice):
            chunks.append(StreamChunk(text, index=index))
        reason, raw = finish_reason(choice.get("finish_reason"))
        if raw is not None:
            self._finished.add(index)
            chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw, index=index))
        if found := error_inside(choice):
            self.error = stream_error(found)

    def _finish(self, chunks: list[StreamChunk], problem: str) -> None:
        """The end, as it should be or not; what is only known now is told either way."""
        if told := {index: _noted(extras) for index, extras in self._extras.items() if extras}:
            chunks.append(StreamChunk(metadata={"choices": told}))
        if not self._extras:
            self._fail("The stream ended without an answer.")
        elif problem:
            self._fail(problem)
        else:
            self.done = True


_as_bytes = body_writer()

__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
