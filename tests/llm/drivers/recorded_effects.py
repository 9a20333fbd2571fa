"""The real drivers over a network and a clock that are played, and the log of what flows asked of them.

Time moves when a played transport says so, when a flow sleeps, and when it waits for attempts of which all stall: never
by waiting. An attempt that stalls answers when nothing else can happen, or is cancelled; so which of two attempts comes
first is decided by the scenario and not by threads. One that has no other beside it never stalls.
"""

import threading
from contextvars import ContextVar

from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.drivers.awaiting import _await
from lambdallm.llm.drivers.threads import wait_for
from lambdallm.llm.flow import Await, Clock, Emit, Now, Open, Perform, ReaderLeft, Send, Sleep, Start, Tell
from lambdallm.llm.task import Signal
from lambdallm.transport.types import HttpResponse

BEGUN = 1_000.0
_here = ContextVar("log")


class Log:
    """What one flow asked for, in order; a flow that it ran or started has a log of its own, in its place."""

    def __init__(self, *, beside=False):
        self.entries = []
        self.ended = threading.Event()
        self.beside = beside

    def inner(self, word):
        log = Log(beside=self.beside or word == "Start")
        self.entries.append((word, log))
        return log

    def finished(self):
        """The entries as plain values, once every flow has ended: a thread that lost may do so late."""
        assert self.ended.wait(10), self.entries
        return [(word, value.finished() if isinstance(value, Log) else value) for word, value in self.entries]


def recorded(flow, log):
    """The same flow, its effects in the log."""
    step, outcome = flow.send, None
    try:
        while True:
            effect = step(outcome)
            step = flow.send
            effect = _noted(effect, log)
            _here.set(log)
            try:
                outcome = yield effect
            except ReaderLeft as left:
                log.entries.append(("left", None))
                step, outcome = flow.throw, left
    except StopIteration as end:
        return end.value
    finally:
        flow.close()
        log.ended.set()


def _noted(effect, log):
    if isinstance(effect, Start):
        return Start(recorded(effect.flow, log.inner("Start")))
    log.entries.append((type(effect).__name__, _facts(effect)))
    return effect


def _facts(effect):
    match effect:
        case Send() | Open():
            return effect.request.url, effect.request.body, effect.timeouts
        case Emit():
            return tuple(effect.items)
        case Sleep():
            return effect.seconds
        case Await():
            return len(effect.signals), effect.seconds
        case Perform():
            return effect.seconds
        case Tell():
            notice = effect.notice
            return type(notice).__name__, getattr(notice, "latency_ms", None), getattr(notice, "completion", None)
    return None


class Stage:
    """What the two worlds share: the clock, the replies to come, and who stalls.

    A reply is `(seconds, stalls, what)`: an answer, an exception, or for a stream a list of pieces and exceptions.
    """

    def __init__(self, replies):
        self.replies = list(replies)
        self.monotonic = BEGUN
        self.stalled = []
        self.news = Signal()
        self._lock = threading.Lock()
        self.log = Log()

    def now(self, _effect):
        return Clock(self.monotonic, self.monotonic)

    def pass_time(self, seconds):
        with self._lock:
            self.monotonic += seconds

    def next_reply(self):
        """The next reply, and the signal that ends its stalling, if it stalls."""
        with self._lock:
            seconds, stalls, what = self.replies.pop(0) if self.replies else (0, False, HttpResponse(500, body=b"{}"))
            if not stalls or self.stalled or not _here.get().beside:
                return seconds, None, what
            turn = Signal()
            self.stalled.append(turn)
            news, self.news = self.news, Signal()
        news.fire()
        return seconds, turn, what

    def goes_on(self, turn):
        with self._lock:
            self.stalled.remove(turn)

    def waits(self, effect):
        """The signals to wait for really, one after another, until the wait that a flow asked for is over.

        Where all that it waits for stalls, its time passes at once; where it has no end, one goes on.
        """
        while not any(signal.fired for signal in effect.signals):
            news = self.news
            if len(self.stalled) >= len(effect.signals):
                if effect.seconds is not None:
                    self.pass_time(effect.seconds)
                    return
                self.stalled[0].fire()
            yield (*effect.signals, news)


class _Reply:
    """A played answer whose body is still to come."""

    status, headers = 200, (("Content-Type", "text/event-stream"),)

    def __init__(self, stage, what):
        if isinstance(what, HttpResponse):
            self.status, self.headers, what = what.status, what.headers, (what.body,)
        self.stage, self.pieces = stage, iter(what)

    def next(self):
        piece = next(self.pieces, b"")
        if isinstance(piece, Exception):
            raise piece
        self.stage.pass_time(0.25)
        return piece

    def __iter__(self):
        return iter(self.next, b"")

    async def __aiter__(self):
        while piece := self.next():
            yield piece

    def close(self):
        pass

    async def aclose(self):
        pass


def _given(what, wanted):
    if isinstance(what, Exception):
        raise what
    return what if wanted is None or isinstance(what, wanted) else HttpResponse(500, body=b"{}")


class BlockingWorld:
    """The blocking driver, its transport and its clock played."""

    def __init__(self, stage):
        self.stage = stage
        self.driver = _RecordedDriver(self)
        self.driver._perform |= {Now: stage.now, Sleep: lambda e: stage.pass_time(e.seconds), Await: self._await}

    def _await(self, effect):
        for signals in self.stage.waits(effect):
            wait_for(signals, None)

    def send(self, request, timeouts):
        return _given(self._reply(), HttpResponse)

    def open(self, request, timeouts):
        return _Reply(self.stage, _given(self._reply(), None))

    def _reply(self):
        seconds, turn, what = self.stage.next_reply()
        if turn is not None:
            try:
                wait_for((turn,), None)
            finally:
                self.stage.goes_on(turn)
        self.stage.pass_time(seconds)
        return what

    def close(self):
        pass


class _RecordedDriver(Driver):
    def run(self, flow):
        return super().run(recorded(flow, _here.get().inner("run")))

    def iterate(self, flow):
        yield from super().iterate(recorded(flow, _here.get().inner("iterate")))


class AwaitingWorld:
    """The asynchronous driver, its transport and its clock played."""

    def __init__(self, stage):
        self.stage = stage
        self.driver = _RecordedAsyncDriver(self)
        self.driver._answer[Now] = stage.now
        self.driver._perform |= {Sleep: self._sleep, Await: self._await}

    async def _sleep(self, effect):
        self.stage.pass_time(effect.seconds)

    async def _await(self, effect):
        for signals in self.stage.waits(effect):
            await _await(Await(signals))

    async def send(self, request, timeouts):
        return _given(await self._reply(), HttpResponse)

    async def open(self, request, timeouts):
        return _Reply(self.stage, _given(await self._reply(), None))

    async def _reply(self):
        seconds, turn, what = self.stage.next_reply()
        if turn is not None:
            try:
                await _await(Await((turn,)))
            finally:
                self.stage.goes_on(turn)
        self.stage.pass_time(seconds)
        return what

    async def aclose(self):
        pass


class _RecordedAsyncDriver(AsyncDriver):
    async def run(self, flow):
        return await super().run(recorded(flow, _here.get().inner("run")))

    async def iterate(self, flow):
        items = super().iterate(recorded(flow, _here.get().inner("iterate")))
        try:
            async for item in items:
                yield item
        finally:
            await items.aclose()


def begin(stage):
    """Have what is run next logged as the scenario's own, once all that was run before has ended."""
    finished(stage)
    _here.set(stage.log)


def finished(stage):
    """The whole log: the flows that the scenario ran, one after another."""
    return [(word, log.finished()) for word, log in stage.log.entries]
