"""A function with everything around it: `python examples/middleware/orders.py` needs no key and no AWS.

The model says what it is told. Requests are made here as API Gateway makes them.
"""

import json
from secrets import token_hex

from lambdallm import handler
from lambdallm.middleware import (
    ApiKeys,
    AuthMiddleware,
    CorsMiddleware,
    CostTrackingMiddleware,
    IdempotencyMiddleware,
    LoggingMiddleware,
    RateLimitMiddleware,
    ValidationMiddleware,
)
from lambdallm.testing import MockLambdaContext

KEY = token_hex(32)
HASHES = {"shop": ApiKeys.hashed(KEY)}
"""What is stored: nobody can send a hash."""

PAGE = "https://shop.example.com"


@handler(
    model="echo",
    middleware=[
        LoggingMiddleware(),
        CorsMiddleware([PAGE]),
        RateLimitMiddleware(requests_per_minute=60),
        AuthMiddleware(ApiKeys(HASHES)),
        ValidationMiddleware({"text": str}),
        IdempotencyMiddleware(),
        CostTrackingMiddleware(0.05, daily_budget=50.0, key="principal"),
    ],
)
def orders(event, context):
    summary = context.invoke("{text}", text=context.validated["text"])
    return {"for": context.principal.id, "summary": summary}


def request(method="POST", body=None, **headers):
    """An event as API Gateway sends it."""
    return {
        "version": "2.0",
        "rawPath": "/orders",
        "headers": {"origin": PAGE, **{name.replace("_", "-"): value for name, value in headers.items()}},
        "requestContext": {"http": {"method": method, "path": "/orders", "sourceIp": "192.0.2.7"}},
        "body": None if body is None else json.dumps(body),
    }


def show(what, event):
    response = orders(event, MockLambdaContext())
    replayed = " (replayed)" if "Idempotency-Replayed" in response["headers"] else ""
    print(f"{what}: {response['statusCode']}{replayed} {response.get('body', '')}")


def main():
    order = {"text": "Two lamps, one of them broken."}
    show("a preflight", request("OPTIONS", access_control_request_method="POST"))
    show("no key", request(body=order))
    show("a wrong body", request(body={"text": 3}, x_api_key=KEY))
    show("an order", request(body=order, x_api_key=KEY, idempotency_key="order-1"))
    show("the same again", request(body=order, x_api_key=KEY, idempotency_key="order-1"))
    show("another with its key", request(body={"text": "A chair."}, x_api_key=KEY, idempotency_key="order-1"))


if __name__ == "__main__":
    main()
