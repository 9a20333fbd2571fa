"""Chains in real handlers: with their own context, models and strategies."""

import pytest

from chain_play import Invocation, overloaded
from lambdallm import LambdaLLMContext, Prompt, handler
from lambdallm.chains import Chain, ChainRunner, Map, Parallel, Step
from lambdallm.llm.errors import DeadlineExceededError, ProviderServerError
from lambdallm.llm.types import ChatMessage
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing import MockLambdaContext, mock_model
from lambdallm.testing.world import World

CHAIN = Chain("report", [
    Step("facts", "List the facts in: {text}", output_schema={"facts": [str]}),
    Map(Step("checks", "Is this true? {item}"), over="{facts.facts}", concurrency=2),
    Step("summary", "Summarise: {checks.output}", model="local/small"),
])  # fmt: skip


def answer(prompt):
    return {"facts": ["a", "b"]} if prompt.startswith("List") else f"<{prompt}>"


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_handler_runs_a_chain(kind):
    if kind == "def":

        @handler
        def function(event, context):
            return CHAIN.run(context, **event).to_dict() | {"total": context.total_cost}

    else:

        @handler
        async def function(event, context):
            return (await CHAIN.arun(context, **event)).to_dict() | {"total": context.total_cost}

    with mock_model([answer], cost_usd=0.25) as model:
        told = function({"text": "T"}, MockLambdaContext())
    assert told["output"] == '<Summarise: ["<Is this true? a>", "<Is this true? b>"]>'
    assert (told["cost_usd"], told["total"], len(model.calls)) == (1.0, 1.0, 4)
    assert model.calls[-1].config.model_id == "local/small"


def test_run_in_an_async_handler_says_what_to_write():
    @handler
    async def function(event, context):
        return CHAIN.run(context, text="T").output

    with mock_model([answer]), pytest.raises(Exception, match=r"await chain.arun"):
        function({}, MockLambdaContext())


def test_the_keyless_model_answers_steps():
    @handler(model="echo")
    def function(event, context):
        return Chain("c", [Step("a", "Say {word}"), Step("b", "{a.output}!")]).run(context, word="hi").output

    assert "Say hi" in function({}, MockLambdaContext())


def test_time_that_runs_out_is_the_chains_to_decide():
    slow = Chain("c", [Step("a", "A"), Step("b", "B")], timeout_strategy="truncate")

    @handler(timeout_buffer=5)
    def function(event, context):
        return slow.run(context).to_dict()

    with mock_model([answer]):
        told = function({}, MockLambdaContext(remaining_time_ms=4_000))
    assert (told["status"], told["steps"]) == ("truncated", {})

    @handler(timeout_buffer=5)
    def failing(event, context):
        return Chain("c", slow.steps).run(context).output

    with mock_model([answer]), pytest.raises(DeadlineExceededError, match="ran out of time at step 'a'"):
        failing({}, MockLambdaContext(remaining_time_ms=4_000))


def test_a_checkpoint_is_gone_on_from_in_another_invocation():
    chain = Chain(
        "c", [Step("a", "A"), Step("b", "B {a.output}")], timeout_strategy="checkpoint", store=MemoryStateStore()
    )

    @handler
    def function(event, context):
        if "id" in event:
            return chain.resume(context, event["id"]).to_dict()
        return chain.run(context).to_dict()

    def first(prompt):
        return answer(prompt) if prompt == "A" else overloaded(None)

    with mock_model([first]) as model, pytest.raises(ProviderServerError) as error:
        handler(max_retries=0)(lambda event, context: chain.run(context).to_dict())({}, MockLambdaContext())
    assert len(model.calls) == 2
    with mock_model([answer]) as model:
        told = function({"id": error.value.chain_result.checkpoint_id}, MockLambdaContext())
    assert (told["status"], told["output"], len(model.calls)) == ("completed", "<B <A>>", 1)


