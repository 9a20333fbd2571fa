"""Both drivers give the same flow the same effects to perform, in the same order, and bring calls to the same end.

The clients are the real ones with every policy, the drivers the real ones with their own ways to run, cancel and close;
only the network and the clock are played. Hypothesis makes up policies, calls and replies; the log of each flow is
compared effect by effect. Flows beside one another have a log each: their order between threads is free.
"""

import asyncio
import json

from hypothesis import event, given, settings
from hypothesis import strategies as st

from lambdallm.llm import caching
from lambdallm.llm.clients import named, sync
from lambdallm.llm.errors import DeadlineExceededError, LLMError
from lambdallm.llm.routing import LLMRouter
from lambdallm.llm.routing import sync as blocking_routing
from lambdallm.transport.errors import ConnectError, ConnectionLost, WaitTimeout
from lambdallm.transport.types import HttpResponse

from .recorded_effects import BEGUN, AwaitingWorld, BlockingWorld, Stage, begin, finished

USAGE = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]}


def chunk(text, **facts):
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}, **facts}]}).encode() + b"\n\n"


WHOLE = HttpResponse(200, body=json.dumps({**ANSWER, "model": "gpt-4o", "usage": USAGE}).encode())
FAILURES = [
    HttpResponse(429, (("Retry-After", "2"),), b'{"error": {"message": "Slow down."}}'),
    HttpResponse(500, body=b'{"error": {"message": "Boom."}}'),
    HttpResponse(400, body=b'{"error": {"message": "No."}}'),
    HttpResponse(200, body=b"<html>"),
    ConnectError("refused"),
    ConnectionLost("reset"),
    WaitTimeout("No byte for 30 s.", phase="read"),
]
USED = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\n"
LAST = chunk("i.", finish_reason="stop")
STREAMS = [
    [chunk("H"), LAST, USED, b"data: [DONE]\n\n"],
    [chunk("H") + LAST, USED + b"data: [DONE]\n\n"],
    [ConnectionLost("reset")],
    [chunk("H"), ConnectionLost("reset")],
    [chunk("H"), WaitTimeout("No byte for 30 s.", phase="read")],
    [chunk("H"), b'data: {"error": {"message": "Overloaded."}}\n\n'],
    [],
]
seconds = st.sampled_from([0.0, 0.5, 3.0, 40.0])
replies = st.lists(st.tuples(seconds, st.booleans(), st.sampled_from([WHOLE, WHOLE, *FAILURES, *STREAMS])), max_size=8)
calls = st.fixed_dictionaries(
    {
        "streams": st.booleans(),
        "leave_after": st.sampled_from([None, None, 1, 2]),
        "patience": st.sampled_from([None, None, 0.0, 2.0, 100.0]),
        "cache": st.sampled_from([True, False, "refresh"]),
    }
)
policies = st.fixed_dictionaries(
    {
        "max_retries": st.integers(0, 2),
        "failure_threshold": st.sampled_from([1, 2, 5]),
        "recovery_seconds": st.sampled_from([1.0, 30.0]),
        "requests_per_minute": st.sampled_from([None, 2, 100]),
        "tokens_per_minute": st.sampled_from([None, 800]),
        "max_concurrency": st.sampled_from([None, 1, 2]),
        "hedge_seconds": st.sampled_from([None, 0.5]),
        "total_timeout": st.sampled_from([None, 20.0]),
    }
).filter(lambda policy: policy["hedge_seconds"] is None or policy["max_concurrency"] != 1)
"""With one slot for both, the second attempt runs as the first ends: which of the two is seen first is free."""


def blocking(policy, calls, stage, client):
    made = client(sync.OpenAIClient, blocking_routing.LLMRouter, BlockingWorld(stage).driver, policy)
    return [_blocking_call(made, call, stage) for call in calls]


def _blocking_call(client, call, stage):
    begin(stage)
    options = _options(call, stage)
    try:
        if not call["streams"]:
            return _told(client.complete("Hello", **options))
        items = []
        with client.stream_chat("Hello", **options) as stream:
            for item in stream:
                items.append(item)
                if len(items) == call["leave_after"]:
                    break
        return items, stream.completion
    except (LLMError, DeadlineExceededError) as error:
        return _facts(error)


def awaiting(policy, calls, stage, client):
    made = client(named.OpenAIClient, LLMRouter, AwaitingWorld(stage).driver, policy)

    async def all_of_them():
        return [await _awaiting_call(made, call, stage) for call in calls]

    return asyncio.run(all_of_them())


async def _awaiting_call(client, call, stage):
    begin(stage)
    options = _options(call, stage)
    try:
        if not call["streams"]:
            return _told(await client.complete("Hello", **options))
        items = []
        async with client.stream_chat("Hello", **options) as stream:
            async for item in stream:
                items.append(item)
                if len(items) == call["leave_after"]:
                    break
        return items, stream.completion
    except (LLMError, DeadlineExceededError) as error:
        return _facts(error)


def _options(call, stage):
    deadline = None if call["patience"] is None else stage.monotonic + call["patience"]
    return {"deadline": deadline, **({"cache": call["cache"]} if call["cache"] is not True else {})}


def _told(result):
    return result.value if result.is_ok() else _facts(result.error)


def _facts(error):
    names = ("message", "attempts", "usage", "cost_usd", "sent", "partial", "routing", "retry_after")
    return type(error), *(getattr(error, name, None) for name in names)


def single(client, _router, driver, policy):
    """One client with every policy."""
    listeners = [lambda notice: None]
    return client(model="gpt-4o", api_key="k", driver=driver, cache=caching.LLMCache(), listeners=listeners, **policy)


def routed(client, router, driver, policy):
    """A router over two of them."""
    hedge = policy["hedge_seconds"]
    policy = {**policy, "hedge_seconds": None}
    candidates = [client(model=model, api_key="k", driver=driver, **policy) for model in ("gpt-4o", "gpt-4o-mini")]
    return router(candidates, hedge_seconds=hedge, timeout=policy["total_timeout"], driver=driver)


def agree(policy, calls, replies, client):
    """The end and the log of each call; both drivers'."""
    stages = Stage(replies), Stage(replies)
    ends = blocking(policy, calls, stages[0], client), awaiting(policy, calls, stages[1], client)
    logs = [finished(stage) for stage in stages]
    assert logs[0] == logs[1]
    assert ends[0] == ends[1]
    assert stages[0].monotonic == stages[1].monotonic >= BEGUN
    event(f"{sum(word == 'Send' or word == 'Open' for word in words(logs[0]))} requests")
    if any(word == "Start" for word in words(logs[0])):
        event("beside one another")


def words(log):
    for word, value in log:
        yield word
        if isinstance(value, list):
            yield from words(value)


@given(policies, st.lists(calls, min_size=1, max_size=3), replies)
@settings(max_examples=300)
def test_of_a_client_with_every_policy(policy, calls, replies):
    agree(policy, calls, replies, single)


@given(policies, st.lists(calls, min_size=1, max_size=3), replies)
@settings(max_examples=150)
def test_of_a_router(policy, calls, replies):
    agree(policy, [{**call, "cache": True} for call in calls], replies, routed)
