"""A process that forks while a thread holds a lock: the child, which has no such thread, goes on."""

import os
import signal
import warnings

import pytest

from lambdallm.llm.backends.errors import BackendError
from lambdallm.llm.backends.outage import Outage
from lambdallm.llm.caching.flights import Flights
from lambdallm.llm.caching.memory import MemoryStore
from lambdallm.llm.drivers import Driver
from lambdallm.llm.health.circuit_breaker import ProviderCircuitBreaker
from lambdallm.llm.rate_limiting import ConcurrencyLimit, MemoryQuotas
from lambdallm.llm.rate_limiting.bucket import Bucket
from lambdallm.llm.rate_limiting.quota import Charge
from lambdallm.llm.routing import LatencyOptimizedStrategy
from lambdallm.state.memory import MemoryStateStore

ONE = [Charge(Bucket("requests", 10, 60.0), 1)]


def run(flow):
    return Driver().run(flow)


def broken(outage):
    outage.failed(BackendError("It is down."), 0.0)


USES = {
    "breaker": (ProviderCircuitBreaker, lambda breaker: breaker.is_available()),
    "outage": (lambda: Outage("Caching", "Calls go on."), broken),
    "flights": (Flights, lambda flights: flights.join("k")),
    "memory": (MemoryStore, lambda store: store.delete("k")),
    "quotas": (MemoryQuotas, lambda quotas: run(quotas.take("k", ONE))),
    "slots": (lambda: ConcurrencyLimit(1), lambda slots: slots.busy),
    "latency": (LatencyOptimizedStrategy, lambda strategy: strategy.renew()),
    "state": (MemoryStateStore, lambda store: run(store.append("k", 0, [b"1"]))),
}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("kind", USES)
def test_a_child_does_not_wait_for_a_lock_that_its_parent_holds(kind):
    make, use = USES[kind]
    owner = make()
    with owner._lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of any fork beside threads
        child = os.fork()
        if child == 0:
            signal.alarm(5)
            code = 1
            try:
                use(owner)
                code = int(owner._lock.locked())
            finally:
                os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    use(owner)


def test_what_is_gone_is_renewed_no_more():
    from lambdallm.llm import forks

    before = len(forks._known)
    breaker = ProviderCircuitBreaker()
    assert len(forks._known) == before + 1
    del breaker
    assert len(forks._known) == before
