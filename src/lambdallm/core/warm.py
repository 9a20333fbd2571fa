"""Making ready what a first invocation needs, where the time is nobody's: before a snapshot, or while provisioning."""

from __future__ import annotations

from .._hooks import before_snapshot
from ..llm.errors import LambdaLLMError
from .calls import Route
from .context import LambdaLLMContext
from .handler import HandlerSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..llm.models import Model


def warm(*models: Model | str, awaits: bool = False) -> None:
    """Load what first calls of these models need: modules, definitions, prices, certificates, an event loop.

        warm("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5")     # at the top of the function's module

    With SnapStart a handler's own models are made ready by themselves; name those that it chooses later. `awaits` adds
    what async handlers need. Nobody is asked: no connection is opened, no key is read, nothing is spent. Raises
    `LLMModelNotFoundError` for a model that nobody has.
    """
    for model in models:
        _rehearse(str(model))
    _first_invocation()
    _transport(awaits)


def warm_before_snapshot(settings: Callable[[], HandlerSettings], *, awaits: bool) -> None:
    """Warm the models of a handler before SnapStart's snapshot. What is wrong with them is told by their first call."""

    def make_ready() -> None:
        try:
            found = settings()
            warm(*(model for model in (found.model, found.fallback_model) if model is not None), awaits=awaits)
        except LambdaLLMError as error:
            from logging import getLogger

            getLogger("lambdallm").warning("The handler's models are not made ready before the snapshot: %s", error)

    before_snapshot(make_ready)


def _rehearse(model: str) -> None:
    route = Route(model)
    if route.plugin is not None:
        return  # it would really be asked
    from ..llm.rehearsal import RehearsalDriver
    from .requests import Streaming, text

    driver = RehearsalDriver(route.target)
    context = LambdaLLMContext(HandlerSettings(model=model, max_retries=0), None, {})
    driver.rehearse(text(context, "{said}", {"said": "Hi"}))
    driver.rehearse(Streaming(context, "{said}", {"said": "Hi"}).flow(), streams=True)


def _first_invocation() -> None:
    """A function that does nothing, within all that stands around one."""
    from ..runtime import request, response  # noqa: F401  # events and answers of HTTP sources
    from . import failures  # noqa: F401
    from .lifecycle import answered

    answered(lambda event, context: None, {}, LambdaLLMContext(HandlerSettings(), None, {}))


def _transport(awaits: bool) -> None:
    from ..llm.drivers.blocking import shared_driver
    from ..transport.tls import tls_context

    shared_driver().ready()
    tls_context()
    if awaits:
        from ..llm.drivers.awaiting import shared_async_driver
        from .loop import environment_loop

        shared_async_driver().ready()
        environment_loop.run(_nothing())


async def _nothing() -> None:
    """Have the event loop made."""
