"""Functions of the user's own within flows: what they return or raise, awaited in handlers that are `async def`."""

from __future__ import annotations

from ..llm.backends.aside import loop_runs_here
from ..llm.errors import ConfigurationError
from ..llm.flow import Perform
from ..llm.result import Err, Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.result import Result


def given_by(function: Callable[[], Any]) -> Flow[Any]:
    """What a function returns. Raises what it raises, and `ConfigurationError` for one that nobody can await here."""

    def call() -> Any:
        try:
            outcome = function()
        except Exception as error:  # noqa: BLE001  # it is raised in the flow
            return Err(error)
        if not hasattr(outcome, "__await__"):
            return Ok(outcome)
        return _settled(outcome) if loop_runs_here() else _refused(outcome)

    result: Result[Any, Exception] = yield Perform(call)
    return result.unwrap()


def _refused(outcome: Any) -> Err[ConfigurationError]:
    getattr(outcome, "close", lambda: None)()
    fix = "Write it with def, or the handler's function with async def."
    return Err(ConfigurationError(f"{outcome!r} has to be awaited, and nobody awaits here.", fix=fix))


async def _settled(outcome: Awaitable[Any]) -> Result[Any, Exception]:
    try:
        return Ok(await outcome)
    except Exception as error:  # noqa: BLE001  # as above
        return Err(error)
