"""The local provider on the real model: OpenAI's shapes, cut short when nobody waits any more."""

import asyncio
import json
import os
import subprocess
import sys
import time

import pytest

from lambdallm.llm.clients.in_process import ThreadedTransport
from lambdallm.llm.clients.local import LocalTransport
from lambdallm.transport.errors import WaitTimeout
from lambdallm.transport.types import HttpRequest, Timeouts

pytestmark = [pytest.mark.model, pytest.mark.usefixtures("local_model")]

NO_LIMIT = Timeouts(read=None)


def request(path, **body):
    return HttpRequest("POST", f"local:///v1{path}", (), json.dumps(body).encode())


def said(text, **body):
    return request("/chat/completions", messages=[{"role": "user", "content": text}], **body)


def send(asked, timeouts=NO_LIMIT):
    response = LocalTransport().send(asked, timeouts)
    return response.status, json.loads(response.body)


def chunks(stream):
    frames = [frame for piece in stream for frame in piece.decode().split("\n\n") if frame]
    assert frames[-1] == "data: [DONE]"
    return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-1]]


def text_of(answer):
    return answer["choices"][0]["message"]["content"]


def test_answers_whole(local_model):
    status, answer = send(said("Say hello.", model="default", max_tokens=8, seed=1))

    assert status == 200
    assert (answer["object"], answer["model"]) == ("chat.completion", local_model.id)
    assert text_of(answer).strip()
    assert answer["choices"][0]["finish_reason"] in ("stop", "length")
    assert answer["usage"]["completion_tokens"] <= 8
    assert os.path.dirname(local_model.path) not in json.dumps(answer)


def test_streams_the_same_text_in_pieces():
    asked = {"max_tokens": 24, "seed": 7, "temperature": 0.8}
    whole = text_of(send(said("Tell a story.", **asked))[1])

    opened = LocalTransport().open(
        said("Tell a story.", stream=True, stream_options={"include_usage": True}, **asked), NO_LIMIT
    )
    events = chunks(opened)

    pieces = [c["delta"].get("content") or "" for event in events for c in event["choices"]]
    assert "".join(pieces) == whole
    assert sum(map(bool, pieces)) > 5
    assert events[-1]["usage"]["completion_tokens"] > 5


def test_pieces_arrive_while_the_model_writes():
    """A buffered answer would bring its first piece with its last."""
    asked = said("Tell a long story.", stream=True, max_tokens=60, seed=3)
    began = time.monotonic()
    arrivals = [time.monotonic() - began for _ in LocalTransport().open(asked, NO_LIMIT)]
    assert arrivals[0] < arrivals[-1] / 2


def test_the_same_seed_writes_the_same():
    one, again, other = (text_of(send(said("A word?", max_tokens=12, temperature=1, seed=s))[1]) for s in (1, 1, 2))
    assert one == again != other


def test_stop_and_max_tokens_end_the_answer():
    stopped = send(said("Count: 1, 2, 3", stop=[","], temperature=0, max_tokens=40))[1]["choices"][0]
    cut = send(said("Tell a long story.", max_completion_tokens=3))[1]

    assert (stopped["finish_reason"], "," in stopped["message"]["content"]) == ("stop", False)
    assert (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"]) == ("length", 3)


def test_a_schema_binds_the_answer():
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["good", "bad"]}, "sure": {"type": "boolean"}},
        "required": ["mood", "sure"],
        "additionalProperties": False,
    }
    shape = {"type": "json_schema", "json_schema": {"name": "mood", "schema": schema}}

    for seed in range(3):
        choice = send(said("I love it!", response_format=shape, seed=seed, max_tokens=80))[1]["choices"][0]
        value = json.loads(choice["message"]["content"])
        assert value.keys() == {"mood", "sure"}
        assert value["mood"] in ("good", "bad")
        assert choice["finish_reason"] == "stop"


def test_json_mode_gives_json():
    asked = said('Repeat: {"a": 1}', response_format={"type": "json_object"}, max_tokens=60, seed=1, temperature=0)
    choice = send(asked)[1]["choices"][0]
    assert choice["message"]["content"].lstrip().startswith("{")
    assert choice["finish_reason"] == "length" or isinstance(json.loads(choice["message"]["content"]), dict)


