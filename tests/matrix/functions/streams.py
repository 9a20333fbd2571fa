"""Functions that answer piece by piece."""

import asyncio
import os

from lambdallm import StreamingResponse, handler


@handler(model="echo")
def words(event, context):
    yield "one "
    yield "twö"


@handler(model="echo")
async def awaited_words(event, context):
    yield "one "
    await asyncio.sleep(0)
    yield "twö"


@handler(model="echo")
def values(event, context):
    yield {"n": 1}
    yield {"n": 2}


@handler(model="echo")
def events(event, context):
    return StreamingResponse(iter(["one\n", {"n": 2}]), format="sse")


@handler(model="echo")
async def awaited_events(event, context):
    async def pieces():
        yield await context.ainvoke("Hello, {name}!", name="Ada")
        yield "bye"

    return StreamingResponse(pieces(), format="sse", accounts=False)


@handler(model="echo")
def lines(event, context):
    return StreamingResponse(["one", {"n": 2}, b"\xff"], format="ndjson")


@handler(model="echo")
def page(event, context):
    headers = {"Content-Type": "text/html; charset=utf-8", "X-Own": "yes"}
    return StreamingResponse(["<p>", "é", "</p>"], 201, headers, ("a=1; Path=/", "b=2"))


@handler(model="echo")
def picture(event, context):
    return StreamingResponse([b"\x89PNG", b"\x00\xff"], headers={"Content-Type": "image/png"})


@handler(model="echo")
def nothing(event, context):
    return StreamingResponse([], format="text")


@handler(model="echo")
def model(event, context):
    return context.stream("Tell me about {it}", it="tea")


@handler(model="echo")
async def awaited_model(event, context):
    return StreamingResponse(context.astream("Tell me about {it}", it="tea"), format="sse")


@handler(model="echo")
def fails_early(event, context):
    raise ValueError("before the first")
    yield "one"


@handler(model="echo")
def fails_midway(event, context):
    def pieces():
        yield "one"
        raise ValueError("in the middle")

    return StreamingResponse(pieces(), format="sse")


@handler(model="echo")
def breaks_off(event, context):
    yield "one"
    raise ValueError("in the middle")


@handler(model="echo", timeout_buffer=1.0)
async def too_slow(event, context):
    async def pieces():
        yield "one"
        await asyncio.sleep(60)

    return StreamingResponse(pieces(), format="sse")


@handler(model="echo")
def dies_midway(event, context):
    yield "one"
    os._exit(3)
