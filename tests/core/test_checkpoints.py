"""`timeout_strategy="checkpoint"`: an invocation that time ends is gone on from, and nothing is paid twice."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import event
from handler_kinds import KINDS, made
from lambdallm import Middleware, Prompt, handler
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.handler import HandlerSettings
from lambdallm.core.journal import CheckpointError, Journal, OutOfTime, journal_of
from lambdallm.llm.backends.errors import BackendError
from lambdallm.llm.concurrent import taken
from lambdallm.llm.drivers import shared_driver
from lambdallm.llm.errors import ConfigurationError, DeadlineExceededError
from lambdallm.llm.flow import Await, Start
from lambdallm.llm.types import Embeddings
from lambdallm.state.memory import MemoryStateStore
from lambdallm.state.session import Session
from lambdallm.testing import MockLambdaContext, MockProvider, mock_model
from lambdallm.testing.script import Script

kinds = pytest.mark.parametrize("kind", KINDS)
STEPS = ("one", "two", "three")


class Clock(MockLambdaContext):
    """A Lambda whose time is up after so many looks at the model."""

    def __init__(self, calls, request_id):
        super().__init__(60_000, aws_request_id=request_id)
        self.calls, self.context = calls, None

    def on_context(self, context):
        self.context = context


class EndsTime(MockProvider):
    """Answers `calls` times, then time is up."""

    def __init__(self):
        super().__init__([lambda prompt: f"<{prompt}>"])
        self.clock = None

    def invoke(self, prompt, config):
        answer = super().invoke(prompt, config)
        self.clock.calls -= 1
        if self.clock.calls == 0:
            self.clock.context.deadline = 0.0
        return answer


def walk(kind, store, **settings):
    """A function of three calls, and the model that it asks."""

    @made(kind, timeout_strategy="checkpoint", checkpoint_store=store, max_retries=0, **settings)
    async def function(event, context):
        said = []
        for step in event.get("steps", STEPS):
            try:
                said.append(await context.ainvoke(f"{step} after {len(said)}"))
            except (DeadlineExceededError, ValueError):
                return "A pause is no error that a function would catch."
        return said

    return function


WHOLE = ["<one after 0>", "<two after 1>", "<three after 2>"]


def invoked(function, calls, given=None, request_id="r-1"):
    model, clock = EndsTime(), Clock(calls, request_id)
    model.clock = clock
    with mock_model() as standing:
        standing.invoke = model.invoke
        result = function(given or {}, clock)
    return result, [call.prompt for call in model.calls], clock.context


@kinds
def test_time_ends_it_with_an_id_and_a_later_invocation_goes_on(kind):
    function = walk(kind, MemoryStateStore())
    result, asked, _ = invoked(function, 2)
    assert (result, asked) == ({"checkpoint": {"id": "r-1"}}, ["one after 0", "two after 1"])
    result, asked, context = invoked(function, 9, result, "r-2")
    assert (result, asked) == (WHOLE, ["three after 2"])
    assert (len(context.completions), context.metrics.total("model.calls")) == (1, 1)


@kinds
@given(cuts=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_however_often_it_is_cut_each_call_is_made_once(kind, cuts):
    function, result, asked = walk(kind, MemoryStateStore()), {}, []
    for number, calls in enumerate([*cuts, 9, 9]):
        given = result if isinstance(result, dict) else {}
        if isinstance(result, list):
            break
        result, more, _ = invoked(function, calls, given, f"r-{number}")
        asked += more
    assert (result, asked) == (WHOLE, ["one after 0", "two after 1", "three after 2"])


@kinds
def test_an_event_that_lambda_tries_again_goes_on_by_itself(kind):
    function = walk(kind, MemoryStateStore())
    invoked(function, 2, request_id="same")
    assert invoked(function, 9, request_id="same")[:2] == (WHOLE, ["three after 2"])


@kinds
def test_what_is_done_is_answered_again_without_a_call(kind):
    function = walk(kind, MemoryStateStore())
    invoked(function, 9, request_id="done")
    assert invoked(function, 9, {"checkpoint": {"id": "done"}}, "r-2")[:2] == (WHOLE, [])


@kinds
def test_over_http_it_is_202_and_a_header(kind):
    function = walk(kind, MemoryStateStore())
    response, _, _ = invoked(function, 1, event("function_url"))
    assert (response["statusCode"], response["headers"]["X-LambdaLLM-Checkpoint"]) == (202, "r-1")
    assert json.loads(response["body"]) == {"checkpoint": {"id": "r-1"}}
    again = event("function_url")
    again["headers"]["x-lambdallm-checkpoint"] = "r-1"
    response, asked, _ = invoked(function, 9, again, "r-2")
    assert (json.loads(response["body"]), asked) == (WHOLE, ["two after 1", "three after 2"])
    in_body = {**event("function_url"), "body": '{"checkpoint": {"id": "r-1"}}', "isBase64Encoded": False}
    assert invoked(function, 9, in_body, "r-3")[1] == []


@kinds
def test_middleware_sees_a_pause_as_a_result(kind):
    seen = []

    class Sees(Middleware):
        def after_invoke(self, event, result, context):
            seen.append(result)

    invoked(walk(kind, MemoryStateStore(), middleware=[Sees()]), 1)
    assert seen == [{"checkpoint": {"id": "r-1"}}]


@kinds
class TestRefusals:
    def test_a_changed_function_is_refused(self, kind):
        function = walk(kind, MemoryStateStore())
        invoked(function, 2)
        with pytest.raises(CheckpointError, match="Call 2 of the function is not the one"):
            invoked(function, 9, {"checkpoint": {"id": "r-1"}, "steps": ["one", "other"]}, "r-2")

    def test_a_handler_without_a_store_is_refused(self, kind):
        with pytest.raises(ConfigurationError, match="nowhere to keep"):
            invoked(walk(kind, None), 9)

    def test_an_unknown_id_is_refused(self, kind):
        with pytest.raises(CheckpointError, match="no checkpoint 'nope'"):
            invoked(walk(kind, MemoryStateStore()), 9, {"checkpoint": {"id": "nope"}})

    @pytest.mark.parametrize("id", ["../x", "a" * 200, "ü"])
    def test_an_id_that_could_be_another_key_is_refused(self, kind, id):
        with pytest.raises(CheckpointError, match="is no checkpoint's id"):
            invoked(walk(kind, MemoryStateStore()), 9, {"checkpoint": {"id": id}})

    def test_one_that_is_running_is_refused_over_http_with_409(self, kind):
        store = MemoryStateStore()
        shared_driver().run(open_journal(store, "busy", resumed=False).next("x"))
        again = event("function_url")
        again["headers"]["x-lambdallm-checkpoint"] = "busy"
        response, asked, _ = invoked(walk(kind, store), 9, again)
        assert (response["statusCode"], asked) == (409, [])
        assert "Another invocation" in json.loads(response["body"])["error"]["message"]


@kinds
def test_a_function_may_pause_by_itself(kind):
    @made(kind, timeout_strategy="checkpoint", checkpoint_store="memory")
    async def function(event, context):
        context.checkpoint()

    assert list(function({}, MockLambdaContext())) == ["checkpoint"]


@kinds
@pytest.mark.parametrize("name", ["sqs", "sns", "eventbridge"])
def test_where_nobody_reads_a_result_lambda_gets_an_error_and_tries_again(kind, name):
    """A queue's records come again with another request id, an asynchronous event with the same."""
    function = walk(kind, MemoryStateStore())
    with pytest.raises(DeadlineExceededError, match="no time left"):
        invoked(function, 2, event(name), "same")
    again = "another" if name == "sqs" else "same"
    assert invoked(function, 9, event(name), again)[:2] == (WHOLE, ["three after 2"])


