"""Checkpoints of an invocation: its models' answers in a journal, from which a later invocation goes on.

    {"checkpoint": {"id": "…"}}                    what an invocation ends with that time has ended; 202 for HTTP
    {…, "checkpoint": {"id": "…"}}                 the event that goes on from it, or the header X-LambdaLLM-Checkpoint

The later invocation runs the function from the top. Each call to a model whose answer the journal has is answered from
it, in order, and costs nothing; the first that it has not is made. So the function has to ask the same again: a request
that is not the one of its place is refused (`CheckpointError`), because the function, its prompts or the event have
changed. What a function does beside asking models (time, chance, other services) it does again.

An id is the request id of the invocation that began: Lambda tries a failed asynchronous event again under the same id,
which then goes on where it was stopped. Records of a queue or a stream have an id made of their own ones, as they come
again with another request id. Where an event comes from a service that nobody waits at, a pause is raised as an error
(`OutOfTime`), so that Lambda hands the event out again. One invocation at a time has a journal, until it ends or its
time has passed.
"""

from __future__ import annotations

import json

from .._value import Value
from ..llm.backends.errors import ConditionFailed
from ..llm.errors import CallerError, ConfigurationError, DeadlineExceededError
from ..llm.flow import NOW, Await
from ..llm.stored import StoredForm
from ..llm.task import Signal
from ..llm.types import Completion, Embeddings
from .checkpoint_id import CHECKPOINT_HEADER, id_in, id_of_batch
from .fingerprint import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.flow import Flow
    from ..state.store import Entry, StateStore
    from .context import LambdaLLMContext

KEPT_SECONDS = 24 * 3600.0
"""How long a journal is kept after its last entry."""

_MOST_ID = 128
_LONGEST_RUN_SECONDS = 900.0
"""What Lambda gives a function at most: how long a run is waited for whose limit is not known."""


class CheckpointError(CallerError):
    """A checkpoint can't be gone on from."""

    http_status = 409


class OutOfTime(DeadlineExceededError):
    """The function's time has ended a call, and a later invocation goes on from `checkpoint_id`.

    Flows end with it; a function that asks by the context's methods gets a `Pause`.
    """

    def __init__(self, message: str, *, checkpoint_id: str) -> None:
        super().__init__(message, fix=f"Send the checkpoint's id {checkpoint_id!r} to go on.")
        self.checkpoint_id = checkpoint_id


class Pause(BaseException):
    """Ends an invocation with a checkpoint. It is no `Exception`: a function that catches those lets it pass."""

    def __init__(self, checkpoint_id: str) -> None:
        super().__init__(f"The invocation goes on from the checkpoint {checkpoint_id!r}.")
        self.checkpoint_id = checkpoint_id


class PausedResult(dict):  # type: ignore[type-arg]  # what middleware and direct callers see is a plain dictionary
    """`{"checkpoint": {"id": …}}`, and the HTTP response that says the same."""

    def __init__(self, checkpoint_id: str) -> None:
        super().__init__({"checkpoint": {"id": checkpoint_id}})
        self.id = checkpoint_id

    def raised_for(self, event: Any) -> None:
        """Raise `OutOfTime` where nobody reads a result, and Lambda hands out again what failed."""
        from ..runtime.events import RETRIED_KINDS, kind_of

        if kind_of(event) in RETRIED_KINDS:
            raise OutOfTime("The function had no time left.", checkpoint_id=self.id)

    @property
    def response(self) -> Any:
        """202, with the id in a header too."""
        from ..runtime.response import Response

        return Response(dict(self), 202, {CHECKPOINT_HEADER: self.id})


class Place(Value):
    """The place of a call in its journal: its number, its fingerprint, and the answer where there is one."""

    number: int
    fingerprint: str
    answer: Any = None


