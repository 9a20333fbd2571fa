"""What is done before a snapshot, after a restore and at the end: `python examples/lifecycle/app.py` needs no key."""

from lambdallm import handler, warm
from lambdallm.runtime import after_restore, before_snapshot, on_shutdown
from lambdallm.testing import MockLambdaContext, mock_model

TABLES: dict[str, float] = {}
SPANS: list[str] = []


@before_snapshot
def prepare():
    warm("openai/gpt-4o")  # asked later, by name; the handler's own model is made ready by itself
    TABLES.update(read_tables())


@after_restore
def begin():
    SPANS.append("restored")


@on_shutdown
def flush():
    print("sent:", *SPANS)


@handler(model="openai/gpt-4o-mini")
def describe(event, context):
    SPANS.append(context.aws_request_id)
    model = "openai/gpt-4o" if event["careful"] else "openai/gpt-4o-mini"
    return context.invoke("Describe {item} for ${price}.", item=event["item"], price=TABLES[event["item"]], model=model)


def read_tables():
    return {"tea": 4.5}


def main():
    prepare()  # in Lambda these two are called around the snapshot
    begin()
    with mock_model([lambda prompt: f"({prompt})"]):
        print(describe({"item": "tea", "careful": True}, MockLambdaContext(aws_request_id="r-1")))


if __name__ == "__main__":
    main()
