"""What middleware may know of an invocation: protocols, so that nothing here imports what is built on top of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol, TypeAlias

    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.types import ChatRequest, Completion

    Told: TypeAlias = Flow[None] | None

    class Metrics(Protocol):
        """Where measurements go."""

        def record(self, name: str, value: float, unit: str = "Count") -> None:
            """Add a measurement."""

    class Driver(Protocol):
        """What performs flows: a blocking one gives a flow's value, an awaiting one a coroutine of it."""

        def run(self, flow: Flow[Any]) -> Any:
            """Perform a flow."""

    class CallGuard(Protocol):
        """Hears of every call to a model before and after it is made, of a stream at its end; both may be flows."""

        def before_call(self, request: ChatRequest, models: tuple[str, ...]) -> Told:
            """A call to the first of these models is about to be made; the others stand behind it. Raise to refuse."""

        def after_call(self, request: ChatRequest, outcome: Completion | LLMError) -> Told:
            """How it ended: both know the usage and cost of all tries."""

    class InvocationContext(Protocol):
        """One invocation, as middleware sees it: `LambdaLLMContext`, or whatever a test puts in its place.

        Middleware may put attributes of its own on it, as those here do with `principal`, `correlation_id` and
        `validated`.
        """

        event: Any
        settings: Any
        guards: list[Any]
        """The `CallGuard`s of this invocation, in order."""

        response_headers: dict[str, str]
        """Sent with the response to an HTTP event, whatever it is: a result, a stream, an error."""

        @property
        def driver(self) -> Driver:
            """What performs flows in this invocation."""

        @property
        def aws_request_id(self) -> str:
            """Lambda's id of this invocation."""

        @property
        def remaining_time_ms(self) -> int:
            """Milliseconds until Lambda stops the function; very many where there is no limit."""

        @property
        def total_cost(self) -> float:
            """US dollars spent by this invocation, as far as prices are known."""

        @property
        def completions(self) -> Sequence[Completion]:
            """The answers of models so far."""

        @property
        def metrics(self) -> Metrics:
            """Where measurements go."""