class Journal:
    """The answers of one invocation and of those it goes on from."""

    def __init__(self, store: object, session: Any, id: str, seconds: float, *, resumed: bool) -> None:
        self.id = id
        self._given, self._session = store, session
        self._seconds, self._resumed = seconds, resumed
        self._key = f"checkpoint:{id}"
        self._run = _chance()
        self._store: Any = None
        self._last = 0
        self._begun = False
        self._beginning: Signal | None = None
        self._calls = 0
        self._answers: dict[int, tuple[str, bytes]] = {}

    @property
    def has_begun(self) -> bool:
        """Whether there is anything to go on from: a call was asked for, and the journal is this invocation's."""
        return self._begun

    def next(self, asked: object) -> Flow[Place]:
        """The place of the next call, `asked` being all that its answer depends on.

        Raises `CheckpointError` where it is not the call that was made there before.
        """
        number = self._calls
        self._calls += 1
        yield from self._opened()
        mark = fingerprint(asked)
        known = self._answers.get(number)
        if known is None:
            return Place(number, mark)
        if known[0] != mark:
            fix = "Go on with the same event and the same version of the function, or begin anew without the id."
            message = f"Call {number + 1} of the function is not the one that the checkpoint {self.id!r} has there."
            raise CheckpointError(message, fix=fix)
        return Place(number, mark, _FORM.decode(known[1]))

    def keep(self, place: Place, answer: Value) -> Flow[None]:
        """Keep the answer of a place. Raises `CheckpointError` where another invocation has taken the journal over."""
        data = _encoded(answer)
        yield from self._append(_dumped({"call": place.number, "fingerprint": place.fingerprint}) + b"\n" + data)
        self._answers[place.number] = (place.fingerprint, data)

    def releasing(self) -> Flow[None]:
        """Say that this invocation is over: another one may go on at once."""
        if self._begun:
            self._begun = False
            yield from self._append(_dumped({"over": self._run}))

    def _opened(self) -> Flow[None]:
        """Read what there is, and take the journal; calls beside one another wait for the first of them to do it."""
        while not self._begun:
            if self._beginning is not None:
                yield Await((self._beginning,))
                continue
            self._beginning = Signal()
            try:
                yield from self._take()
                self._begun = True
            finally:
                self._beginning.fire()
                self._beginning = None

    def _take(self) -> Flow[None]:
        self._store = yield from stored(self._given, self._session)
        now = (yield NOW).wall
        begin = _dumped({"run": self._run, "until": now + self._seconds})
        if not self._resumed:
            try:
                yield from self._store.append(self._key, 0, [begin], KEPT_SECONDS)
                self._last = 1
                return
            except ConditionFailed:
                pass  # the same event, tried again by Lambda
        entries = yield from self._store.read(self._key)
        if not entries:
            raise CheckpointError(f"There is no checkpoint {self.id!r}.", fix="It is kept for a day; begin anew.")
        self._read(entries, now)
        try:
            yield from self._store.append(self._key, self._last, [begin], KEPT_SECONDS)
        except ConditionFailed as lost:
            raise self._busy() from lost
        self._last += 1

    def _read(self, entries: list[Entry], now: float) -> None:
        """Take over what earlier runs have written. Raises `CheckpointError` where one of them still runs."""
        running: dict[str, float] = {}
        for entry in entries:
            self._last = entry.number
            head, _, data = entry.data.partition(b"\n")
            said = json.loads(head)
            if "run" in said:
                running = {said["run"]: said["until"]}
            elif "over" in said:
                running.pop(said["over"], None)
            else:
                self._answers[said["call"]] = (said["fingerprint"], data)
        if any(until > now for until in running.values()):
            raise self._busy()

    def _busy(self) -> CheckpointError:
        fix = "Wait until that one has ended, then send the id again."
        return CheckpointError(f"Another invocation is going on from the checkpoint {self.id!r}.", fix=fix)

    def _append(self, data: bytes) -> Flow[None]:
        """Add an entry after the last one, also after those that calls beside this one have added."""
        while True:
            known = self._last
            try:
                yield from self._store.append(self._key, known, [data], KEPT_SECONDS)
                self._last = max(self._last, known + 1)
                return
            except ConditionFailed as lost:
                added = yield from self._store.read(self._key, known)
                if not added or any(entry.data.startswith(_RUN) for entry in added):
                    raise self._busy() from lost
                self._last = max(self._last, added[-1].number)


def journal_of(context: LambdaLLMContext) -> Journal:
    """The journal of an invocation: that of the id in its event, else a new one. Raises `CheckpointError`."""
    settings = context.settings
    resumed = id_in(context.event)
    id = resumed or id_of_batch(context.event) or context.aws_request_id or _chance()
    if len(id) > _MOST_ID or not id.isascii() or not all(mark.isalnum() or mark in "-_" for mark in id):
        raise CheckpointError(f"{id[:_MOST_ID]!r} is no checkpoint's id.", fix="Send the id as it was given.")
    seconds = min(context.remaining_time_ms / 1000, _LONGEST_RUN_SECONDS)
    return Journal(settings.checkpoint_store, settings.session, id, seconds, resumed=resumed is not None)


def stored(given: object, session: Any) -> Flow[StateStore]:
    """The store of checkpoints: the one that was given, by itself or by name, else the session's."""
    if given is None:
        settings: Any = getattr(session, "settings", None)
        if not hasattr(settings, "stored"):
            fix = "Pass checkpoint_store='dynamodb', or a session whose store it shares."
            raise ConfigurationError("timeout_strategy='checkpoint' has nowhere to keep answers.", fix=fix)
        store: StateStore = yield from settings.stored()
        return store
    from ..state.stores import store_of

    return (yield from store_of(given))


def _encoded(answer: Value) -> bytes:
    """An answer in bytes, without how a router chose. Raises `ConfigurationError` for what is no JSON."""
    if isinstance(answer, Completion):
        answer = answer.replace(routing=None)
    try:
        return _FORM.encode(answer, compress_over=_COMPRESSED_OVER)
    except (TypeError, ValueError, RecursionError) as reason:
        fix = "Have the provider give plain values as metadata."
        raise ConfigurationError(f"An answer can't be kept in a checkpoint: {reason}.", fix=fix) from reason


def _chance() -> str:
    from os import urandom

    return urandom(16).hex()


def _dumped(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


_RUN = b'{"run":'
_COMPRESSED_OVER = 2048
_FORM = StoredForm(b"v1", {"Embeddings": Embeddings})
