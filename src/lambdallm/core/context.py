"""`LambdaLLMContext`: what a handler's function calls models with, and what it knows of its time and money.

The way to the models is imported by the first call: building a handler does not pay for it.
"""

from __future__ import annotations

import time

from ..llm.errors import ConfigurationError, MissingExtraError, NotYetError
from ..llm.types import ChatMessage, ChatRequest
from .metrics import Metrics
from .prompt import Prompt
from .template import variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar, overload

    from ..llm.call import CallSettings
    from ..llm.streaming.stream import ChatStream
    from ..llm.types import Completion
    from .calls import Route
    from .handler import HandlerSettings

    T = TypeVar("T")

_OPTIONS = ("system_prompt", "model", "max_tokens", "temperature")


class LambdaLLMContext:
    """One invocation: its event, its deadline, its cost, and the models.

    Names it does not define are those of AWS's own context: `context.aws_request_id`, `context.function_name`.
    """

    def __init__(self, settings: HandlerSettings, lambda_context: Any = None, event: Any = None) -> None:
        self.settings = settings
        self.lambda_context = lambda_context
        self.event = event
        self.metrics = Metrics()
        self.completions: list[Completion] = []
        self._deadline = _deadline(lambda_context, settings.timeout_buffer)

    @property
    def remaining_time_ms(self) -> int:
        """Milliseconds until Lambda stops the function; very many where there is no limit."""
        remaining = getattr(self.lambda_context, "get_remaining_time_in_millis", None)
        return int(remaining()) if remaining else 2**31 - 1

    @property
    def should_checkpoint(self) -> bool:
        """Whether what is left of the time is the reserve (`timeout_buffer`): save progress now."""
        return self.remaining_time_ms <= self.settings.timeout_buffer * 1000

    @property
    def total_cost(self) -> float:
        """US dollars spent by this invocation, as far as prices are known: see `unpriced_calls`."""
        return sum(answer.cost_usd or 0.0 for answer in self.completions)

    @property
    def unpriced_calls(self) -> int:
        """How many calls have an unknown cost, which `total_cost` leaves out."""
        return sum(answer.cost_usd is None for answer in self.completions)

    @property
    def session(self) -> Any:
        """The loaded session."""
        raise NotYetError("Sessions are not part of this version.")

    def invoke(self, prompt: str | Prompt, /, **kwargs: Any) -> str:
        """Ask the model and return its text.

            context.invoke("Hello {name}", name="World")

        Keywords are the template's variables; those that are none may be `system_prompt`, `model`, `max_tokens` and
        `temperature`. Raises `PromptError`, `LLMError`, `DeadlineExceededError`.
        """
        made, values = self._prompt(prompt, kwargs)
        return self._complete(made, values).text

    if TYPE_CHECKING:

        @overload
        def invoke_structured(self, prompt: str | Prompt, schema: type[T], /, **kwargs: Any) -> T: ...

        @overload
        def invoke_structured(
            self, prompt: str | Prompt, schema: Mapping[str, Any] | None = None, /, **kwargs: Any
        ) -> dict[str, Any]: ...

        @overload
        def invoke_structured(self, prompt: str | Prompt, schema: object, /, **kwargs: Any) -> Any: ...

    def invoke_structured(self, prompt: str | Prompt, schema: object = None, /, **kwargs: Any) -> Any:
        """Ask the model for data that matches `schema`, and ask again while its answer does not.

            context.invoke_structured("Rate {it}", {"score": float}, it="this")     # {"score": 0.9}
            context.invoke_structured("Rate {it}", Review, it="this")               # Review(score=0.9)

        `schema` is the shorthand, a JSON Schema, or a type (see `lambdallm.llm.structured`); without it the prompt's
        `output_schema`. Raises as `invoke` does, and `ExtractionError`: cut off, or no valid structure in three tries.
        """
        made, values = self._prompt(prompt, kwargs)
        shape = schema if schema is not None else kwargs.get("schema", made.output_schema)
        if shape is None:
            raise ConfigurationError(
                "invoke_structured has no schema.", fix="Pass one, or give the prompt output_schema."
            )
        return self._structured(made, {k: v for k, v in values.items() if k != "schema"}, shape)

    def invoke_prompt(self, prompt: Prompt, values: Mapping[str, Any]) -> str | dict[str, Any]:
        """Ask with a `Prompt`: text, or data where it has an `output_schema`."""
        if prompt.output_schema is None:
            return self._complete(prompt, values).text
        data: dict[str, Any] = self._structured(prompt, values, prompt.output_schema)
        return data

    def stream(self, prompt: str | Prompt, /, **kwargs: Any) -> ChatStream:
        """Ask the model and read its answer as it comes; keywords as for `invoke`.

        for text in context.stream("Summarise: {text}", text=text).texts():
            ...
        """
        from .calls import stream

        made, values = self._prompt(prompt, kwargs)
        build = self._builder(made, values)
        return stream(build, self._models(made), self._call_settings(), self._account)

    def get_raw_client(self, service: str) -> Any:
        """The escape hatch: a boto3 client for any AWS service. Raises `MissingExtraError` without boto3."""
        try:
            import boto3
        except ImportError as error:
            raise MissingExtraError(f"A raw {service!r} client", "deploy") from error
        return boto3.client(service)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (inner := self.__dict__.get("lambda_context")) is None:
            raise AttributeError(f"The context has no attribute {name!r}.")
        return getattr(inner, name)

    def _prompt(self, prompt: str | Prompt, kwargs: Mapping[str, Any]) -> tuple[Prompt, dict[str, Any]]:
        """The prompt and its variables. One given as text has the project's settings where the call names none."""
        if isinstance(prompt, Prompt):
            return _split(prompt, prompt.variables, kwargs)
        named = [*variables(str(prompt)), *variables(str(kwargs.get("system_prompt") or ""))]
        project = {"max_tokens": self.settings.max_tokens, "temperature": self.settings.temperature}
        made = Prompt(prompt, **{name: value for name, value in project.items() if value is not None})  # type: ignore[arg-type]  # names and kinds agree
        return _split(made, named, kwargs)

    def _complete(self, prompt: Prompt, values: Mapping[str, Any]) -> Completion:
        from .calls import complete

        answer = complete(self._builder(prompt, values), self._models(prompt), self._call_settings())
        self._account(answer)
        return answer

    def _structured(self, prompt: Prompt, values: Mapping[str, Any], shape: object) -> Any:
        from .structured import extract

        return extract(
            _messages(prompt, values),
            shape,
            self._models(prompt),
            deadline=self._deadline,
            call_retries=self.settings.max_retries,
            heard=self._account,
            max_tokens=prompt.max_tokens,
            temperature=prompt.temperature,
        )

    def _builder(self, prompt: Prompt, values: Mapping[str, Any]) -> Callable[[Route], ChatRequest]:
        messages = _messages(prompt, values)

        def build(route: Route) -> ChatRequest:
            return ChatRequest(
                route.target.model.id, messages, max_tokens=prompt.max_tokens, temperature=prompt.temperature
            )

        return build

    def _models(self, prompt: Prompt) -> tuple[str, ...]:
        first = str(prompt.model or self.settings.model)
        fallback = self.settings.fallback_model
        return (first,) if fallback is None or str(fallback) == first else (first, str(fallback))

    def _call_settings(self) -> CallSettings:
        from ..llm.call import CallSettings

        return CallSettings(deadline=self._deadline, max_retries=self.settings.max_retries)

    def _account(self, answer: Completion) -> None:
        self.completions.append(answer)
        record = self.metrics.record
        record("model.calls", 1)
        record("model.latency", answer.latency_ms or 0.0, "Milliseconds")
        if answer.usage is not None:
            record("model.tokens_in", answer.usage.input_tokens)
            record("model.tokens_out", answer.usage.output_tokens)
        if answer.cost_usd is not None:
            record("model.cost_usd", answer.cost_usd, "None")


def _deadline(lambda_context: Any, buffer_seconds: float) -> float | None:
    """When the last call to a model has to be over, as a reading of the monotonic clock."""
    remaining = getattr(lambda_context, "get_remaining_time_in_millis", None)
    return None if remaining is None else time.monotonic() + remaining() / 1000 - buffer_seconds


def _split(prompt: Prompt, named: list[str], kwargs: Mapping[str, Any]) -> tuple[Prompt, dict[str, Any]]:
    """Options laid over the prompt, and its variables: a keyword that the template names is a variable always."""
    options = {key: value for key, value in kwargs.items() if key in _OPTIONS and key not in named}
    values = {key: value for key, value in kwargs.items() if key not in options}
    return (prompt.with_options(options) if options else prompt), values


def _messages(prompt: Prompt, values: Mapping[str, Any]) -> tuple[ChatMessage, ...]:
    """The conversation that a prompt begins, filled in."""
    text, system = prompt.render(values)
    return (*((ChatMessage("system", system),) if system else ()), ChatMessage("user", text))
