"""What a chain may cost: looked at before each step and after it; what is unknown is not zero."""

import pytest

from chain_play import Invocation, overloaded
from lambdallm.chains import Chain, ChainRunner, Parallel, Step
from lambdallm.llm.errors import BudgetExceededError, ProviderServerError
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing.world import World

STEPS = [Step("a", "A"), Step("b", "B"), Step("c", "C")]
PRICED = {"model": "openai/gpt-4o", "max_tokens": 1000}
"""A thousand tokens of its answer cost 0.01 dollars."""


def run(chain, context=None, id=None):
    context = context or Invocation()
    return World(lambda _: None).run(ChainRunner(chain, checkpoint_id=id).flow(context, {}))


def refused(chain, context=None):
    with pytest.raises(BudgetExceededError) as error:
        run(chain, context)
    return error.value


def test_a_chain_that_has_spent_its_money_begins_no_further_step():
    context = Invocation(cost=0.01)
    error = refused(Chain("c", STEPS, max_total_cost=0.02), context)
    assert str(error).startswith("Chain 'c' has spent 0.020000 of 0.02 dollars, and step 'c' is still to come.")
    assert (context.asked_for, error.chain_result.outputs) == (["A", "B"], {"a": "<A>", "b": "<B>"})


def test_a_step_that_costs_more_than_was_left_ends_the_chain_with_all_that_is_done():
    error = refused(Chain("c", STEPS, max_total_cost=0.025), Invocation(cost=0.01))
    assert str(error).startswith("Chain 'c' has spent 0.030000 dollars, and its max_total_cost is 0.025.")
    assert error.chain_result.output == "<C>"


def test_a_chain_within_its_limit_ends():
    assert run(Chain("c", STEPS, max_total_cost=0.03)).complete


def test_a_step_that_may_cost_too_much_is_not_begun():
    context = Invocation(cost=0.001)
    chain = Chain("c", [Step("a", "A"), Step("b", "B", **PRICED)], max_total_cost=0.009)
    error = refused(chain, context)
    assert "has spent 0.001000 of 0.009 dollars, and step 'b' may cost 0.0100" in str(error)
    assert context.asked_for == ["A"]


def test_steps_under_way_are_counted_with_what_they_may_cost():
    steps = [Step(name, name, **PRICED) for name in "abc"]
    context = Invocation(cost=0.001)
    error = refused(Chain("c", [Parallel("g", steps)], max_total_cost=0.025), context)
    assert "dollars, 0.0200" in str(error)
    assert context.asked_for == ["a", "b"], "those that fit are begun and kept"
    assert set(error.chain_result.steps) == {"a", "b"}
    assert run(Chain("c", [Parallel("g", steps, concurrency=1)], max_total_cost=0.0125), context).complete


def test_a_step_has_a_limit_of_its_own():
    assert "may cost 0.0100" in str(refused(Chain("c", [Step("a", "A", max_cost=0.005, **PRICED)])))
    error = refused(Chain("c", [Step("a", "A", max_cost=0.005), Step("b", "B")]), Invocation(cost=0.01))
    assert "Step 'a' cost 0.010000 dollars, more than its max_cost of 0.005" in str(error)
    assert error.chain_result.outputs == {"a": "<A>"}


def test_a_chain_with_a_limit_does_not_go_on_from_an_unknown_cost():
    context = Invocation(cost=None)
    error = refused(Chain("c", STEPS, max_total_cost=1), context)
    assert "What step 'a' cost is unknown: max_total_cost of chain 'c' can't be kept. Give its model a price" in str(
        error
    )
    assert context.asked_for == ["A"]
    result = run(Chain("c", STEPS, max_total_cost=1, allow_unknown_cost=True), Invocation(cost=None))
    assert (result.complete, result.cost_usd) == (True, None)
    assert run(Chain("c", STEPS), Invocation(cost=None)).complete


def test_functions_cost_nothing():
    assert run(Chain("c", [Step("a", func=lambda: 1), Step("b", func=lambda: 2)], max_total_cost=0.0001)).cost_usd == 0


def test_what_earlier_invocations_spent_counts_with_failed_tries():
    store, failing = MemoryStateStore(), [True]

    def answer(text):
        return overloaded(0.02) if text == "B" and failing[0] else text

    chain = Chain("c", STEPS, store=store)
    with pytest.raises(ProviderServerError):
        run(chain, Invocation(answer), "run")
    failing[0] = False
    resumed = run(chain, Invocation(answer), "run")
    assert resumed.cost_usd == pytest.approx(0.01 + 0.02 + 0.01 + 0.01)
    assert (resumed.steps["b"].attempts, resumed.steps["b"].status) == (2, "done")

    failing[0] = True
    limited = Chain("c", STEPS, store=MemoryStateStore(), max_total_cost=0.03)
    with pytest.raises(ProviderServerError):
        run(limited, Invocation(answer), "run")
    failing[0] = False
    with pytest.raises(BudgetExceededError, match=r"has spent 0.030000 of 0.03 dollars"):
        run(limited, Invocation(answer), "run")
