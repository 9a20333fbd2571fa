"""The event loop of an environment: one for all invocations of its async functions, so that what is opened in it lasts.

Lambda calls a handler like any function, again and again. A loop made for each call would close under the clients of
the one before, whose connections then fail with "Event loop is closed". This one stays until the process ends, and
stands still between invocations, as the environment does. Where the calling thread runs a loop already (a test tool, a
notebook), or the environment's is busy in another thread, a second one does the work in a thread of its own.
"""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
from contextvars import copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator
    from types import FrameType
    from typing import Any, Generic, TypeVar

    T = TypeVar("T")

    class _Of(Generic[T]): ...

else:

    class _Of:
        """What is generic to type checkers alone."""

        def __class_getitem__(cls, _item):
            return cls

    T = None

_END: Any = object()
_MORE, _NO_MORE = "more", "no more"
_MACHINERY = (os.path.dirname(asyncio.__file__) + os.sep, selectors.__file__, __file__)
"""Where the code of event loops is, which an exception out of nowhere would break: who waits would never be woken."""
_LETS_GO_SECONDS = 0.2
"""What is cancelled at the end has so long; Lambda kills the process after 0.3 s, and hooks are still to be called."""


class EnvironmentLoop:
    """Runs coroutines for callers that don't await. A forked child gets loops of its own."""

    def __init__(self) -> None:
        self._renewed()

    def _renewed(self) -> None:
        self._pid = os.getpid()
        self._turn = threading.Lock()
        self._beside_lock = threading.Lock()
        self._runner: asyncio.Runner | None = None
        self._beside: asyncio.AbstractEventLoop | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What the coroutine returns; raises what it raises."""
        self._check_process()
        if not _loop_runs_here() and self._turn.acquire(blocking=False):
            try:
                return self._here(coroutine)
            finally:
                self._turn.release()
        value: T = self._run_beside(coroutine)
        return value

    def iterate(self, items: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """What an asynchronous generator yields. All of it runs in one task, as its time limits and scopes expect."""
        self._check_process()
        beside = _loop_runs_here()
        pump: _Pump[T] = (self._run_beside if beside else self._run_here)(_begun(items))
        step = self._step_beside if beside else self._step_here
        try:
            while (item := step(pump, _MORE)) is not _END:
                yield item
        finally:
            if not pump.loop.is_closed():
                step(pump, _NO_MORE)

    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop of those who don't run one, if there is any yet."""
        return self._runner.get_loop() if self._runner is not None and self._pid == os.getpid() else None

    def _step_here(self, pump: _Pump[T], word: str) -> Any:
        """The pump's answer, at a seventh of what `Runner.run` takes, which makes a task and sets signals each time."""
        with self._turn:
            answer = pump.ask(word)
            try:
                return pump.loop.run_until_complete(answer)
            except (SystemExit, KeyboardInterrupt):
                answer.cancel()
                _let_go(pump.loop)
                pump.end()
                raise

    def _step_beside(self, pump: _Pump[T], word: str) -> Any:
        return self._run_beside(pump.asked(word))

    def _check_process(self) -> None:
        if self._pid != os.getpid():
            self._left_to_the_parent()

    def _run_here(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        with self._turn:
            return self._here(coroutine)

    def _run_beside(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop_beside()).result()

    def _here(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._runner is None:
            from .._hooks import at_last

            self._runner = asyncio.Runner()
            at_last(self._close)
        try:
            return self._runner.run(coroutine, context=copy_context())
        except SystemExit:  # of Lambda's signal: what was awaited lets go before anything else is ended
            _let_go(self._runner.get_loop())
            raise

    def _close(self) -> None:
        for exit in _exits:
            exit.cancel()  # the run in which it was to be raised had ended before
        if self._runner is not None:
            self._runner.close()

    def _loop_beside(self) -> asyncio.AbstractEventLoop:
        with self._beside_lock:
            if self._beside is None:
                self._beside = asyncio.new_event_loop()
                threading.Thread(target=_run_forever, args=(self._beside,), daemon=True, name="lambdallm").start()
            return self._beside

    def _left_to_the_parent(self) -> None:
        """Give up the loops that a fork has copied. They are kept: closing one would unhinge the parent's."""
        _of_the_parent.append((self._runner, self._beside))
        self._renewed()


_of_the_parent: list[Any] = []
_exits: list[asyncio.Handle] = []
"""What is to end the process in a loop's next turn."""


def _loop_runs_here() -> bool:
    return asyncio._get_running_loop() is not None


async def _begun(items: AsyncGenerator[T, None]) -> _Pump[T]:
    return _Pump(items)


class _Pump(_Of[T]):
    """Reads an asynchronous generator in a task of its own, one item for each time it is asked."""

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items = items
        self.loop = asyncio.get_running_loop()
        self._asked: asyncio.Future[str] = self.loop.create_future()
        self._given: asyncio.Future[Any] = self.loop.create_future()
        self._task = self.loop.create_task(self._pump())

    def ask(self, word: str) -> asyncio.Future[Any]:
        """The next item to come, or `_END`; raises what the generator raises. Nothing comes after its end."""
        self._given = self.loop.create_future()
        if self._task.done():
            self._given.set_result(_END)
        elif not self._asked.done():
            self._asked.set_result(word)
        return self._given

    async def asked(self, word: str) -> Any:
        """The same for another thread."""
        return await self.ask(word)

    def end(self) -> None:
        """Take note of what the task ended with, which was raised elsewhere."""
        if self._task.done() and not self._task.cancelled():
            self._task.exception()

    async def _pump(self) -> None:
        error = None
        try:
            while await self._word() == _MORE and (item := await anext(self._items, _END)) is not _END:
                self._give(item)
        except BaseException as raised:  # noqa: BLE001  # it is raised where the item was asked for
            error = raised
        try:
            await self._items.aclose()
        finally:
            self._give(_END, error)
        if isinstance(error, (SystemExit, KeyboardInterrupt)):
            raise error  # what ends a process ends the run of its loop, which asyncio would otherwise go on with

    async def _word(self) -> str:
        word = await self._asked
        self._asked = self.loop.create_future()
        return word

    def _give(self, item: Any, error: BaseException | None = None) -> None:
        if self._given.done():
            return  # nobody waits any more: whoever asked was interrupted
        if error is None:
            self._given.set_result(item)
        elif isinstance(error, asyncio.CancelledError):
            self._given.cancel()  # which, other than an exception, need not be heard of
        else:
            self._given.set_exception(error)


def _let_go(loop: asyncio.AbstractEventLoop) -> None:
    """End all tasks of a loop whose run was broken off."""
    loop.call_soon(loop.stop)
    loop.run_forever()  # the rest of its turn: it may have been about to stop, which would end the next run early
    loop.run_until_complete(_all_cancelled())


async def _all_cancelled() -> None:
    """End all tasks of this loop, and wait until they have let go of what they hold."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_LETS_GO_SECONDS)


def exits_at_next_turn(frame: FrameType | None) -> bool:
    """Have this thread's loop raise `SystemExit(0)` itself, where a signal has interrupted a loop's own code.

    `False`, and nothing done, where `frame`, the interrupted one, is of anything else.
    """
    if frame is None or not frame.f_code.co_filename.startswith(_MACHINERY):
        return False
    loop = asyncio._get_running_loop() or environment_loop.loop()
    if loop is None or loop.is_closed():
        return False
    _exits.append(loop.call_soon_threadsafe(_exit))
    return True


def _exit() -> None:
    raise SystemExit(0)


def _run_forever(loop: asyncio.AbstractEventLoop) -> None:
    from atexit import register

    register(loop.call_soon_threadsafe, loop.stop)
    try:
        loop.run_forever()
    finally:
        loop.close()


environment_loop = EnvironmentLoop()
