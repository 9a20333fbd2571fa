"""Functions for the web, for a queue, and for a state machine: `python examples/functions/shop.py` needs no key."""

import asyncio

from lambdallm import handler
from lambdallm.runtime import Response
from lambdallm.testing import MockLambdaContext, mock_model


@handler(model="openai/gpt-4o-mini", fallback_model="anthropic/claude-haiku-4-5", max_retries=2)
def describe(event, context):
    item = context.body["item"]
    text = context.invoke("Describe {item} in one sentence.", item=item)
    return Response({"item": item, "text": text}, status=201, headers={"Cache-Control": "max-age=3600"})


@handler(model="openai/gpt-4o-mini")
async def compare(event, context):
    prompts = [f"What is good about {item}?" for item in event["items"]]
    return await asyncio.gather(*[context.ainvoke(prompt) for prompt in prompts])


@handler(model="openai/gpt-4o-mini", timeout_buffer=10)
def translate(event, context):
    return context.each_record(lambda record: save(context.invoke("In French: {text}", text=record.json()["text"])))


saved = []


def save(text):
    saved.append(text)


def main():
    http = {"method": "POST", "path": "/describe", "sourceIp": "192.0.2.7"}
    headers = {"content-type": "application/json"}
    web = {
        "version": "2.0",
        "requestContext": {"http": http},
        "headers": headers,
        "body": '{"item": "a pen"}',
    }
    messages = [
        {"messageId": id, "body": body, "eventSource": "aws:sqs", "attributes": {}}
        for id, body in (("m-1", '{"text": "one"}'), ("m-2", '{"word": "two"}'))
    ]
    with mock_model([lambda prompt: f"({prompt})"]):
        print(describe(web, MockLambdaContext()))
        print(describe({**web, "body": "{"}, MockLambdaContext()))
        print(compare({"items": ["tea", "coffee"]}, MockLambdaContext()))
        print(translate({"Records": messages}, MockLambdaContext()))
    print(saved)


if __name__ == "__main__":
    main()
