"""The driver of functions without an event loop: blocking calls in the calling thread.

What runs beside (`Start`) gets a thread of its own, from `threads`, which only then is loaded.
"""

from __future__ import annotations

import os
import time

from ..._hooks import at_last
from ..._value import Value
from ...transport.errors import TransportError
from ...transport.interrupt import here
from ..errors import ConfigurationError, LambdaLLMError, LLMError
from ..flow import (
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
from ..result import Err, Ok
from ..task import Task
from .failures import as_llm_error, imported, mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeVar

    from ...transport.types import Transport
    from ..flow import Flow
    from ..result import Result

    T = TypeVar("T")


class Handle(Value):
    """An open answer and the iterator over its pieces."""

    stream: Any
    pieces: Any


class Driver:
    """Performs effects in the calling thread, with blocking calls. Safe to share between threads and across a fork."""

    def __init__(self, transport: Transport | None = None) -> None:
        self._transports: dict[str, Transport] = {} if transport is None else {"": transport}
        self._perform: dict[type, Callable[[Any], Any]] = {
            **AT_ONCE, Send: self._send, Open: self._open, Read: _read, Close: _close, Sleep: _sleep,
            Perform: _performed, Start: self._start, Await: _await, Cancel: _cancel,
        }  # fmt: skip

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow that emits nothing, and return its value."""
        outcome: Any = None
        perform = self._perform
        held: Held | None = None
        try:
            while True:
                effect = flow.send(outcome)
                kind = type(effect)
                outcome = perform[kind](effect)
                if kind is Start or kind is Open:
                    held = held or Held()
                    held.keep(outcome)
        except StopIteration as stop:
            value: T = stop.value
            return value
        except BaseException as reason:
            dismiss(flow, reason)
            raise
        finally:
            if held is not None:
                held.close()

    def iterate(self, flow: Flow[Result[Any, LambdaLLMError]]) -> Generator[Any, None, None]:
        """Perform a flow, yielding what it emits as it emits it; raises the error it ends with."""
        outcome: Any = None
        perform = self._perform
        held = Held()
        try:
            while True:
                effect = flow.send(outcome)
                kind = type(effect)
                if kind is Emit:
                    try:
                        yield from effect.items  # type: ignore[union-attr]  # an Emit, by the line above
                    except GeneratorExit:
                        self._settle(flow, held)
                        raise
                    outcome = None
                    continue
                outcome = perform[kind](effect)
                if kind is Open or kind is Start:
                    held.keep(outcome)
        except StopIteration as stop:
            stop.value.unwrap()
        except BaseException as reason:
            dismiss(flow, reason)
            raise
        finally:
            held.close()

    def _start(self, effect: Start) -> Task:
        from .threads import begun

        return begun(self._perform, effect.flow)

    def _settle(self, flow: Flow[Any], held: Held) -> None:
        """Tell a flow that its reader has left, and perform what it still has to do."""
        try:
            effect = flow.throw(ReaderLeft())
            while type(effect) is not Emit:
                outcome = self._perform[type(effect)](effect)
                held.keep(outcome)
                effect = flow.send(outcome)
        except (StopIteration, ReaderLeft):
            return
        finally:
            flow.close()

    def ready(self) -> None:
        """Have what sends requests loaded, before there is one to send."""
        self._transport("")

    def close(self) -> None:
        """Close every connection. The driver can be used again."""
        for transport in list(self._transports.values()):
            transport.close()

    def _send(self, effect: Send) -> Result[Any, LLMError]:
        try:
            return Ok(self._transport(effect.via).send(effect.request, effect.timeouts))
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))

    def _open(self, effect: Open) -> Result[Opened, LLMError]:
        try:
            stream = self._transport(effect.via).open(effect.request, effect.timeouts)
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))
        return Ok(Opened(stream.status, stream.headers, Handle(stream, iter(stream))))

    def _transport(self, via: str) -> Transport:
        return self._transports.get(via) or self._made(via)

    def _made(self, via: str) -> Transport:
        """The one transport of its kind; of several threads that ask first, all get the same."""
        if via:
            made: Transport = imported(via)()
        else:
            from ...transport.sync import SyncTransport

            made = SyncTransport()
        return self._transports.setdefault(via, made)


class Held:
    """What a running flow holds, open answers and tasks: let go however the flow ends."""

    __slots__ = ("handles", "tasks")

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.tasks: list[Task] = []

    def keep(self, outcome: Any) -> None:
        """Remember what an `Open` or a `Start` gave."""
        if type(outcome) is Task:
            self.tasks.append(outcome)
        elif type(outcome) is Ok and type(outcome.value) is Opened:
            opened: Any = outcome.value
            self.handles.append(opened.handle)

    def close(self) -> None:
        """Stop the tasks and close the answers."""
        for task in self.tasks:
            task.own.stop()
        for handle in self.handles:
            handle.stream.close()


def _cancel(effect: Cancel) -> None:
    effect.task.own.stop()


def _await(effect: Await) -> None:
    from .threads import wait_for

    wait_for(effect.signals, effect.seconds)


def _sleep(effect: Sleep) -> None:
    if here.interrupt is None:
        time.sleep(effect.seconds)
    else:
        _await(Await((), effect.seconds))


def tell(effect: Tell) -> None:
    """Tell a listener; its own failure is logged and stays its own."""
    try:
        outcome: Any = effect.listener(effect.notice)
        if hasattr(outcome, "__await__"):
            getattr(outcome, "close", lambda: None)()
            raise TypeError("It is asynchronous, and nobody awaits it: give a plain function.")
    except Exception:  # whatever it is, the call it listens to goes on
        from logging import getLogger

        getLogger("lambdallm").exception("The listener %r failed.", effect.listener)


def _read(effect: Read) -> Result[bytes, LLMError]:
    handle: Any = effect.handle
    try:
        return Ok(next(handle.pieces, b""))
    except TransportError as error:
        return Err(mapped(error, ""))


def _close(effect: Close) -> None:
    handle: Any = effect.handle
    handle.stream.close()


def now(_effect: Now) -> Clock:
    """Read the clocks."""
    return Clock(time.monotonic(), time.time())


AT_ONCE: dict[type, Callable[[Any], Any]] = {Now: now, Environment: lambda _: os.environ, Tell: tell}
"""The effects that wait for nothing, which every driver performs alike."""


def dismiss(flow: Flow[Any], reason: BaseException | None = None) -> None:
    """Tell a flow that nobody waits for it any more, and perform what it has to do at once; then close it."""
    left = ReaderLeft()
    left.__cause__ = reason
    try:
        effect = flow.throw(left)
        while (perform := AT_ONCE.get(type(effect))) is not None:
            effect = flow.send(perform(effect))
    except (StopIteration, ReaderLeft):
        return
    finally:
        flow.close()


def _performed(effect: Perform) -> Any:
    try:
        value = effect.function()
    except (LLMError, OSError) as error:
        return Err(as_llm_error(error))
    if hasattr(value, "__await__"):
        getattr(value, "close", lambda: None)()
        fix = "Give the blocking client blocking functions, or use the asynchronous client."
        raise ConfigurationError(f"{effect.function!r} is asynchronous.", fix=fix)
    return value


_shared: list[Driver] = []


def shared_driver() -> Driver:
    """The driver of this environment: its connections survive warm invocations."""
    if not _shared:
        _shared.append(Driver())
        at_last(_shared[0].close)
    return _shared[0]
