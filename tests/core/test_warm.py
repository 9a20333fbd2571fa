"""A warm environment stays as it is: invocations leave nothing behind. The long run is `benchmarks/run_warm.py`."""

import gc
import sys

import pytest

from events import event
from handler_kinds import KINDS, made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fails", [False, True], ids=["answers", "fails"])
def test_invocations_leave_nothing_behind(kind, fails, caplog):
    caplog.set_level("CRITICAL")

    @made(kind, model="echo")
    async def function(event, context):
        said = await context.ainvoke_structured("Rate {text}", {"score": float}, text=context.body["text"])
        if fails:
            raise ValueError(said)
        return {"said": said, "cost": context.total_cost}

    request = event("function_url")

    def blocks(invocations):
        for _ in range(invocations):
            function(request, None)
        gc.collect()
        return sys.getallocatedblocks()

    blocks(60)
    before = blocks(60)
    assert blocks(300) - before < 150, "half a block for each invocation would be a leak already"
