"""Checkpoints: what is written when, who may go on from one, and what is refused."""

from dataclasses import dataclass

import pytest

from chain_play import ENVIRON, Effects, Invocation, Killed, overloaded
from lambdallm.chains import (
    Chain,
    ChainChanged,
    ChainRunner,
    CheckpointBusy,
    CheckpointError,
    CheckpointLost,
    Map,
    Parallel,
    Step,
)
from lambdallm.chains.records import FORM
from lambdallm.chains.shape import digest
from lambdallm.llm.backends import BackendError
from lambdallm.llm.errors import ConfigurationError, ProviderServerError
from lambdallm.llm.flow import Clock
from lambdallm.state.memory import MemoryStateStore
from lambdallm.state.store import MOST_AT_ONCE
from lambdallm.testing.world import World

STEPS = [Step("a", "A {x}"), Step("b", "B {a.output}"), Step("c", "C {b.output}")]


@dataclass
class Grade:
    score: float


class Store(MemoryStateStore):
    """Counts its appends; `conflicts` are done, and answered as lost races."""

    def __init__(self):
        super().__init__()
        self.appends, self.lost_answers = [], 0

    def append(self, key, after, entries, ttl_seconds=None):
        yield from super().append(key, after, entries, ttl_seconds)
        self.appends.append([type(FORM.decode(entry)).__name__ for entry in entries])
        if self.lost_answers:
            self.lost_answers -= 1
            yield from super().append(key, after, entries, ttl_seconds)


def world_at(seconds=0.0, environ=None):
    world = World(lambda _: None, environ)
    world.clock = Clock(1_000.0 + seconds, 1_700_000_000.0 + seconds)
    return world


def begin(chain, context=None, id="run", **inputs):
    return ChainRunner(chain, checkpoint_id=id).flow(context or Invocation(), inputs)


def broken_at(text):
    return Invocation(lambda asked: overloaded() if asked.startswith(text) else f"<{asked}>")


def fails(chain, at="C", **inputs):
    """A run that fails at a prompt."""
    with pytest.raises(ProviderServerError):
        world_at().run(begin(chain, broken_at(at), **inputs))


def test_what_is_done_is_written_with_what_begins_before_that_does():
    store = Store()
    world_at().run(begin(Chain("c", STEPS, store=store), x=1))
    assert store.appends == [["Begun", "Lease", "Trying"], ["Tried", "Trying"], ["Tried", "Trying"], ["Tried", "Ended"]]


def test_a_failed_run_goes_on_at_the_step_that_failed():
    chain = Chain("c", STEPS, store=Store())
    fails(chain, x=1)
    context = Invocation()
    result = world_at().run(ChainRunner(chain).resuming(context, "run"))
    assert (result.output, context.asked_for) == ("<C <B <A 1>>>", ["C <B <A 1>>"])
    assert [step.status for step in result.steps.values()] == ["resumed", "resumed", "done"]
    assert result.cost_usd == pytest.approx(3 * 0.01 + 0.002)


def test_a_finished_run_is_told_again_and_costs_nothing():
    chain = Chain("c", STEPS, store=Store())
    first = world_at().run(begin(chain, x=1))
    context = Invocation()
    again = world_at().run(begin(chain, context, x=1))
    assert (again.outputs, again.cost_usd, context.asked_for) == (first.outputs, first.cost_usd, [])
    assert {step.status for step in again.steps.values()} == {"resumed"}
    assert len(chain.store.appends) == 4, "nothing is written"


def test_types_come_back_as_they_were():
    steps = [
        Step("grade", "g", output_schema=Grade),
        Step("plain", func=lambda grade: {"pair": (1, 2), "bytes": b"x", "grade": grade, 3: "three"}),
        Step("end", "{grade.score} {plain.pair.1}"),
    ]
    chain = Chain("c", steps, store=Store())
    context = Invocation(lambda text: Grade(0.5) if text == "g" else text)
    first = world_at().run(begin(chain, context))
    again = world_at().run(begin(chain, context))
    assert first.outputs == again.outputs
    assert again.outputs["grade"] == Grade(0.5)
    assert again.outputs["plain"] == {"pair": (1, 2), "bytes": b"x", "grade": {"score": 0.5}, 3: "three"}


def test_what_no_checkpoint_can_keep_is_named():
    chain = Chain("c", [Step("a", func=lambda: object())], store=Store())
    with pytest.raises(ConfigurationError, match=r"Step 'a' gave a value that a checkpoint can't keep.*\(object\)"):
        world_at().run(begin(chain))
    with pytest.raises(ConfigurationError, match="The input 'x' is"):
        world_at().run(begin(Chain("c", STEPS, store=Store()), x=object()))