def test_in_a_handler_that_makes_checkpoints_a_chain_goes_on_with_it():
    """Steps side by side have no order, and still nothing is asked twice."""
    chain = Chain("c", [Parallel("g", [Step("a", "A"), Step("b", "B")]), Step("c", "C {g.output}")])

    @handler(timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore(), timeout_buffer=5)
    def function(event, context):
        before = context.invoke("before")
        result = chain.run(context)
        return {"before": before, "chain": result.output, "after": context.invoke("after")}

    def invoke(event, *, stop_at=None):
        lambda_context = MockLambdaContext(remaining_time_ms=30_000, aws_request_id="r-1")

        def answering(prompt):
            if prompt == stop_at:
                lambda_context._ends -= 26  # the time is over when the first two steps are
            return f"<{prompt}>"

        with mock_model([answering]) as model:
            told = function(event, lambda_context)
        return told, sorted(call.prompt for call in model.calls)

    told, asked = invoke({}, stop_at="B")
    assert asked == ["A", "B", "before"]
    id = told["checkpoint"]["id"]
    told, asked = invoke({"checkpoint": {"id": id}})
    assert told == {"before": "<before>", "chain": '<C {"a": "<A>", "b": "<B>"}>', "after": "<after>"}
    assert asked == ['C {"a": "<A>", "b": "<B>"}', "after"]


def test_functions_of_steps_have_the_handlers_context_past_its_journal():
    """What they ask is not asked again when their step is done, so it has no place among the handler's answers."""
    asked = []

    def function_step(context):
        context.response_headers["X-Seen"] = "yes"
        asked.append(context.invoke("inside"))
        return context.journal

    chain = Chain("c", [Step("f", func=function_step), Step("b", "B")])

    @handler(timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore(), timeout_buffer=5)
    def function(event, context):
        result = chain.run(context)
        return [result.outputs, context.response_headers, context.journal is None, context.total_cost]

    with mock_model([answer], cost_usd=1.0):
        told = function({}, MockLambdaContext())
    assert told == [{"f": None, "b": "<B>"}, {"X-Seen": "yes"}, False, 2.0]


def test_a_handler_that_truncates_cuts_a_step_off_and_no_later_run_takes_that_for_its_output():
    """The answer comes word by word, and the function's time ends it."""
    chain = Chain("c", [Step("a", "one two three")], timeout_strategy="truncate", store=MemoryStateStore())
    context = Truncating()
    result = World(lambda _: None).run(ChainRunner(chain, checkpoint_id="run").flow(context, {}))
    assert (result.status, result.output, result.steps["a"].status) == ("truncated", "one", "done")
    resumed = World(lambda _: None).run(ChainRunner(chain).resuming(Invocation(), "run"))
    assert (resumed.output, resumed.complete) == ("<one two three>", True)

    failing = Chain("c", chain.steps)
    with pytest.raises(DeadlineExceededError, match="ran out of time at step 'a'"):
        World(lambda _: None).run(ChainRunner(failing).flow(Truncating(), {}))


class Truncating(Invocation):
    """A context whose answers are cut off."""

    def asked(self, prompt, values, **options):
        result = yield from super().asked(prompt, values, **options)
        return result.map(lambda answer: answer.replace(value="one", truncated=True))


def test_a_projects_settings_are_those_of_prompts_given_as_text(monkeypatch):
    monkeypatch.setenv("LAMBDALLM_MAX_TOKENS", "77")
    prompt = Prompt("C", max_tokens=9)
    chain = Chain("c", [Step("a", "A"), Step("b", "B", max_tokens=5), Step("c", prompt)])

    @handler
    def function(event, context):
        return chain.run(context).output

    with mock_model([answer]) as model:
        function({}, MockLambdaContext())
    assert [call.config.max_tokens for call in model.calls] == [77, 5, 9]


def test_prompts_keep_their_defaults_and_conversations():
    prompt = Prompt("{tone}: {text}", defaults={"tone": "mild"}, messages=["{history}"])
    chain = Chain("c", [Step("a", prompt), Step("b", prompt, inputs={"text": "{a.output}", "tone": "wild"})])
    assert (chain.variables, chain.needs.optional) == (("text",), ("tone", "history"))

    @handler
    def function(event, context: LambdaLLMContext):
        return chain.run(context, **event).output

    with mock_model([answer]) as model:
        assert function({"text": "T"}, MockLambdaContext()) == "<wild: <mild: T>>"
        assert function({"text": "T", "tone": "new"}, MockLambdaContext()) == "<wild: <new: T>>"
        history = [ChatMessage("user", "Hi"), ChatMessage("assistant", "Ho")]
        assert function({"text": "T", "history": history}, MockLambdaContext()).endswith("user: mild: T>>")
    assert len(model.calls) == 6


def test_two_invocations_after_one_another_share_nothing():
    @handler
    async def function(event, context):
        return (await CHAIN.arun(context, **event)).output

    with mock_model([answer]):
        assert function({"text": "T"}, MockLambdaContext()) == function({"text": "T"}, MockLambdaContext())
