"""A call between filters, as flows: filter the messages, ask, filter the answer. Both clients run the same.

What is blocked ends the call with `LLMContentFilterError`, or with the words that `on_block` gives instead; what the
answer had cost by then is kept either way.
"""

from __future__ import annotations

from ..coerce import messages_of
from ..errors import ConfigurationError, LLMContentFilterError
from ..flow import Emit, Perform
from ..result import Err, Ok
from ..streaming.accumulator import Accumulator
from ..streaming.record import StreamRecord
from ..types import EMPTY, ChatMessage, Choice, Completion, StreamChunk, Usage
from .chunks import ChunkScreen
from .report import Report
from .screen import Screen, charged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..coerce import Messages
    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result
    from .filters import InputFilter, OutputFilter

    OnBlock = str | Callable[[LLMContentFilterError], str | None] | None
    Messaged = tuple[ChatMessage, ...]


class Filters:
    """What a secured client is told: which filters each way, what to say for a blocked text, whether to undo names."""

    def __init__(
        self,
        input_filters: Sequence[InputFilter] = (),
        output_filters: Sequence[OutputFilter] = (),
        on_block: OnBlock = None,
        reversible: bool = False,
    ) -> None:
        self.input, self.output = _checked(input_filters), _checked(output_filters)
        self.on_block, self.reversible = on_block, reversible

    def instead(self, error: LLMContentFilterError) -> str | None:
        """What to say instead of a blocked text; `None` to fail with the error."""
        return self.on_block(error) if callable(self.on_block) else self.on_block


def _checked(filters: Sequence[OutputFilter]) -> tuple[OutputFilter, ...]:
    for one in filters:
        if isinstance(one, type) or not hasattr(one, "begin"):
            fix = "Give instances of OutputFilter or of its subclasses."
            raise ConfigurationError(f"{one!r} is no filter.", fix=fix)
    return tuple(filters)


class SecuredCall:
    """One call's screens, and what they did."""

    def __init__(self, filters: Filters) -> None:
        self._filters, self.report = filters, Report()
        self._vault = None
        after: tuple[OutputFilter, ...] = ()
        if filters.reversible:
            from .vault import RestoreFilter, Vault

            self._vault = Vault()
            after = (RestoreFilter(self._vault),)
        self._input = Screen(filters.input, "input", self.report, self._vault)
        self.output = Screen((*filters.output, *after), "output", self.report)

    def asked(self, messages: Messages) -> Messaged:
        """The messages as they may be sent. Raises `LLMContentFilterError` where a filter blocks one."""
        given = messages_of(messages)
        if self._vault is not None:
            for message in given:
                if message.role != "assistant":  # the model's own words hold placeholders of the same numbers
                    self._vault.avoid(repr(message.content))
        try:
            return self._input.messages(given)
        except LLMContentFilterError as error:
            error.sent, error.attempts = False, 0
            error.usage, error.cost_usd = Usage(), 0.0
            raise

    def answered(self, answer: Completion) -> Completion:
        """The answer as it may be handed on. Raises `LLMContentFilterError` where a filter blocks it."""
        return self.noted(self.output.completion(answer))

    def noted(self, answer: Completion) -> Completion:
        """The answer, told what the filters did."""
        told = self.report.as_metadata()
        if not told:
            return answer
        warnings = (*answer.warnings, *self.report.warnings())
        return answer.replace(metadata={**answer.metadata, SAFETY: told}, warnings=warnings)

    def blocked(self, error: LLMContentFilterError, answer: Completion) -> Result[Completion, LLMError]:
        """What a blocked call ends with: the error, or other words in the place of the answer's."""
        words = self._filters.instead(error)
        if words is None:
            return Err(error)
        choice = Choice(ChatMessage("assistant", words), "content_filter")
        warning = f"The filter {error.code!r} blocked the {'answer' if error.sent else 'request'}."
        bare = answer.replace(choices=(choice,), metadata=EMPTY, warnings=(*answer.warnings, warning))
        return Ok(self.noted(bare))

    def blocked_chunks(self, error: LLMContentFilterError) -> list[StreamChunk] | None:
        """The end of a blocked stream in other words; `None` to fail with the error."""
        words = self._filters.instead(error)
        return None if words is None else [StreamChunk(words), StreamChunk(finish_reason="content_filter")]


