"""The bridge from the client library's requests to a plug-in provider, as flows: retry and drivers are the same.

A plug-in blocks. Where an event loop has to go on meanwhile it gets a worker thread, and is waited for up to the
deadline; elsewhere it is called in place, nobody can interrupt it, and the deadline holds between its pieces.
"""

from __future__ import annotations

from ..llm.backends.aside import aside
from ..llm.drivers.failures import as_llm_error
from ..llm.errors import LLMError, ProviderTimeoutError
from ..llm.flow import NOW, Emit
from ..llm.models import ModelConfig
from ..llm.result import Err, Ok
from ..llm.retry import RetryPolicy, retried
from ..llm.types import ChatMessage, Choice, Completion, StreamChunk, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

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
        given = yield from _given_by(lambda: provider.invoke(*_as_prompt(request)), settings.deadline)
        if isinstance(given, Err):
            return Err(given.error.located(type(provider).__name__, request.model))
        return Ok(_completion(provider, given.value))

    return (yield from retried(attempt, RetryPolicy(settings.max_retries, settings.deadline)))


def stream_chat(
    provider: BaseProvider, request: ChatRequest, record: StreamRecord, deadline: float | None = None
) -> Flow[Result[None, LLMError]]:
    """The answer piece by piece, as the plug-in gives it."""
    record.begun = (yield NOW).monotonic
    record.attempts += 1
    texts: Any = iter(provider.stream(*_as_prompt(request)))
    try:
        while True:
            given = yield from _given_by(lambda: next(texts, None), deadline)
            if isinstance(given, Err):
                return Err(record.explained(given.error.located(type(provider).__name__, request.model)))
            if given.value is None:
                break
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            chunks = [StreamChunk(given.value)]
            record.add(chunks)
            yield Emit(chunks)
    finally:
        if not getattr(texts, "gi_running", False):  # else a thread is in it yet, and the last to hold it
            getattr(texts, "close", lambda: None)()
    record.ended = (yield NOW).monotonic
    return Ok(None)


def _given_by(function: Callable[[], Any], deadline: float | None) -> Flow[Result[Any, LLMError]]:
    """What a plug-in gives; what it raises that is no failure of a call is raised."""
    seconds = None if deadline is None else max(deadline - (yield NOW).monotonic, 0.0)
    if seconds == 0.0:
        return Err(ProviderTimeoutError("The deadline has passed."))
    result = yield from aside(function, seconds)
    if isinstance(result, Ok) or isinstance(result.error, LLMError):
        return result  # type: ignore[return-value]  # its error is the one, by this line
    if isinstance(result.error, TimeoutError):
        return Err(as_llm_error(result.error, seconds))
    raise result.error


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
