"""What is older than the window is summed up by a model, once it is worth it, and never instead of being kept."""

import asyncio

import pytest

from lambdallm.llm.errors import ProviderServerError
from lambdallm.llm.flow import NOW
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import ChatMessage, Choice, Completion
from lambdallm.state import MemoryStateStore, Session
from lambdallm.state.history import SUMMARY_TITLE, Dropped
from lambdallm.state.summary import summary_prompt


def answer(text, cost=0.01):
    return Completion((Choice(ChatMessage("assistant", text), "stop"),), cost_usd=cost)


class Model:
    """Sums up by listing what it was given."""

    def __init__(self):
        self.asked = []

    def __call__(self, earlier, messages):
        self.asked.append((earlier, [message.text for message in messages]))
        return answer(f"summary {len(self.asked)}")


def talked(store, summarize, turns, *, begin=0, **options):
    session = Session(store, memory="summary", max_messages=4, summarize=summarize, **options).load("7")
    for number in range(begin, begin + turns):
        session.add(ChatMessage("user", f"q{number}"), ChatMessage("assistant", f"a{number}"))
        session.save()
    return session


def test_the_oldest_are_summed_up_and_the_newest_are_shown():
    model = Model()
    session = talked(MemoryStateStore(), model, 3)
    assert model.asked == [(None, ["q0", "a0", "q1", "a1"])]
    assert [message.text for message in session.messages] == [f"{SUMMARY_TITLE}\nsummary 1", "q2", "a2"]
    assert session.messages[0].role == "user", "what users said may not become an instruction"
    assert session.summary == "summary 1"
    assert session.dropped == Dropped(0, 4)
    assert session.summary_cost_usd == 0.01


def test_the_next_summary_goes_on_from_the_last():
    model, store = Model(), MemoryStateStore()
    talked(store, model, 3)
    session = talked(store, model, 1, begin=3)
    assert model.asked[1] == ("summary 1", ["q2", "a2"])
    assert [message.text for message in session.messages] == [f"{SUMMARY_TITLE}\nsummary 2", "q3", "a3"]
    assert session.dropped == Dropped(0, 6)


def test_instructions_are_not_summed_up():
    store = MemoryStateStore()
    session = Session(store, memory="summary", max_messages=2, summarize=Model()).load("7")
    session.add(ChatMessage("system", "be kind"), *[ChatMessage("user", f"{n}") for n in range(4)])
    session.save()
    assert [message.text for message in session.messages] == ["be kind", f"{SUMMARY_TITLE}\nsummary 1", "3"]


def test_a_summary_survives_many_turns_and_a_shorter_journal():
    model, store = Model(), MemoryStateStore()
    talked(store, model, 60)
    session = Session(store, memory="summary", max_messages=4).load("7")
    assert session.summary == f"summary {len(model.asked)}"
    summed = session.dropped.summarized
    shown = [message.text for message in session.messages[1:]]
    assert shown == [f"{kind}{number}" for number in range(summed // 2, 60) for kind in "qa"]
    assert session.dropped.messages == 0


def test_a_model_that_fails_leaves_the_window_and_loses_nothing(caplog):
    def down(earlier, messages):
        return Err(ProviderServerError("overloaded"))

    store = MemoryStateStore()
    session = talked(store, down, 3)
    assert [message.text for message in session.messages] == ["q1", "a1", "q2", "a2"]
    assert session.dropped == Dropped(2, 0)
    assert "is saved, but could not be summed up or shortened: overloaded" in caplog.text
    later = Model()
    talked(store, later, 1, begin=3)
    assert later.asked == [(None, ["q0", "a0", "q1", "a1", "q2", "a2"])], "a later save sums up what is owed"


@pytest.mark.parametrize("given", [None, "", 7, ValueError("bug")])
def test_what_is_no_summary_is_none(given, caplog):
    def strange(earlier, messages):
        if isinstance(given, Exception):
            raise given
        return given

    session = talked(MemoryStateStore(), strange, 3)
    assert session.summary is None
    assert "could not be summed up" in caplog.text


def test_without_anybody_to_sum_up_the_window_is_shown():
    session = talked(MemoryStateStore(), None, 3)
    assert [message.text for message in session.messages] == ["q1", "a1", "q2", "a2"]
    assert session.dropped == Dropped(2, 0)


def test_asynchronous_functions_and_flows_sum_up_too():
    async def awaited(earlier, messages):
        return "awaited"

    def flow(earlier, messages):
        yield NOW
        return Ok(answer("by a flow"))

    async def conversation():
        session = await Session(MemoryStateStore(), memory="summary", max_messages=2, summarize=awaited).aload("7")
        session.add(*[ChatMessage("user", f"{n}") for n in range(4)])
        await session.asave()
        return session.summary

    assert asyncio.run(conversation()) == "awaited"
    assert talked(MemoryStateStore(), flow, 3).summary == "by a flow"


class Context:
    """What a session uses of an invocation's context."""

    def __init__(self):
        self.asked_with = []

    def asked(self, prompt, values, *, model=None, cache=True):
        self.asked_with.append((prompt, model, cache))
        yield NOW
        return Ok(Answer("by the handler's model", answer("by the handler's model")))


class Answer:
    def __init__(self, value, completion):
        self.value, self.completion = value, completion


def test_in_a_handler_its_own_models_sum_up():
    context = Context()
    config = Session(MemoryStateStore(), memory="summary", max_messages=2, summary_model="openai/gpt-4o-mini")
    session = config.opened({"session_id": "7"}, context)
    session.add(*[ChatMessage("user", f"{n}") for n in range(4)])
    session.save()
    assert session.summary == "by the handler's model"
    prompt, model, cache = context.asked_with[0]
    assert (model, cache) == ("openai/gpt-4o-mini", False)
    assert prompt.messages({})[0].role == "system"
    assert "User: 0\nUser: 1\nUser: 2" in prompt.messages({})[1].text


def test_a_named_model_sums_up_where_there_is_no_handler():
    session = talked(MemoryStateStore(), None, 3, summary_model="echo")
    assert "Sum up all of it" in session.summary, "the echo model repeats its question"


def test_the_question_is_no_longer_than_a_model_can_read():
    prompt = summary_prompt("earlier", [ChatMessage("user", "x" * 10_000)] * 100)
    assert len(prompt.messages({})[1].text) < 65_000
    assert "<earlier-summary>\nearlier\n</earlier-summary>" in prompt.messages({})[1].text
