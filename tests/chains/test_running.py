"""What a chain does with its steps: the same with both drivers, and in a world where time costs nothing."""

import asyncio
import json
from dataclasses import dataclass

import pytest

from chain_play import Effects, Invocation, overloaded
from lambdallm import Prompt
from lambdallm.chains import Chain, ChainRunner, Map, Parallel, Step
from lambdallm.chains.records import FORM, Lease, Tried
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError, PromptError, ProviderServerError
from lambdallm.llm.types import TextPart
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing.world import World


@dataclass
class Grade:
    score: float
    why: str = ""


def done(chain, context=None, **inputs):
    """A run in a world."""
    return World(lambda _: None).run(ChainRunner(chain).flow(context or Invocation(), inputs))


def test_steps_run_in_order_and_hand_their_outputs_on(run):
    chain = Chain("report", [Step("facts", "Facts of {text}"), Step("summary", "Sum up {facts.output}")])
    context = Invocation(seconds=0)
    result = run(ChainRunner(chain).flow(context, {"text": "T"}))
    assert result.outputs == {"facts": "<Facts of T>", "summary": "<Sum up <Facts of T>>"}
    assert (result.output, result.status, result.complete) == ("<Sum up <Facts of T>>", "completed", True)
    assert context.asked_for == ["Facts of T", "Sum up <Facts of T>"]


def test_the_result_adds_up_usage_cost_attempts_and_time():
    result = done(Chain("c", [Step("a", "1234"), Step("b", func=lambda a: len(a)), Step("c", "{b}")]))
    assert (result.usage.input_tokens, result.attempts) == (5, 3)
    assert result.cost_usd == pytest.approx(0.02)
    assert [step.duration_ms for step in result.steps.values()] == [1000, 0, 1000]
    assert result.duration_ms == 2000
    assert {name: step.status for name, step in result.steps.items()} == {"a": "done", "b": "done", "c": "done"}


def test_a_cost_that_is_unknown_is_none_and_not_zero():
    result = done(
        Chain("c", [Step("a", "x"), Step("b", "y")]), Invocation(cost=lambda text: None if text == "y" else 1.0)
    )
    assert (result.steps["a"].cost_usd, result.steps["b"].cost_usd, result.cost_usd) == (1.0, None, None)


def test_a_step_says_how_its_model_is_asked():
    step = Step("a", "{x}", model="m", max_retries=1, output_schema={"n": int}, cache=False, timeout=5,
                system_prompt="Be {tone}.", max_tokens=9)  # fmt: skip
    context = Invocation()
    done(Chain("c", [step]), context, x=1, tone="mild")
    (asked,) = context.asked_with
    assert {name: asked[name] for name in ("model", "max_retries", "schema", "cache", "deadline", "session")} == {
        "model": "m", "max_retries": 1, "schema": {"n": int}, "cache": False, "deadline": 1005.0, "session": False,
    }  # fmt: skip
    assert (asked["prompt"].max_tokens, asked["prompt"].name) == (9, "a")
    assert context.asked_for == ["Be mild. | 1"]


def test_a_result_is_fit_for_json_whatever_the_steps_gave():
    gives = {"bytes": b"x", "pair": (1, {2}), 3: Grade(0.5), "part": TextPart("t"), "odd": int}
    told = done(Chain("c", [Step("a", func=lambda: gives), Step("b", "B")])).to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["outputs"]["a"] == {
        "bytes": "eA==", "pair": [1, [2]], "3": {"score": 0.5, "why": ""}, "odd": "<class 'int'>",
        "part": {"text": "t", "citations": [], "metadata": {}},
    }  # fmt: skip


def test_a_prompt_keeps_its_types_and_takes_outputs_by_their_names():
    prompt = Prompt("{count} of {draft} for {reader}", input_schema={"count": int})
    chain = Chain(
        "c", [Step("count", func=lambda: 3), Step("draft", "x"), Step("a", prompt, inputs={"reader": "{name}!"})]
    )
    context = Invocation()
    done(chain, context, name="Ada")
    assert context.asked_for[-1] == "3 of <x> for Ada!"
    assert context.asked_with[-1]["values"]["count"] == 3


