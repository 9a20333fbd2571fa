"""The journal of one run, written by whoever holds its lease. Flows over a `StateStore`.

A run may be taken up by another process when its lease has passed, or when it has let go of it. Whoever takes it up
appends a lease after the last entry they know: of several who do, the store lets one. A run that has lost its lease
learns of it by its next append, which fails, and does nothing more.
"""

from __future__ import annotations

from ..llm.backends.errors import ConditionFailed
from ..llm.errors import ConfigurationError
from ..llm.flow import NOW
from ..state.store import MOST_AT_ONCE
from .errors import ChainChanged, CheckpointBusy, CheckpointError, CheckpointLost
from .outputs import plain
from .records import FORM, Begun, Ended, History, Lease
from .shape import changes, digest, shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .._value import Value
    from ..llm.flow import Flow
    from ..state.store import StateStore
    from .chain import Chain


class Ledger:
    """One run's journal. `by` tells this run from others that take up the same checkpoint."""

    def __init__(self, store: StateStore, chain: Chain, id: str, by: str, ttl_seconds: float | None) -> None:
        self.id, self.by = id, by
        self._store, self._chain, self._ttl = store, chain, ttl_seconds
        self._key = f"chain:{chain.name}:{id}"
        self._waiting: list[Value] = []
        self._sending = 0
        """How many of them are on their way, and may have arrived."""
        self.history = History()
        self.takes_over = False
        """Whether a run that may still go on is no obstacle: it is stopped at its next record."""

    def open(self, inputs: Mapping[str, Any] | None, seconds: float) -> Flow[Mapping[str, Any]]:
        """Take the run up, or begin it, for so many seconds; gives its inputs, of which `None` says they are not known.

        Raises `CheckpointError`, `ChainChanged`, `CheckpointBusy`, `BackendError`.
        """
        self.history.read((yield from self._store.read(self._key)))
        begun = self.history.begun
        if begun is None:
            return (yield from self._begin(inputs, seconds))
        self._check(begun, inputs)
        if not self.history.completed:
            now = (yield NOW).wall
            self._check_free(now)
            self._waiting.append(Lease(self.by, now + seconds))
            yield from self._take()
        return begun.inputs

    def _take(self) -> Flow[None]:
        try:
            yield from self.flush()
        except CheckpointLost as error:
            raise CheckpointBusy(f"Checkpoint {self.id!r} has just been taken up by another run.") from error

    def _begin(self, inputs: Mapping[str, Any] | None, seconds: float) -> Flow[Mapping[str, Any]]:
        if inputs is None:
            raise CheckpointError(f"Chain {self._chain.name!r} has no checkpoint {self.id!r}.")
        kept = storable_inputs(inputs)
        until = (yield NOW).wall + seconds
        self._waiting += [Begun(self.by, self._chain.name, shape(self._chain.steps), kept), Lease(self.by, until)]
        return kept

    def _check(self, begun: Begun, inputs: Mapping[str, Any] | None) -> None:
        differing = changes(begun.shape, shape(self._chain.steps))
        if differing:
            said = "; ".join(differing)
            message = f"Checkpoint {self.id!r} was written by a chain {begun.chain!r} that looked otherwise: {said}."
            raise ChainChanged(message, changes=differing)
        if inputs is not None and digest(plain(inputs)) != digest(begun.inputs):
            kept, given = begun.inputs, storable_inputs(inputs)
            names = [name for name in {**kept, **given} if kept.get(name, self) != given.get(name, self)]
            raise CheckpointError(
                f"Checkpoint {self.id!r} was begun with other inputs: {', '.join(map(repr, names))} differ.",
                fix="Resume it with resume(context, id), which needs none, or give the run another id.",
            )

    def _check_free(self, now: float) -> None:
        lease = self.history.lease
        if lease is not None and lease.until > now and not self.takes_over:
            left = lease.until - now
            said = f"Checkpoint {self.id!r} is held by another run for up to {left:.0f} s more."
            raise CheckpointBusy(said, retry_after=left)

    def add(self, *records: Value) -> None:
        """Have records written with the next `flush`."""
        self._waiting += records

    def flush(self) -> Flow[None]:
        """Write what waits, in its order. What a store failed to take waits on, so that this can be repeated.

        Raises `CheckpointLost` where another run has taken over, and `BackendError`.
        """
        while self._waiting:
            entries = [FORM.encode(record) for record in self._waiting[: self._sending or MOST_AT_ONCE]]
            self._sending = len(entries)
            try:
                yield from self._store.append(self._key, self.history.last, entries, self._ttl)
            except ConditionFailed as error:
                yield from self._after_conflict(entries, error)
            self.history.last += len(entries)
            del self._waiting[: self._sending]
            self._sending = 0

    def _after_conflict(self, entries: Sequence[bytes], error: ConditionFailed) -> Flow[None]:
        """Return where the entries are there after all: an append that was done, and whose answer was lost."""
        found = yield from self._store.read(self._key, self.history.last)
        if [entry.data for entry in found[: len(entries)]] == list(entries):
            return
        if not self.history.last:
            raise CheckpointBusy(f"Checkpoint {self.id!r} has just been begun by another run.") from error
        raise CheckpointLost(f"Checkpoint {self.id!r} has been taken over by another run.") from error

    def renew(self, seconds: float) -> Flow[None]:
        """Add a lease for so many seconds from now."""
        self.add(Lease(self.by, (yield NOW).wall + seconds))

    def end(self, why: str) -> Flow[None]:
        """Write what waits, and let go of the lease."""
        self.add(Ended(self.by, why))
        yield from self.flush()


def storable_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs as plain data. Raises `ConfigurationError` naming one that a checkpoint can't keep."""
    kept = {}
    for name, value in inputs.items():
        try:
            kept[name] = plain(value)
        except (TypeError, RecursionError) as error:
            raise ConfigurationError(
                f"The input {name!r} is {value!r:.80}, which a checkpoint can't keep.",
                fix="Pass plain data: text, numbers, lists, dictionaries; or run the chain without a store.",
            ) from error
    return kept