TOOLS = [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize(
    ("asked", "status", "word"),
    [
        (said("hi", model="gpt-5"), 404, "gpt-5"),
        (said("hi", max_tokens=0), 400, "max_tokens"),
        (said("hi", max_tokens="many"), 400, "max_tokens"),
        (said("hi", temperature="hot"), 400, "temperature"),
        (said("hi", n=2), 400, "n"),
        (said("hi", tools=TOOLS), 400, "tools"),
        (said([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]), 400, "image"),
        (said("hi", response_format={"type": "json_schema", "json_schema": {"schema": {"type": "wat"}}}), 400, "wat"),
        (request("/chat/completions"), 400, "messages"),
        (request("/images"), 404, "/images"),
        (request("/embeddings", input="hi", dimensions=3), 400, "dimensions"),
        (request("/embeddings", input=""), 400, "empty"),
        (request("/embeddings"), 400, "input"),
    ],
)
def test_what_it_can_not_do_is_refused_in_words(asked, status, word):
    got, answer = send(asked)
    assert got == status
    assert word in answer["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_too_long_a_prompt_is_refused_as_llama_says_it(stream):
    status, answer = send(said("hello " * 9000, stream=stream))
    assert (status, answer["error"]["type"]) == (400, "exceed_context_size_error")


def test_closing_a_stream_stops_the_model():
    """The model takes one request at a time, so the next answer shows that the last one ended."""
    opened = LocalTransport().open(said("Tell a long story.", stream=True, max_tokens=3000), NO_LIMIT)
    next(iter(opened))
    opened.close()

    assert send(said("Hi", max_tokens=1), Timeouts(total=10))[0] == 200


@pytest.mark.parametrize(
    ("limits", "phase"), [({"total": 0.2}, "total"), ({"read": 0.0001}, "read"), ({"deadline": 0.0}, "total")]
)
@pytest.mark.parametrize("stream", [False, True])
def test_limits_of_time_hold(limits, phase, stream):
    asked = said("Tell a long story.", stream=stream, max_tokens=3000)
    with pytest.raises(WaitTimeout) as caught:
        list(LocalTransport().open(asked, Timeouts(**limits)))
    assert caught.value.phase == phase


def test_embeddings_have_length_one_and_meaning():
    status, answer = send(request("/embeddings", model="default", input=["a cat", "a kitten", "tax law"]))
    vectors = [item["embedding"] for item in answer["data"]]

    assert status == 200
    assert [sum(x * x for x in v) for v in vectors] == pytest.approx([1, 1, 1], abs=1e-4)
    assert answer["usage"]["prompt_tokens"] > 3


def test_embeddings_of_too_long_a_text_are_the_callers_fault():
    status, answer = send(request("/embeddings", input="hello " * 3000))
    assert (status, answer["error"]["type"]) == (400, "exceed_context_size_error")


def test_cancelling_returns_at_once_and_stops_the_model():
    async def cancelled():
        twin = ThreadedTransport(LocalTransport())
        await twin.send(said("Hi", max_tokens=1), NO_LIMIT)  # loaded
        task = asyncio.create_task(twin.send(said("Tell a long story.", max_tokens=3000), NO_LIMIT))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    assert asyncio.run(cancelled()) < 0.1
    assert send(said("Hi", max_tokens=1), Timeouts(total=10))[0] == 200


def test_the_event_loop_runs_on_while_the_model_writes():
    async def ticks():
        twin = ThreadedTransport(LocalTransport())
        opened = await twin.open(said("Tell a story.", stream=True, max_tokens=40), NO_LIMIT)
        counted, reading = 0, asyncio.ensure_future(_drain(opened))
        while not reading.done():
            counted += 1
            await asyncio.sleep(0.001)
        await opened.aclose()
        return counted, reading.result()

    counted, pieces = asyncio.run(ticks())
    assert counted > pieces


async def _drain(opened):
    return len([piece async for piece in opened])


FORKING = """
import os, sys
from lambdallm.llm.clients.local import LocalTransport
from lambdallm.transport.types import HttpRequest, Timeouts

body = b'{"messages":[{"role":"user","content":"Hi"}],"max_tokens":2}'
ask = HttpRequest("POST", "local:///v1/chat/completions", (), body)
assert LocalTransport().send(ask, Timeouts()).status == 200
for asks, code in ((False, 3), (True, 4)):
    child = os.fork()
    if child == 0:
        if asks:
            assert LocalTransport().send(ask, Timeouts()).status == 200
        sys.exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code
assert LocalTransport().send(ask, Timeouts()).status == 200
unread = LocalTransport().open(
    HttpRequest("POST", ask.url, (), body.replace(b"2}", b'3000,"stream":true}')), Timeouts())
next(iter(unread))
print("ends with a stream open")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="forks, and counts on the C library")
def test_a_process_may_fork_and_end_at_any_time_and_says_nothing(local_model):
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING],
        capture_output=True, text=True, timeout=60, env=os.environ | {"LAMBDALLM_LOCAL_MODEL": local_model.path},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "ends with a stream open\n", "")


LEAVING = """
from lambdallm.llm.clients import llama, model_file
model = model_file.locate()
llama.server(model.path, model.id, embedding=False, context=512)
raise SystemExit(7)
"""


def test_a_process_may_end_as_soon_as_the_model_is_loaded(local_model):
    """A server freed before its loop began would never end."""
    environ = os.environ | {"LAMBDALLM_LOCAL_MODEL": local_model.path}
    assert subprocess.run([sys.executable, "-c", LEAVING], timeout=30, env=environ).returncode == 7
