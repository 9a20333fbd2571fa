"""A model call by LiteLLM behind FastAPI, adapted to Lambda by Mangum: a common way to build a gateway."""

import json

import litellm
from fastapi import FastAPI
from mangum import Mangum
from pydantic import BaseModel

app = FastAPI()


class Question(BaseModel):
    name: str


@app.post("/hello")
async def hello(question: Question):
    messages = [{"role": "user", "content": f"Say hello to {question.name}."}]
    answer = await litellm.acompletion(model="openai/gpt-4o-mini", messages=messages)
    return {"answer": answer.choices[0].message.content}


served = Mangum(app, lifespan="off")


def handler(event, context):
    http = {"method": "POST", "path": "/hello", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"}
    request = {"http": http, "requestId": "1", "routeKey": "$default", "stage": "$default"}
    headers = {"content-type": "application/json", "host": "localhost"}
    body = json.dumps({"name": event["name"]})
    shape = {"version": "2.0", "routeKey": "$default", "rawPath": "/hello", "rawQueryString": ""}
    return served({**shape, "headers": headers, "requestContext": request, "body": body}, context)["body"]
