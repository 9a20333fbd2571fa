"""What the filters make of messages, of an answer, and of an answer's chunks: one call's screen.

Every text of an answer is a channel of its own: the text, the thinking and the refusal of each block of each choice,
and the arguments of each tool call. A block's channel ends where the next block of its choice begins, and at the finish
reason; so no text overtakes another, and a match that spans two blocks is none.

What the provider sends beside the texts may repeat them: the strings in citations, metadata and hosted tools' blocks
are filtered each by itself; log probabilities, which spell the text token by token, are left out. A signature does not
go with thinking that was changed: it would prove something else.
"""

from __future__ import annotations

import json

from ..errors import ExtractionError, LambdaLLMError, LLMContentFilterError, LLMError
from ..types import DocumentPart, ProviderPart, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolResult
from .arguments import arguments_text
from .channel import leaves, through
from .filters import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..routing.decision import RoutingDecision
    from ..types import ChatMessage, Choice, Completion, Metadata, Part
    from .channel import Stage
    from .filters import OutputFilter
    from .report import Report, Way
    from .vault import Vault

_SPELLED = ("logprobs", "logprobsResult")
_LEFT_OUT = "The log probabilities were left out: they spell the text that the filters may change."


class Screen:
    """The filters of one direction, for one call."""

    def __init__(self, filters: Sequence[OutputFilter], way: Way, report: Report, vault: Vault | None = None) -> None:
        stages = [(one, report.tally(way, one.label(), vault)) for one in filters]
        self.stages: dict[str, list[Stage]] = {
            kind: [stage for stage in stages if kind in stage[0].covers] for kind in KINDS
        }
        self.spelled_out = False

    def messages(self, messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
        """The messages with every text in them filtered; those given are not changed. Raises what blocks."""
        return tuple(self.message(message) for message in messages)

    def message(self, message: ChatMessage) -> ChatMessage:
        """One message, filtered; itself where nothing changes."""
        content = self.content(message.content)
        metadata = leaves(self.stages["text"], message.metadata)
        if content is message.content and metadata is message.metadata:
            return message
        return message.replace(content=content, metadata=metadata)

    def content(self, content: str | tuple[Part, ...]) -> str | tuple[Part, ...]:
        """The content of a message or a tool's result, filtered; itself where nothing changes."""
        if isinstance(content, str):
            passed = through(self.stages["text"], content)
            return content if passed == content else passed
        parts = tuple(self.part(part) for part in content)
        return content if all(map(_same, parts, content)) else parts

    def part(self, part: Part) -> Part:
        """One part of a message, filtered; itself where nothing changes."""
        filtered: Part = _PARTS.get(type(part), _as_it_is)(self, part)
        return part if filtered == part else filtered

    def completion(self, answer: Completion) -> Completion:
        """A whole answer, filtered. Raises what blocks, which knows what the answer has used and cost."""
        try:
            choices = tuple(self._choice(choice) for choice in answer.choices)
            metadata = self.beside(answer.metadata)
        except LLMContentFilterError as error:
            raise charged(error, answer) from None
        return self.told(answer.replace(choices=choices, metadata=metadata))

    def told(self, answer: Completion) -> Completion:
        """The answer with what it tells of its call filtered, and of what the filters left out: warnings and route."""
        warnings = [*map(self._quoted, answer.warnings), *((_LEFT_OUT,) if self.spelled_out else ())]
        return answer.replace(warnings=tuple(warnings), routing=self._route(answer.routing))

    def _route(self, routing: RoutingDecision | None) -> RoutingDecision | None:
        """How a router chose, the errors in it filtered."""
        if routing is None:
            return None
        attempts = (attempt.replace(error=self._quoted(attempt.error)) for attempt in routing.attempts)
        return routing.replace(attempts=tuple(attempts))

    def _quoted(self, text: str) -> str:
        """What an error or a warning says, filtered; one that a filter blocks says that alone."""
        try:
            return through(self.stages["error"], text)
        except LLMContentFilterError as error:
            return f"What it said was blocked by the filter {error.code!r}."

    def _choice(self, choice: Choice) -> Choice:
        return choice.replace(message=self.message(choice.message), metadata=self.beside(choice.metadata))

    def beside(self, metadata: Metadata) -> Metadata:
        """What the provider says beside the texts."""
        if not metadata or not self.stages["text"]:
            return metadata
        spoken: Metadata = self._unspelled(metadata)
        filtered: Metadata = leaves(self.stages["text"], spoken)
        return filtered

    def _unspelled(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        self.spelled_out = self.spelled_out or any(value.get(key) for key in _SPELLED)
        return {key: self._unspelled(item) for key, item in value.items() if key not in _SPELLED}

    def error(self, error: LLMError) -> LLMError:
        """An error whose copies of the model's words are filtered, as are those of what caused it.

        What a filter blocks is gone. Of causes that are not ours, the network's alone are kept: others may quote.
        """
        self._clean(error, set())
        return error

    def _clean(self, error: LambdaLLMError, seen: set[int]) -> None:
        seen.add(id(error))
        error.message = self._quoted(error.message)
        error.args = (error.message,)
        if isinstance(error, LLMError):
            self._clean_answer(error)
        for link in ("__cause__", "__context__"):
            other = getattr(error, link)
            if isinstance(other, LambdaLLMError):
                if id(other) not in seen:
                    self._clean(other, seen)
            elif not isinstance(other, OSError):
                setattr(error, link, None)

    def _clean_answer(self, error: LLMError) -> None:
        """The parts of an answer that an error holds."""
        error.routing = self._route(error.routing)
        try:
            if error.partial is not None:
                error.partial = self.completion(error.partial)
            if isinstance(error, ExtractionError):
                error.problems = tuple(map(self._quoted, error.problems))
                error.text = through(self.stages["text"], error.text)
        except LLMContentFilterError:
            error.partial = None
            if isinstance(error, ExtractionError):
                error.text = ""


def charged(error: LLMContentFilterError, answer: Completion) -> LLMContentFilterError:
    """A filter's refusal, told whose answer it stops and what that has used and cost."""
    error.usage, error.cost_usd, error.attempts = answer.usage, answer.cost_usd, answer.attempts
    if answer.routing is not None:
        error.routing = answer.routing
    return error.located(answer.provider or "", answer.model or "")


def _same(one: object, other: object) -> bool:
    return one is other


def _as_it_is(_screen: Screen, part: Any) -> Part:
    """Images, sounds and addresses hold no text that could be read here."""
    kept: Part = part
    return kept


def _text(screen: Screen, part: TextPart) -> Part:
    stages = screen.stages["text"]
    return TextPart(through(stages, part.text), leaves(stages, part.citations), leaves(stages, part.metadata))


def _refusal(screen: Screen, part: RefusalPart) -> Part:
    stages = screen.stages["refusal"]
    return RefusalPart(through(stages, part.text), leaves(stages, part.metadata))


def _reasoning(screen: Screen, part: ReasoningPart) -> Part:
    stages = screen.stages["thinking"]
    text, metadata = through(stages, part.text), leaves(stages, part.metadata)
    signature = part.signature if text == part.text else None
    return part.replace(text=text, metadata=metadata, signature=signature)


def _call(screen: Screen, part: ToolCall) -> Part:
    stages = screen.stages["tool_call"]
    metadata = leaves(stages, part.metadata)
    if part.arguments_json is not None:
        passed = arguments_text(stages, part.arguments_json)
        if passed != part.arguments_json:
            return ToolCall.from_json(part.id, part.name, passed, metadata)
    elif part.arguments is not None and stages:
        text = json.dumps(part.arguments)
        passed = arguments_text(stages, text)
        if passed != text:
            return part.replace(arguments=ToolCall.from_json("", "", passed).arguments, metadata=metadata)
    return part.replace(metadata=metadata)


def _result(screen: Screen, part: ToolResult) -> Part:
    return part.replace(content=screen.content(part.content), metadata=leaves(screen.stages["text"], part.metadata))


def _document(screen: Screen, part: DocumentPart) -> Part:
    """Plain text, also where it comes as bytes."""
    stages = screen.stages["text"]
    if part.text is not None:
        return part.replace(text=through(stages, part.text))
    if part.data is None or not (part.media_type or "").startswith("text/"):
        return part
    text = part.data.decode("utf-8", "surrogateescape")
    return part.replace(data=through(stages, text).encode("utf-8", "surrogateescape"))


def _provider(screen: Screen, part: ProviderPart) -> Part:
    return part.replace(value=leaves(screen.stages["text"], part.value))


_PARTS: dict[type, Callable[[Screen, Any], Part]] = {
    TextPart: _text,
    RefusalPart: _refusal,
    ReasoningPart: _reasoning,
    ToolCall: _call,
    ToolResult: _result,
    DocumentPart: _document,
    ProviderPart: _provider,
}