def test_fields_of_structured_outputs_are_referred_to():
    answers = {"grade": Grade(0.5, "fine"), "data": {"tags": ["x", "y"]}}
    chain = Chain("c", [
        Step("g", "grade", output_schema=Grade), Step("d", "data", output_schema={"tags": [str]}),
        Step("all", "{g.score} {g.output.why} {d.tags.1} {d.output}"),
    ])  # fmt: skip
    assert done(chain, Invocation(lambda text: answers.get(text, text))).output == '0.5 fine y {"tags": ["x", "y"]}'


@pytest.mark.parametrize("value", ["run", "skip"])
def test_a_step_is_skipped_whose_condition_does_not_hold(run, value):
    chain = Chain("c", [
        Step("a", "A"),
        Step("b", "B", condition=lambda mode: mode == "run"),
        Step("c", "C", condition=lambda mode: mode == "run", default="nothing"),
        Step("d", func=lambda a, b, c: (a, b, c)),
        Step("e", "[{b.output}]", condition=lambda mode: mode == "skip"),
    ]) if value == "skip" else Chain("c", [Step("b", "B", condition=lambda mode: mode == "run")])  # fmt: skip
    result = run(ChainRunner(chain).flow(Invocation(seconds=0), {"mode": value}))
    if value == "run":
        assert (result.output, result.steps["b"].status) == ("<B>", "done")
        return
    assert result.outputs["d"] == ("<A>", None, "nothing")
    assert result.output == "<[]>"
    assert [step.status for step in result.steps.values()] == ["done", "skipped", "skipped", "done", "done"]


def test_the_output_is_that_of_the_last_step_that_was_not_skipped():
    never = {"condition": lambda: False}
    group = Parallel("g", [Step("c", "C")], **never)
    result = done(Chain("x", [Step("a", "A"), Step("b", "B", **never), group]))
    assert (result.output, result.outputs["g"], result.outputs["c"]) == ("<A>", {"c": None}, None)
    assert done(Chain("x", [Step("a", "A"), Step("b", "B", default="D", **never)])).output == "D"


def test_steps_side_by_side_take_the_time_of_the_longest():
    chain = Chain("c", [Parallel("both", [Step("a", "A"), Step("b", "B"), Step("c", "C")]), Step("d", "{a} {both.b}")])
    result = done(chain, Invocation(seconds=lambda text: {"A": 3.0, "B": 1.0}.get(text, 2.0)))
    assert (result.output, result.duration_ms) == ("<<A> <B>>", 5000)
    assert result.outputs["both"] == {"a": "<A>", "b": "<B>", "c": "<C>"}


def test_a_group_runs_some_at_a_time():
    steps = [Step(name, name) for name in "abcd"]
    assert done(Chain("c", [Parallel("g", steps, concurrency=2)])).duration_ms == 2000


def test_a_map_runs_its_step_for_each_item_in_order(run):
    chain = Chain("c", [
        Step("split", func=lambda text: text.split()),
        Map(Step("each", "{index}:{item}"), over="{split.output}", concurrency=2),
        Step("all", "{each.0} {each.output}"),
    ])  # fmt: skip
    context = Invocation(seconds=lambda text: 0.02 if text.startswith("0") else 0.0)
    result = run(ChainRunner(chain).flow(context, {"text": "a b c"}))
    assert result.outputs["each"] == ["<0:a>", "<1:b>", "<2:c>"]
    assert [path for path in result.steps if "/" in path] == ["each/0", "each/1", "each/2"]


@pytest.mark.parametrize(
    ("over", "outputs"),
    [([], []), (None, []), ({"a": 1}, ["<a=1>"]), ([{"key": "k", "value": 2}], ["<k=2>"])],
)
def test_a_map_goes_over_what_it_is_given(over, outputs):
    chain = Chain("c", [Map(Step("each", "{item.key}={item.value}"), over="{things}")])
    assert done(chain, things=over).output == outputs


