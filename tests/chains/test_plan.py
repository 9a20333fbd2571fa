"""What a plan hands out, and what it makes of what it is told: pure, and the same for every order."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_drawn import OUTSIDE, Outside, chains, short
from lambdallm.chains import Chain, Map, Parallel, Step
from lambdallm.chains.calling import call
from lambdallm.chains.execute import values_of
from lambdallm.chains.plan import Plan
from lambdallm.llm.errors import PromptError


def outcome(work):
    """What a piece of work gives: it follows from what the work can see."""
    if work.node.func is not None:
        return call(work.node.func, work.scope, {"idempotency_key": lambda: work.path}, "it")()
    return short((work.node.prompt.template, sorted(values_of(work.node, work.scope).items())))


def carried_out(steps, choose):
    """A plan carried out; of the work that is open, `choose` says which is done next."""
    OUTSIDE[0] = Outside()
    plan, open_work, paths = Plan(steps, {}), [], []
    plan.begin()
    while True:
        while (work := plan.take()) is not None:
            open_work.append(work)
        if not open_work:
            return plan.ended, paths
        work = open_work.pop(choose(len(open_work)))
        paths.append((work.kind, work.path))
        if work.kind == "decide":
            plan.decided(work, call(work.node.condition, work.scope, {}, "it")())
        else:
            plan.finished(work, outcome(work))


@settings(max_examples=150)
@given(chains(), st.randoms(use_true_random=False))
def test_the_order_in_which_work_is_done_changes_nothing(steps, random):
    steps = Chain("c", steps).steps
    first, paths = carried_out(steps, lambda count: 0)
    other, others = carried_out(steps, random.randrange)
    assert first == other
    assert sorted(paths) == sorted(others)
    assert len(set(paths)) == len(paths), "no work is handed out twice"


def taken(plan):
    found = []
    while (work := plan.take()) is not None:
        found.append(work)
    return found


def test_a_sequence_hands_out_one_step_after_another():
    plan = Plan(Chain("c", [Step("a", "A"), Step("b", "B {a}")]).steps, {})
    plan.begin()
    (first,) = taken(plan)
    assert (first.kind, first.path, plan.ended) == ("run", "a", None)
    plan.finished(first, 1)
    (second,) = taken(plan)
    assert (second.path, second.scope["a"]) == ("b", 1)
    plan.finished(second, 2)
    assert (plan.ended.output, plan.outputs) == (2, {"a": 1, "b": 2})


def test_a_group_hands_out_as_many_as_may_run():
    steps = [Parallel("g", [Step(name, name) for name in "abcd"], concurrency=2), Step("z", "Z")]
    plan = Plan(Chain("c", steps).steps, {})
    plan.begin()
    first, second = taken(plan)
    plan.finished(second, "b")
    (third,) = taken(plan)
    assert [work.path for work in (first, second, third)] == ["a", "b", "c"]
    assert "b" not in third.scope


def test_the_names_of_what_was_skipped_are_known():
    members = [Step("a", "A", default=1), Map(Step("m", "M"), over=[1])]
    plan = Plan(Chain("c", [Parallel("g", members, condition=id)]).steps, {})
    plan.begin()
    (work,) = taken(plan)
    plan.decided(work, False)
    assert (plan.ended.output, plan.outputs) == (None, {"a": 1, "m": None, "g": {"a": 1, "m": None}})


def test_a_value_that_is_not_there_is_raised_where_it_is_needed():
    plan = Plan(Chain("c", [Step("a", func=dict), Step("b", "B", inputs={"x": "{a.y}"})]).steps, {})
    plan.begin()
    (work,) = taken(plan)
    with pytest.raises(PromptError, match=r"\{a\} has no field 'y'"):
        plan.finished(work, {"x": 1})
