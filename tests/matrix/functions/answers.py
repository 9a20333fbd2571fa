"""Functions that answer in one piece."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lambdallm import MemoryStrategy, Session, handler
from lambdallm.chains import Chain, Step
from lambdallm.runtime import Response


@dataclass
class Thing:
    name: str
    sizes: tuple


@handler(model="echo")
def text(event, context):
    return "Grüße"


@handler(model="echo")
def fields(event, context):
    return {
        "thing": Thing("box", (1, 2.5)),
        "day": date(2026, 3, 4),
        "tags": {"new"},
        "price": Decimal("1.5"),
        "n": None,
    }


@handler(model="echo")
def whole(event, context):
    return {"statusCode": 202, "headers": {"Content-Type": "text/html", "X-Own": "yes"}, "body": "<p>é</p>"}


@handler(model="echo")
def cookies(event, context):
    headers = {"Location": "/things/7", "X-Own": ["a", "b"]}
    return Response({"id": 7}, 201, headers=headers, cookies=("a=1; Path=/", "b=2"))


@handler(model="echo")
def raw(event, context):
    return Response(b"\x89PNG\x00\xff", headers={"Content-Type": "image/png"})


@handler(model="echo")
def nothing(event, context):
    return None


@handler(model="echo")
def asked(event, context):
    return context.invoke("Hello, {name}!", name="Ada")


@handler(model="echo")
async def awaited(event, context):
    return {"answer": await context.ainvoke("Hello, {name}!", name="Ada"), "id": context.aws_request_id}


steps = Chain(
    "greeting",
    [
        Step("first", "Hello, {name}!"),
        Step("loud", func=lambda first: first.upper()),
        Step("last", "{loud.output} How are you?"),
    ],
)


@handler(model="echo")
def chain(event, context):
    return {"answer": steps.run(context, name="Ada").output, "cost": context.total_cost}


@handler(model="echo", session=Session(store="memory", memory=MemoryStrategy.SLIDING_WINDOW, max_messages=20))
def talk(event, context):
    """One more turn in a conversation, which the caller names in a header."""
    context.session.state["turns"] = turns = context.session.state.get("turns", 0) + 1
    return {"answer": context.chat(f"turn {turns}", session=True).text, "turns": turns}


@handler(model="echo")
def records(event, context):
    """Of a batch the third record fails."""

    def each(record):
        if record.text == "3":
            raise ValueError("The third one.")
        context.invoke("{text}", text=record.text)

    return context.each_record(each)
