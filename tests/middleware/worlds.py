"""Invocations without Lambda: a context whose flows run in a world where time passes only when told."""

import asyncio
from types import SimpleNamespace

from lambdallm.core.metrics import Metrics
from lambdallm.middleware.layers import around
from lambdallm.testing.world import World

SECONDS = 30.0


class Invocation:
    """What middleware sees of an invocation. In `awaiting` ones the driver gives coroutines, as in async handlers."""

    def __init__(self, world, awaiting=False, event=None, remaining_ms=SECONDS * 1000):
        self.event, self.settings = event, SimpleNamespace()
        self.aws_request_id, self.function_name = "request-1", "orders"
        self.guards, self.completions, self.response_headers = [], [], {}
        self.metrics, self.total_cost, self.remaining_time_ms = Metrics(), 0.0, remaining_ms
        self.driver = Awaiting(world) if awaiting else world


class Awaiting:
    """A driver whose flows are awaited. They run in a thread: nothing in a world may wait for an event loop."""

    def __init__(self, world):
        self.world = world

    async def run(self, flow):
        return await asyncio.to_thread(self.world.run, flow)


class Place:
    """Invokes functions within layers, at a time of its own, in the one way or the other."""

    def __init__(self, awaiting, world=None):
        self.awaiting = awaiting
        self.world = world or World(lambda effect: None)

    def invocation(self, **options):
        return Invocation(self.world, self.awaiting, **options)

    def invoke(self, layers, function, event=None, context=None):
        """What an invocation gives, or raises."""
        context = context or self.invocation(event=event)
        calls = around(layers, function, event, context)
        return asyncio.run(awaited(calls)) if self.awaiting else called(calls)


def called(calls):
    step, outcome = calls.send, None
    while True:
        try:
            call = step(outcome)
        except StopIteration as end:
            return end.value.unwrap()
        try:
            step, outcome = calls.send, call()
        except Exception as error:  # noqa: BLE001
            step, outcome = calls.throw, error


async def awaited(calls):
    step, outcome = calls.send, None
    while True:
        try:
            call = step(outcome)
        except StopIteration as end:
            return end.value.unwrap()
        try:
            outcome = call()
            step, outcome = calls.send, await outcome if hasattr(outcome, "__await__") else outcome
        except Exception as error:  # noqa: BLE001
            step, outcome = calls.throw, error


def http(method="POST", path="/orders", body=None, **headers):
    """An event of API Gateway v2. Headers' names have dashes for underlines."""
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": {name.replace("_", "-"): value for name, value in headers.items()},
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": "192.0.2.7"}, "requestId": "gw-1"},
        "body": body,
        "isBase64Encoded": False,
    }


def http_v1(method="POST", path="/orders", body=None, **headers):
    """The same from API Gateway v1."""
    event = http(method, path, body, **headers)
    context = {"identity": {"sourceIp": "192.0.2.7"}, "requestId": "gw-1"}
    return {"httpMethod": method, "path": path, "headers": event["headers"], "requestContext": context, "body": body}
