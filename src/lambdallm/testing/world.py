"""A world in which flows run without waiting: time passes only when every flow waits, and jumps to the next event.

What the network answers, and when, a function decides; everything a flow did is in the log. So policies that race,
hedge, wait for one another or for tomorrow are tested in microseconds, and always with the same outcome.
"""

from __future__ import annotations

from heapq import heappop, heappush

from .._value import Value
from ..llm.errors import LLMError, ProviderTimeoutError
from ..llm.flow import (
    Await,
    Cancel,
    Clock,
    Close,
    Emit,
    Environment,
    Now,
    Open,
    Opened,
    Perform,
    Read,
    ReaderLeft,
    Send,
    Sleep,
    Start,
    Tell,
)
from ..llm.result import Err, Ok
from ..llm.task import Task
from ..transport.types import HttpResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias, TypeVar

    from ..llm.flow import Effect, Flow

    T = TypeVar("T")
    Piece: TypeAlias = bytes | LLMError
    Reply: TypeAlias = HttpResponse | tuple[int, Sequence["Piece | Later"]] | LLMError
    Answer: TypeAlias = Callable[[Send | Open], "Reply | Later"]


class Later(Value):
    """A reply, a piece of a stream, or what a performed function returns, that comes after some seconds.

    Of a performed function `value` may be a function too: it is called when the time has come.
    """

    seconds: float
    value: Any


class World:
    """Runs flows in simulated time. `answer` says what a request is answered with: a reply, or one that comes `Later`.

    A reply is an `HttpResponse`, a status with the pieces of a streamed body, or an error. `effects` is the log of all
    flows, `emitted` is what reached the readers, `clock` the time.

        world = World(lambda effect: Later(0.3, HttpResponse(200, body=b"{}")))
        world.run(chat(request, target, CallSettings()))
        assert world.clock.monotonic == 1_000.3
    """

    def __init__(self, answer: Answer, environ: Mapping[str, str] | None = None) -> None:
        self._answer = answer
        self._environ = dict(environ or {})
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._leave_after: int | None = None
        self.clock = Clock(1_000.0, 1_700_000_000.0)
        self.effects: list[Effect] = []
        self.emitted: list[Any] = []

    def run(self, flow: Flow[T], *, leave_after: int | None = None) -> T:
        """The flow's value, `None` where its reader leaves after so many items.

        Raises `AssertionError` when it waits for what never comes.
        """
        self._leave_after = leave_after
        value: T = self.run_all([(0.0, flow)])[0]
        return value

    def run_all(self, flows: Sequence[tuple[float, Flow[Any]]]) -> list[Any]:
        """The values of several flows, each begun after its seconds, in their order. Raises what one of them raises."""
        tasks = [self.begin(flow, seconds) for seconds, flow in flows]
        while any(not task.signal.fired for task in tasks):
            assert self._events, "Every flow waits for something that never comes."
            self._next_event()
            for task in tasks:
                if task.failure is not None:
                    raise task.failure
        return [task.value for task in tasks]

    def begin(self, flow: Flow[Any], seconds: float = 0.0) -> Task:
        """A flow that is begun after some seconds and goes on while time passes; `task.own.stop()` cancels it."""
        strand = _Strand(self, Task(flow))
        strand.keeps_emitting = True
        self.after(seconds, strand.proceed)
        return strand.task

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and all that is due by then happen."""
        until = self.clock.monotonic + seconds
        self.after(seconds, lambda: None)
        while self._events and self._events[0][0] <= until:
            self._next_event()

    def of(self, kind: type[T]) -> list[T]:
        """The effects of one kind, in order."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def is_left(self) -> bool:
        """Whether the reader leaves now."""
        leaves = self._leave_after is not None and len(self.emitted) >= self._leave_after
        self._leave_after = None if leaves else self._leave_after
        return leaves

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Have something happen, `seconds` from now; what is due at the same time happens in the order of the calls."""
        self._count += 1
        heappush(self._events, (self.clock.monotonic + max(seconds, 0.0), self._count, act))

    def _next_event(self) -> None:
        when, _, act = heappop(self._events)
        passed = when - self.clock.monotonic
        if passed > 0:
            self.clock = Clock(when, self.clock.wall + passed)
        act()

    def reply(self, effect: Send | Open) -> Later:
        """What a request is answered with, as the effect's outcome."""
        reply: Any = self._answer(effect)
        wait, reply = (reply.seconds, reply.value) if isinstance(reply, Later) else (0.0, reply)
        if isinstance(reply, Exception):
            return Later(wait, Err(reply))
        if isinstance(effect, Send):
            return Later(wait, Ok(reply))
        if isinstance(reply, HttpResponse):
            reply = (reply.status, [reply.body])
        return Later(wait, Ok(Opened(reply[0], (), list(reply[1]))))


