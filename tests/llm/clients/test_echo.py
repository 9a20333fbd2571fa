"""The echo provider: what it says follows from what it was told, and from nothing else."""

import asyncio
import base64
import json
import struct
import threading

import pytest

from lambdallm.llm.clients.echo import EchoTransport
from lambdallm.llm.clients.in_process import ThreadedTransport
from lambdallm.transport.types import HttpRequest, Timeouts

HELLO = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hello  big world"}]


def request(path, body, method="POST"):
    return HttpRequest(method, f"echo:///v1{path}", (), json.dumps(body).encode())


def post(path, **body):
    response = EchoTransport().send(request(path, body), Timeouts())
    return response.status, json.loads(response.body)


def chat(**body):
    return post("/chat/completions", **({"model": "echo", "messages": HELLO} | body))


def events(body):
    """The JSON of each server-sent event, checking the frame around it."""
    frames = body.decode().split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]


def stream(**body):
    opened = EchoTransport().open(request("/chat/completions", {"messages": HELLO, "stream": True} | body), Timeouts())
    assert (opened.status, opened.headers) == (200, (("content-type", "text/event-stream"),))
    return events(b"".join(opened))


def test_says_the_last_user_message_again():
    status, answer = chat()

    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "Hello  big world"}, "finish_reason": "stop"}
    ]
    assert answer["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}


def test_the_same_request_gets_the_same_answer():
    assert chat() == chat()


@pytest.mark.parametrize("text", ["", " ", " a  b\n\nc ", "one", "\n", "日本 語"])
def test_the_pieces_of_a_stream_are_the_whole_text(text):
    chunks = stream(messages=[{"role": "user", "content": text}])
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == text


def test_streams_word_by_word():
    chunks = stream()

    deltas = [chunk["choices"][0]["delta"].get("content") for chunk in chunks]
    assert deltas == ["", "Hello", "  big", " world", None]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


def test_a_stream_tells_usage_when_asked():
    assert "usage" not in stream()[-1]
    assert stream(stream_options={"include_usage": True})[-1]["usage"]["total_tokens"] == 8


def test_reads_the_text_parts_of_a_message():
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    assert chat(messages=[{"role": "user", "content": parts}])[1]["choices"][0]["message"]["content"] == "one two"


def test_max_tokens_counts_words():
    choice = chat(max_tokens=1)[1]["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello", "length")


def test_a_schema_gets_the_smallest_value_it_allows():
    schema = {"type": "object", "properties": {"mood": {"enum": ["good", "bad"]}}, "required": ["mood"]}
    answer = chat(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}})[1]
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"mood": "good"}


def test_json_mode_wraps_the_message():
    answer = chat(response_format={"type": "json_object"})[1]
    assert json.loads(answer["choices"][0]["message"]["content"]) == {"echo": "Hello  big world"}


def test_a_demanded_tool_is_called_with_the_smallest_arguments():
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "weather", "parameters": parameters}}]

    choice = chat(tools=tools, tool_choice="required")[1]["choices"][0]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [
        {"id": "call_echo", "type": "function", "function": {"name": "weather", "arguments": '{"city": ""}'}}
    ]


def test_a_demand_for_a_tool_that_is_not_there_is_refused():
    tools = [{"type": "function", "function": {"name": "weather"}}]
    status, answer = chat(tools=tools, tool_choice={"type": "function", "function": {"name": "clock"}})
    assert (status, answer["error"]["param"]) == (400, "tool_choice")


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "authentication_error"), (422, "invalid_request_error"), (503, "server_error")]
)
def test_an_error_model_answers_its_status(status, kind):
    got, answer = chat(model=f"error-{status}")
    assert (got, answer["error"]["type"]) == (status, kind)


def test_too_many_requests_says_when_to_try_again():
    response = EchoTransport().send(request("/chat/completions", {"model": "error-429"}), Timeouts())
    assert (response.status, response.header("Retry-After")) == (429, "1")


def test_an_error_comes_before_a_stream_begins():
    opened = EchoTransport().open(request("/chat/completions", {"model": "error-500", "stream": True}), Timeouts())
    assert opened.status == 500
    assert "error" in json.loads(b"".join(opened))


@pytest.mark.parametrize("messages", [None, [], "hi", ["hi"]])
def test_messages_of_the_wrong_shape_are_refused(messages):
    status, answer = chat(messages=messages)
    assert (status, answer["error"]["param"]) == (400, "messages")


def test_an_unknown_model_is_not_found():
    status, answer = chat(model="gpt-5")
    assert (status, answer["error"]["code"]) == (404, "model_not_found")
    assert "'gpt-5'" in answer["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_unknown_path_is_not_found(stream):
    assert post("/images", stream=stream)[0] == 404


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_no_json_object_is_refused(body):
    bad = HttpRequest("POST", "echo:///v1/chat/completions", (), body)
    assert EchoTransport().send(bad, Timeouts()).status == 400


def test_lists_its_model():
    response = EchoTransport().send(HttpRequest("GET", "echo:///v1/models"), Timeouts())
    assert [model["id"] for model in json.loads(response.body)["data"]] == ["echo"]


class TestEmbeddings:
    def vectors(self, *texts, **body):
        status, answer = post("/embeddings", input=list(texts), **body)
        assert status == 200
        return [item["embedding"] for item in answer["data"]]

    def test_are_of_length_one(self):
        (vector,) = self.vectors("the cat")
        assert sum(x * x for x in vector) == pytest.approx(1)

    def test_texts_that_share_words_are_near(self):
        cat, also_cat, bread = self.vectors("the black cat sleeps", "the black cat eats", "bake bread slowly today")
        assert sum(a * b for a, b in zip(cat, also_cat, strict=True)) > 0.6
        assert abs(sum(a * b for a, b in zip(cat, bread, strict=True))) < 0.5

    def test_have_the_dimensions_asked_for(self):
        assert len(self.vectors("a", dimensions=7)[0]) == 7

    def test_come_packed_when_asked(self):
        (plain,), (packed,) = self.vectors("a", dimensions=3), self.vectors("a", dimensions=3, encoding_format="base64")
        assert struct.unpack("<3f", base64.b64decode(packed)) == pytest.approx(plain)

    def test_count_words(self):
        assert post("/embeddings", input="one two three")[1]["usage"] == {"prompt_tokens": 3, "total_tokens": 3}

    @pytest.mark.parametrize("given", [None, "", [], [""], [1], 3])
    def test_of_nothing_are_refused(self, given):
        assert post("/embeddings", input=given)[0] == 400


def test_the_asynchronous_twin_answers_the_same_without_a_thread():
    async def both():
        twin = ThreadedTransport(EchoTransport())
        whole = await twin.send(request("/chat/completions", {"messages": HELLO}), Timeouts())
        opened = await twin.open(request("/chat/completions", {"messages": HELLO, "stream": True}), Timeouts())
        pieces = [piece async for piece in opened]
        await opened.aclose()
        await twin.aclose()
        return json.loads(whole.body), events(b"".join(pieces))

    threads = threading.active_count()
    assert asyncio.run(both()) == (chat()[1], stream())
    assert threading.active_count() == threads
