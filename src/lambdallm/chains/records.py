"""The records of a run's journal, and what they say has been done. Pure: `ledger` reads and writes them.

A journal begins with `Begun`. Whoever runs the chain holds a `Lease`; a step's effect stands between its `Trying` and
its `Tried`, so that one that was begun and not ended shows. `by` is the run that wrote a record.
"""

from __future__ import annotations

from .._value import Value
from ..llm.stored import StoredForm
from .errors import CheckpointError
from .result import StepResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, ClassVar


class Begun(Value):
    """A run: of which chain, as what it looked like (`shape.shape`), and with which inputs."""

    by: str
    chain: str
    shape: Mapping[str, Any]
    inputs: Mapping[str, Any]


class Lease(Value):
    """A run may go on until then, in seconds since the epoch; until it says that it has ended, nobody else does."""

    by: str
    until: float


class Trying(Value):
    """A step's effect begins; `key` is its idempotency key."""

    by: str
    path: str
    key: str


class Tried(Value):
    """How it ended. A failed one may be tried again, by this run or a later one."""

    by: str
    path: str
    result: StepResult


class Ended(Value):
    """A run has let go of its lease: `why` is `completed`, `failed`, `time` or `money`."""

    by: str
    why: str


FORM = StoredForm(
    b"chain1",
    {kind.__name__: kind for kind in (Begun, Lease, Trying, Tried, Ended, StepResult)},
)


class History:
    """What a journal says, read record by record."""

    def __init__(self) -> None:
        self.last = 0
        """The number of the last entry."""
        self.begun: Begun | None = None
        self.lease: Lease | None = None
        self.done: dict[str, StepResult] = {}
        """The steps that need not be run again, by path."""
        self.failed: dict[str, StepResult] = {}
        """What the failed tries of a step cost together, by path."""
        self.open: dict[str, int] = {}
        """How often a step was begun and never ended, by path."""
        self.completed = False
        self._tried: set[str] = set()

    def read(self, entries: Iterable[Any]) -> None:
        """Go on with the entries of a journal. Raises `CheckpointError` for one that can't be read."""
        for entry in entries:
            record = FORM.decode(entry.data)
            take = self._takers.get(type(record))
            if take is None:
                raise CheckpointError(
                    f"Entry {entry.number} of the checkpoint can't be read.",
                    fix="Finish it with the version of LambdaLLM that wrote it, or begin a new run.",
                )
            take(self, record)
            self.last = entry.number

    def _begin(self, record: Begun) -> None:
        self.begun = record

    def _lend(self, record: Lease) -> None:
        self.lease = record

    def _try(self, record: Trying) -> None:
        self.open[record.path] = self.open.get(record.path, 0) + 1
        parts = record.path.split("/")
        self._tried.update("/".join(parts[:end]) for end in range(1, len(parts) + 1))

    def has_begun(self, path: str, node: Any) -> bool:
        """Whether a node, or something in it, was ever begun: then its condition held."""
        inside = path[: len(path) - len(node.name)]
        return path in self._tried or any(
            self.has_begun(inside + member.name, member) for member in getattr(node, "steps", ())
        )

    def _end_try(self, record: Tried) -> None:
        result = record.result
        if self.open.get(record.path):
            self.open[record.path] -= 1
        if result.status == "failed":
            before = self.failed.get(record.path)
            self.failed[record.path] = result if before is None else added(before, result)
            return
        self.done[record.path] = result

    def _end(self, record: Ended) -> None:
        self.completed = record.why == "completed"
        if self.lease is not None and self.lease.by == record.by:
            self.lease = self.lease.replace(until=0.0)

    _takers: ClassVar[Any] = {Begun: _begin, Lease: _lend, Trying: _try, Tried: _end_try, Ended: _end}


def added(before: StepResult, now: StepResult) -> StepResult:
    """The later of two tries, with what both cost."""
    from .result import total_cost

    usage = before.usage if now.usage is None else now.usage if before.usage is None else before.usage + now.usage
    return now.replace(
        usage=usage,
        cost_usd=total_cost((before.cost_usd, now.cost_usd)),
        attempts=before.attempts + now.attempts,
        duration_ms=before.duration_ms + now.duration_ms,
        interrupted=before.interrupted + now.interrupted,
    )
