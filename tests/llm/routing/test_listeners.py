"""Who listens to a router hears of each call once, whoever answered it: at its beginning and at its end."""

import pytest

from lambdallm.llm.errors import ConfigurationError, ProviderServerError
from lambdallm.llm.notices import CallCompleted, CallFailed, CallStarted
from lambdallm.llm.routing import LLMRouter, sync

from .worlds import Fake, Worlds, completion

BROKE = ProviderServerError("Broke.")


@pytest.fixture
def told():
    return []


def worlds(told, *answers, **options):
    clients = {f"c{at}": Fake(answer, seconds=1.0) for at, answer in enumerate(answers)}
    return Worlds(clients, listeners=[told.append], **options)


def test_a_call_that_falls_back_is_one_call(told):
    world = worlds(told, BROKE, "Hello.")
    answer = world.ask().unwrap()
    begun, ended = told
    assert (type(begun), begun.operation, begun.provider) == (CallStarted, "chat", "router")
    assert begun.request.messages[-1].text == "Hi"
    assert (type(ended), ended.call, ended.latency_ms) == (CallCompleted, begun, 2000.0)
    assert ended.completion == answer
    assert ended.completion.routing.chosen == "c1"


def test_a_stream_is_told_with_the_whole_answer(told):
    result, texts = worlds(told, ["Hel", "lo."]).stream()
    assert texts == ["Hel", "lo."]
    begun, ended = told
    assert begun.operation == "stream"
    assert ended.completion == result.unwrap()
    assert ended.completion.text == "Hello."


def test_that_nobody_answered_is_told_with_the_error_of_all(told):
    result = worlds(told, BROKE, BROKE).ask()
    begun, ended = told
    assert (type(ended), ended.call) == (CallFailed, begun)
    assert ended.error is result.error
    assert len(ended.error.routing.attempts) == 2


def test_an_answer_from_the_cache_is_told_as_one(told):
    from lambdallm.llm.caching import LLMCache

    world = worlds(told, completion("Hello."), cache=LLMCache())
    assert [world.ask().unwrap().cache for _ in range(2)] == [None, "hit"]
    assert [notice.completion.cache for notice in told[1::2]] == [None, "hit"]


def test_a_listener_that_fails_changes_nothing(told, caplog):
    def fails(notice):
        raise RuntimeError("The log is full.")

    router = sync.LLMRouter(["echo"], listeners=[fails, told.append])
    assert router.complete("Hello.").unwrap().text == "Hello."
    assert len(told) == 2
    assert "The log is full." in caplog.text


@pytest.mark.parametrize("router", [LLMRouter, sync.LLMRouter])
@pytest.mark.parametrize("listeners", [5, [5], print])
def test_what_can_not_listen_is_refused(router, listeners):
    with pytest.raises(ConfigurationError, match="Give a list of functions of a notice"):
        router(["echo"], listeners=listeners)
