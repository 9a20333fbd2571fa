"""Answers that reach their reader while they are written: `python examples/streaming_responses/app.py` needs no key."""

from lambdallm import StreamingResponse, handler
from lambdallm.llm.streaming.sync import to_sse
from lambdallm.testing import MockLambdaContext, mock_model


@handler(model="openai/gpt-4o-mini")
def tell(event, context):
    return context.stream("Tell me about {it}.", it=context.body["it"])


@handler(model="openai/gpt-4o-mini")
def steps(event, context):
    for topic in context.body["topics"]:
        yield {"topic": topic, "state": "asking"}
        yield {"topic": topic, "text": context.invoke("One sentence about {topic}.", topic=topic)}


@handler(model="openai/gpt-4o-mini")
async def chat(event, context):
    stream = context.astream(context.body["text"])
    return StreamingResponse(stream, status=201, format="sse", cookies=("seen=yes; HttpOnly; Secure",))


@handler(model="openai/gpt-4o-mini")
def compatible(event, context):
    stream = context.stream(context.body["text"])
    return StreamingResponse(to_sse(stream), headers={"Content-Type": "text/event-stream"})


def request(body, accept="*/*"):
    """What a function URL sends."""
    headers = {"content-type": "application/json", "accept": accept}
    http = {"method": "POST", "path": "/", "sourceIp": "192.0.2.7"}
    domain = "abc.lambda-url.eu-west-1.on.aws"
    return {
        "version": "2.0",
        "requestContext": {"http": http, "domainName": domain},
        "headers": headers,
        "body": body,
    }


def show(function, body, accept="*/*"):
    """Read an answer as a client does, and print each piece when it comes."""
    stream = function(request(body, accept), MockLambdaContext(accepts_stream=True))
    print(f"\n{stream.head.status} {stream.head.headers['Content-Type']}")
    for piece in stream:
        print(piece.decode(), end="", flush=True)
    print()


def main():
    with mock_model([lambda prompt: f"So: {prompt}"]):
        show(tell, '{"it": "tea"}')
        show(tell, '{"it": "tea"}', accept="text/event-stream")
        show(steps, '{"topics": ["tea"]}')
        show(chat, '{"text": "Hi"}')
        show(compatible, '{"text": "Hi"}')


if __name__ == "__main__":
    main()
