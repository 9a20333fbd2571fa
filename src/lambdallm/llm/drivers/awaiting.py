"""The driver of programs with an event loop. Its connections belong to the loop that opened them."""

from __future__ import annotations

from ..._hooks import at_last
from ...transport.errors import TransportError
from ..errors import LambdaLLMError, LLMError
from ..flow import (
    Await,
    Cancel,
    Close,
    Emit,
    Open,
    Opened,
    Perform,
    Read,
    ReaderLeft,
    Send,
    Sleep,
    Start,
)
from ..result import Err, Ok
from ..task import Task
from .blocking import AT_ONCE, Handle, dismiss
from .failures import as_llm_error, imported, mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable
    from typing import Any, TypeVar

    from ...transport.types import AsyncTransport
    from ..flow import Effect, Flow
    from ..result import Result

    T = TypeVar("T")


class AsyncDriver:
    """The asynchronous twin of `Driver`. Safe to share between event loops, threads and across a fork."""

    def __init__(self, transport: AsyncTransport | None = None) -> None:
        self._transports: dict[str, AsyncTransport] = {} if transport is None else {"": transport}
        self._perform: dict[type, Callable[[Any], Awaitable[Any]]] = {
            Send: self._send, Open: self._open, Read: _read, Close: _close, Sleep: _sleep, Perform: _performed,
            Await: _await, Cancel: _cancel,
        }  # fmt: skip
        self._answer: dict[type, Callable[[Any], Any]] = {**AT_ONCE, Start: self._start}

    async def run(self, flow: Flow[T]) -> T:
        """Perform a flow that emits nothing, and return its value."""
        outcome: Any = None
        held: _Held | None = None
        try:
            while True:
                effect = flow.send(outcome)
                kind = type(effect)
                answer = self._answer.get(kind)
                outcome = answer(effect) if answer else await self._perform[kind](effect)
                if kind is Start or kind is Open:
                    held = held or _Held()
                    held.keep(outcome)
        except StopIteration as stop:
            value: T = stop.value
            return value
        except BaseException as reason:
            dismiss(flow, reason)
            raise
        finally:
            if held is not None:
                await held.close()

    async def iterate(self, flow: Flow[Result[Any, LambdaLLMError]]) -> AsyncGenerator[Any, None]:
        """Perform a flow, yielding what it emits as it emits it; raises the error it ends with."""
        outcome: Any = None
        held = _Held()
        try:
            while True:
                effect = flow.send(outcome)
                kind = type(effect)
                if kind is Emit:
                    try:
                        for item in effect.items:  # type: ignore[union-attr]  # an Emit, by the line above
                            yield item
                    except GeneratorExit:
                        await self._settle(flow, held)
                        raise
                    outcome = None
                    continue
                answer = self._answer.get(kind)
                outcome = answer(effect) if answer else await self._perform[kind](effect)
                if kind is Open or kind is Start:
                    held.keep(outcome)
        except StopIteration as stop:
            stop.value.unwrap()
        except BaseException as reason:
            dismiss(flow, reason)
            raise
        finally:
            await held.close()

    def _start(self, effect: Start) -> Task:
        task = Task(effect.flow)
        task.own = _Runner(task, self)
        return task

    async def outcome_of(self, effect: Effect) -> Any:
        """Perform one effect that is no `Emit`."""
        kind = type(effect)
        answer = self._answer.get(kind)
        return answer(effect) if answer else await self._perform[kind](effect)

    async def _settle(self, flow: Flow[Any], held: _Held) -> None:
        """Tell a flow that its reader has left, and perform what it still has to do."""
        try:
            effect = flow.throw(ReaderLeft())
            while type(effect) is not Emit:
                outcome = await self.outcome_of(effect)
                held.keep(outcome)
                effect = flow.send(outcome)
        except (StopIteration, ReaderLeft):
            return
        finally:
            flow.close()

    def ready(self) -> None:
        """Have what sends requests loaded, before there is one to send."""
        self._transport("")

    async def aclose(self) -> None:
        """Close every connection."""
        for transport in list(self._transports.values()):
            await transport.aclose()

    def let_go(self) -> None:
        """Close what is idle where no event loop runs any more: at the end of the process."""
        close_idle = getattr(self._transports.get(""), "close_idle", None)
        if close_idle is not None:
            close_idle()

    async def _send(self, effect: Send) -> Result[Any, LLMError]:
        try:
            return Ok(await self._transport(effect.via).send(effect.request, effect.timeouts))
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))

    async def _open(self, effect: Open) -> Result[Opened, LLMError]:
        try:
            stream = await self._transport(effect.via).open(effect.request, effect.timeouts)
        except (TransportError, ValueError) as error:
            return Err(mapped(error, effect.request.url))
        return Ok(Opened(stream.status, stream.headers, Handle(stream, aiter(stream))))

    def _transport(self, via: str) -> AsyncTransport:
        return self._transports.get(via) or self._made(via)

    def _made(self, via: str) -> AsyncTransport:
        """The one transport of its kind; of several threads that ask first, all get the same."""
        made: AsyncTransport
        if via:
            from ..clients.in_process import ThreadedTransport

            made = ThreadedTransport(imported(via)())
        else:
            from ...transport.aio import AsyncioTransport

            made = AsyncioTransport()
        return self._transports.setdefault(via, made)


