"""A chain in a handler that makes checkpoints itself (`@handler(timeout_strategy="checkpoint")`).

The handler keeps its models' answers in the order in which they were asked; steps side by side have no order. So the
chain keeps its own checkpoint in the handler's store, under the handler's id, and its steps are not asked through the
handler's journal: there the whole chain has one place. When time runs out the invocation ends as any other call would
end it, and the later one that goes on finds both.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from ..llm.flow import Flow
    from ..state.store import StateStore


def journal_of(context: Any) -> Any:
    """The handler's journal, where it has one."""
    return getattr(context, "journal", None)


def placed(journal: Any, chain: str) -> Flow[None]:
    """Take the chain's place in the journal, so that what is asked after it keeps its own."""
    yield from journal.next(["chain", chain])


def store_of_handler(context: Any) -> Flow[StateStore]:
    """Where the handler keeps its checkpoints."""
    from ..core.journal import stored

    return (yield from stored(context.settings.checkpoint_store, context.settings.session))


def beside(context: Any) -> Any:
    """The context, asking past its journal. All else that it has, its session too, is the context's own."""
    none = property(lambda _: None, lambda _, journal: None)
    twin: Any = object.__new__(type(type(context).__name__, (type(context),), {"journal": none}))
    twin.__dict__ = context.__dict__
    return twin


def pause(journal: Any) -> NoReturn:
    """End the invocation, with the id that a later one goes on from."""
    from ..core.journal import Pause

    raise Pause(journal.id)
