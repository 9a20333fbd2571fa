"""Time that only moves when told, a store that can be down, and calls of a meter."""

from lambdallm.gateway.caller import Caller
from lambdallm.gateway.http import GatewayError
from lambdallm.gateway.usage.memory import MemoryUsage
from lambdallm.llm.backends import BackendError
from lambdallm.llm.drivers import Driver
from lambdallm.llm.flow import Clock, Now
from lambdallm.llm.types import Usage

NOON = 1_795_262_400.0
"""2026-11-21, noon."""
DAY = "2026-11-21"


class World:
    """Runs flows at a time of its own."""

    def __init__(self):
        self.wall = NOON
        self.driver = Driver()
        self.driver._perform[Now] = lambda _: Clock(1e9 + self.wall - NOON, self.wall)

    def run(self, flow):
        return self.driver.run(flow)

    def reserve(self, meter, caller, *, tokens=100, cost=0.01, model="openai/gpt-4o"):
        return self.run(meter.reserve(caller, model, tokens, cost))

    def refusal(self, meter, caller, **call):
        try:
            self.reserve(meter, caller, **call)
        except GatewayError as error:
            return error
        raise AssertionError("it was let through")

    def settle(self, meter, reservation, cost=0.01, *, tokens=(60, 40), ok=True, status=200, **more):
        usage = None if tokens is None else Usage(input_tokens=tokens[0], output_tokens=tokens[1])
        ended = {"model": "openai/gpt-4o", "ok": ok, "latency_ms": 100.0, "status": status} | more
        self.run(meter.settle(reservation, usage, cost, **ended))

    def spent(self, meter, caller):
        account = self.run(meter.store.account(caller.key_id))
        return account.states.get("micro_usd/day", (0, 0))[1] / 1e6

    def total(self, meter, first=DAY, last=DAY, **query):
        from lambdallm.gateway.usage import UsageQuery

        return self.run(meter.report(UsageQuery(first, last, **query))).total


class Unsteady(MemoryUsage):
    """A store that is down when told. `asked` are the operations it was asked for."""

    def __init__(self):
        super().__init__()
        self.down, self.asked = False, []

    def _reached(self, name):
        self.asked.append(name)
        if self.down:
            raise BackendError("The store is down, for a test.")

    def take(self, hold, charges):
        self._reached("take")
        return (yield from super().take(hold, charges))

    def settle(self, settlement):
        self._reached("settle")
        return (yield from super().settle(settlement))

    def count(self, rows):
        self._reached("count")
        return (yield from super().count(rows))

    def rows(self, first, last, key=None):
        self._reached("rows")
        return (yield from super().rows(first, last, key))


def limited(**limits):
    return Caller("k1", "ada", **limits)
