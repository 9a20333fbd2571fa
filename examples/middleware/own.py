"""Middleware of one's own, budgets and tokens: `python examples/middleware/own.py` needs no key and no AWS."""

import time

from lambdallm import Middleware, handler
from lambdallm.llm.errors import BudgetExceededError
from lambdallm.llm.flow import NOW
from lambdallm.llm.pricing import PricingManager
from lambdallm.middleware import AuthMiddleware, CostTrackingMiddleware, FlowMiddleware, Jwt, ShortCircuit
from lambdallm.testing import MockLambdaContext


class Maintenance(Middleware):
    """Answers in the function's place while somebody works on it."""

    def __init__(self, until):
        self.until = until

    def before_invoke(self, event, context):
        if time.time() < self.until:
            raise ShortCircuit({"statusCode": 503, "body": "Back soon."})


class Apology(Middleware):
    """Makes a result of an error."""

    def on_error(self, event, error, context):
        return {"answer": "Sorry, not now.", "because": type(error).__name__}


class Stopwatch(FlowMiddleware):
    """The same flow for functions written with `def` and with `async def`."""

    def beginning(self, event, context):
        self.remember(context, (yield NOW).monotonic)

    def ending(self, event, result, context):
        context.metrics.record("took", (yield NOW).monotonic - self.recalled(context), "Seconds")
        return {**result, "measured": True}


def order_of_layers():
    @handler(model="echo", middleware=[Apology(), Stopwatch()])
    def function(event, context):
        return {"answer": context.invoke("Hello {name}", name=event["name"])}

    @handler(model="echo", middleware=[Stopwatch()])
    async def awaited(event, context):
        return {"answer": await context.ainvoke("Hello {name}", name=event["name"])}

    print(function({"name": "Ada"}, MockLambdaContext()))
    print(awaited({"name": "Ada"}, MockLambdaContext()))
    print(function({}, MockLambdaContext()))

    closed = handler(middleware=[Maintenance(time.time() + 60)])(lambda event, context: "open")
    print(closed({}, MockLambdaContext()))


PRICES = PricingManager({"echo*": {"input": 1000.0, "output": 1000.0}})
"""The embedded echo costs nothing; here it has a price, so that there is something to spend."""


def budgets():
    alerts = []
    budget = CostTrackingMiddleware(
        daily_budget=lambda tenant: {"small": 0.05, "large": 50.0}[tenant],
        key="tenant",
        prices=PRICES,
        alert_at=(0.4, 1.0),
        on_alert=alerts.append,
    )

    @handler(model="echo", middleware=[budget])
    def function(event, context):
        return context.invoke("Tell me more.", max_tokens=20)

    function({"tenant": "large"}, MockLambdaContext())
    try:
        for _ in range(9):
            function({"tenant": "small"}, MockLambdaContext())
    except BudgetExceededError as error:
        print(f"refused: {error}")
    print(f"told of: {[str(alert) for alert in alerts]}")


def tokens():
    jwt = Jwt(
        jwks_url="https://issuer.example.com/.well-known/jwks.json",
        issuer="https://issuer.example.com/",
        audience="orders",
    )
    layer = AuthMiddleware(jwt, scopes=["orders:write"], allow=lambda principal, event: principal.id != "suspended")
    function = handler(middleware=[layer])(lambda event, context: {"for": context.principal.id})
    event = {"headers": {}, "requestContext": {"http": {"method": "GET", "path": "/"}}, "version": "2.0"}
    response = function(event, MockLambdaContext())
    print(f"without a token: {response['statusCode']}, {response['headers']['WWW-Authenticate']}")


def main():
    order_of_layers()
    budgets()
    tokens()


if __name__ == "__main__":
    main()
