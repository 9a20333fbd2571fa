"""What the context's methods do, as flows: those that block and those that await run the same."""

from __future__ import annotations

from ..llm.result import Ok
from .question import Given, after, of_messages, said, schema_of, timed
from .question import of_prompt as question_of_prompt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..llm.coerce import Messages, Tool
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.types import Completion
    from .prompt import Prompt


def text(context: Any, prompt: str | Prompt, kwargs: Mapping[str, Any]) -> Flow[str]:
    """The text of an answer, whatever shape the prompt has."""
    given = Given(context, prompt, kwargs)
    call = yield from timed(given.call)
    answer = yield from context.asked(given.prompt, given.values, **call, schema=str)
    return str(answer.unwrap().value)


def structure(context: Any, prompt: str | Prompt, schema: object, kwargs: Mapping[str, Any]) -> Flow[Any]:
    """The data of an answer. A keyword `schema` that no template names is the schema."""
    given = Given(context, prompt, kwargs)
    if schema is None and "schema" not in given.prompt.variables:
        schema = given.values.pop("schema", None)
    shape = schema_of(given.prompt, schema)
    call = yield from timed(given.call)
    answer = yield from context.asked(given.prompt, given.values, **call, schema=shape)
    return answer.unwrap().value


def of_prompt(context: Any, prompt: Prompt, values: Mapping[str, Any]) -> Flow[Any]:
    """What a prompt asks for: text, or data of its shape."""
    return (yield from context.asked(prompt, values)).unwrap().value


def completion(
    context: Any,
    messages: Messages,
    tools: Iterable[Tool | Callable[..., Any]] | None,
    session: bool,
    options: Mapping[str, Any],
) -> Flow[Completion]:
    """The whole answer to a conversation."""
    from ..llm.coerce import messages_of, options_of
    from ..llm.options import check_options
    from ..llm.types import ChatRequest
    from .asking import asked

    check_options(options, (*_OF_A_CALL, *(name for name in ChatRequest._fields if name not in _NOT_AN_OPTION)))
    call = yield from timed({name: options[name] for name in _OF_A_CALL if name in options})
    given = {name: value for name, value in options.items() if name not in _OF_A_CALL}
    if tools is not None:
        given["tools"] = [_tool(tool) for tool in tools]
    project = {"max_tokens": context.settings.max_tokens, "temperature": context.settings.temperature}
    turns = messages_of(messages)
    history = (yield from context.opened_session()).messages if session else ()
    question = of_messages(context, after(history, turns), options_of({**project, **given}), **call)
    answer = (yield from asked(context, question)).unwrap()
    if session:
        context._session.add(*said(turns), answer.completion.message)
    result: Completion = answer.completion
    return result


_OF_A_CALL = ("model", "max_retries", "timeout", "cache")
_NOT_AN_OPTION = ("model", "messages", "tools", "stream", "dialect")


def _tool(given: Any) -> Tool:
    """A tool; a Python function is told to the model by its signature and docstring."""
    if callable(given) and not hasattr(given, "parameters"):
        from .tools import tool_of

        return tool_of(given)
    return given  # type: ignore[no-any-return]


class Streaming:
    """A stream that is asked for: its record, and its flow once somebody reads."""

    def __init__(self, context: Any, prompt: str | Prompt, kwargs: Mapping[str, Any]) -> None:
        from ..llm.streaming.record import StreamRecord

        self._context, self._given = context, Given(context, prompt, kwargs)
        self.record = StreamRecord(None)

    def flow(self) -> Flow[Result[None, LLMError]]:
        """The flow that emits the chunks."""
        from .streams import streamed

        context, given = self._context, self._given
        call = yield from timed(given.call)
        session = call.pop("session", False)
        history = (yield from context.opened_session()).messages if session else ()
        question = question_of_prompt(context, given.prompt, given.values, history, **call).replace(shape=None)
        result = yield from streamed(context, question, self.record)
        if session and isinstance(result, Ok):
            context._session.add(*said(given.prompt.messages(given.values)), self.record.completion().message)
        return result
