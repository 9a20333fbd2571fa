"""One execution environment: a process, and one invocation at a time that it is given.

Its attendant's thread tells it what the process does; whoever invokes hands an invocation over in the calling thread;
the watch looks at its limits. What they decide under the lock takes effect after it: lines first, then bytes to the
process, then news for whoever waits. So a line is told before what follows from it, and nobody waits for a slow process
while holding the lock.
"""

from __future__ import annotations

import signal
import threading
import time
from contextlib import contextmanager

from . import http1
from .attendant import Attendant
from .journal import Journal
from .loss import ENDED, loss_of, not_runnable, not_started, start_error, start_loss
from .place import Place
from .report import report_of
from .runtime_api import RuntimeApi
from .start import Start, ms_since

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Protocol

    from .bodies import Body
    from .connection import Connection
    from .function import Function
    from .host import Host
    from .job import Job
    from .logs import Line
    from .process import Process
    from .start import Phase

    class Owner(Protocol):
        """Who gives the environment its work."""

        def ready(self, environment: Environment) -> None:
            """It waits for work."""

        def again(self, job: Job) -> None:
            """It could not be loaded, and somebody waits."""

        def ended(self, environment: Environment) -> None:
            """It takes no more work."""


_OK = http1.reply(200)
_AWAKE_SECONDS = 0.01
"""Until a process that stood still runs again: a signal before that may go to a thread that handles none."""