SAFETY = "safety"
"""The key in a completion's metadata: `{"output": {"secrets": {"GITHUB_TOKEN": 1}}}`."""

_UNASKED = Completion((), usage=Usage(), cost_usd=0.0, attempts=0)


def whole(call: SecuredCall, messages: Messages, ask: Callable[[Messaged], Any]) -> Flow[Result[Completion, LLMError]]:
    """A whole answer of a client's method, between the filters."""
    try:
        asked = call.asked(messages)
    except LLMContentFilterError as error:
        return call.blocked(error, _UNASKED)
    result = yield Perform(lambda: ask(asked))
    if isinstance(result, Err):
        return Err(call.output.error(result.error))
    try:
        return Ok(call.answered(result.value))
    except LLMContentFilterError as error:
        return call.blocked(error, result.value)


class SecuredRecord(StreamRecord):
    """What a filtered stream has handed on; what the call used and cost is its source's to know."""

    def __init__(self, call: SecuredCall) -> None:
        super().__init__(None)
        self._call = call
        self.source: Any = None

    @property
    def handed_on(self) -> bool:
        """Whether the reader has been given anything."""
        return bool(self._chunks)

    def facts(self) -> Completion:
        """What the source knows of the call; its words are not to be handed on."""
        if self.source is None:
            return _UNASKED
        known = getattr(self.source, "completion", None)
        return known if isinstance(known, Completion) else Completion(())

    def completion(self) -> Completion:
        """The answer as it was handed on."""
        accumulator = Accumulator()
        accumulator.add(self._chunks)
        said, facts = accumulator.completion(), self.facts()
        named = {name: getattr(said, name) for name in ("id", "model", "usage") if getattr(facts, name) is None}
        told = self._call.output.told(facts.replace(choices=said.choices, metadata=said.metadata, **named))
        return self._call.noted(told.replace(warnings=(*told.warnings, *self.warnings)))


def streamed(
    call: SecuredCall, messages: Messages, begin: Callable[[Messaged], Callable[[], Any]], record: SecuredRecord
) -> Flow[Result[None, LLMError]]:
    """A streamed answer between the filters: emits what they let go. `begin` opens the source."""
    try:
        asked = call.asked(messages)
    except LLMContentFilterError as error:
        return (yield from _stopped(call, error, record))
    following, screen = begin(asked), ChunkScreen(call.output)
    while True:
        chunk = yield Perform(following)
        ended = chunk is None or isinstance(chunk, Err)
        try:
            yield from _handed_on(screen.finish() if ended else screen.feed(chunk), record)
        except LLMContentFilterError as error:
            return (yield from _stopped(call, charged(error, record.facts()), record))
        if isinstance(chunk, Err):
            return Err(_explained(call, chunk.error, record))
        if chunk is None:
            return Ok(None)


def _handed_on(chunks: Sequence[StreamChunk], record: SecuredRecord) -> Flow[None]:
    if chunks:
        record.add(chunks)
        yield Emit(chunks)


def _stopped(call: SecuredCall, error: LLMContentFilterError, record: SecuredRecord) -> Flow[Result[None, LLMError]]:
    """The end of a blocked stream; the error's `partial` is what had been handed on."""
    chunks = call.blocked_chunks(error)
    if chunks is None:
        return Err(_explained(call, error, record))
    record.warnings = (f"The filter {error.code!r} blocked the {'answer' if error.sent else 'request'}.",)
    yield from _handed_on(chunks, record)
    return Ok(None)


def _explained(call: SecuredCall, error: LLMError, record: SecuredRecord) -> LLMError:
    """The error, with what was handed on as what had come."""
    if not record.handed_on:
        return call.output.error(error)
    error.partial = None
    call.output.error(error).partial = record.completion()
    return error
