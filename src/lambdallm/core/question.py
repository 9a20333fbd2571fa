"""What an invocation asks, made of what the function gave: prompts and text, variables and options, a session."""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from ..llm.flow import NOW
from ..llm.types import EMPTY, ChatMessage
from .asking import Question
from .prompt import Prompt
from .template import variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.types import ChatRequest
    from .calls import Route
    from .context import LambdaLLMContext

_OF_THE_PROMPT = ("system_prompt", "model", "max_tokens", "temperature")
_OF_THE_CALL = ("max_retries", "timeout", "cache", "session")


class Given:
    """A prompt with its variables, and how it is to be asked.

    A keyword that the template names is a variable always. Those that are none may be `system_prompt`, `model`,
    `max_tokens` and `temperature`, which are laid over the prompt, and `max_retries`, `timeout` (seconds), `cache` and
    `session`, which are the call's.
    """

    def __init__(self, context: LambdaLLMContext, prompt: str | Prompt, kwargs: Mapping[str, Any]) -> None:
        if isinstance(prompt, Prompt):
            named, made = prompt.variables, prompt
        else:
            named = [*variables(str(prompt)), *variables(str(kwargs.get("system_prompt") or ""))]
            settings = context.settings
            project: dict[str, Any] = {"max_tokens": settings.max_tokens, "temperature": settings.temperature}
            made = Prompt(prompt, **{name: value for name, value in project.items() if value is not None})
        own = {key: value for key, value in kwargs.items() if key not in named}
        options = {key: own[key] for key in _OF_THE_PROMPT if key in own}
        self.prompt = made.with_options(options) if options else made
        self.call = {key: own[key] for key in _OF_THE_CALL if key in own}
        taken = options.keys() | self.call.keys()
        self.values = {key: value for key, value in kwargs.items() if key not in taken}


def timed(call: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """A call's options with a deadline in the place of a `timeout`."""
    rest = {name: value for name, value in call.items() if name != "timeout"}
    seconds = call.get("timeout")
    return rest if seconds is None else {**rest, "deadline": (yield NOW).monotonic + seconds}


def of_prompt(
    context: LambdaLLMContext,
    prompt: Prompt,
    values: Mapping[str, Any],
    history: Sequence[ChatMessage] = (),
    *,
    model: Any = None,
    max_retries: int | None = None,
    deadline: float | None = None,
    schema: object = None,
    cache: bool = True,
) -> Question:
    """What asking with a prompt asks; `history` is what was said before, and the prompt knows where it stands."""
    options = {"max_tokens": prompt.max_tokens, "temperature": prompt.temperature}
    shape = prompt.shape if schema is None else None if schema is str else schema
    return of_messages(
        context,
        prompt.messages(values, history),
        {name: value for name, value in options.items() if value is not None},
        model=model or prompt.model,
        max_retries=max_retries,
        deadline=deadline,
        shape=shape,
        cache=cache,
    )


def of_messages(
    context: LambdaLLMContext,
    messages: tuple[ChatMessage, ...],
    options: Mapping[str, Any] = EMPTY,
    *,
    model: Any = None,
    max_retries: int | None = None,
    deadline: float | None = None,
    shape: object = None,
    cache: bool = True,
) -> Question:
    """What asking with messages asks. The earlier of the two deadlines holds, the call's and the invocation's."""
    limits = [limit for limit in (deadline, context.deadline) if limit is not None]
    return Question(
        messages,
        _models(context, model, lambda: _request(messages, options, shape)),
        options,
        shape,
        context.settings.max_retries if max_retries is None else max_retries,
        min(limits, default=None),
        cache,
    )


def _models(context: LambdaLLMContext, model: Any, request: Callable[[], ChatRequest]) -> tuple[str | Route, ...]:
    """Who is asked, one after another: what the call or its prompt names, else what the router says, else the handler's
    model; the fallback model behind each."""
    settings = context.settings
    if model is not None:
        first: tuple[str | Route, ...] = (str(model),)
    elif settings.router is not None:
        from .router import routed

        first = routed(settings.router, request(), context)
    else:
        first = (str(settings.model),)
    if settings.fallback_model is None:
        return first
    return (*first, *(name for name in (str(settings.fallback_model),) if name not in first))


def _request(messages: tuple[ChatMessage, ...], options: Mapping[str, Any], shape: object) -> ChatRequest:
    """The question as a router sees it: a request to nobody yet."""
    from ..llm.types import ChatRequest, ResponseFormat

    request = ChatRequest("", messages, **options)
    if shape is None:
        return request
    return request.replace(response_format=ResponseFormat("json_schema"))


def after(history: Sequence[ChatMessage], messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    """A prompt's conversation with what was said before it after its system messages."""
    if not history:
        return messages
    begin = next((at for at, message in enumerate(messages) if message.role not in ("system", "developer")), 0)
    return (*messages[:begin], *history, *messages[begin:])


def said(messages: Sequence[ChatMessage]) -> tuple[ChatMessage, ...]:
    """What of a prompt's conversation is the user's own turn, for a session to keep: what follows the last answer.

    Examples and instructions are the prompt's, and come again with it.
    """
    turns = [message for message in messages if message.role not in ("system", "developer")]
    last = max((at for at, message in enumerate(turns) if message.role == "assistant"), default=-1)
    return tuple(turns[last + 1 :])


def schema_of(prompt: Prompt, schema: object) -> object:
    """The shape asked for. Raises `ConfigurationError` where there is none."""
    shape = prompt.shape if schema is None else schema
    if shape is None:
        raise ConfigurationError("invoke_structured has no schema.", fix="Pass one, or give the prompt output_schema.")
    return shape
