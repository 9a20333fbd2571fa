import asyncio

import pytest

from lambdallm.llm.drivers import AsyncDriver, Driver


@pytest.fixture(params=["blocking", "awaiting"])
def run(request):
    """Runs a flow to its value, with either driver."""
    if request.param == "blocking":
        return Driver().run
    return lambda flow: asyncio.run(AsyncDriver().run(flow))