def test_a_map_over_no_list_says_so():
    chain = Chain("c", [Step("a", "x"), Map(Step("each", "{item}"), over="{a.output}")])
    with pytest.raises(ConfigurationError, match="Map 'each' goes over str '<x>'"):
        done(chain)


def test_what_is_wrong_at_the_very_beginning_is_the_first_steps_failure():
    with pytest.raises(ConfigurationError, match="Map 'each' goes over int 5") as error:
        done(Chain("c", [Map(Step("each", "{item}"), over="{n}")], store=MemoryStateStore()), n=5)
    assert error.value.chain_result.status == "failed"


def test_a_chain_may_be_very_long():
    done(Chain("c", [Map(Step(f"s{number}", "S"), over=[]) for number in range(2000)]))
    done(Chain("c", [Step(f"s{number}", "S", condition=lambda: False) for number in range(2000)]))


def test_items_are_skipped_one_by_one():
    chain = Chain("c", [Map(Step("each", "{item}", condition=lambda item: item > 1, default=0), over="{numbers}")])
    assert done(chain, numbers=[1, 2, 3]).output == [0, "<2>", "<3>"]


def test_a_chain_runs_inside_another():
    review = Chain("review", [Step("grade", "Grade {text}"), Step("fix", "Fix {grade.output} of {text}")])
    chain = Chain("c", [
        Step("draft", "Draft"),
        Step("first", chain=review, inputs={"text": "{draft.output}"}),
        Map(Step("rest", chain=review, inputs={"text": "{item}"}), over="{more}"),
    ])  # fmt: skip
    result = done(chain, more=["m"])
    assert result.outputs["first"] == "<Fix <Grade <Draft>> of <Draft>>"
    assert result.outputs["rest"] == ["<Fix <Grade m> of m>"]
    assert list(result.steps) == ["draft", "first/grade", "first/fix", "rest/0/grade", "rest/0/fix"]


def test_steps_beside_one_another_do_not_see_one_another():
    """What a function sees does not depend on who was quicker."""
    look = Step("look", func=lambda outputs: sorted(outputs))
    chain = Chain(
        "c",
        [Step("a", "A"), Parallel("g", [Step("b", "B"), look]), Step("after", func=lambda outputs: sorted(outputs))],
    )
    result = done(chain, Invocation(seconds=0))
    assert (result.outputs["look"], result.output) == (["a"], ["a", "b", "g", "look"])


def test_a_failed_step_ends_the_chain_with_what_was_done():
    chain = Chain("c", [Step("a", "A"), Step("b", "B"), Step("never", "C")])
    context = Invocation(lambda text: overloaded() if text == "B" else text)
    with pytest.raises(ProviderServerError) as error:
        done(chain, context)
    assert error.value.__notes__ == ["In step 'b' of chain 'c'."]
    result = error.value.chain_result
    assert (result.status, result.outputs) == ("failed", {"a": "A"})
    assert (result.steps["b"].status, result.steps["b"].cost_usd) == ("failed", 0.002)
    assert result.steps["b"].error == "ProviderServerError: Overloaded. Try again, or switch to another provider."
    assert context.asked_for == ["A", "B"]


def test_a_function_that_raises_ends_the_chain_with_its_own_error(run):
    def broken():
        raise KeyError("x")

    with pytest.raises(KeyError) as error:
        run(ChainRunner(Chain("c", [Step("a", "A"), Step("b", func=broken)])).flow(Invocation(seconds=0), {}))
    assert error.value.chain_result.outputs == {"a": "<A>"}


def test_what_is_paid_for_is_kept_when_a_neighbour_fails():
    chain = Chain("c", [Parallel("g", [Step("bad", "bad"), Step("slow", "slow"), Step("late", "late")], concurrency=2)])
    context = Invocation(
        lambda text: overloaded() if text == "bad" else text, seconds=lambda text: 9.0 if text == "slow" else 1.0
    )
    with pytest.raises(ProviderServerError) as error:
        done(chain, context)
    assert {path: step.status for path, step in error.value.chain_result.steps.items()} == {
        "bad": "failed",
        "slow": "done",
    }
    assert context.asked_for == ["bad", "slow"]


