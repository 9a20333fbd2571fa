"""A process that runs a chain is killed at every effect, in a simulated world, and the chain is resumed in another one.

What is finished is not done again; what was under way is done at most once more, and the result says so; an effect that
is keyed happens once; the result is that of a run that nobody killed.
"""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from chain_drawn import OUTSIDE, Outside, chains, keyed, listed, short
from chain_play import Effects, Invocation, Killed
from lambdallm.chains import Chain, ChainRunner, Map, Parallel, Step
from lambdallm.llm.flow import Clock
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing.world import World


def chain_of(steps, store):
    return Chain("c", steps, store=store)


def invocation():
    """Its models take a time and give an answer that follow from the prompt."""
    return Invocation(lambda text: short(text), seconds=lambda text: int(short(text), 16) % 5, left=10_000)


def world_at(seconds):
    world = World(lambda _: None)
    world.clock = Clock(1_000.0 + seconds, 1_700_000_000.0 + seconds)
    return world


def uncut(steps):
    OUTSIDE[0] = Outside()
    context, effects, store = invocation(), Effects(), MemoryStateStore()
    runner = ChainRunner(chain_of(steps, store), checkpoint_id="run")
    result = world_at(0).run(effects.of(runner.flow(context, {})))
    return result, effects.count, sorted(context.asked_for), sorted(OUTSIDE[0].calls)


def killed_at(cuts, steps):
    """A run that is killed at each of the cuts in turn, and then let alone: its result, and all that was asked."""
    OUTSIDE[0] = Outside()
    store, asked, begun = MemoryStateStore(), [], 0.0
    for cut in cuts:
        context = invocation()
        runner = ChainRunner(chain_of(steps, store), checkpoint_id="run")
        with suppress(Killed):
            world_at(begun).run(Effects(cut).of(runner.flow(context, {})))
        asked += context.asked_for
        begun += 20_000  # its lease has passed
    context = invocation()
    result = world_at(begun).run(ChainRunner(chain_of(steps, store), checkpoint_id="run").flow(context, {}))
    return result, asked + context.asked_for, OUTSIDE[0]


def facts(result):
    """What has to be the same."""
    return result.outputs, result.output, {
        path: ("skipped" if step.status == "skipped" else "done", step.output) for path, step in result.steps.items()
    }  # fmt: skip


def check(steps, cuts):
    expected, _, asked, calls = uncut(steps)
    result, asked_in_all, outside = killed_at(cuts, steps)
    assert facts(result) == facts(expected)
    assert sorted(outside.done) == sorted(set(calls))
    repeated = len(asked_in_all) + len(outside.calls) - len(asked) - len(calls)
    told = sum(step.interrupted for step in result.steps.values())
    assert 0 <= repeated <= told, "something was done again, and the result does not say so"
    for one in set(asked_in_all):
        assert asked_in_all.count(one) <= asked.count(one) * (len(cuts) + 1)


@settings(max_examples=150)
@given(chains(), st.data())
def test_a_chain_that_is_killed_once_anywhere_gives_what_it_would_have_given(steps, data):
    _, count, _, _ = uncut(steps)
    for cut in data.draw(st.lists(st.integers(1, count), min_size=1, max_size=12, unique=True), "cuts"):
        check(steps, [cut])


@settings(max_examples=150)
@given(chains(), st.lists(st.integers(1, 60), min_size=2, max_size=4))
def test_a_chain_that_is_killed_again_and_again_gives_what_it_would_have_given(steps, cuts):
    check(steps, cuts)


def test_every_single_effect_of_a_chain_with_everything_is_a_place_to_be_killed():
    steps = [
        Step("a", "A"),
        Step("list", func=listed),
        Map(Step("each", "{item}"), over="{list.output}", concurrency=2),
        Parallel("g", [Step("b", "B {a}"), Step("key", func=keyed), Step("no", "N", condition=lambda: False)]),
        Chain("inner", [Step("one", "1"), Step("two", "{one.output}", condition=lambda one: True)]),
        Step("end", "{each.output} {g.b} {inner.output}"),
    ]
    _, count, _, _ = uncut(steps)
    assert count > 60
    for cut in range(1, count + 1):
        check(steps, [cut])


def test_what_is_finished_is_never_done_or_paid_for_again():
    """Each step is finished before the next begins: a kill repeats the one under way, and no other."""
    steps = [Step(name, name) for name in "abcd"]
    _, count, _, _ = uncut(steps)
    for cut in range(1, count + 1):
        result, asked, _ = killed_at([cut], steps)
        repeated = [name for name in "abcd" if asked.count(name) > 1]
        assert len(repeated) <= 1
        assert result.cost_usd == sum(step.cost_usd for step in result.steps.values()) == 4 * 0.01
        assert [path for path, step in result.steps.items() if step.interrupted] in (
            [],
            repeated,
            *[[n] for n in "abcd"],
        )
