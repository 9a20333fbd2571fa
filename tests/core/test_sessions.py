"""Conversations over several invocations of a handler, with the sessions that come with the package."""

import json

import pytest

from events import event
from handler_kinds import KINDS, made
from lambdallm import handler
from lambdallm.core.exceptions import ProviderServerError
from lambdallm.llm.caching import LLMCache
from lambdallm.state.memory import MemoryStateStore
from lambdallm.state.session import Session
from lambdallm.testing import MockLambdaContext, MockProvider, mock_model

pytestmark = pytest.mark.parametrize("kind", KINDS)


def sent(text, id=None):
    request = {**event("function_url"), "body": json.dumps({"text": text}), "isBase64Encoded": False}
    if id is not None:
        request["headers"]["x-session-id"] = id
    return request


def chatting(kind, **options):
    @made(kind, session=Session(store=MemoryStateStore(), **options), max_retries=0)
    async def function(event, context):
        return (await context.achat(context.body["text"], session=True)).text

    return function


def test_a_conversation_goes_on_in_the_next_invocation(kind):
    function = chatting(kind)
    with mock_model(["Hello Ada.", "You are Ada."]) as model:
        first = function(sent("I am Ada."), None)
        id = first["headers"]["x-session-id"]
        second = function(sent("Who am I?", id), None)
    assert second["body"] == "You are Ada."
    assert "I am Ada." in model.calls[1].prompt
    assert "Hello Ada." in model.calls[1].prompt


def test_conversations_do_not_meet(kind):
    function = chatting(kind)
    with mock_model(["ok"]) as model:
        function(sent("A secret.", "one"), None)
        function(sent("Hi", "two"), None)
    assert model.calls[1].prompt == "Hi"


def test_a_new_id_may_come_as_a_cookie(kind):
    function = chatting(kind, id_from="cookie:sid")
    with mock_model(["ok"]):
        response = function(sent("Hi"), None)
    (cookie,) = response["cookies"]
    assert cookie.startswith("sid=")
    assert "HttpOnly" in cookie


def test_a_turn_that_failed_is_not_remembered(kind):
    function = chatting(kind)
    with mock_model([ProviderServerError("down"), "ok"]) as model:
        assert function(sent("Lost", "s"), None)["statusCode"] == 502
        function(sent("Hi", "s"), None)
    assert model.calls[1].prompt == "Hi"


def test_an_id_that_is_none_is_the_sender_s_mistake(kind):
    with mock_model(["ok"]):
        assert chatting(kind)(sent("Hi", "a b\n"), None)["statusCode"] == 400


def test_a_long_conversation_is_summed_up_by_the_handler_s_model(kind):
    def answers(prompt):
        return "Ada asked for letters." if "Sum up all of it" in prompt else "ok"

    function = chatting(kind, memory="summary", max_messages=4)
    with mock_model([answers]) as model:
        for letter in "abcdefgh":
            function(sent(letter, "s"), None)
    assert "Ada asked for letters." in model.calls[-1].prompt or "Ada asked for letters." in model.calls[-2].prompt


def test_a_cache_answers_what_was_asked_before(kind):
    costs = []

    @made(kind, model="echo", cache=LLMCache())
    async def function(event, context):
        said = await context.ainvoke("Say it")
        fresh = await context.ainvoke("Say it", cache=False)
        costs.append([done.cache for done in context.completions])
        return [said, fresh]

    assert function({}, None) == function({}, None) == ["Say it", "Say it"]
    assert costs == [[None, None], ["hit", None]]


def test_a_plug_in_is_never_answered_for_by_a_cache(kind):
    @made(kind, cache=LLMCache())
    async def function(event, context):
        return await context.ainvoke("Hi")

    with mock_model(["one", "two"]) as model:
        assert [function({}, None), function({}, None)] == ["one", "two"]
    assert isinstance(model, MockProvider)


def test_a_streamed_turn_is_saved_when_its_last_piece_is_read(kind):
    store = MemoryStateStore()

    def streaming(event, context):
        return context.stream(context.body["text"], session=True)

    async def awaiting(event, context):
        return context.astream(context.body["text"], session=True)

    function = handler(session=Session(store=store))(streaming if kind == "def" else awaiting)
    reader = MockLambdaContext()
    reader.accepts_stream = True
    with mock_model(["Hello Ada.", "You are Ada."]) as model:
        stream = iter(function(sent("I am Ada.", "s"), reader))
        assert next(stream) == b"Hello"
        assert list(stream) == [b" Ada."]
        assert function(sent("Who am I?", "s"), None)["body"] == "You are Ada."
    assert "Hello Ada." in model.calls[1].prompt
