"""Streams that block and streams that await, behind one face, so that each case is told once."""

import asyncio
import queue
import sys
import threading
import time

import pytest

from lambdallm.llm import streaming
from lambdallm.llm.streaming import sync


class Feed:
    """A stream that gives what the test gives it, when it gives it; an error is raised, `StopIteration` ends it.

    `read` counts what has been taken of it, `closed` is set once it is closed.
    """

    def __init__(self):
        self._items = queue.SimpleQueue()
        self.read = 0
        self.closed = threading.Event()

    def give(self, *items):
        for item in items:
            self._items.put(item)

    def taken(self, item):
        if isinstance(item, BaseException):
            raise item
        self.read += 1
        return item


class BlockingFeed(Feed):
    def __iter__(self):
        return self

    def __next__(self):
        return self.taken(self._items.get(timeout=20))

    def close(self):
        self.closed.set()


class AwaitingFeed(Feed):
    def __init__(self):
        super().__init__()
        self._items = asyncio.Queue()

    def give(self, *items):
        for item in items:
            self._items.put_nowait(item)

    def __aiter__(self):
        return self

    async def __anext__(self):
        item = await self._items.get()
        if isinstance(item, StopIteration):
            raise StopAsyncIteration
        return self.taken(item)

    async def aclose(self):
        self.closed.set()


class Blocking:
    """Plays a caller that blocks."""

    StreamingResponse = sync.StreamingResponse
    ParallelStreamAggregator = sync.ParallelStreamAggregator
    feed = BlockingFeed

    def stream(self, *items):
        """A generator of these items; an error among them is raised."""
        for item in items:
            if isinstance(item, BaseException):
                raise item
            yield item

    def next(self, stream):
        return next(stream)

    def list(self, stream):
        return list(stream)

    def result(self, value):
        """What a method gives that the twin awaits."""
        return value

    def close(self, stream):
        stream.close()

    def is_left(self):
        """Whether a thread of a driver's goes on, and does not end soon."""
        late = time.monotonic() + 20
        while (left := any(map(_is_task, sys._current_frames().values()))) and time.monotonic() < late:
            time.sleep(0)
        return left

    def end(self):
        pass


def _is_task(frame):
    """Whether a thread began in the module that starts tasks."""
    while frame.f_back is not None:
        frame = frame.f_back
    return frame.f_code.co_filename.endswith("drivers/threads.py")


class Awaiting:
    """Plays a caller that awaits, in an event loop that runs while it waits for something."""

    StreamingResponse = streaming.StreamingResponse
    ParallelStreamAggregator = streaming.ParallelStreamAggregator
    feed = AwaitingFeed

    def __init__(self):
        self._runner = asyncio.Runner()

    async def stream(self, *items):
        for item in items:
            if isinstance(item, BaseException):
                raise item
            yield item

    def result(self, awaitable):
        async def waited():
            return await awaitable

        return self._runner.run(waited())

    def next(self, stream):
        return self.result(anext(stream))

    def list(self, stream):
        async def read():
            return [item async for item in stream]

        return self._runner.run(read())

    def close(self, stream):
        self.result(stream.aclose())

    def is_left(self):
        """Whether a task goes on."""
        return bool(asyncio.all_tasks(self._runner.get_loop()))

    def end(self):
        self._runner.close()


@pytest.fixture(params=[Blocking, Awaiting])
def twin(request):
    """Whoever reads: one that blocks, then one that awaits."""
    playing = request.param()
    yield playing
    playing.end()
