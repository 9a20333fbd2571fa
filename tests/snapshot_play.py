"""Two environments restored from one snapshot, played by forks: the same memory in two processes.

    python snapshot_play.py sync|async hooks|none

What a fork does and a restore does not is taken away: the process id stays the same, and `random` goes on from where it
was. The wall clock has gone on by a day while the monotonic one stood still. Prints what each of the two has seen, as
JSON.
"""

import json
import os
import random
import sys
import time
import uuid

from lambdallm import _hooks, handler
from lambdallm.llm.health.circuit_breaker import ProviderCircuitBreaker
from lambdallm.llm.notices import new_call_id
from lambdallm.transport.tls import tls_context

KIND, HOOKS = sys.argv[1:]
A_DAY = 86_400.0

if KIND == "sync":

    @handler(model="openai/gpt-4o-mini")
    def function(event, context):
        return context.invoke("Hi {who}", who="you")
else:

    @handler(model="openai/gpt-4o-mini")
    async def function(event, context):
        return await context.ainvoke("Hi {who}", who="you")


breaker = ProviderCircuitBreaker("openai", failure_threshold=1)


def in_the_snapshot():
    """A function that was used: connections, credentials and a secret are in hand, a breaker is open."""
    assert function({}, None) == "Hi"
    breaker.record_failure()


def restored(context, state):
    random.setstate(state)
    if HOOKS == "hooks":
        _hooks.run_after_restore()
    wall = time.time
    time.time = lambda: wall() + A_DAY
    answers = [function({}, None) for _ in range(2)]
    return {
        "answers": answers,
        "random": random.random(),
        "ids": [new_call_id(), str(uuid.uuid4())],
        "same_certificates": tls_context() is context,
        "breaker": breaker.state,
    }


def in_a_fork(work):
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        return json.loads(pipe.read())


def main():
    pid = os.getpid()
    os.getpid = lambda: pid
    in_the_snapshot()
    if HOOKS == "hooks":
        _hooks.run_before_snapshot()
    context, state = tls_context(), random.getstate()
    print(json.dumps([in_a_fork(lambda: restored(context, state)) for _ in range(2)]))


main()
