"""`LambdaLLMContext`: one invocation, as its function and whatever stands around it know it.

How models are asked is in `asking`; the methods that a function calls for it are in `invoking` and `awaiting`. The way
to the models is imported by the first call: building a handler does not pay for it.
"""

from __future__ import annotations

import time

from ..llm.errors import ConfigurationError
from .awaiting import Awaiting
from .invoking import Invoking
from .metrics import Metrics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn

    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.types import Completion, Embeddings
    from ..runtime.records import Record
    from ..runtime.request import Request
    from .answer import Answer
    from .guards import CallGuard
    from .handler import HandlerSettings
    from .journal import Journal
    from .prompt import Prompt


class LambdaLLMContext(Invoking, Awaiting):
    """One invocation: its event, its deadline, its cost, its session, and the models.

    Names it does not define are those of AWS's own context: `context.aws_request_id`, `context.function_name`.
    """

    def __init__(
        self, settings: HandlerSettings, lambda_context: Any = None, event: Any = None, *, awaits: bool = False
    ) -> None:
        self.settings = settings
        self.lambda_context = lambda_context
        self.event = event
        self.awaits = awaits
        """Whether the handler's function is asynchronous."""
        self.metrics = Metrics(settings.metrics_sinks)
        self.completions: list[Completion] = []
        self.guards: list[CallGuard] = []
        """Told of every call to a model: see `guards`."""
        self.response_headers: dict[str, str] = {}
        """Sent with the response to an HTTP event, whatever it is."""
        self.truncated = False
        """Whether the function's time has cut off an answer: a stream, or any with `timeout_strategy="truncate"`."""
        self.deadline = _deadline(lambda_context, settings.timeout_buffer)
        """When the last call to a model has to be over, as a reading of the monotonic clock."""
        self.journal: Journal | None = None
        """The answers so far, where a later invocation may go on from them (`timeout_strategy="checkpoint"`)."""
        self.cache = settings.cache
        self._costs: list[float | None] = []
        self._session: Any = None
        self._session_loaded = False
        self._request: Request | None = None
        self.streams: list[Any] = []
        """The models' streams that the function has begun and not read to their end."""
        self.answer: Any = None
        """The pieces of the function's answer, where it comes in some and they go out one by one."""

    @property
    def driver(self) -> Any:
        """What performs flows in this invocation: `run(flow)` gives a value, in async handlers a coroutine."""
        if self.awaits:
            from ..llm.drivers.awaiting import shared_async_driver

            return shared_async_driver()
        from ..llm.drivers.blocking import shared_driver

        return shared_driver()

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
        """US dollars spent by this invocation, on failed calls too, as far as they are known: see `unpriced_calls`."""
        return sum(cost or 0.0 for cost in self._costs)

    @property
    def unpriced_calls(self) -> int:
        """How many calls have an unknown cost, which `total_cost` leaves out."""
        return sum(cost is None for cost in self._costs)

    @property
    def aws_request_id(self) -> str:
        """Lambda's id of this invocation; empty where there is none."""
        return str(getattr(self.lambda_context, "aws_request_id", None) or "")

    @property
    def session(self) -> Any:
        """The session that the event belongs to, loaded. Raises `ConfigurationError` without `handler(session=…)`."""
        if not self._session_loaded:
            if self.settings.session is None:
                raise _no_session()
            if self.awaits:
                fix = "Use it in the function; in middleware, call await context.driver.run(context.opened_session())."
                raise ConfigurationError("The session is loaded before the function, and not yet.", fix=fix)
            self.run(self.opened_session())
        return self._session

    def opened_session(self) -> Flow[Any]:
        """The flow that gives the session, loaded once: threads and tasks beside the first wait for it."""
        while not self._session_loaded:
            if self.settings.session is None:
                raise _no_session()
            from ..llm.flow import Await
            from ..llm.task import Signal

            done = Signal()
            first = self.__dict__.setdefault("_opening", done)
            if first is not done:
                yield Await((first,))
                continue
            try:
                yield from self._open_session()
            finally:
                del self.__dict__["_opening"]
                done.fire()
        return self._session

    def _open_session(self) -> Flow[None]:
        if self._session_loaded:
            return
        session = self._session = self._session or self.settings.session.opened(self.event, self)
        yield from session.loading()
        self.response_headers.update(getattr(session, "response_headers", {}))
        self._session_loaded = True

    def saving_session(self) -> Flow[None]:
        """The flow that saves the session, where it was loaded and has changed.

        What a summary asks a model is no call of the function's, so no checkpoint has it.
        """
        if not self._session_loaded or not self._session.modified:
            return
        journal, self.journal = self.journal, None
        try:
            yield from self._session.saving()
        finally:
            self.journal = journal

    def turn_to(self, event: Any) -> None:
        """Take the event that the middleware made of the one that came."""
        if event is not self.event:
            self.event, self._request = event, None

    @property
    def request(self) -> Request:
        """The HTTP request that the event carries. Raises `EventError` for any other event."""
        if self._request is None:
            from ..runtime.request import request_of

            self._request = request_of(self.event)
        return self._request

    @property
    def body(self) -> Any:
        """What was sent: an HTTP body, read by its type (JSON, form, text, bytes); of any other event the event itself.

        Raises `EventError` for a body that is not what its type says.
        """
        from .responses import is_http_event

        return self.request.content() if is_http_event(self.event) else self.event

    @property
    def records(self) -> tuple[Record, ...]:
        """The records of an event that has some: SQS, SNS, S3, EventBridge, streams. Raises `EventError` else."""
        from ..runtime.records import records_of

        return records_of(self.event)

    def asked(
        self,
        prompt: Prompt,
        values: Mapping[str, Any],
        *,
        model: Any = None,
        max_retries: int | None = None,
        deadline: float | None = None,
        schema: object = None,
        cache: bool = True,
        session: bool = False,
    ) -> Flow[Result[Answer, LLMError]]:
        """The flow that asks with a prompt; whoever runs it runs it on `driver`.

        The value of the answer has the prompt's shape, or that of `schema`; `schema=str` asks for text. `deadline` is a
        reading of the monotonic clock, and holds where it is before the invocation's. With `session` the model hears
        what was said before, and the session keeps both sides. Raises `DeadlineExceededError`, what a guard refused
        with, `PromptError`, and `ConfigurationError` and its kin.
        """
        from .asking import asked
        from .question import of_prompt, said

        history = (yield from self.opened_session()).messages if session else ()
        question = of_prompt(
            self, prompt, values, history,
            model=model, max_retries=max_retries, deadline=deadline, schema=schema, cache=cache,
        )  # fmt: skip
        result = yield from asked(self, question)
        if session and result.is_ok():
            self._session.add(*said(prompt.messages(values)), result.unwrap().completion.message)
        return result

    def checkpoint(self) -> NoReturn:
        """End the invocation here, with an id from which a later one goes on.

        Raises `Pause`, which is no `Exception`: let it pass. Raises `ConfigurationError` without
        `timeout_strategy="checkpoint"`.
        """
        if self.journal is None:
            fix = "Pass timeout_strategy='checkpoint' to @handler."
            raise ConfigurationError("This handler makes no checkpoints.", fix=fix)
        from .journal import Pause

        raise Pause(self.journal.id)

    def cut(self, completion: Completion) -> Completion:
        """An answer that the function's time has cut off, marked; so is the invocation."""
        from .asking import cut_short

        self.truncated = True
        return cut_short(completion)

    def note(self, outcome: Completion | LLMError) -> None:
        """Count a call to a model: its cost, tokens and time."""
        record = self.metrics.record
        record("model.calls", 1)
        if isinstance(outcome, Exception):
            self._note_failure(outcome)
            return
        self.completions.append(outcome)
        self._costs.append(outcome.cost_usd)
        record("model.latency", outcome.latency_ms or 0.0, "Milliseconds")
        if outcome.usage is not None:
            record("model.tokens_in", outcome.usage.input_tokens)
            record("model.tokens_out", outcome.usage.output_tokens)
        if outcome.cost_usd is not None:
            record("model.cost_usd", outcome.cost_usd, "None")

    def note_embeddings(self, outcome: Embeddings | LLMError) -> None:
        """Count a request for vectors: its cost and tokens. Guards that have `after_embeddings` hear of it."""
        for guard in self.guards:
            if (told := getattr(guard, "after_embeddings", None)) is not None:
                told(outcome)
        self.metrics.record("model.calls", 1)
        if isinstance(outcome, Exception):
            self._note_failure(outcome)
            return
        self._costs.append(outcome.cost_usd)
        if outcome.usage is not None:
            self.metrics.record("model.tokens_in", outcome.usage.input_tokens)
        if outcome.cost_usd is not None:
            self.metrics.record("model.cost_usd", outcome.cost_usd, "None")

    def _note_failure(self, error: LLMError) -> None:
        from ..llm.tally import Tally

        self.metrics.record("model.errors", 1)
        tally = Tally()
        tally.failed(error)
        if tally.cost_usd != 0.0:
            self._costs.append(tally.cost_usd)

    def get_raw_client(self, service: str) -> Any:
        """The escape hatch: a boto3 client for any AWS service, which later invocations get too.

        Raises `MissingExtraError` without boto3.
        """
        from .raw import raw_client

        return raw_client(service)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or (inner := self.__dict__.get("lambda_context")) is None:
            raise AttributeError(f"The context has no attribute {name!r}.")
        return getattr(inner, name)


def _deadline(lambda_context: Any, buffer_seconds: float) -> float | None:
    remaining = getattr(lambda_context, "get_remaining_time_in_millis", None)
    return None if remaining is None else time.monotonic() + remaining() / 1000 - buffer_seconds


def _no_session() -> ConfigurationError:
    return ConfigurationError("This handler has no session.", fix="Pass session=Session(…) to @handler.")