@pytest.mark.parametrize(
    ("steps", "changes"),
    [
        ([STEPS[0], Step("b", "Bee {a.output}"), STEPS[2]], ("the prompt of 'b'",)),
        ([STEPS[0], Step("b", "B {a.output}", condition=lambda: True), STEPS[2]], ("the condition of 'b'",)),
        ([STEPS[0], Step("b", "B {a.output}", output_schema={"n": int}), STEPS[2]], ("the output_schema of 'b'",)),
        ([*STEPS, Step("d", "D")], ("'d' is new",)),
        (STEPS[:2], ("'c' is gone",)),
        ([STEPS[0], Step("bee", "B {a.output}")], ("'b' is gone", "'c' is gone", "'bee' is new")),
        ([STEPS[0], Parallel("g", [STEPS[1]]), STEPS[2]], ("'b' is gone", "'g' is new", "'g|b' is new")),
    ],
)
def test_the_checkpoint_of_a_chain_that_changed_is_refused_with_what_changed(steps, changes):
    store = Store()
    fails(Chain("c", STEPS, store=store), x=1)
    with pytest.raises(ChainChanged) as error:
        world_at().run(ChainRunner(Chain("c", steps, store=store)).resuming(Invocation(), "run"))
    assert error.value.changes == changes
    assert "; ".join(changes) in str(error.value)
    assert "Finish it with the version that began it" in str(error.value)


def test_the_order_of_steps_is_part_of_a_chain():
    store = Store()
    fails(Chain("c", [Step("a", "A"), Step("b", "B"), Step("c", "C")], store=store))
    other = Chain("c", [Step("b", "B"), Step("a", "A"), Step("c", "C")], store=store)
    with pytest.raises(ChainChanged, match="the order of the steps"):
        world_at().run(ChainRunner(other).resuming(Invocation(), "run"))


def test_how_a_step_is_asked_may_change_under_a_run():
    store = Store()
    fails(Chain("c", STEPS, store=store), x=1)
    other = Step("c", "C {b.output}", model="other/model", max_retries=9, timeout=99, max_tokens=7, cache=False)
    changed = Chain("c", [*STEPS[:2], other], store=store, max_total_cost=5)
    assert world_at().run(ChainRunner(changed).resuming(Invocation(), "run")).complete


def test_a_run_is_not_gone_on_with_by_other_inputs():
    chain = Chain("c", STEPS, store=Store())
    fails(chain, x=1)
    with pytest.raises(CheckpointError, match="was begun with other inputs: 'x' differ"):
        world_at().run(begin(chain, x=2))


@pytest.mark.parametrize("id", ["", "a\nb", "x" * 300, None])
def test_an_id_is_a_short_line_of_text(id):
    with pytest.raises(ConfigurationError, match="A checkpoint's id is"):
        Chain("c", STEPS, store=Store(), inputs=["x"]).resume(Invocation(), id)


def test_a_checkpoint_that_is_not_there_is_named():
    chain = Chain("c", STEPS, store=Store())
    with pytest.raises(CheckpointError, match="Chain 'c' has no checkpoint 'nope'"):
        world_at().run(ChainRunner(chain).resuming(Invocation(), "nope"))
    with pytest.raises(ConfigurationError, match="has no store, so it has no checkpoint"):
        world_at().run(ChainRunner(Chain("c", STEPS)).resuming(Invocation(), "nope"))


def test_a_damaged_checkpoint_is_refused():
    store = MemoryStateStore()
    world_at().run(store.append("chain:c:run", 0, [b"chain9 j 00000000 {}"]))
    with pytest.raises(CheckpointError, match="Entry 1 of the checkpoint can't be read"):
        world_at().run(begin(Chain("c", STEPS, store=store), x=1))


def test_a_checkpoint_is_forgotten_when_its_time_has_passed():
    store = Store()
    chain = Chain("c", STEPS, store=store, ttl_hours=1)
    fails(chain, x=1)
    with pytest.raises(CheckpointError, match="has no checkpoint"):
        world_at(3700).run(ChainRunner(chain).resuming(Invocation(), "run"))


def killed(chain, at, *, left, **inputs):
    """A run whose process is gone at one of its effects."""
    flow = Effects(at).of(begin(chain, Invocation(left=left), **inputs))
    with pytest.raises(Killed):
        world_at().run(flow)


def test_a_killed_run_holds_its_lease_until_the_function_would_have_been_stopped():
    chain = Chain("c", STEPS, store=Store())
    killed(chain, 9, left=100.0, x=1)
    with pytest.raises(CheckpointBusy, match="is held by another run for up to 91 s more") as error:
        world_at(10).run(ChainRunner(chain).resuming(Invocation(), "run"))
    assert error.value.retry_after == 91
    result = world_at(102).run(ChainRunner(chain).resuming(Invocation(), "run"))
    assert (result.complete, result.steps["a"].interrupted, result.steps["b"].interrupted) == (True, 1, 0)


