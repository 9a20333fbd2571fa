"""Two who take up the same checkpoint, in threads and in processes: one goes on, the other says that it does not."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import servers
from chain_play import Invocation
from lambdallm.chains import Chain, ChainRunner, CheckpointBusy, Parallel, Step
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.state.file import FileStateStore
from lambdallm.state.memory import MemoryStateStore


def chain_on(store, broken=False):
    def work(idempotency_key):
        if broken:
            raise OSError("down")
        return idempotency_key

    return Chain("c", [Step("a", "A"), Step("work", func=work), Step("end", "E {work.output}")], store=store)


def begun(store):
    """A checkpoint whose first step is done."""
    with pytest.raises(OSError, match="down"):
        ChainRunner(chain_on(store, broken=True), checkpoint_id="run").run(Invocation(seconds=0))


def together(count, act):
    """What threads give that begin at the same time."""
    barrier, told = threading.Barrier(count), []

    def one():
        barrier.wait(10)
        try:
            told.append(act())
        except CheckpointBusy as error:
            told.append(type(error))

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return told


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_of_threads_that_resume_at_once_one_goes_on(kind, tmp_path):
    store = MemoryStateStore() if kind == "memory" else FileStateStore(tmp_path / "state.db")
    for number in range(10):
        key = f"run-{number}"
        with pytest.raises(OSError, match="down"):
            ChainRunner(chain_on(store, broken=True), checkpoint_id=key).run(Invocation(seconds=0))
        asked = []

        def resume(key=key, asked=asked):
            context = Invocation(seconds=0.02)
            status = chain_on(store).resume(context, key).status
            asked.extend(context.asked_for)
            return status

        told = together(4, resume)
        assert sorted(told, key=str) == [CheckpointBusy] * 3 + ["completed"] or told.count("completed") > 1
        assert asked == [f"E {key}:work"], "who came after the end is told what was done; nobody does it again"


def test_of_threads_that_begin_a_run_of_one_id_at_once_one_runs_it():
    store = MemoryStateStore()
    for number in range(20):
        asked = []

        def begin(key=f"run-{number}", asked=asked):
            context = Invocation(seconds=0.01)
            status = ChainRunner(chain_on(store), checkpoint_id=key).run(context).status
            asked.extend(context.asked_for)
            return status

        told = together(4, begin)
        assert set(told) <= {"completed", CheckpointBusy}
        assert asked == ["A", f"E run-{number}:work"]


def test_of_coroutines_that_resume_at_once_one_goes_on():
    store = MemoryStateStore()
    begun(store)

    async def resume():
        try:
            return (await chain_on(store).aresume(Invocation(seconds=0.01), "run")).status
        except CheckpointBusy:
            return "busy"

    async def race():
        return await asyncio.gather(*(resume() for _ in range(5)))

    assert sorted(asyncio.run(race())) == ["busy"] * 4 + ["completed"]


RACER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from chain_play import Invocation
from lambdallm.chains import Chain, CheckpointBusy, Step
from lambdallm.state.{module} import {store}

def work(idempotency_key):
    return idempotency_key

steps = [Step("a", "A"), Step("work", func=work), Step("end", "E {{work.output}}")]
chain = Chain("c", steps, store={store}(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
try:
    context = Invocation(seconds=0.3)
    print(chain.resume(context, "run").status, len(context.asked_for), flush=True)
except CheckpointBusy:
    print("busy 0", flush=True)
"""


def raced(module, store, place, environ):
    """What several processes say that resume at the same time."""
    script = RACER.format(module=module, store=store)
    command = [sys.executable, "-c", script, str(Path(__file__).parents[1]), place]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": os.environ | environ}
    racers = [subprocess.Popen(command, **options) for _ in range(3)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    return sorted(racer.communicate(timeout=30)[0].strip() for racer in racers)


def named(work):
    """The function in this process has the same name as in theirs."""
    work.__module__, work.__qualname__ = "__main__", "work"
    return work


def broken(idempotency_key):
    raise OSError("down")


def begin_for_others(store, run):
    steps = [Step("a", "A"), Step("work", func=named(broken)), Step("end", "E {work.output}")]
    with pytest.raises(OSError, match="down"):
        run(ChainRunner(Chain("c", steps, store=store), checkpoint_id="run").flow(Invocation(seconds=0), {}))


def test_of_processes_that_resume_at_once_one_goes_on(tmp_path):
    place = str(tmp_path / "state.db")
    begin_for_others(FileStateStore(place), Driver().run)
    assert raced("file", "FileStateStore", place, {}) == ["busy 0", "busy 0", "completed 1"]


def test_of_functions_that_resume_at_once_on_dynamodb_one_goes_on(ministack, monkeypatch):
    from lambdallm.state.dynamodb import DynamoDBStateStore

    environ = {**servers.AWS, "AWS_ENDPOINT_URL": ministack}
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    driver, store = Driver(), DynamoDBStateStore("chains")
    driver.run(store.ensure_table())
    begin_for_others(store, driver.run)
    driver.close()
    assert raced("dynamodb", "DynamoDBStateStore", "chains", environ) == ["busy 0", "busy 0", "completed 1"]


def test_a_group_under_both_drivers_gives_the_same_however_its_steps_end():
    steps = [Step(name, name) for name in "abcdefgh"]
    chain = Chain("c", [Parallel("all", steps, concurrency=3), Step("end", "{all.output}")], store=MemoryStateStore())

    def context():
        return Invocation(seconds=lambda text: int.from_bytes(os.urandom(1)) / 10_000)

    results = [Driver().run(ChainRunner(chain).flow(context(), {})).outputs for _ in range(5)]
    results += [asyncio.run(AsyncDriver().run(ChainRunner(chain).flow(context(), {}))).outputs for _ in range(5)]
    assert all(result == results[0] for result in results)
