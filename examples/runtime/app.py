"""Plain functions on LambdaLLM's runtime: `python examples/runtime/app.py` shows what they answer."""

import asyncio
import logging
import time

from lambdallm.runtime import LambdaContext

log = logging.getLogger(__name__)


def count(event, context):
    for number in range(event["to"]):
        yield f"{number}\n"  # each goes out when it is yielded


async def both(event, context):
    log.info("looking up %s", event)
    first, second = await asyncio.gather(price_of(event["first"]), price_of(event["second"]))
    return {"sum": first + second, "in_time": context.get_remaining_time_in_millis() > 0}


async def price_of(item):
    await asyncio.sleep(0)
    return len(item) * 1.5


def main():
    context = LambdaContext("r-1", None, None, int(time.time() * 1000) + 3000)
    print(*count({"to": 3}, context), sep="", end="")
    print(asyncio.run(both({"first": "tea", "second": "cake"}, context)))


if __name__ == "__main__":
    main()
