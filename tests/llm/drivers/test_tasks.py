"""Flows beside one another under the real drivers: threads for the blocking one, tasks for the other."""

import asyncio
import logging
import socket
import threading

import pytest

from lambdallm.llm.concurrent import first_of, taken
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError, ProviderServerError
from lambdallm.llm.flow import NOW, Await, Cancel, Emit, Open, Perform, Read, ReaderLeft, Send, Sleep, Start, Tell
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.task import Signal
from lambdallm.transport.types import HttpRequest, Timeouts


def blocking(flow):
    return Driver().run(flow)


def awaiting(flow):
    return asyncio.run(AsyncDriver().run(flow))


def blocking_items(flow):
    return list(Driver().iterate(flow))


def awaiting_items(flow):
    async def collected():
        return [item async for item in AsyncDriver().iterate(flow)]

    return asyncio.run(collected())


run = pytest.mark.parametrize("run", [blocking, awaiting])
read = pytest.mark.parametrize("read", [blocking_items, awaiting_items])


@pytest.fixture
def silent_server():
    """Takes connections and requests, answers nothing, and tells when the other side has closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked, closed = threading.Event(), threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):
                asked.set()
            closed.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", asked, closed
    listener.close()


def asking(url, effect=Send):
    def attempt():
        return (yield effect(HttpRequest("GET", url), Timeouts(read=30)))

    return attempt


def once(signal, value):
    def attempt():
        yield Await((signal,))
        return Ok(value)

    return attempt


@run
@pytest.mark.parametrize("effect", [Send, Open])
def test_a_loser_s_connection_is_closed(run, effect, silent_server):
    url, asked, closed = silent_server
    ready = Signal()
    threading.Thread(target=lambda: asked.wait(10) and ready.fire(), daemon=True).start()
    raced = run(first_of([asking(url, effect), once(ready, "quick")]))
    assert raced.winner == 1
    assert closed.wait(10)


@run
def test_what_still_runs_when_its_starter_ends_is_stopped(run, silent_server):
    url, asked, closed = silent_server

    def leaves_it():
        yield Start(asking(url)())
        yield Await((_signal_of(asked),))

    run(leaves_it())
    assert closed.wait(10)


def _signal_of(event):
    signal = Signal()
    threading.Thread(target=lambda: event.wait(10) and signal.fire(), daemon=True).start()
    return signal


@run
def test_a_waiting_task_is_woken_to_be_cancelled(run):
    begun, ended = Signal(), threading.Event()

    def waits_for_ever():
        try:
            yield Perform(begun.fire)
            yield Await((Signal(),))
        finally:
            ended.set()

    def cancels():
        task = yield Start(waits_for_ever())
        yield Await((begun,))
        yield Cancel(task)

    run(cancels())
    assert ended.wait(10)


@run
def test_a_sleeping_task_is_woken_to_be_cancelled(run):
    asleep, ended = Signal(), threading.Event()

    def sleeps():
        try:
            asleep.fire()
            yield Sleep(3600)
        finally:
            ended.set()

    def cancels():
        task = yield Start(sleeps())
        yield Await((asleep,))
        yield Cancel(task)

    run(cancels())
    assert ended.wait(10)


@run
def test_a_task_cancelled_before_its_first_step_never_runs(run):
    ran = []

    def flow():
        ran.append(1)
        yield Sleep(3600)

    def cancels():
        task = yield Start(flow())
        yield Cancel(task)
        yield Await((task.signal,))
        return task.cancelled or not ran

    assert run(cancels())


@run
def test_a_signal_fired_by_another_thread_wakes(run):
    signal = Signal()
    threading.Timer(0.01, signal.fire).start()

    def waits():
        yield Await((Signal(), signal))
        return signal.fired

    assert run(waits()) is True


@run
def test_a_wait_ends_with_its_seconds(run):
    def waits():
        begun = (yield NOW).monotonic
        yield Await((Signal(),), 0.02)
        return (yield NOW).monotonic - begun

    assert run(waits()) >= 0.02


@run
def test_a_task_s_bug_is_raised_where_its_outcome_is_taken(run):
    def broken():
        yield Sleep(0)
        raise KeyError("bug")

    def takes():
        task = yield Start(broken())
        yield Await((task.signal,))
        return (yield from taken(task))

    with pytest.raises(KeyError):
        run(takes())


def streaming(*items):
    def attempt():
        for item in items:
            yield Emit((item,))
        return Ok(None)

    return attempt


def stuck():
    yield Await((Signal(),))


@read
def test_a_stream_that_won_goes_on(read):
    def reader():
        raced = yield from first_of([stuck, streaming("a", "b", "c")])
        return (yield from raced.rest)

    assert read(reader()) == ["a", "b", "c"]


@read
def test_a_paused_stream_that_is_not_wanted_is_closed(read):
    closed = threading.Event()

    def second():
        try:
            yield Emit(("never read",))
        finally:
            closed.set()

    def reader():
        task = yield Start(second())
        yield Await((task.signal,))
        yield Emit(("mine",))
        return Ok(None)

    assert read(reader()) == ["mine"]
    assert closed.wait(10)


@read
def test_an_answer_that_a_task_opened_is_read_and_closed_by_its_starter(read):
    listener = socket.create_server(("127.0.0.1", 0))
    closed = threading.Event()

    def serve():
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
            connection.recv(65536)
            closed.set()

    threading.Thread(target=serve, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    def opened():
        reply = yield Open(HttpRequest("GET", url), Timeouts(read=30))
        piece = yield Read(reply.value.handle)
        yield Emit((piece.value,))
        return Ok(None)

    def reader():
        raced = yield from first_of([opened])
        return (yield from raced.rest)

    assert read(reader()) == [b"one"]
    assert closed.wait(10)
    listener.close()


@run
def test_a_listener_is_told_and_its_failure_harms_nothing(run, caplog):
    heard = []

    def tells():
        yield Tell(heard.append, "news")
        yield Tell(lambda notice: 1 / 0, "more")
        return "done"

    with caplog.at_level(logging.ERROR, "lambdallm"):
        assert run(tells()) == "done"
    assert heard == ["news"]
    assert "ZeroDivisionError" in caplog.text


def test_the_blocking_driver_refuses_what_must_be_awaited():
    async def hook():
        return 1

    def performs():
        return (yield Perform(hook))

    with pytest.raises(ConfigurationError, match="asynchronous"):
        Driver().run(performs())


def test_the_asynchronous_driver_takes_plain_functions_too():
    def performs():
        return (yield Perform(lambda: 42))

    assert awaiting(performs()) == 42


def test_a_blocking_client_inside_a_task_is_no_failure_when_it_is_cancelled(silent_server):
    """A race over clients whose breakers listen: losing must not count against them."""
    url, asked, closed = silent_server
    seen = []

    def attempt():
        result = yield Send(HttpRequest("GET", url), Timeouts(read=30))
        seen.append(result)
        return result

    def client():
        return Driver().run(attempt())

    def performing():
        return (yield Perform(client))

    raced = Driver().run(first_of([performing, once(_signal_of(asked), "quick")]))
    assert raced.winner == 1
    assert closed.wait(10)
    assert seen == []


@run
def test_the_first_error_is_kept_beside_the_winner(run):
    signal = Signal()

    def fails():
        signal.fire()
        yield Sleep(0)
        return Err(ProviderServerError("overloaded"))

    raced = run(first_of([fails, once(signal, 1)]))
    assert raced.winner == 1


def settling(log):
    try:
        yield Emit(("one", "two", "three"))
    except ReaderLeft:
        yield Tell(log.append, "settled")
        yield Sleep(0)
        log.append("slept")
        raise


def leaves_blocking(flow):
    items = Driver().iterate(flow)
    next(items)
    items.close()


def leaves_awaiting(flow):
    async def leave():
        items = AsyncDriver().iterate(flow)
        await anext(items)
        await items.aclose()

    asyncio.run(leave())


@pytest.mark.parametrize("leave", [leaves_blocking, leaves_awaiting])
def test_a_flow_whose_reader_leaves_may_settle_its_accounts(leave):
    log = []
    leave(settling(log))
    assert log == ["settled", "slept"]


@pytest.mark.parametrize("leave", [leaves_blocking, leaves_awaiting])
def test_a_flow_that_emits_on_though_its_reader_left_is_closed(leave):
    closed = []

    def stubborn():
        try:
            yield Emit(("one", "two"))
        except ReaderLeft:
            try:
                yield Emit(("more",))
            finally:
                closed.append(True)

    leave(stubborn())
    assert closed == [True]


def test_threads_that_ask_together_share_one_transport():
    """Each would else open its own, and leak it."""
    driver, made = Driver(), []
    barrier = threading.Barrier(8)

    def ask():
        barrier.wait()
        made.append(driver._transport(""))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, made))) == 1


def test_a_signal_reaches_the_others_though_one_s_event_loop_is_gone():
    """Calls of several loops may wait for one: the loop of an invocation that broke off is no reason to hang."""
    signal, woken = Signal(), threading.Event()

    def waits():
        yield Await((signal,))

    loop = asyncio.new_event_loop()
    task = loop.create_task(AsyncDriver().run(waits()))
    loop.run_until_complete(asyncio.sleep(0))
    signal.listen(woken.set)
    loop.close()
    signal.fire()
    assert woken.is_set()
    task._log_destroy_pending = False
    task.get_coro().close()
