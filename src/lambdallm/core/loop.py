"""The event loop of an environment: one for all invocations of its async handlers, so that what is opened in it lasts.

Lambda calls a handler like any function, again and again. A loop made for each call would close under the clients of
the one before, whose connections then fail with "Event loop is closed". This one stays until the process ends, and
stands still between invocations, as the environment does. Where the calling thread runs a loop already (a test tool, a
notebook), or the environment's is busy in another thread, a second one does the work in a thread of its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextvars import copy_context

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Generator
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
        run = self._run_beside if _loop_runs_here() else self._run_here
        pump: _Pump[T] = run(_begun(items))
        try:
            while (item := run(pump.ask(_MORE))) is not _END:
                yield item
        finally:
            run(pump.ask(_NO_MORE))

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
            from atexit import register

            self._runner = asyncio.Runner()
            register(_closed, self._runner, self._pid)
        return self._runner.run(coroutine, context=copy_context())

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


def _loop_runs_here() -> bool:
    return asyncio._get_running_loop() is not None


async def _begun(items: AsyncGenerator[T, None]) -> _Pump[T]:
    return _Pump(items)


class _Pump(_Of[T]):
    """Reads an asynchronous generator in a task of its own, one item for each time it is asked."""

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items = items
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._given: asyncio.Queue[Any] = asyncio.Queue()
        self._task = asyncio.get_running_loop().create_task(self._pump())

    async def ask(self, word: str) -> Any:
        """The next item, or `_END`; raises what the generator raises. Nothing comes after its end."""
        if self._task.done():
            return _END
        self._asked.put_nowait(word)
        item, error = await self._given.get()
        if error is not None:
            raise error
        return item

    async def _pump(self) -> None:
        error = None
        try:
            while await self._asked.get() == _MORE and (item := await anext(self._items, _END)) is not _END:
                self._given.put_nowait((item, None))
        except BaseException as raised:  # noqa: BLE001  # it is raised where the item was asked for
            error = raised
        try:
            await self._items.aclose()
        finally:
            self._given.put_nowait((_END, error))


def _closed(runner: asyncio.Runner, pid: int) -> None:
    if pid == os.getpid():
        runner.close()


def _run_forever(loop: asyncio.AbstractEventLoop) -> None:
    from atexit import register

    register(loop.call_soon_threadsafe, loop.stop)
    try:
        loop.run_forever()
    finally:
        loop.close()


environment_loop = EnvironmentLoop()
