"""What fits together is seen when a chain is made, and what does not is named with the nearest name."""

from dataclasses import dataclass

import pytest

from chain_play import Invocation
from lambdallm import Prompt
from lambdallm.chains.chain import Chain, Map, Parallel, Step
from lambdallm.llm.errors import ConfigurationError, PromptError


@dataclass
class Review:
    score: float
    text: str


DRAFT = Step("draft", "Write about {topic}")


def test_a_chain_knows_its_steps_and_what_it_needs():
    chain = Chain("essay", [DRAFT, Step("final", "Improve {draft.output} for {reader}")])
    assert chain.variables == ("topic", "reader")
    assert chain.get_step("final").name == "final"
    assert (chain.timeout_strategy, chain.max_total_cost) == ("fail-fast", None)


def test_the_steps_inside_groups_and_maps_are_found_by_name():
    chain = Chain("c", [Parallel("both", [DRAFT, Map(Step("each", "{item}"), over=["a"])])])
    assert [chain.get_step(name).name for name in ("draft", "each")] == ["draft", "each"]
    with pytest.raises(ConfigurationError, match=r"no step 'drft'\. Did you mean 'draft'"):
        chain.get_step("drft")


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([DRAFT, Step("b", "{drft.output}")], "{drft.output}, and no step is named 'drft'. Did you mean 'draft'"),
        ([Step("a", "{b.output}"), Step("b", "x")], "'b' comes later"),
        ([Step("a", "{b}"), Step("b", "x")], "'b' comes later"),
        ([Step("a", "{a.output}")], "that is its own output"),
        ([Step("a", "{b.output}"), Step("b", "{a.output}")], "go in a circle, a → b → a"),
        ([Step("a", "{c}"), Step("b", "{a}"), Step("c", "{b}")], "go in a circle, a → c → b → a"),
        ([Parallel("g", [Step("a", "x"), Step("b", "{a.output}")])], "'a' runs beside it, in 'g'"),
        ([DRAFT, Step("b", "{draft.title}")], "{draft.title}, and 'draft' gives text"),
        ([Step("a", "x", output_schema={"title": str}), Step("b", "{a.titel}")], "no such field. Did you mean 'title'"),
        ([Step("a", "x", output_schema=Review), Step("b", "{a.scor}")], "no such field. Did you mean 'score'"),
        ([Step("a", Prompt("x", output_schema={"title": str})), Step("b", "{a.titel}")], "Did you mean 'title'"),
        ([Parallel("g", [DRAFT]), Step("b", "{g.drft}")], "has no such field. Did you mean 'draft'"),
        ([DRAFT, Map(Step("m", "{item} {itm.x}"), over="{draft}")], "no step is named 'itm'. Did you mean 'item'"),
        ([DRAFT, Step("b", func=lambda draft, later: 0), Step("later", "x")], "'later' comes later"),
        ([DRAFT, Step("b", "x", condition=lambda b: b)], "that is its own output"),
    ],
)  # fmt: skip
def test_a_reference_that_leads_nowhere_is_named(steps, says):
    with pytest.raises(PromptError) as error:
        Chain("c", steps)
    assert says in str(error.value)


def test_declared_inputs_find_misspelt_variables():
    with pytest.raises(PromptError, match=r"asks for {topic}, which is no input and no step\. Did you mean 'topics'"):
        Chain("c", [DRAFT], inputs=["topics"])
    assert Chain("c", [DRAFT], inputs=["topic", "tone"]).inputs == ("topic", "tone")


