"""Chains on AWS Lambda durable functions, by AWS's own testing package."""

import json
import sys

import pytest
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.execution import InvocationStatus
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner

from chain_play import Invocation, overloaded
from lambdallm.chains import Chain, Map, Parallel, Step
from lambdallm.chains.durable import StepFailed, durable_chain
from lambdallm.llm.errors import BudgetExceededError, DeadlineExceededError, MissingExtraError


class Once:
    """A context whose answers fail the first times a prompt is asked."""

    def __init__(self, *failures):
        self.inner, self.failures = Invocation(seconds=0), list(failures)
        self.remaining_time_ms = 60_000
        self.deadline = None

    @property
    def asked_for(self):
        return self.inner.asked_for

    def asked(self, prompt, values, **options):
        if self.failures and prompt.messages(values)[-1].text == self.failures[0]:
            self.failures.pop(0)
            raise DeadlineExceededError("The deadline has passed.")
        return (yield from self.inner.asked(prompt, values, **options))


def executed(function, event=None):
    """What a durable function gives. AWS's runner leaves its event loop open: it is closed for it."""
    with DurableFunctionTestRunner(durable_execution(function), poll_interval=0.01) as runner:
        result = runner.run(json.dumps(event or {}), execution_timeout=20)
    runner._scheduler._loop.close()
    return result


def value_of(result):
    assert result.status is InvocationStatus.SUCCEEDED, result.error
    return json.loads(result.result)


def test_each_step_is_a_step_of_the_execution():
    context = Once()
    chain = Chain("c", [
        Step("a", "A {text}"),
        Step("no", "N", condition=lambda: False),
        Step("f", func=lambda a, idempotency_key: [a, idempotency_key.rpartition(":")[2]]),
        Step("end", "E {f.0} {f.1}"),
    ])  # fmt: skip

    def function(event, durable):
        return durable_chain(chain, durable, context, **event).to_dict()

    result = executed(function, {"text": "T"})
    told = value_of(result)
    assert told["output"] == "<E <A T> f>"
    assert {path: step["status"] for path, step in told["steps"].items()} == {
        "a": "done", "no": "skipped", "f": "done", "end": "done",
    }  # fmt: skip
    assert [operation.name for operation in result.operations] == ["a", "no?", "f", "end"]
    assert told["cost_usd"] == pytest.approx(0.02)


def test_steps_side_by_side_are_branches():
    context = Once()
    chain = Chain("c", [
        Parallel("g", [Step("a", "A"), Step("b", "B")]),
        Map(Step("m", "{item}"), over=[1, 2], concurrency=2),
        Step("end", "{g.output} {m.output}"),
    ])  # fmt: skip
    result = executed(lambda event, durable: durable_chain(chain, durable, context).output)
    assert value_of(result) == '<{"a": "<A>", "b": "<B>"} ["<1>", "<2>"]>'
    assert [operation.name for operation in result.operations] == ["a+b", "m/0+m/1", "end"]
    assert sorted(context.asked_for[:2]) == ["A", "B"]


def test_what_was_done_before_a_wait_is_not_done_again_after_it():
    from aws_durable_execution_sdk_python.config import Duration

    context, invocations = Once(), []
    chain = Chain("c", [Step("a", "A"), Step("b", "B {a.output}")])

    def function(event, durable):
        invocations.append(1)
        first = durable_chain(chain, durable, context).output
        durable.wait(Duration.from_hours(1))
        return [first, durable_chain(Chain("d", [Step("c", "C {x}")]), durable, context, x=first).output]

    assert value_of(executed(function)) == ["<B <A>>", "<C <B <A>>>"]
    assert (len(invocations), context.asked_for) == (2, ["A", "B <A>", "C <B <A>>"])


def test_a_step_that_its_invocations_time_ends_is_tried_again_in_another_one():
    context, invocations = Once("B", "B"), []
    chain = Chain("c", [Step("a", "A"), Step("b", "B")])
    context.deadline = 1e12

    def function(event, durable):
        invocations.append(1)
        return durable_chain(chain, durable, context).output

    assert value_of(executed(function)) == "<B>"
    assert (len(invocations), context.asked_for) == (3, ["A", "B"])


def test_a_failed_step_fails_the_execution_with_its_words():
    context = Once()
    context.inner = Invocation(lambda text: overloaded() if text == "B" else text, seconds=0)
    chain = Chain("c", [Step("a", "A"), Step("b", "B")])
    seen = []

    def function(event, durable):
        try:
            return durable_chain(chain, durable, context).output
        except StepFailed as error:
            seen.append(error)
            raise

    result = executed(function)
    assert result.status is InvocationStatus.FAILED
    assert "ProviderServerError: Overloaded." in result.error.message
    assert (seen[0].kind, seen[0].chain_result.outputs) == ("ProviderServerError", {"a": "A"})
    assert context.asked_for == ["A", "B"], "AWS does not try it again by itself"


def test_what_was_done_beside_a_failed_step_is_told():
    context = Once()
    context.inner = Invocation(lambda text: overloaded() if text == "A" else text, seconds=0)
    chain = Chain("c", [Parallel("p", [Step("a", "A"), Step("b", "B")])])
    seen = []

    def function(event, durable):
        try:
            return durable_chain(chain, durable, context).output
        except StepFailed as error:
            seen.append(error.chain_result)
            raise

    executed(function)
    assert {path: step.status for path, step in seen[0].steps.items()} == {"a": "failed", "b": "done"}
    assert seen[0].cost_usd == pytest.approx(0.012)


def test_a_chains_limit_of_money_holds():
    seen = []

    def function(event, durable):
        try:
            durable_chain(Chain("c", [Step("a", "A"), Step("b", "B")], max_total_cost=0.01), durable, Once())
        except BudgetExceededError as error:
            seen.append(error.chain_result.outputs)
        return

    value_of(executed(function))
    assert seen == [{"a": "<A>"}]


def test_a_function_of_its_own_context_asks_with_the_projects_settings(monkeypatch):
    from lambdallm.testing import mock_model

    chain = Chain("c", [Step("a", "A")])
    with mock_model(["Hi"]):
        assert value_of(executed(lambda event, durable: durable_chain(chain, durable).output)) == "Hi"


def test_a_step_can_be_one_that_is_not_begun_again():
    from aws_durable_execution_sdk_python.config import StepSemantics

    seen = []

    class Durable:
        execution_context = None

        def step(self, function, name, config):
            seen.append(config.step_semantics)
            return function(None)

    for at_most_once in (False, True):
        durable_chain(Chain("c", [Step("a", "A")]), Durable(), Once(), at_most_once=at_most_once)
    assert seen == [StepSemantics.AT_LEAST_ONCE_PER_RETRY, StepSemantics.AT_MOST_ONCE_PER_RETRY]


def test_without_the_sdk_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "aws_durable_execution_sdk_python.config", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'lambdallm\[durable\]'"):
        durable_chain(Chain("c", [Step("a", "A")]), None, Once())
