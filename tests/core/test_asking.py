"""Asking within an invocation, as a flow: in simulated time, against what the network answers."""

import json

import pytest

from lambdallm import Prompt
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.handler import HandlerSettings
from lambdallm.core.question import timed
from lambdallm.core.requests import Streaming
from lambdallm.llm.caching import LLMCache
from lambdallm.llm.caching.cache import as_cache
from lambdallm.llm.errors import (
    BudgetExceededError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMError,
    LLMRateLimitError,
    ProviderServerError,
    StreamError,
)
from lambdallm.llm.flow import Sleep
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import Completion
from lambdallm.testing.script import Script
from lambdallm.testing.world import Later, World
from lambdallm.transport.types import HttpResponse

KEYS = {"OPENAI_API_KEY": "none"}
GPT, MINI = "openai/gpt-4o", "openai/gpt-4o-mini"


def answer(text="Hello", **usage):
    body = {
        "id": "1", "object": "chat.completion", "model": "gpt-4o",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 1000, "total_tokens": 2000},
    }  # fmt: skip
    return HttpResponse(200, body=json.dumps(body).encode())


def pieces(*texts, every=0.0, end=True):
    events = [
        Later(every, b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n")
        for text in texts
    ]
    closing = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'
    return 200, [*events, *([closing] if end else [])]


def context_of(deadline=None, **settings):
    context = LambdaLLMContext(HandlerSettings(**{"model": GPT, "max_retries": 0, **settings}))
    context.deadline = deadline
    return context


def asking(replies, context=None, prompt="Say hello", **options):
    context = context or context_of()
    world = replies if isinstance(replies, World) else Script(replies, KEYS)
    prompt = prompt if isinstance(prompt, Prompt) else Prompt(prompt)
    return world.run(context.asked(prompt, {}, **options)), context, world


class Watching:
    def __init__(self, refuses=None):
        self.heard, self.refuses = [], refuses

    def before_call(self, request, models):
        self.heard.append(("before", models))
        if self.refuses is not None:
            raise self.refuses
        self.request = request

    def after_call(self, request, outcome):
        assert request is self.request
        self.heard.append(("after", type(outcome).__name__, outcome.cost_usd))


def test_an_answer_has_its_value_and_its_bill():
    result, context, _ = asking([answer("Hi")])
    assert isinstance(result, Ok)
    assert (result.value.value, result.value.completion.attempts) == ("Hi", 1)
    assert result.value.completion.cost_usd == context.total_cost > 0
    assert context.metrics.total("model.tokens_in") == 1000


def test_a_shape_gives_data_and_the_bill_of_all_tries():
    prompt = Prompt("Rate it", output_schema={"score": int})
    result, context, _ = asking([answer('{"score": "good"}'), answer('{"score": 3}')], prompt=prompt)
    done = result.unwrap()
    assert (done.value, done.completion.attempts, len(context.completions)) == ({"score": 3}, 2, 2)
    assert done.completion.usage.input_tokens == 2000
    assert done.completion.cost_usd == pytest.approx(context.total_cost)


def test_another_shape_may_be_asked_for_or_text():
    shaped = Prompt("Rate it", output_schema={"score": int})
    assert asking([answer('{"a": true}')], schema={"a": bool})[0].unwrap().value == {"a": True}
    assert asking([answer('{"score": 3}')], prompt=shaped, schema=str)[0].unwrap().value == '{"score": 3}'


def test_what_a_provider_refuses_is_an_err():
    result, context, _ = asking([HttpResponse(400, body=b'{"error": {"message": "no"}}')])
    assert isinstance(result, Err)
    assert isinstance(result.error, InvalidRequestError)
    assert (context.total_cost, context.unpriced_calls, context.metrics.total("model.errors")) == (0, 0, 1)


def test_the_fallback_model_is_asked_and_the_bill_counts_both():
    context = context_of(fallback_model=MINI)
    result, _, world = asking([HttpResponse(500), answer("Hi")], context)
    assert [json.loads(effect.request.body)["model"] for effect in world.effects if hasattr(effect, "request")] == [
        "gpt-4o", "gpt-4o-mini",
    ]  # fmt: skip
    assert result.unwrap().completion.attempts == 2


@pytest.mark.parametrize("given", [0, 2])
def test_retries_are_the_handler_s_or_the_call_s(given):
    result, _, world = asking([HttpResponse(503)] * (given + 1), max_retries=given)
    assert result.error.attempts == given + 1
    assert len(world.of(Sleep)) == given


class TestGuards:
    def test_hear_of_every_call_and_of_who_stands_behind(self):
        context, guard = context_of(fallback_model=MINI), Watching()
        context.guards.append(guard)
        asking([HttpResponse(500), answer()], context)
        assert guard.heard[:2] == [("before", (GPT, MINI)), ("after", "ProviderServerError", None)]
        assert guard.heard[2] == ("before", (MINI,))
        assert guard.heard[3][:2] == ("after", "Completion")
        assert guard.heard[3][2] > 0

    def test_that_refuse_end_it_and_those_before_them_hear_of_it(self):
        context, first = context_of(), Watching()
        context.guards += [first, Watching(BudgetExceededError("Enough."))]
        with pytest.raises(BudgetExceededError):
            asking([], context)
        assert first.heard == [("before", (GPT,)), ("after", "LLMError", None)]
        assert context.unpriced_calls == 0, "nothing was sent"

    def test_may_be_flows(self):
        class Slow:
            def before_call(self, request, models):
                yield Sleep(2.0)

            def after_call(self, request, outcome):
                yield Sleep(1.0)

        context = context_of()
        context.guards.append(Slow())
        _, _, world = asking([answer()], context)
        assert [effect.seconds for effect in world.of(Sleep)] == [2.0, 1.0]

    def test_hear_of_a_stream_at_its_end_and_when_its_reader_leaves(self):
        for leave_after, text in ((None, "one two"), (1, "one")):
            context, guard = context_of(), Watching()
            context.guards.append(guard)
            world = Script([pieces("one", " two")], KEYS)
            world.run(Streaming(context, "Say it", {}).flow(), leave_after=leave_after)
            assert [heard[:2] for heard in guard.heard] == [("before", (GPT,)), ("after", "Completion")]
            assert context.completions[0].text == text

    def test_one_that_fails_afterwards_is_told_when_all_know(self):
        class Broken(Watching):
            def after_call(self, request, outcome):
                raise BudgetExceededError("Over.")

        context, other = context_of(), Watching()
        context.guards += [other, Broken()]
        with pytest.raises(BudgetExceededError, match="Over"):
            asking([answer()], context)
        assert other.heard[1][:2] == ("after", "Completion")


class TestFailFast:
    def test_no_call_is_begun_when_no_time_is_left(self):
        with pytest.raises(DeadlineExceededError, match="s, which the handler keeps back"):
            asking([], context_of(deadline=1_000.0))

    def test_a_call_that_time_ends_says_so(self):
        def stalls(effect):
            return Later(effect.timeouts.deadline - 1_000.0, ProviderServerError("cut"))

        with pytest.raises(DeadlineExceededError) as caught:
            asking(World(stalls, KEYS), context_of(deadline=1_010.0))
        assert isinstance(caught.value.__cause__, ProviderServerError)

    def test_a_call_s_own_deadline_is_its_own_error(self):
        with pytest.raises(DeadlineExceededError, match=r"a model\. Raise"):
            asking([], context_of(deadline=1_010.0), deadline=999.0)

    def test_a_provider_that_asks_for_patience_says_more_than_the_clock(self):
        limited = HttpResponse(429, (("retry-after", "30"),), b"{}")
        result, _, _ = asking([limited], context_of(deadline=1_010.0, max_retries=2))
        assert isinstance(result.error, LLMRateLimitError)
        assert result.error.retry_after == 30


class TestTruncate:
    def cut(self, reply, deadline=1_002.5):
        context = context_of(deadline=deadline, timeout_strategy="truncate")
        result, _, _ = asking([reply], context)
        return result.unwrap(), context

    def test_what_has_come_by_the_deadline_is_the_answer_and_marked(self):
        done, context = self.cut(pieces("one", " two", " three", " four", every=1.0))
        assert (done.value, done.truncated, context.truncated) == ("one two three", True, True)
        assert (done.completion.finish_reason, done.completion.raw_finish_reason) == ("length", "deadline")
        assert context.completions == [done.completion.replace(latency_ms=context.completions[0].latency_ms)]

    def test_a_stream_that_stalls_at_the_deadline_is_cut_too(self):
        stalled = (200, [pieces("one")[1][0], Later(2.5, StreamError("Nothing came."))])
        done, _ = self.cut(stalled)
        assert (done.value, done.truncated) == ("one", True)

    def test_an_answer_in_time_is_whole(self):
        done, context = self.cut(pieces("one", " two"))
        assert (done.value, done.truncated, context.truncated) == ("one two", False, False)

    def test_a_stream_that_breaks_in_time_is_an_error(self):
        context = context_of(deadline=1_010.0, timeout_strategy="truncate")
        result, _, _ = asking([pieces("one", end=False)], context)
        assert isinstance(result, Err)
        assert not context.truncated

    def test_a_call_after_the_deadline_is_empty_and_free(self):
        context = context_of(deadline=1_000.0, timeout_strategy="truncate")
        result, _, _ = asking([], context)
        assert (result.unwrap().value, result.unwrap().truncated, context.total_cost) == ("", True, 0)

    def test_no_cache_keeps_half_an_answer(self):
        cache = as_cache(LLMCache())
        for text, deadline in (("one two", 1_001.5), ("one two three", 2_000.0)):
            context = context_of(deadline=deadline, timeout_strategy="truncate", cache=cache)
            result, _, _ = asking([pieces("one", " two", " three", every=1.0)], context)
            assert result.unwrap().value == text

    def test_half_a_structure_is_none(self):
        context = context_of(deadline=1_000.0, timeout_strategy="truncate")
        with pytest.raises(DeadlineExceededError):
            asking([], context, prompt=Prompt("Rate", output_schema={"a": int}))

    def test_a_stream_ends_at_the_deadline_and_its_connection_is_left(self):
        context = context_of(deadline=1_001.5, timeout_strategy="truncate")
        world = Script([pieces("one", " two", " three", every=1.0)], KEYS)
        streaming = Streaming(context, "Say it", {})
        world.run(streaming.flow())
        assert [chunk.delta for chunk in world.emitted] == ["one", " two"]
        done = streaming.record.completion()
        assert (done.text, done.raw_finish_reason) == ("one two", "deadline")


def test_both_ends_of_a_call_that_is_cancelled_are_told():
    context, guard = context_of(), Watching()
    context.guards.append(guard)
    world = World(lambda effect: Later(5.0, answer()), KEYS)
    task = world.begin(context.asked(Prompt("Hi"), {}))
    world.pass_time(1.0)
    task.own.stop()
    assert guard.heard == [("before", (GPT,)), ("after", "ProviderConnectionError", None)]
    assert context.unpriced_calls == 1, "it may have cost something"


def test_failed_calls_that_cost_are_counted():
    context = context_of()
    context.note(LLMError("cut off", cost_usd=0.25))
    context.note(Completion((), cost_usd=0.5))
    assert context.total_cost == 0.75


def test_a_timeout_counts_from_the_clock_of_whoever_drives_the_flow():
    world = World(lambda effect: None)
    begun = world.clock.monotonic
    assert world.run(timed({"timeout": 2, "cache": False})) == {"cache": False, "deadline": begun + 2}
    assert world.run(timed({"cache": False})) == {"cache": False}