def test_a_declared_input_may_be_asked_for_its_fields():
    chain = Chain("c", [Step("a", "Thank for {order.items.0}")], inputs=["order"])
    assert chain.run(Invocation(seconds=0), order={"items": ["tea"]}).output == "<Thank for tea>"
    with pytest.raises(PromptError, match=r"no step is named 'order'.* Chain\(…, inputs=\['order'\]\)"):
        Chain("c", [Step("a", "Thank for {order.items.0}")])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Chain("c", []), "has no steps"),
        (lambda: Chain("c", ["x"]), "has 'x'"),
        (lambda: Chain("c", [DRAFT, Step("draft", "y")]), "has 'draft' twice"),
        (lambda: Chain("c", [DRAFT, Parallel("p", [Step("draft", "y")])]), "has 'draft' twice"),
        (lambda: Chain("c", [DRAFT], timeout_strategy="fast"), "timeout_strategy of chain 'c' is 'fast'"),
        (lambda: Chain("c", [DRAFT], max_total_cost=-1), "max_total_cost of chain 'c' is -1"),
        (lambda: Chain("c", [DRAFT], max_total_cost=float("nan")), "max_total_cost of chain 'c' is nan"),
        (lambda: Chain("c", [DRAFT], ttl_hours=float("inf")), "ttl_hours of chain 'c' is inf"),
        (lambda: Chain("c", [DRAFT], ttl_hours=0), "ttl_hours of chain 'c' is 0"),
        (lambda: Step("a", "x", max_retries=1.5), "max_retries of step 'a' is 1.5"),
        (lambda: Map(Step("a", "x"), over=5), "Map 'a' goes over 5"),
        (lambda: Chain("c", [DRAFT], on_timeout="again"), "on_timeout is 'again'"),
        (lambda: Chain("2c", [DRAFT]), "A chain is named '2c'"),
        (lambda: Step("a b", "x"), "A step is named 'a b'"),
        (lambda: Step("item", "x"), "which has a meaning of its own"),
        (lambda: Step("a"), "has neither prompt nor func"),
        (lambda: Step("a", "x", len), "has prompt and func"),
        (lambda: Step("a", 5), "The prompt of step 'a' is 5"),
        (lambda: Step("a", func="x"), "func of step 'a' is 'x'"),
        (lambda: Step("a", "x", condition=True), "condition of step 'a' is True"),
        (lambda: Step("a", "x", timeout=-1), "timeout of step 'a' is -1"),
        (lambda: Step("a", "x", max_token=5), "has no option 'max_token'. Did you mean 'max_tokens'"),
        (lambda: Step("a", func=len, max_tokens=5), "has max_tokens and no prompt"),
        (lambda: Step("a", "x", inputs={"a b": 1}), "names 'a b'"),
        (lambda: Step("a", func=len, model="m"), "Step 'a' is a function, which has no model"),
        (lambda: Step("a", chain=Chain("c", [DRAFT]), timeout=5), "Step 'a' is a chain, which has no timeout"),
        (lambda: Chain("o", [Chain("c", [DRAFT], max_total_cost=1)]), "has a max_total_cost, and is a step of another"),
        (lambda: Chain("c", [DRAFT], store="dynamo"), "store is 'dynamo'"),
        (lambda: Chain("c", [DRAFT], store=5), "store is 5, which is no store"),
        (lambda: Chain("c", [DRAFT], on_timeout="requeue", requeue="url"), "requeue is 'url'"),
        (lambda: Map(Step("a", "x"), over="list of things"), "that is no reference"),
        (lambda: Map(Parallel("p", [DRAFT]), over=[]), "Give it a Step or a Chain"),
        (lambda: Map(Step("a", "x"), over=[], concurrency=0), "concurrency of 'a' is 0"),
    ],
)  # fmt: skip
def test_what_is_none_of_these_is_refused(make, says):
    with pytest.raises(ConfigurationError) as error:
        make()
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({}, "needs 'topic'. Pass topic=…"),
        ({"topics": "x"}, "needs 'topic'. Did you mean 'topics'"),
        ({"topic": "x", "tone": "y"}, "has no input 'tone'. Known: topic"),
        ({"topic": "x", "draft": "y"}, "a word of its own named 'draft'"),
        ({"topic": "x", "item": "y"}, "a word of its own named 'item'"),
    ],
)
def test_a_run_is_given_what_the_chain_needs_and_no_more(inputs, says):
    with pytest.raises(PromptError) as error:
        Chain("c", [DRAFT]).check_inputs(inputs)
    assert says in str(error.value)


def test_a_chain_whose_functions_look_at_all_values_takes_any_input():
    Chain("c", [Step("a", func=lambda values: values["tone"])]).check_inputs({"tone": "mild"})
    Chain("c", [Step("a", "x", condition=lambda v: v["go"])]).check_inputs({"go": True})
    Chain("c", [Step("a", func=lambda **all: all)]).check_inputs({"go": True})


def test_a_chain_is_a_step_of_another_and_asks_it_for_its_inputs():
    inner = Chain("review", [Step("grade", "Grade {text} for {reader}")])
    outer = Chain("c", [DRAFT, Step("review", chain=inner, inputs={"text": "{draft.output}"})])
    assert outer.variables == ("topic", "reader")
    assert Chain("c", [inner]).variables == ("text", "reader")
    with pytest.raises(PromptError, match="no step is named 'draft'"):
        Chain("review", [Step("grade", "Grade {draft.output}")])
