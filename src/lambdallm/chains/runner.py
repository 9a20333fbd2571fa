"""`ChainRunner`: has a chain's plan carried out, recorded after each step, and taken up again where it ended.

One coordinator asks the plan, writes the journal and starts steps; steps know nothing of one another. What a step gave
is written together with the beginning of the next, before that one's effect: one append a step.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from ..llm.flow import ENVIRONMENT
from .journalled import journal_of, placed, store_of_handler
from .naming import RunName, token
from .run import Limits, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from ..core.answer import Answer
    from ..core.prompt import Prompt
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from .chain import Chain
    from .ledger import Ledger
    from .result import ChainResult

    class ChainContext(Protocol):
        """What a chain needs of an invocation's context: `LambdaLLMContext` is one."""

        @property
        def remaining_time_ms(self) -> int:
            """Milliseconds until the function is stopped."""

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
            """The flow that asks a model."""


class ChainRunner:
    """Runs one chain. `Chain.run` makes one; make your own for what that has no word for.

        ChainRunner(chain, checkpoint_id=message_id).run(context, text="…")

    `checkpoint_id` names the run: the same id goes on with the same run, in whatever invocation. Without it, it is made
    of the invocation, the chain, its inputs, and how often they came in this invocation. `token_of` gives each run
    the name by which it holds its lease.
    """

    def __init__(
        self, chain: Chain, *, checkpoint_id: str | None = None, token_of: Callable[[], str] | None = None
    ) -> None:
        self.chain = chain
        self._id = None if checkpoint_id is None else _checked_id(checkpoint_id)
        self._token = token_of or token

    def run(self, context: ChainContext, /, **inputs: Any) -> ChainResult:
        """See `Chain.run`."""
        return self._waited(context, self.flow(context, inputs), "arun")

    async def arun(self, context: ChainContext, /, **inputs: Any) -> ChainResult:
        """See `Chain.arun`."""
        return await _awaited(context, self.flow(context, inputs))

    def resume(self, context: ChainContext, checkpoint_id: str, *, take_over: bool = False) -> ChainResult:
        """See `Chain.resume`."""
        return self._waited(context, self.resuming(context, checkpoint_id, take_over=take_over), "aresume")

    async def aresume(self, context: ChainContext, checkpoint_id: str, *, take_over: bool = False) -> ChainResult:
        """See `Chain.aresume`."""
        return await _awaited(context, self.resuming(context, checkpoint_id, take_over=take_over))

    def flow(self, context: ChainContext, inputs: Mapping[str, Any]) -> Flow[ChainResult]:
        """The flow of a run that begins, or goes on where one of the same id had ended."""
        self.chain.check_inputs(inputs)
        return (yield from self._run(context, inputs, self._id))

    def resuming(self, context: ChainContext, checkpoint_id: str, *, take_over: bool = False) -> Flow[ChainResult]:
        """The flow of a run that goes on. Raises `CheckpointError` for an id that is not known."""
        return (yield from self._run(context, None, _checked_id(checkpoint_id), take_over=take_over))

    def _run(
        self, context: Any, inputs: Mapping[str, Any] | None, id: str | None, *, take_over: bool = False
    ) -> Flow[ChainResult]:
        if not callable(getattr(context, "asked", None)):
            fix = "Pass the context that the handler's function was given: chain.run(context, …)."
            raise ConfigurationError(f"Chain {self.chain.name!r} was run with the context {context!r:.80}.", fix=fix)
        on_lambda = "AWS_LAMBDA_FUNCTION_NAME" in (yield ENVIRONMENT)
        if (journal := journal_of(context)) is not None:
            yield from placed(journal, self.chain.name)
        name = RunName(context, self.chain.name, inputs, id, repeats=on_lambda)
        ledger = yield from self._ledger(context, name, on_lambda)
        if inputs is None and ledger is None:
            said = f"Chain {self.chain.name!r} has no store, so it has no checkpoint {id!r}."
            raise ConfigurationError(said, fix="Pass store=, or timeout_strategy='checkpoint'.")
        if ledger is not None:
            ledger.takes_over = take_over
        return (yield from Run(self.chain, context, ledger, Limits.of(context), name).result(inputs))

    def _ledger(self, context: Any, name: RunName, on_lambda: bool) -> Flow[Ledger | None]:
        store = self.chain.store
        if store is None and journal_of(context) is not None:
            journals = yield from store_of_handler(context)
        elif store is None and self.chain.timeout_strategy != "checkpoint":
            return None
        else:
            from ..state.stores import store_of

            journals = yield from store_of(store or ("dynamodb" if on_lambda else "memory"))
        from .ledger import Ledger

        hours = self.chain.ttl_hours
        return Ledger(journals, self.chain, name.id, self._token(), None if hours is None else hours * 3600.0)

    def _waited(self, context: Any, flow: Flow[ChainResult], twin: str) -> ChainResult:
        from ..llm.backends.aside import loop_runs_here

        if loop_runs_here():
            flow.close()
            raise ConfigurationError(
                f"Chain {self.chain.name!r} is run where an event loop runs, which it would block.",
                fix=f"Write: await chain.{twin}(context, …).",
            )
        driver = getattr(context, "driver", None)
        if driver is None or getattr(context, "awaits", False):
            from ..llm.drivers.blocking import shared_driver

            driver = shared_driver()
        result: ChainResult = driver.run(flow)
        return result


async def _awaited(context: Any, flow: Flow[ChainResult]) -> ChainResult:
    driver = getattr(context, "driver", None)
    if driver is None or not getattr(context, "awaits", True):
        from ..llm.drivers.awaiting import shared_async_driver

        driver = shared_async_driver()
    result: ChainResult = await driver.run(flow)
    return result


def _checked_id(id: Any) -> str:
    if not isinstance(id, str) or not 0 < len(id) <= 256 or not id.isprintable():
        raise ConfigurationError(f"A checkpoint's id is {id!r:.80}.", fix="Use a text of 1 to 256 characters.")
    return id
