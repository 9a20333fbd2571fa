"""The gateway as a Lambda function: events in the forms of each source, streams where the source takes them."""

import json
import subprocess
import sys
import threading

import openai
import pytest

import events
import gateway_play as play
import lambdallm
from lambdallm.gateway.hosts.lambda_host import handler
from lambdallm.llm.drivers import Driver
from lambdallm.runtime.streams import ResponseStream
from lambdallm.testing.local_lambda import LocalLambda

BODY = {"model": "fast", "messages": play.HELLO}


class Context:
    aws_request_id = "c0ffee-1"
    accepts_stream = True

    def __init__(self, seconds=30.0):
        self.seconds = seconds

    def get_remaining_time_in_millis(self):
        return int(self.seconds * 1000)


def http(kind, path="/v1/chat/completions", body=BODY, method="POST"):
    """An event of a kind that carries this request."""
    event = events.event(kind)
    event["body"], event["isBase64Encoded"] = json.dumps(body), False
    if "http" in event["requestContext"]:
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["requestContext"]["http"]["method"] = method
        event["rawQueryString"] = ""
        event["requestContext"]["stage"] = "$default"
    else:
        event["path"], event["httpMethod"] = path, method
    return event


@pytest.fixture
def driver():
    driver = Driver()
    yield driver
    driver.close()


@pytest.fixture
def serve(driver):
    return handler(play.gateway(), driver=driver)


@pytest.fixture
def upstream(monkeypatch):
    upstream = play.Upstream()
    play.at_upstream(monkeypatch, upstream)
    yield upstream
    upstream.close()


def body_of(response):
    return json.loads(response["body"])


@pytest.mark.parametrize("kind", events.HTTP_KINDS)
def test_every_source_of_http_events_gets_its_answer(serve, kind, monkeypatch):
    monkeypatch.setenv("LAMBDALLM_RESPONSE_STREAMING", "off")
    response = serve(http(kind), Context())
    assert response["statusCode"] == 200
    assert body_of(response)["choices"][0]["message"]["content"] == "Say hello"
    assert not response.get("isBase64Encoded")


def test_the_requests_id_is_lambdas(serve, monkeypatch):
    monkeypatch.setenv("LAMBDALLM_RESPONSE_STREAMING", "off")
    assert serve(http("function_url"), Context())["headers"]["x-request-id"] == "c0ffee-1"


def test_the_stage_of_an_api_is_no_part_of_the_path(serve):
    event = http("api_gateway_v2", "/prod/v1/chat/completions")
    event["requestContext"]["stage"] = "prod"
    assert serve(event, Context())["statusCode"] == 200


def test_an_event_that_is_no_request_is_refused(serve):
    with pytest.raises(Exception, match="Call the gateway through"):
        serve(events.event("sqs"), Context())


def test_a_stream_goes_out_as_it_is_made(serve):
    stream = serve(http("function_url", body={**BODY, "stream": True}), Context())
    assert isinstance(stream, ResponseStream)
    assert stream.head.status == 200
    assert stream.head.headers["content-type"] == "text/event-stream"
    pieces = list(stream)
    assert len(pieces) > 3
    assert pieces[-1] == b"data: [DONE]\n\n"


def test_a_whole_answer_goes_to_a_source_that_reads_streams_alone_as_one(serve):
    answer = serve(http("function_url"), Context())
    assert isinstance(answer, ResponseStream)
    assert json.loads(b"".join(answer))["object"] == "chat.completion"


@pytest.mark.parametrize("kind", ["api_gateway_v2", "alb"])
def test_a_source_that_takes_no_stream_gets_it_in_one_piece(serve, kind):
    response = serve(http(kind, body={**BODY, "stream": True}), Context())
    assert response["body"].endswith("data: [DONE]\n\n")


def test_a_stream_that_fails_before_it_begins_has_the_status_that_says_so(serve, upstream):
    upstream.answer({"error": {"message": "over"}}, 429, [("retry-after", "3")])
    answer = serve(http("function_url", body={**BODY, "model": "gpt", "stream": True}), Context())
    assert (answer.head.status, answer.head.headers["retry-after"]) == (429, "3")
    assert json.loads(b"".join(answer))["error"]["code"] == "rate_limit_exceeded"


def test_near_lambdas_limit_a_stream_ends_with_what_has_come(serve, upstream):
    never = threading.Event()
    upstream.stream(*play.chat_chunks("Hel", "lo")[:3], never)
    try:
        answer = serve(http("function_url", body={**BODY, "model": "gpt", "stream": True}), Context(2.0))
        text = b"".join(answer)
    finally:
        never.set()
    assert b"the time for it was up" in text
    assert text.endswith(b"data: [DONE]\n\n")


APP = """
from lambdallm.gateway import CatalogModels, Gateway
from lambdallm.gateway.hosts.lambda_host import handler

lambda_handler = handler(Gateway(models=CatalogModels({"fast": "echo/echo"})))
"""


def test_openais_sdk_streams_from_a_function_url(tmp_path):
    (tmp_path / "app.py").write_text(APP)
    with (
        LocalLambda(tmp_path, timeout=20) as function,
        openai.OpenAI(base_url=f"{function.url.rstrip('/')}/v1", api_key="mine", max_retries=0) as client,
    ):
        whole = client.chat.completions.create(model="fast", messages=play.HELLO)
        chunks = list(client.chat.completions.create(model="fast", messages=play.HELLO, stream=True))
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="nope", messages=play.HELLO)
    assert whole.choices[0].message.content == "Say hello"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Say hello"


NEVER = {
    "asyncio", "http.client", "email", "urllib.request", "urllib.parse", "ssl", "logging", "dataclasses", "inspect",
    "typing", "threading", "datetime", "uuid", "subprocess", "importlib.metadata", "random", "boto3", "botocore",
    "yaml", "pydantic", "argparse", "difflib", "hashlib", "hmac", "uvicorn",
}  # fmt: skip


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages"])
def test_a_first_answer_loads_no_event_loop_and_no_framework(upstream, path, stream):
    """The same protocol passes through; another is translated."""
    if stream:
        upstream.stream(*play.chat_chunks("Hel", "lo"))
    else:
        upstream.answer(play.CHAT)
    event = http("api_gateway_v2", path, {**BODY, "model": "gpt", "max_tokens": 9, "stream": stream})
    code = f"""
import sys; sys.path.insert(0, {lambdallm.__path__[0].rpartition("/")[0]!r})
before = set(sys.modules)
from lambdallm.gateway import CatalogModels, Gateway
from lambdallm.gateway.hosts.lambda_host import handler
serve = handler(Gateway(models=CatalogModels({play.MODELS!r})))
assert serve({event!r}, None)["statusCode"] == 200
print(*(set(sys.modules) - before))
"""
    command = [sys.executable, "-I", "-S", "-c", code]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    loaded = set(out.splitlines()[-1].split())
    assert not loaded & NEVER, sorted(loaded & NEVER)
