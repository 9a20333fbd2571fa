"""The two ways a flow is run, each with connections of its own that are closed at the end."""

import asyncio

from lambdallm.llm.drivers import AsyncDriver, Driver


def blocking(flow):
    driver = Driver()
    try:
        return driver.run(flow)
    finally:
        driver.close()


def awaiting(flow):
    """In an event loop of its own, as each invocation of a function has."""

    async def run():
        driver = AsyncDriver()
        try:
            return await driver.run(flow)
        finally:
            await driver.aclose()

    return asyncio.run(run())
