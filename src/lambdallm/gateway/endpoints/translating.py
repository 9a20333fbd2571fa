"""A request of one protocol, answered by a model that speaks another: decoded, called, encoded."""

from __future__ import annotations

from ...core.flows import through
from ...llm.flow import Emit
from ...llm.result import Err, Ok
from ...llm.types import StreamChunk
from ..protocols import check_sayable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...llm.errors import LambdaLLMError
    from ...llm.flow import Effect, Flow
    from ...llm.result import Result
    from ...llm.types import ChatRequest, Completion
    from .chat import Call


def decoded(call: Call) -> ChatRequest:
    """What the client asks for. Raises `InvalidRequestError`, `UnsupportedParameterError` for what can't be said."""
    asked, target = call.asked, call.served.target
    request: ChatRequest = call.protocol.dialect.decode_request(asked.body, model=asked.model, stream=asked.stream)
    if target is not None:
        check_sayable(request, call.served.settings.wire or target.wire)
    return request


def whole(call: Call) -> Flow[Result[tuple[bytes, Completion], LambdaLLMError]]:
    """The answer's bytes, and what they say."""
    request = decoded(call)
    result = yield from call.served.chat(request, call.deadline)
    if isinstance(result, Err):
        return result
    answer = result.value if speaks_alike(call) else result.value.replace(id=None)
    body = call.protocol.dialect.encode_response(answer, as_told(call, request), id=call.id, created=call.created)
    return Ok((body, result.value))


def speaks_alike(call: Call) -> bool:
    """Whether the model's own ids are ids in the client's protocol."""
    target = call.served.target
    return target is not None and (call.served.settings.wire or target.wire) == call.protocol.name


def as_told(call: Call, request: ChatRequest) -> ChatRequest:
    """The request as an answer repeats it: of answers that no provider stores it does not say that they are."""
    if call.protocol.name != "openai_responses" or speaks_alike(call):
        return request
    return request.replace(extra={**request.extra, "store": False})


class Translated:
    """An answer in pieces, each encoded as it comes."""

    def __init__(self, call: Call) -> None:
        request = decoded(call)
        told = as_told(call, request)
        self._encoder: Any = call.protocol.dialect.StreamEncoder(told, id=call.id, created=call.created)
        self._speaks_alike = speaks_alike(call)
        self._flow, self._record = call.served.stream(request, call.deadline)
        self.has_begun = False

    def completion(self) -> Completion:
        """The answer from what has come."""
        return self._record.completion()

    def pieces(self) -> Flow[Result[None, LambdaLLMError]]:
        """Emit its bytes."""
        result = yield from through(self._flow, self._encoded)
        if isinstance(result, Err):
            return result
        self.has_begun = True
        yield Emit((self._encoder.close(),))
        return Ok(None)

    def _encoded(self, effect: Effect) -> Flow[Any]:
        if type(effect) is not Emit:
            return (yield effect)
        chunks = effect.items if self._speaks_alike else _without_ids(effect.items)
        if data := self._encoder.feed(chunks):
            self.has_begun = True
            yield Emit((data,))
        return None

    def cut_short(self, notice: str) -> bytes:
        """The bytes that end it early, with a notice as the last of its text."""
        return ended_early(self._encoder, notice, self.completion())

    def failed(self, error: LambdaLLMError) -> bytes:
        """The bytes that end it with an error."""
        failed: bytes = self._encoder.fail(error)
        return failed


def _without_ids(chunks: Sequence[StreamChunk]) -> list[StreamChunk]:
    return [
        chunk.replace(metadata={name: value for name, value in chunk.metadata.items() if name != "id"})
        if "id" in chunk.metadata
        else chunk
        for chunk in chunks
    ]


def ended_early(encoder: Any, notice: str, so_far: Completion) -> bytes:
    """What ends a stream that time has cut off: the notice, the reason `length`, and the protocol's own end."""
    last = StreamChunk(delta=notice, block=_NEXT_BLOCK if so_far.tool_calls or so_far.thinking else 0)
    told: bytes = encoder.feed((last, StreamChunk(finish_reason="length", block=last.block, usage=so_far.usage)))
    end: bytes = encoder.close()
    return told + end


_NEXT_BLOCK = 1_000_000
"""A block that no provider has counted to: the notice is text of its own where thoughts or calls came last."""