class _Held:
    """The asynchronous twin of `blocking.Held`."""

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

    async def close(self) -> None:
        """Stop the tasks, all of them before waiting for any, and close the answers."""
        for task in self.tasks:
            task.own.cancel()
        for task in self.tasks:
            await task.own.stop()
        for handle in self.handles:
            await handle.stream.aclose()


class _Runner:
    """Runs a task beside others of its event loop, to its end or its first `Emit`."""

    __slots__ = ("_driver", "_held", "_loop_task", "_task")

    def __init__(self, task: Task, driver: AsyncDriver) -> None:
        from asyncio import ensure_future

        self._task, self._driver, self._held = task, driver, _Held()
        self._loop_task = ensure_future(self._run())

    async def _run(self) -> None:
        task = self._task
        try:
            await self._advance()
        except Exception as bug:  # noqa: BLE001  # it is raised where the task's outcome is taken
            task.failure = bug
        except BaseException:
            task.cancelled = True
            raise
        finally:
            try:
                if task.emitted is None:
                    dismiss(task.flow)
                    await self._held.close()
            finally:
                task.signal.fire()

    async def _advance(self) -> None:
        task, outcome = self._task, None
        try:
            while True:
                effect = task.flow.send(outcome)
                if type(effect) is Emit:
                    task.emitted = effect.items
                    return
                outcome = await self._driver.outcome_of(effect)
                if type(effect) is Open or type(effect) is Start:
                    self._held.keep(outcome)
        except StopIteration as end:
            task.value = end.value

    def cancel(self) -> None:
        """Have the task end, where it has not. It is told once: a second time would interrupt how it lets go."""
        if not self._loop_task.cancelling():
            self._loop_task.cancel()

    async def stop(self) -> None:
        """End the task, and wait until it has let go of what it holds."""
        if not self._loop_task.done():
            from asyncio import wait

            self.cancel()
            await wait((self._loop_task,))
        dismiss(self._task.flow)
        await self._held.close()
        self._task.signal.fire()  # one that was stopped before its first step has not


async def _cancel(effect: Cancel) -> None:
    await effect.task.own.stop()


async def _await(effect: Await) -> None:
    """Wait in this event loop for any of the signals, whichever thread fires them."""
    import asyncio

    loop = asyncio.get_running_loop()
    woken = asyncio.Event()

    def wake() -> None:
        try:
            loop.call_soon_threadsafe(woken.set)
        except RuntimeError:
            return  # the loop is closed, and nobody waits in it

    for signal in effect.signals:
        signal.listen(wake)
    try:
        async with asyncio.timeout(effect.seconds):
            await woken.wait()
    except TimeoutError:
        return
    finally:
        for signal in effect.signals:
            signal.forget(wake)


async def _read(effect: Read) -> Result[bytes, LLMError]:
    handle: Any = effect.handle
    try:
        return Ok(await anext(handle.pieces, b""))
    except TransportError as error:
        return Err(mapped(error, ""))


async def _close(effect: Close) -> None:
    handle: Any = effect.handle
    await handle.stream.aclose()


async def _sleep(effect: Sleep) -> None:
    import asyncio

    await asyncio.sleep(effect.seconds)


async def _performed(effect: Perform) -> Any:
    try:
        value = effect.function()
        if not hasattr(value, "__await__"):
            return value
        if effect.seconds is None:
            return await value
        from asyncio import timeout

        async with timeout(effect.seconds):
            return await value
    except (LLMError, OSError) as error:
        return Err(as_llm_error(error, effect.seconds))


_shared: list[AsyncDriver] = []


def shared_async_driver() -> AsyncDriver:
    """The asynchronous driver of this environment: its connections survive warm invocations."""
    if not _shared:
        _shared.append(AsyncDriver())
        at_last(_shared[0].let_go)
    return _shared[0]
