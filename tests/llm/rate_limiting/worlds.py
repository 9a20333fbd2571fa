"""Time that only moves when told."""

import asyncio

from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.flow import Clock, Now, Sleep

EPOCH = 1_800_000_000.0
BEGUN = 1e9
"""Later than any real reading of the monotonic clock, for a transport that compares."""


class World:
    """Runs flows at a time of its own. `slept` are the waits."""

    def __init__(self, clock=None):
        self.now = 0.0
        self.slept = []
        self.driver = Driver()
        self.driver._perform[Now] = lambda _: Clock(BEGUN + self.now, EPOCH + self.now)
        self.driver._perform[Sleep] = self._sleep

    def _sleep(self, effect):
        self.slept.append(effect.seconds)
        self.now += effect.seconds

    def run(self, flow):
        return self.driver.run(flow)

    def close(self):
        self.driver.close()


class AwaitingWorld(World):
    """The same in an event loop for each flow."""

    def run(self, flow):
        async def running():
            driver = AsyncDriver()
            driver._answer[Now] = self.driver._perform[Now]
            driver._perform[Sleep] = self._asleep
            try:
                return await driver.run(flow)
            finally:
                await driver.aclose()

        return asyncio.run(running())

    async def _asleep(self, effect):
        self._sleep(effect)
