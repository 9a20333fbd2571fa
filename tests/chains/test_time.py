"""What a chain does when the function's time runs out, by its strategy. The reserve is five seconds."""

import pytest

from chain_play import Invocation
from lambdallm.chains import Chain, ChainRunner, Map, Parallel, Step
from lambdallm.llm.errors import DeadlineExceededError, ProviderTimeoutError
from lambdallm.llm.flow import Cancel
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing.world import World

STEPS = [Step("a", "A"), Step("b", "B"), Step("c", "C")]


def ran(chain, *, left, seconds=4.0, **options):
    """A run in a function with so many seconds left, whose models take so long."""
    world = World(lambda _: None)
    context = Invocation(seconds=seconds, left=left, clock=lambda: world.clock, **options)
    flow = ChainRunner(chain, checkpoint_id="run").flow(context, {})
    return context, lambda: world.run(flow)


def test_fail_fast_raises_with_the_step_and_the_time_left():
    _, run = ran(Chain("c", STEPS), left=13.5)
    with pytest.raises(DeadlineExceededError) as error:
        run()
    assert str(error.value) == (
        "Chain 'c' ran out of time at step 'c': 2 steps done, 5.0 s left before the function is stopped. "
        "Raise the function's timeout, or use timeout_strategy='checkpoint'."
    )
    assert error.value.chain_result.outputs == {"a": "<A>", "b": "<B>"}


def test_a_step_that_could_not_begin_in_time_is_not_begun():
    context, run = ran(Chain("c", STEPS), left=13.0)
    with pytest.raises(DeadlineExceededError, match=r"at step 'c': 2 steps done, 5\.0 s left"):
        run()
    assert context.asked_for == ["A", "B"]


def test_truncate_gives_what_is_done_so_far():
    _, run = ran(Chain("c", STEPS, timeout_strategy="truncate"), left=13.5)
    result = run()
    assert (result.status, result.complete, result.output, result.outputs) == (
        "truncated", False, "<B>", {"a": "<A>", "b": "<B>"},
    )  # fmt: skip
    assert result.steps["c"].status == "failed"


def test_checkpoint_gives_an_id_and_the_rest_is_done_with_it_later():
    chain = Chain("c", STEPS, timeout_strategy="checkpoint", store=MemoryStateStore())
    _, run = ran(chain, left=13.5)
    result = run()
    assert (result.status, result.complete, result.checkpoint_id) == ("checkpointed", False, "run")

    context = Invocation()
    resumed = World(lambda _: None).run(ChainRunner(chain).resuming(context, result.checkpoint_id))
    assert (resumed.status, resumed.output, context.asked_for) == ("completed", "<C>", ["C"])
    assert [step.status for step in resumed.steps.values()] == ["resumed", "resumed", "done"]
    assert resumed.steps["c"].attempts == 2, "the try that time ended counts"


def test_a_chain_with_enough_time_does_not_notice():
    _, run = ran(Chain("c", STEPS), left=17.5)
    assert run().complete


def test_a_steps_own_timeout_is_its_failure_and_not_the_chains():
    _, run = ran(Chain("c", [Step("a", "A", timeout=1)], timeout_strategy="truncate"), left=60)
    with pytest.raises(DeadlineExceededError, match="The deadline has passed"):
        run()


def test_a_provider_that_is_silent_until_the_deadline_is_about_time():
    def answer(text):
        return ProviderTimeoutError("Nothing came.")

    _, run = ran(Chain("c", STEPS, timeout_strategy="truncate"), left=9.0, answer=answer)
    assert run().status == "truncated"
    _, run = ran(Chain("c", STEPS, timeout_strategy="truncate"), left=60, answer=answer)
    with pytest.raises(ProviderTimeoutError):
        run()


def test_steps_that_do_not_end_by_themselves_are_cancelled_when_the_time_has_passed():
    steps = [Parallel("g", [Step("quick", "1"), Step("slow", "60")])]
    chain = Chain("c", steps, timeout_strategy="checkpoint", store=MemoryStateStore())
    world = World(lambda _: None)
    context = Invocation(seconds=float, left=15, clock=lambda: world.clock, deaf=True)
    result = world.run(ChainRunner(chain, checkpoint_id="run").flow(context, {}))
    assert (result.status, list(result.steps)) == ("checkpointed", ["quick"])
    assert len(world.of(Cancel)) == 1
    assert world.clock.monotonic == 1010.5

    resumed = World(lambda _: None).run(ChainRunner(chain).resuming(Invocation(seconds=0), "run"))
    assert (resumed.output, resumed.steps["slow"].interrupted) == ({"quick": "<1>", "slow": "<60>"}, 1)


def test_an_item_of_a_map_that_is_late_leaves_the_others_done():
    chain = Chain("c", [Map(Step("m", "{item}"), over=[3, 30, 4], concurrency=3)], timeout_strategy="truncate")
    _, run = ran(chain, left=20, seconds=lambda text: float(text))
    assert {path: step.status for path, step in run().steps.items()} == {"m/0": "done", "m/1": "failed", "m/2": "done"}
