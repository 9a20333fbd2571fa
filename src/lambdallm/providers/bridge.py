"""The bridge from the client library's requests to a plug-in provider, as flows: retry and drivers are the same."""

from __future__ import annotations

from ..llm.errors import LLMError
from ..llm.flow import NOW, Emit
from ..llm.models import ModelConfig
from ..llm.result import Err, Ok
from ..llm.retry import RetryPolicy, retried
from ..llm.types import ChatMessage, Choice, Completion, StreamChunk, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..llm.call import CallSettings
    from ..llm.flow import Flow
    from ..llm.models import ModelResponse
    from ..llm.result import Result
    from ..llm.streaming.record import StreamRecord
    from ..llm.types import ChatRequest, FinishReason
    from .base import BaseProvider


def chat(provider: BaseProvider, request: ChatRequest, settings: CallSettings) -> Flow[Result[Completion, LLMError]]:
    """The whole answer of a plug-in provider, under the same retry policy as any other."""

    def attempt() -> Flow[Result[Completion, LLMError]]:
        yield from ()
        try:
            return Ok(_completion(provider, provider.invoke(*_as_prompt(request))))
        except LLMError as error:
            return Err(error.located(type(provider).__name__, request.model))

    return (yield from retried(attempt, RetryPolicy(settings.max_retries, settings.deadline)))


def stream_chat(provider: BaseProvider, request: ChatRequest, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    """The answer piece by piece, as the plug-in gives it."""
    record.begun = (yield NOW).monotonic
    record.attempts += 1
    try:
        for text in provider.stream(*_as_prompt(request)):
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            chunks = [StreamChunk(text)]
            record.add(chunks)
            yield Emit(chunks)
    except LLMError as error:
        return Err(record.explained(error.located(type(provider).__name__, request.model)))
    record.ended = (yield NOW).monotonic
    return Ok(None)


def _as_prompt(request: ChatRequest) -> tuple[str, ModelConfig]:
    """A request in the small interface's words: its system messages, and the rest as one prompt."""
    system = "\n\n".join(message.text for message in request.messages if message.role == "system")
    turns = [message for message in request.messages if message.role != "system"]
    prompt = turns[0].text if len(turns) == 1 else "\n\n".join(f"{turn.role}: {turn.text}" for turn in turns)
    options = {"max_tokens": request.max_tokens, "temperature": request.temperature}
    shape = request.response_format.schema if request.response_format else None
    given = {name: value for name, value in options.items() if value is not None}
    return prompt, ModelConfig(request.model, system_prompt=system or None, output_schema=shape, **given)  # type: ignore[arg-type]  # names and kinds agree


_FINISHED: dict[str, FinishReason] = {
    "length": "length", "max_tokens": "length", "content_filter": "content_filter", "refusal": "refusal",
}  # fmt: skip
"""What a plug-in's word says beyond a whole answer."""


def _completion(provider: BaseProvider, response: ModelResponse) -> Completion:
    message = ChatMessage("assistant", response.content)
    usage = response.usage or Usage(response.tokens_in, response.tokens_out)
    return Completion(
        (Choice(message, _FINISHED.get(response.finish_reason or "", "stop"), response.finish_reason),),
        usage=usage,
        model=response.model_id,
        provider=type(provider).__name__,
        cost_usd=response.cost_usd,
        latency_ms=response.latency_ms,
        metadata=response.metadata,
    )