class _Strand:
    """One flow in a world: its task, what it waits for, and what it has started."""

    def __init__(self, world: World, task: Task) -> None:
        self.world, self.task = world, task
        self.keeps_emitting = False
        self._children: list[Task] = []
        self._turn = 0
        task.own = self

    def proceed(self, outcome: Any = None) -> None:
        """Run the flow on until it waits, pauses or ends."""
        if self.task.signal.fired:
            return
        self._turn += 1
        step: Any = self.task.flow.send
        try:
            while True:
                effect, step = step(outcome), self.task.flow.send
                self.world.effects.append(effect)
                if isinstance(effect, Emit) and not self.keeps_emitting:
                    self.task.emitted = effect.items
                    self.task.signal.fire()
                    return
                waits, outcome = self._outcome(effect)
                if waits:
                    return
                if isinstance(effect, Emit) and self.world.is_left():
                    step, outcome = self.task.flow.throw, ReaderLeft()
        except StopIteration as end:
            self.task.value = end.value
        except ReaderLeft:
            pass
        except Exception as bug:  # noqa: BLE001  # it is raised where the outcome is taken
            self.task.failure = bug
        self._end()

    def _end(self) -> None:
        for child in self._children:
            child.own.stop()
        self.task.signal.fire()

    def stop(self) -> None:
        """End the flow, whatever it waits for."""
        self.task.cancelled = not self.task.signal.fired
        self._dismiss()
        self._end()

    def _dismiss(self) -> None:
        """Tell the flow that nobody waits for it, and do what it asks for at once, as drivers do."""
        try:
            effect = self.task.flow.throw(ReaderLeft())
            while isinstance(effect, (Now, Environment, Tell)):
                self.world.effects.append(effect)
                effect = self.task.flow.send(self._at_once(effect))
        except (StopIteration, ReaderLeft):
            return
        finally:
            self.task.flow.close()

    def _outcome(self, effect: Effect) -> tuple[bool, Any]:
        """Whether the flow waits now, and if not, what the effect gives."""
        match effect:
            case Send() | Open():
                return self._later(self.world.reply(effect))
            case Read():
                pieces: Any = effect.handle
                piece = pieces.pop(0) if pieces else b""
                wait, piece = (piece.seconds, piece.value) if isinstance(piece, Later) else (0.0, piece)
                return self._later(Later(wait, Ok(piece) if isinstance(piece, bytes) else Err(piece)))
            case Sleep():
                return self._later(Later(effect.seconds, None))
            case Perform():
                return self._performed(effect)
            case Await():
                return self._await(effect)
        return False, self._at_once(effect)

    def _at_once(self, effect: Effect) -> Any:
        match effect:
            case Emit():
                self.world.emitted.extend(effect.items)
            case Now():
                return self.world.clock
            case Environment():
                return self.world._environ
            case Close():
                closed: Any = effect.handle
                closed.clear()
            case Tell():
                effect.listener(effect.notice)
            case Start():
                return self._started(effect)
            case Cancel():
                effect.task.own.stop()
        return None

    def _started(self, effect: Start) -> Task:
        child = _Strand(self.world, Task(effect.flow))
        self._children.append(child.task)
        self.world.after(0.0, child.proceed)
        return child.task

    def _later(self, later: Later) -> tuple[bool, Any]:
        if later.seconds <= 0:
            return False, later.value
        self.world.after(later.seconds, self._resumption(later.value))
        return True, None

    def _resumption(self, outcome: Any, *, called: bool = False) -> Callable[[], None]:
        """What resumes the flow from the effect it is at, once, and not a later one."""
        turn = self._turn

        def resume() -> None:
            if self._turn == turn and not self.task.signal.fired:
                self.proceed(outcome() if called else outcome)

        return resume

    def _performed(self, effect: Perform) -> tuple[bool, Any]:
        try:
            value = effect.function()
        except LLMError as error:
            value = Err(error)
        later = value if isinstance(value, Later) else Later(0.0, value)
        if effect.seconds is not None and later.seconds > effect.seconds:
            later = Later(effect.seconds, Err(ProviderTimeoutError(f"Nothing came for {effect.seconds} s.")))
        if not callable(later.value):
            return self._later(later)
        self.world.after(later.seconds, self._resumption(later.value, called=True))
        return True, None

    def _await(self, effect: Await) -> tuple[bool, Any]:
        if any(signal.fired for signal in effect.signals):
            return False, None
        resume = self._resumption(None)
        for signal in effect.signals:
            signal.listen(lambda: self.world.after(0.0, resume))
        if effect.seconds is not None:
            self.world.after(effect.seconds, resume)
        return True, None
