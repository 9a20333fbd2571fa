"""`warm`: a first call of a model that was made ready loads nothing more, and making it ready asks nobody."""

import json
import os
import socket
import subprocess
import sys
import types

import pytest

from lambdallm import _hooks, handler, warm
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.errors import LLMModelNotFoundError
from lambdallm.llm.flow import ENVIRONMENT, NOW, Sleep
from lambdallm.llm.rehearsal import _ANSWERS, RehearsalDriver

SOURCE = __import__("lambdallm").__path__[0].rpartition("/")[0]
ANSWER = json.dumps({
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
})  # fmt: skip
FIRST_CALL = f"""
import os, sys
from lambdallm import handler, warm
from lambdallm.llm.drivers import shared_driver
from lambdallm.transport.types import HttpResponse

@handler(model="openai/gpt-4o-mini")
def function(event, context):
    if event.get("streams"):
        return "".join(context.stream("Hi {{x}}", x=1).texts())
    return context.invoke("Hi {{x}}", x=1)

class Network:
    def send(self, request, timeouts):
        return HttpResponse(200, (), {ANSWER!r}.encode())
    def close(self):
        pass

PREPARE
os.environ["OPENAI_API_KEY"] = "mine"
before = set(sys.modules)
shared_driver()._transports[""] = Network()
assert function({{}}, None) == "Hi"
print(*sorted(set(sys.modules) - before))
"""


def printed(code):
    """The words that a fresh process prints."""
    command = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {SOURCE!r})\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def loaded_by_a_first_call(prepare):
    return printed(FIRST_CALL.replace("PREPARE", prepare))


def test_a_first_call_after_it_loads_nothing():
    assert loaded_by_a_first_call("warm('openai/gpt-4o-mini')") == []


def test_a_first_call_without_it_loads_much():
    assert "lambdallm.llm.wire.openai_chat.request" in loaded_by_a_first_call("shared_driver()")


def test_what_sends_and_what_certificates_are_checked_with_is_ready_too():
    loaded = printed("from lambdallm import warm\nwarm('openai')\nprint(*sys.modules)")
    assert {"lambdallm.transport.sync", "lambdallm.transport.tls", "ssl", "lambdallm.core.lifecycle"} <= {*loaded}
    assert "asyncio" not in loaded


def test_async_handlers_get_their_event_loop():
    loaded = printed("from lambdallm import warm\nwarm('openai', awaits=True)\nprint(*sys.modules)")
    assert {"asyncio", "lambdallm.transport.aio", "lambdallm.llm.drivers.awaiting"} <= {*loaded}


PROVIDERS = ("openai", "anthropic", "gemini", "bedrock", "cohere", "ollama", "azure", "vertex", "groq")


@pytest.mark.parametrize("model", PROVIDERS)
def test_nobody_is_asked_and_no_key_is_read(monkeypatch, model):
    def refused(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("OPENAI_API_KEY", "secret:prod/openai")
    before = dict(os.environ)
    warm(model)
    assert dict(os.environ) == before


def test_a_model_that_nobody_has_is_an_error():
    with pytest.raises(LLMModelNotFoundError):
        warm("no-such-model")


def test_a_plug_in_is_not_asked():
    from lambdallm.providers.registry import stand_in, step_down

    plugin = types.SimpleNamespace(supports_schema=lambda: False)  # it has nothing that could answer
    stand_in(plugin)
    try:
        warm("anything/at-all")
    finally:
        step_down(plugin)


@pytest.mark.parametrize("wire", sorted(_ANSWERS))
def test_the_answer_that_is_written_down_for_a_protocol_is_one(wire):
    codec = __import__(f"lambdallm.llm.wire.{wire}", fromlist=["decode_response"])
    completion = codec.decode_response(200, (), _ANSWERS[wire]).unwrap()
    assert completion.text == "Hi"
    assert completion.usage.input_tokens == completion.usage.output_tokens == 1


def test_a_rehearsal_waits_for_nothing_and_shows_a_word_for_keys():
    def flow():
        yield Sleep(3600)
        environ = yield ENVIRONMENT
        assert (yield NOW).monotonic > 0
        return environ

    driver = RehearsalDriver(resolve("openai/gpt-4o-mini"))
    assert driver.run(flow())["OPENAI_API_KEY"] == "rehearsal"
    assert "OPENAI_API_KEY" not in os.environ


class TestByItself:
    """With SnapStart a handler's own models are made ready before the snapshot."""

    @pytest.fixture(autouse=True)
    def _own_hooks(self, monkeypatch):
        monkeypatch.setattr(_hooks, "_before", [])
        monkeypatch.setattr(_hooks, "_told", ["snapshots"])

    @pytest.fixture
    def warmed(self, monkeypatch):
        warmed = []
        monkeypatch.setattr("lambdallm.core.warm.warm", lambda *models, awaits: warmed.append((*models, awaits)))
        return warmed

    def test_its_model_and_the_one_it_falls_back_to(self, monkeypatch, warmed):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        handler(model="echo", fallback_model="openai/gpt-4o-mini")(lambda event, context: None)
        assert warmed == []
        _hooks._before.pop()()
        assert warmed == [("echo", "openai/gpt-4o-mini", False)]

    def test_an_async_one_as_such(self, monkeypatch, warmed):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")

        @handler(model="echo")
        async def function(event, context): ...

        _hooks._before.pop()()
        assert warmed == [("echo", True)]

    def test_a_model_that_nobody_has_is_told_by_its_first_call_not_by_the_snapshot(self, monkeypatch, caplog):
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start")
        handler(model="no-such-model")(lambda event, context: None)
        _hooks._before.pop()()
        assert "no-such-model" in caplog.text

    def test_not_without_snapstart(self):
        handler(model="echo")(lambda event, context: None)
        assert _hooks._before == []