def test_a_run_that_is_known_to_be_dead_can_be_taken_over_before_its_time():
    chain = Chain("c", STEPS, store=Store())
    killed(chain, 9, left=100.0, x=1)
    assert world_at(10).run(ChainRunner(chain).resuming(Invocation(), "run", take_over=True)).complete


def test_a_run_that_lives_is_stopped_when_it_is_taken_over():
    chain, told = Chain("c", STEPS, store=Store()), []
    living = Invocation(seconds=50, left=100)

    def telling():
        try:
            yield from begin(chain, living, x=1)
        except CheckpointLost as error:
            told.append(error.message)

    world_at().run_all([(0.0, telling()), (10.0, ChainRunner(chain).resuming(Invocation(), "run", take_over=True))])
    assert told == ["Checkpoint 'run' has been taken over by another run."]
    assert len(living.asked_for) == 1


def test_objects_without_words_of_their_own_are_no_change_of_a_chain():
    class Odd:
        pass

    def chain(store):
        return Chain("c", [Map(Step("m", func=str), over=[Odd(), 1]), Step("s", "C", inputs={"o": Odd()})], store=store)

    store = Store()
    fails(chain(store))
    assert world_at().run(ChainRunner(chain(store)).resuming(Invocation(), "run")).complete


def test_a_run_without_a_limit_of_time_renews_its_lease():
    store = Store()
    chain = Chain("c", [Step(name, name) for name in "abcd"], store=store)
    world_at().run(begin(chain, Invocation(seconds=300)))
    assert [names.count("Lease") for names in store.appends] == [1, 0, 1, 0, 0]
    assert world_at().run(begin(chain)).complete


def test_of_two_who_resume_at_once_one_wins_and_the_other_says_so():
    chain = Chain("c", STEPS, store=Store())
    fails(chain, x=1)
    contexts = [Invocation(), Invocation()]
    world, told = world_at(), []

    def telling(context):
        try:
            told.append((yield from ChainRunner(chain).resuming(context, "run")).status)
        except CheckpointBusy as error:
            told.append(error.message)

    world.run_all([(0.0, telling(context)) for context in contexts])
    assert sorted(told) == ["Checkpoint 'run' has just been taken up by another run.", "completed"] or (
        "completed" in told and any("is held by another run" in one for one in told)
    )
    assert [len(context.asked_for) for context in contexts] in ([0, 1], [1, 0])


def test_a_run_that_has_lost_its_lease_notices_before_its_next_step():
    """It was thought dead: its lease had passed, though it had not ended."""
    chain = Chain("c", STEPS, store=Store())
    slow, quick, told = Invocation(seconds=500, left=100, deaf=True), Invocation(), []

    def telling(context):
        try:
            told.append((yield from begin(chain, context, x=1)).status)
        except CheckpointLost as error:
            told.append(error.message)

    world_at().run_all([(0.0, telling(slow)), (102.0, telling(quick))])
    assert told == ["completed", "Checkpoint 'run' has been taken over by another run."]
    assert (len(slow.asked_for), len(quick.asked_for)) == (1, 3)


def test_an_append_whose_answer_was_lost_was_done():
    """The store did it, and its answer did not come: tried again, the condition fails, and what is there is ours."""
    store = Store()
    store.lost_answers = 2
    assert world_at().run(begin(Chain("c", STEPS, store=store), x=1)).complete


class Narrow(MemoryStateStore):
    """Takes no more at once than every store has to; its `fails` are the appends that fail, `arriving` or not."""

    def __init__(self, *fails, arriving=False):
        super().__init__()
        self.appends, self._fails, self._arriving = 0, fails, arriving

    def append(self, key, after, entries, ttl_seconds=None):
        if len(entries) > MOST_AT_ONCE:
            raise ValueError(f"{len(entries)} entries")
        self.appends += 1
        fails = self.appends in self._fails
        if not fails or self._arriving:
            yield from super().append(key, after, entries, ttl_seconds)
        if fails:
            raise BackendError("The store is away.")


@pytest.mark.parametrize("condition", [None, lambda item: item % 2], ids=["all", "some"])
def test_a_map_over_many_is_recorded_in_as_many_appends_as_stores_need(condition):
    step = Step("m", "{item}", condition=condition)
    chain = Chain("c", [Map(step, over=list(range(250)), concurrency=None)], store=Narrow())
    found = world_at().run(begin(chain))
    assert world_at().run(begin(chain)).outputs == found.outputs
    assert len(found.output) == 250


