"""Ask, read, and ask again: the extraction of a structure as one flow over a hook that makes one call.

The conversation goes on with the model's own answer and what is wrong with it. Not asked again: what was cut off (it
would be again), what was refused, what failed at the provider, and what there is no time left for. A way of asking that
the provider refuses is given up for the next one, as long as nothing has been answered.
"""

from __future__ import annotations

from ..._value import Value
from ..errors import (
    ExtractionError,
    ExtractionMaxRetriesError,
    ExtractionParseError,
    LLMContentFilterError,
)
from ..flow import NOW, Perform
from ..result import Err, Ok
from ..tally import Tally
from ..types import ChatMessage, TextPart, ToolResult
from .extraction import Extraction
from .modes import refuses_the_mode
from .output_model import mismatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result
    from ..types import Completion, ToolCall
    from .modes import Ask
    from .output_model import OutputModel

    Messages = tuple[ChatMessage, ...]
    Call = Callable[[Messages, Ask], Any]


class Wanted(Value):
    """What is asked: the output model, the conversation, the ways to ask in order, and how often to ask again.

    The modes that a provider refuses are added to `refused`, for the next extraction of the same kind to know. After
    the `deadline`, a reading of the monotonic clock, nothing is asked again.
    """

    model: OutputModel
    messages: tuple[ChatMessage, ...]
    asks: tuple[Ask, ...]
    max_retries: int
    refused: set[str]
    deadline: float | None = None


def extract(wanted: Wanted, call: Callable[[Messages, Ask], Any]) -> Flow[Result[Extraction[Any], LLMError]]:
    """The value, or the error that ended the tries. `call` makes one call: a `Result`, or what awaits to one."""
    tally = Tally()
    result: Any = Err(ExtractionParseError("No mode was given."))
    for ask in wanted.asks:
        result = yield from _asked(wanted, ask, call, tally)
        if isinstance(result, Ok) or not may_ask_otherwise(result.error, tally):
            break
        wanted.refused.add(ask.mode)
    return result if isinstance(result, Ok) else Err(tally.on(result.error))


def may_ask_otherwise(error: LLMError, tally: Tally) -> bool:
    """Whether the next way of asking may be taken: this one was refused, and nothing has come yet."""
    return not tally.begun and refuses_the_mode(error)


def _asked(
    wanted: Wanted, ask: Ask, call: Callable[[Messages, Ask], Any], tally: Tally
) -> Flow[Result[Extraction[Any], LLMError]]:
    """Ask one way, again while the answer is wrong."""
    messages = with_words(wanted.messages, ask.words)
    for left in range(wanted.max_retries, -1, -1):
        reply = yield Perform(_once(call, messages, ask))
        if isinstance(reply, Err):
            tally.failed(reply.error)
            return reply
        completion: Completion = reply.value
        tally.answered(completion)
        try:
            value, _ = read_answer(completion, wanted.model, ask)
            return Ok(extracted(value, completion, ask, tally))
        except ExtractionError as error:
            if completion.finish_reason == "length" or not left or (yield from _is_late(wanted.deadline)):
                return Err(final_error(error, completion, wanted.max_retries, wanted.max_retries - left + 1))
            messages = (*messages, *_told(completion, error, ask))
        except LLMContentFilterError as error:
            return Err(located(error, completion))
    raise AssertionError("max_retries is negative")


def _is_late(deadline: float | None) -> Flow[bool]:
    if deadline is None:
        return False
    now: float = (yield NOW).monotonic
    return now >= deadline


def _once(call: Callable[[Messages, Ask], Any], messages: Messages, ask: Ask) -> Callable[[], Any]:
    return lambda: call(messages, ask)


def extracted(value: Any, completion: Completion, ask: Ask, tally: Tally) -> Extraction[Any]:
    """A value with the bill of all tries so far."""
    return Extraction(
        value,
        completion,
        ask.mode,
        tally.usage,
        tally.cost_usd,
        tally.attempts,
        (*ask.warnings, *completion.warnings),
    )


def with_words(messages: Messages, words: str) -> Messages:
    """The conversation with a rule at the end of its system prompt."""
    if not words:
        return messages
    if messages and messages[0].role in ("system", "developer"):
        first = messages[0]
        rule = f"{first.content}\n\n{words}" if isinstance(first.content, str) else (*first.content, TextPart(words))
        return (first.replace(content=rule), *messages[1:])
    return (ChatMessage("system", words), *messages)


def read_answer(completion: Completion, model: OutputModel, ask: Ask) -> tuple[Any, Any]:
    """The value in an answer, and the JSON that it was made of.

    Raises `ExtractionParseError` and `ExtractionValidationError`, and `LLMContentFilterError` where the model declined.
    """
    if completion.refusal is not None or completion.finish_reason in ("refusal", "content_filter"):
        words = completion.refusal or completion.text
        raise LLMContentFilterError(f"The model declined to answer: {words!r}.")
    calls = [each for each in completion.tool_calls if ask.tool is not None and each.name == ask.tool.name]
    if not calls:
        return model.find(completion.text)
    return _first_fit(calls, model)


def _first_fit(calls: list[ToolCall], model: OutputModel) -> tuple[Any, Any]:
    """The value of the first call whose arguments fit; else the first call's error."""
    errors: list[ExtractionError] = []
    for each in calls:
        try:
            return _of_call(each, model)
        except ExtractionError as error:
            errors.append(error)
    raise errors[0]


def _of_call(each: ToolCall, model: OutputModel) -> tuple[Any, Any]:
    if each.arguments is None:
        return model.find(each.arguments_json or "")
    made, wrong = model.build(each.arguments)
    if wrong:
        raise mismatch(wrong, _arguments(each))
    return made, each.arguments


def _arguments(each: ToolCall) -> str:
    if each.arguments_json is not None:
        return each.arguments_json
    import json

    return json.dumps(each.arguments, default=repr)


def final_error(error: ExtractionError, completion: Completion, max_retries: int, tries: int = 1) -> LLMError:
    """The error to end with: the last one as it is where asking again was not wanted, or could not have helped."""
    if completion.finish_reason == "length":
        cut = ExtractionParseError(
            "The answer was cut off at the limit of tokens, before it was whole.",
            text=error.text,
            problems=error.problems,
            fix="Raise max_tokens, or ask for less.",
        )
        cut.__cause__ = error
        return located(cut, completion)
    if not max_retries:
        return located(error, completion)
    message = f"No valid structure in {tries} {'try' if tries == 1 else 'tries'}. {error.message}"
    exhausted = ExtractionMaxRetriesError(message, text=error.text, problems=error.problems)
    exhausted.__cause__ = located(error, completion)
    return located(exhausted, completion)


def located(error: LLMError, completion: Completion) -> LLMError:
    """The error, told which model's answer it is about."""
    error.provider, error.model = error.provider or completion.provider, error.model or completion.model
    return error


def _told(completion: Completion, error: ExtractionError, ask: Ask) -> Messages:
    """The model's own answer, and what is wrong with it in the form that its kind of answer takes."""
    wrong = "\n".join(f"- {problem}" for problem in error.problems) or "- It holds no JSON."
    text = f"That answer is not what was asked for:\n{wrong}\n"
    own = (completion.message,) if completion.message.parts else ()
    if completion.tool_calls:
        results = tuple(
            ToolResult(each.id, f"{text}Call {each.name} again with corrected arguments.", each.name, is_error=True)
            for each in completion.tool_calls
        )
        return (*own, ChatMessage("tool", results))
    again = f"Call {ask.tool.name}." if ask.tool is not None else "Answer again with the corrected JSON alone."
    return (*own, ChatMessage("user", text + again))
