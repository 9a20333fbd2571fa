"""A conversation over several invocations: `python examples/sessions/chat.py` needs no key and no table."""

import json

from lambdallm import MemoryStrategy, Session, handler
from lambdallm.testing import MockLambdaContext, mock_model


@handler(
    model="anthropic/claude-haiku-4-5",
    session=Session(store="memory", ttl_hours=24, memory=MemoryStrategy.SLIDING_WINDOW, max_messages=20),
)
def chat(event, context):
    answer = context.chat(context.body["text"], session=True)
    context.session.state["turns"] = context.session.state.get("turns", 0) + 1
    return {"answer": answer.text, "turns": context.session.state["turns"]}


def post(text, session_id=None):
    """What API Gateway makes of a browser's request."""
    headers = {"content-type": "application/json"} | ({"x-session-id": session_id} if session_id else {})
    http = {"method": "POST", "path": "/chat", "sourceIp": "192.0.2.7"}
    return {"version": "2.0", "requestContext": {"http": http}, "headers": headers, "body": json.dumps({"text": text})}


def main():
    with mock_model(["Hello, Ada.", "Your name is Ada."]) as model:
        first = chat(post("My name is Ada."), MockLambdaContext())
        session_id = first["headers"]["x-session-id"]
        second = chat(post("What is my name?", session_id), MockLambdaContext())
    print(second["body"])
    print(model.calls[-1].prompt)


if __name__ == "__main__":
    main()