@pytest.mark.parametrize("arriving", [True, False], ids=["answer lost", "not done"])
@pytest.mark.parametrize("fails", [1, 2, 3, 4])
def test_a_store_that_was_away_for_one_record_costs_no_step_that_was_paid_for(fails, arriving):
    """The run ends, because its record is behind; what it had done is written with its last words, and it lets go."""
    chain = Chain("c", STEPS, store=Narrow(fails, arriving=arriving))
    context = Invocation()
    with pytest.raises(BackendError, match="away") as error:
        world_at().run(begin(chain, context, x=1))
    done = error.value.chain_result
    assert (done.status, len(context.asked_for)) == ("failed", fails - 1)
    again = Invocation()
    assert world_at(1).run(begin(chain, again, x=1)).output == "<C <B <A 1>>>"
    assert context.asked_for + again.asked_for == ["A 1", "B <A 1>", "C <B <A 1>>"]


def test_a_store_that_stays_away_is_an_error_with_what_was_done():
    chain = Chain("c", [Parallel("p", [Step("a", "A"), Step("b", "B")]), Step("c", "C")], store=Narrow(*range(2, 99)))
    context = Invocation(seconds=lambda text: 1.0 if text == "A" else 5.0)
    with pytest.raises(BackendError) as error:
        world_at().run(begin(chain, context))
    assert {path: step.output for path, step in error.value.chain_result.steps.items()} == {"a": "<A>", "b": "<B>"}
    assert context.asked_for == ["A", "B"], "what was under way was waited for, and nothing else begun"


def test_a_checkpoint_may_be_kept_for_ever():
    chain = Chain("c", STEPS, store=MemoryStateStore(), ttl_hours=None)
    world_at().run(begin(chain, x=1))
    assert world_at(1e9).run(begin(chain, x=1)).steps["c"].status == "resumed"


@pytest.mark.parametrize("value", [{1: "a", "b": 2}, {(1, 2): "a"}], ids=repr)
def test_inputs_may_be_mappings_with_keys_of_any_kind(value):
    chain = Chain("c", [Step("a", func=lambda d: d)], store=MemoryStateStore())
    run = world_at().run(ChainRunner(chain).flow(Invocation(), {"d": value}))
    assert run.output == value
    assert world_at().run(ChainRunner(chain).resuming(Invocation(), run.checkpoint_id)).output == value


def test_a_set_names_its_run_alike_in_every_process():
    """The order of a set of texts differs from process to process."""
    assert digest([frozenset("abc")]) == digest([sorted(map(repr, "abc"))])


def test_on_lambda_a_repeated_invocation_goes_on_where_it_was():
    chain = Chain("c", STEPS, timeout_strategy="checkpoint", store=Store())

    def invoke(context):
        return world_at(environ=ENVIRON).run(ChainRunner(chain).flow(context, {"x": 1}))

    with pytest.raises(ProviderServerError):
        invoke(broken_at("C"))
    again = Invocation()
    assert (invoke(again).output, again.asked_for) == ("<C <B <A 1>>>", ["C <B <A 1>>"])
    assert invoke(again).steps["a"].status == "done", "a second run of the same invocation is another run"
    other = Invocation(request_id="r-2")
    assert invoke(other).steps["a"].status == "done"


def test_elsewhere_every_run_is_its_own_whatever_the_request_id():
    chain = Chain("c", STEPS, timeout_strategy="checkpoint", store=Store())
    ids = {world_at().run(ChainRunner(chain).flow(Invocation(), {"x": 1})).checkpoint_id for _ in range(3)}
    assert len(ids) == 3


def test_without_a_store_checkpoints_are_in_memory_where_it_is_not_lambda():
    chain = Chain("c", STEPS, timeout_strategy="checkpoint")
    result = chain.run(Invocation(seconds=0), x=1)
    assert chain.resume(Invocation(seconds=0), result.checkpoint_id).outputs == result.outputs
    assert Chain("c", STEPS).run(Invocation(seconds=0), x=1).checkpoint_id is None


def test_a_condition_that_held_is_not_asked_again():
    asked = []

    def once(**_):
        asked.append(1)
        return len(asked) == 1

    inner = [Step("one", "1"), Step("two", "C 2")]
    chain = Chain("c", [
        Map(Step("m", "{item}"), over=[1], condition=once), Step("in", chain=Chain("i", inner), condition=lambda: True),
    ], store=Store())  # fmt: skip
    fails(chain)
    result = world_at().run(ChainRunner(chain).resuming(Invocation(), "run"))
    assert (len(asked), result.outputs["m"], result.output) == (1, ["<1>"], "<C 2>")


def test_a_function_has_the_same_key_each_time_it_is_tried_in_a_run():
    keys = []

    def send(idempotency_key):
        keys.append(idempotency_key)
        if len(keys) == 1:
            raise OSError

    chain = Chain("c", [Map(Step("send", func=send), over=[1], concurrency=1)], store=Store())
    with pytest.raises(OSError):
        world_at().run(begin(chain))
    world_at().run(begin(chain))
    world_at().run(begin(chain, id="other"))
    assert keys == ["run:send/0", "run:send/0", "other:send/0"]