@kinds
def test_in_a_batch_a_pause_is_the_record_s(kind):
    @made(kind, timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore())
    async def function(event, context):
        if kind == "def":
            return await context.aeach_record(lambda record: context.blocking.invoke("{t}", t=record.id))

        async def each(record):
            await context.ainvoke("{t}", t=record.id)

        return await context.aeach_record(each)

    result, asked, _ = invoked(function, 1, event("sqs"))
    assert [each["itemIdentifier"] for each in result["batchItemFailures"]] == ["m-2", "m-3"]
    assert asked == ["m-1"]


@kinds
def test_a_store_that_fails_at_the_end_takes_no_result_away(kind, caplog):
    class Failing(MemoryStateStore):
        def append(self, key, after, entries, ttl_seconds=None):
            if b"over" in entries[0]:
                raise BackendError("The store is down.")
            return super().append(key, after, entries, ttl_seconds)

    assert invoked(walk(kind, Failing()), 9)[0] == WHOLE
    assert "not given free" in caplog.text


@kinds
def test_the_session_s_store_serves_too(kind):
    store = MemoryStateStore()

    @made(kind, timeout_strategy="checkpoint", session=Session(store=store))
    async def function(event, context):
        return await context.ainvoke("Hi")

    with mock_model(["Hello"]):
        assert function({}, MockLambdaContext(aws_request_id="shared")) == "Hello"
    assert run(store.read("checkpoint:shared"))