class Environment:
    """Starts a function's process and gives it invocations. Ends by `end`, or when the process does."""

    def __init__(self, function: Function, host: Host, owner: Owner, job: Job | None, phase: Phase = "init") -> None:
        self.function, self._host, self._owner = function, host, owner
        self._start = Start(phase, snapstart=function.snapstart)
        self._lock = threading.Lock()
        self._effects: list[Callable[[], object]] = []
        self._journal = Journal(function.name, self._tell)
        self._api = RuntimeApi(self, function, host.limits)
        self._process: Process | None = None
        self._parked: Connection | None = None
        self._place = Place(function, host)
        self._work, self._last = job, job
        self._restoring = self._settled = False
        self.over = self._given = self._frozen = False
        self._why = ""
        self._idle_since = time.monotonic()
        self._term_at: float | None = None
        self._kill_at: float | None = None
        self.failure: dict[str, Any] | None = None
        """Why the function could not be loaded."""
        self._failure_body: bytes | None = None
        self.started = threading.Event()
        """Set when the function is loaded, or `failure` says why it is not."""
        self._attendant = Attendant(self, f"emulator {function.name}")

    # Asked from any thread.

    def start(self) -> None:
        """Start the process."""
        if self._work is not None:
            self._journal.attach(self._work)
            if self._start.phase == "invoke":
                self._work.begin(self.function.timeout)
        self._host.add(self)
        self._attendant.start()

    def assign(self, job: Job) -> bool:
        """Give it an invocation; whether it could take it."""
        with self.step():
            if self.over or self._why or self._work is not None:
                return False
            self._work = self._last = job
            self._journal.attach(job)
            if self._parked is not None and self._settled:
                self._go_on()
            elif self._start.loaded:
                job.begin(self.function.timeout)  # it has left its connection, and has this long to come back
        return True

    def end(self, why: str) -> None:
        """End it: at once, or after SIGTERM where the function asks for that."""
        with self.step():
            if self.over or self._why:
                return
            self._why = why
            if self._process is not None:
                self._put_down(self._process)

    def stop(self, request_id: str) -> bool:
        """End it if it works on this invocation; whether it does."""
        with self.step():
            if self.over or self._work is None or self._work.id != request_id:
                return False
            self._why = self._why or "stopped"
            if self._process is not None:
                self._process.kill()
        return True

    def join(self) -> None:
        """Wait for its end."""
        self._attendant.join()

    def check(self) -> bool:
        """End it if its time or memory is used up; whether it works."""
        process = self._process
        if process is None or self.over:
            return not self.over
        used_mb = process.used_mb() if self._works() else 0
        with self.step():
            if self._term_at is not None and time.monotonic() > self._term_at:
                self._term_at = None
                process.signal(signal.SIGTERM)
            if not self.over and (why := self._limit_met(time.monotonic(), used_mb)):
                self._why = self._why or why
                process.kill()
        return self._works() or self._kill_at is not None

    def _works(self) -> bool:
        return self._work is not None or (self._parked is None and not self._start.loaded)

    def _limit_met(self, now: float, used_mb: int) -> str:
        if self._kill_at is not None and now > self._kill_at:
            return "ended"
        if not self._works():
            return "idle" if now > self._idle_since + self._host.limits.idle_seconds else ""
        if used_mb > self.function.memory_mb:
            return "memory"
        return "timeout" if now > self._deadline() else ""

    def _deadline(self) -> float:
        if self._work is not None and self._work.began:
            return self._work.deadline
        return self._start.deadline(self._host.limits)

    # Told by the attendant, of the process.

    @contextmanager
    def step(self) -> Iterator[None]:
        """Decide under the lock; what has been decided takes effect after it."""
        with self._lock:
            yield
            effects, self._effects = self._effects, []
        for effect in effects:
            effect()

    def then(self, effect: Callable[[], object]) -> None:
        """Have something take effect at the end of the step."""
        self._effects.append(effect)

    def launched(self, address: str) -> Process | None:
        """Start the process, where that can be."""
        try:
            self.failure = not_runnable(self.function)
            if self.failure is None and not self._why:
                return self._launch(address)
        except OSError as error:
            self.failure = not_started(error)
        self._lost("")
        return None

    def begins(self) -> None:
        """The sandbox is ready: the start counts from here."""
        self._start.again()

    def ask(self, connection: Connection, head: http1.Head) -> Body:
        """What reads the body of a request."""
        return self._api.ask(connection, head)

    def hung_up(self, connection: Connection) -> None:
        """A process that has left its connection waits for nothing there."""
        if self._parked is connection:
            self._parked = None

    def printed(self, data: bytes) -> None:
        """The process has printed."""
        self._journal.printed(data)

    def exited(self) -> None:
        """The process has ended: what it was at is lost."""
        assert self._process is not None
        self._journal.rest()
        self._host.guard.remove(self._process.pid)
        self._lost(self._process.reap())

    def cleared(self) -> None:
        """The thread ends."""
        with self.step():
            if not self.over:
                self._lost("")
        self._place.clear()
        self.started.set()
        self._owner.ended(self)
        self._host.remove(self)

    def _launch(self, address: str) -> Process:
        self._start.again()
        self._process = process = self._place.launch(address)
        self._host.watch.wake()
        return process

    def _put_down(self, process: Process) -> None:
        if not (self.function.sigterm or self._api.extensions) or self._kill_at is not None:
            process.kill()
            return
        process.thaw()
        self._term_at = time.monotonic() + _AWAKE_SECONDS
        self._kill_at = self._term_at + self._host.limits.shutdown_seconds
        self._host.watch.wake()

    def _tell(self, line: Line) -> None:
        self.then(lambda: self._host.log(line))

    def _lost(self, ending: str) -> None:
        self.over = True
        self.then(lambda: self._owner.ended(self))
        if not self._start.loaded and self._why not in ENDED:
            self._not_loaded(ending)
        if self._work is not None:
            self._fail(self._work, ending)

    def _not_loaded(self, ending: str) -> None:
        """Say so; where somebody waits, it may be tried again."""
        late = self._why == "timeout"
        self.failure = self.failure or start_error(late, ending, self._host.limits.init_seconds)
        shown = "" if late else str(self.failure["errorType"])
        status = "timeout" if late else "error"
        self._journal.say(self._start.failed(status, shown))
        job = self._work
        if job is not None and self._start.phase == "init" and self.function.init_again:
            self._work = None
            self.then(lambda: self._owner.again(job))

    def _fail(self, job: Job, ending: str) -> None:
        if not job.told:
            self._journal.begin(job, self.function.version)
        job.began = job.began or self._start.began
        if self._start.loaded or self.failure is None or (self._why == "timeout" and self._start.phase == "invoke"):
            loss = loss_of(job, self.function, self._why, ending)
        else:
            loss = start_loss(job, self.failure, self._failure_body)
        job.answer.fail(loss.error, loss.body)
        self._journal.say(*loss.lines)
        self.then(self._closed(job, loss.status, loss.error_type))

    # Told by the Runtime API.

    @property
    def job(self) -> Job | None:
        """The invocation that runs, or else the one that ran last."""
        return self._last

    def not_started(self, error: dict[str, Any], body: bytes) -> None:
        """The process says that it could not start; it has a moment to end by itself."""
        self.failure, self._failure_body = error, body
        self._kill_at = time.monotonic() + self._host.limits.leaving_seconds

    def repeat(self, connection: Connection) -> None:
        """Give the process the invocation that it has already."""
        job = self._work
        assert job is not None
        self.then(lambda: connection.send(http1.reply(200, job.payload, job.headers())))

    def park(self, connection: Connection, *, restoring: bool) -> None:
        """The process waits."""
        self._parked, self._restoring, self._settled = connection, restoring, False
        self.settle()

    def settle(self) -> None:
        """When all that belongs to it waits, what it was at is over; it is frozen while there is nothing else."""
        if self._parked is None or self._settled or self._api.extensions.busy:
            return
        self._settled = True
        self._idle_since = time.monotonic()
        if self._host.freeze and (self._given or self._work is None):
            self._freeze()
        self._attendant.read_output()
        self._journal.rest()
        done = self._finished() if self._given else None
        if not self._restoring and not self._start.loaded:
            self._journal.say(*self._start.done(awaited=self._work is not None))
        if self._work is not None:
            self._go_on()
        else:
            self._journal.detach()
            self.then(lambda: self._owner.ready(self))
        self.then(self.started.set)
        if done is not None:
            self.then(done)

    def _freeze(self) -> None:
        assert self._process is not None
        self._frozen = True
        self._process.freeze()

    def _go_on(self) -> None:
        """Give the waiting process what it waits for: its restore, or an invocation."""
        assert self._process is not None
        connection, self._parked = self._parked, None
        assert connection is not None
        if self._frozen:
            self._frozen = False
            self._process.thaw()
        self._host.watch.wake()
        if self._api.state.name == "RestoreReady":
            self._api.state.restored()
            self._start.restoring()
            self.then(lambda: connection.send(_OK))
        else:
            self._give(connection)

    def _give(self, connection: Connection) -> None:
        job = self._work
        assert job is not None
        self._given = True
        self._api.state.give(job.id)
        if not job.began:
            job.begin(self.function.timeout)
        self._journal.begin(job, self.function.version)
        self._api.extensions.tell(job)
        self.repeat(connection)

    def _finished(self) -> Callable[[], None]:
        job = self._work
        assert job is not None
        if job.truncated:
            job.answer.fail(job.failure("Runtime.TruncatedResponse", "The response was not sent to its end"))
        return self._closed(job, "", "")

    def _closed(self, job: Job, status: str, error_type: str) -> Callable[[], None]:
        """Write the last lines of an invocation; what is returned tells who waits for it."""
        ms = self.function.timeout * 1000 if status == "timeout" else ms_since(job.began)
        init_ms, restore_ms = self._start.billed()
        report = report_of(
            self.function,
            job.id,
            ms,
            init_ms=init_ms,
            restore_ms=restore_ms,
            max_memory_mb=self._peak_mb(),
            status=status,
            error_type=error_type,
        )
        self._journal.end(job, report)
        self._journal.detach()
        self._work, self._given = None, False
        return lambda: job.answer.finish(report, job.lines)

    def _peak_mb(self) -> int | None:
        if self._why == "memory":
            return self.function.memory_mb
        return self._process.peak_mb() if self._process is not None else None