def test_a_value_that_is_not_there_when_it_is_needed_fails_that_step():
    chain = Chain("c", [Step("a", func=lambda: {"x": 1}), Step("b", "{a.y}")])
    with pytest.raises(PromptError, match=r"\{a\} has no field 'y'") as error:
        done(chain)
    assert error.value.chain_result.steps["b"].status == "failed"


def test_a_condition_that_raises_fails_the_chain():
    chain = Chain("c", [Step("a", "A"), Step("b", "B", condition=lambda a: a["no"])])
    with pytest.raises(TypeError) as error:
        done(chain)
    assert error.value.chain_result.outputs == {"a": "<A>"}


def test_run_is_the_blocking_door_and_arun_the_awaiting_one():
    chain = Chain("c", [Step("a", "A {x}"), Step("b", func=lambda a: a + "!")])
    context = Invocation(seconds=0)
    assert chain.run(context, x=1).output == chain.run(context=context, x=1).output == "<A 1>!"
    assert asyncio.run(chain.arun(context, x=1)).output == "<A 1>!"


def test_run_where_an_event_loop_runs_says_what_to_write():
    chain = Chain("c", [Step("a", "A")])

    async def handler():
        chain.run(Invocation())

    with pytest.raises(ConfigurationError, match=r"Write: await chain.arun\(context, …\)"):
        asyncio.run(handler())


def test_a_chain_wants_a_context():
    with pytest.raises(ConfigurationError, match=r"was run with the context None\. Pass the context"):
        Chain("c", [Step("a", "A")]).run()


def test_functions_and_conditions_may_be_asynchronous_in_arun_alone():
    async def shout(a):
        await asyncio.sleep(0)
        return a.upper()

    async def wanted(values):
        return "A" in values["a"]

    chain = Chain("c", [Step("a", "A"), Step("b", func=shout, condition=wanted)])
    assert asyncio.run(chain.arun(Invocation(seconds=0))).output == "<A>"
    with pytest.raises(ConfigurationError, match=r"is async, and no event loop runs here. Use await chain.arun"):
        chain.run(Invocation(seconds=0))


def test_blocking_functions_do_not_hold_up_the_event_loop():
    """Two that wait for each other end only where both have a thread."""
    from threading import Barrier

    barrier = Barrier(2)
    meet = lambda: barrier.wait(10) is not None  # noqa: E731
    chain = Chain("c", [Parallel("g", [Step("a", func=meet), Step("b", func=meet)])])
    assert asyncio.run(chain.arun(Invocation())).output == {"a": True, "b": True}
    assert chain.run(Invocation()).output == {"a": True, "b": True}


def test_both_drivers_have_the_same_effects_and_write_the_same_journal():
    """But for one: what blocks a thread is performed in place by one driver, and waited for by the other."""

    def effects(drive):
        chain = Chain("c", [
            Step("a", "A"), Step("b", "B", condition=lambda a: True), Map(Step("m", "{item}"), over=[1], concurrency=1),
            Step("s", "S", condition=lambda: False), Step("f", func=lambda m: m), Step("end", "{f.output}"),
        ], store=MemoryStateStore())  # fmt: skip
        counted, context = Effects(), Invocation(seconds=0)
        runner = ChainRunner(chain, checkpoint_id="x", token_of=lambda: "me")
        outputs = drive(counted.of(runner.flow(context, {}))).outputs
        entries = Driver().run(chain.store.read("chain:c:x"))
        records = [FORM.decode(entry.data) for entry in entries]
        records = [one.replace(until=0.0) if isinstance(one, Lease) else one for one in records]
        records = [
            one.replace(result=one.result.replace(duration_ms=0)) if isinstance(one, Tried) else one for one in records
        ]
        return ["Perform" if kind == "Await" else kind for kind in counted.log], outputs, context.asked_for, records

    assert effects(Driver().run) == effects(lambda flow: asyncio.run(AsyncDriver().run(flow)))