@kinds
def test_streams_and_vectors_are_kept_too(kind):
    @made(kind, timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore())
    async def function(event, context):
        found = (await context.aembed("text", model="echo")).vectors[0][:2]
        return ["".join([text async for text in context.astream("Say it", model="echo").texts()]), *found]

    first = function({}, MockLambdaContext(aws_request_id="kept"))
    contexts = []
    again = MockLambdaContext(aws_request_id="other")
    again.on_context = contexts.append
    assert function({"checkpoint": {"id": "kept"}}, again) == first
    assert contexts[0].completions == []


def run(flow):
    return Script().run(flow)


def open_journal(store, id="j", *, resumed, seconds=60.0):
    return Journal(store, None, id, seconds, resumed=resumed)


ANSWER = Embeddings(((1.0,),))


class TestJournals:
    def test_of_two_that_go_on_one_wins_and_the_other_says_so(self):
        store = MemoryStateStore()
        first = open_journal(store, resumed=False)
        run(first.next("a"))
        run(first.releasing())
        one, two = (open_journal(store, resumed=True) for _ in range(2))
        run(one.next("a"))
        with pytest.raises(CheckpointError, match="Another invocation"):
            run(two.next("a"))

    def test_one_whose_time_has_passed_can_be_taken_over_and_then_writes_no_more(self):
        store = MemoryStateStore()
        world = Script()
        slow, other = open_journal(store, resumed=False, seconds=10.0), open_journal(store, resumed=True)
        place = world.run(slow.next("a"))
        world.pass_time(11.0)
        world.run(other.next("a"))
        with pytest.raises(CheckpointError, match="Another invocation"):
            world.run(slow.keep(place, ANSWER))

    def test_calls_beside_one_another_are_all_kept(self):
        store = MemoryStateStore()
        journal = open_journal(store, resumed=False)

        def call(number):
            place = yield from journal.next(number)
            yield from journal.keep(place, ANSWER)

        def both():
            tasks = []
            for number in range(5):
                tasks.append((yield Start(call(number))))
            for task in tasks:
                yield Await((task.signal,))
                yield from taken(task)
            yield from journal.releasing()

        run(both())
        again = open_journal(store, resumed=True)
        assert [run(again.next(number)).answer for number in range(5)] == [ANSWER] * 5

    def test_flows_get_an_error_that_names_the_id(self):
        settings = HandlerSettings(model="echo", timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore())
        context = LambdaLLMContext(settings, None, {})
        context.journal, context.deadline = journal_of(context), 0.0
        with pytest.raises(DeadlineExceededError) as caught:
            run(context.asked(Prompt("Hi"), {}))
        assert caught.value.checkpoint_id == context.journal.id


def test_tasks_of_a_group_pause_together():
    @handler(model="echo", timeout_strategy="checkpoint", checkpoint_store="memory")
    async def function(event, context):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(context.ainvoke(word)) for word in ("one", "two")]
        return [task.result() for task in tasks]

    id = function({}, MockLambdaContext(remaining_time_ms=1_000))["checkpoint"]["id"]
    assert function({"checkpoint": {"id": id}}, MockLambdaContext()) == ["one", "two"]


@kinds
def test_what_pauses_in_middleware_is_gone_on_from_too(kind):
    class Asks(Middleware):
        async def asked(self, context):
            await context.ainvoke("What else?")

        def after_invoke(self, event, result, context):
            return self.asked(context) if context.awaits else context.invoke("What else?") and None

    @made(kind, model="echo", timeout_strategy="checkpoint", checkpoint_store="memory", middleware=[Asks()])
    async def function(event, context):
        return "done"

    def late():
        return MockLambdaContext(remaining_time_ms=1_000)

    id = function({}, late())["checkpoint"]["id"]
    assert function({"checkpoint": {"id": id}}, MockLambdaContext()) == "done"
    assert function(event("function_url"), late())["statusCode"] == 202
    with pytest.raises(OutOfTime):
        function(event("sqs"), late())


def test_invocations_of_a_test_have_ids_of_their_own():
    @handler(model="echo", timeout_strategy="checkpoint", checkpoint_store="memory")
    def function(event, context):
        return context.invoke("{word}", word=event["word"])

    assert [function({"word": word}, MockLambdaContext()) for word in ("one", "two")] == ["one", "two"]


@kinds
def test_a_session_keeps_what_was_said_once_however_often_it_is_gone_on_from(kind):
    session = Session(store=MemoryStateStore())

    @made(kind, model="echo", session=session, timeout_strategy="checkpoint")
    async def function(event, context):
        await context.ainvoke("one", session=True)
        if event.get("stop"):
            context.checkpoint()
        await context.ainvoke("two", session=True)
        return [message.text for message in context.session.messages]

    id = function({"session_id": "s", "stop": True}, MockLambdaContext())["checkpoint"]["id"]
    going_on = {"session_id": "s", "checkpoint": {"id": id}}
    assert function(going_on, MockLambdaContext()) == ["one", "one", "two", "two"]
