"""What functions and conditions are given: what their parameters ask for by name."""

import functools

import pytest

from chain_play import Invocation
from lambdallm.chains import Chain, Step
from lambdallm.chains.calling import call, function_name, parameters
from lambdallm.chains.references import Scope
from lambdallm.llm.errors import ConfigurationError, ExtractionValidationError

SCOPE = Scope({"text": "T", "tone": "mild"}, {"draft": "D"}, {})
GIVEN = {"context": lambda: "the context", "idempotency_key": lambda: "key"}


class Callable:
    def __call__(self, draft):
        return draft

    def method(self, draft, tone="wild"):
        return (draft, tone)

    @classmethod
    def of_class(cls, draft):
        return draft


def wrapped(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(*args, **kwargs)

    return inner


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (lambda draft: draft, "D"),
        (lambda text, draft: (text, draft), ("T", "D")),
        (lambda text, *, draft: (text, draft), ("T", "D")),
        (lambda draft, other="x": (draft, other), ("D", "x")),
        (lambda tone="wild": tone, "mild"),
        (lambda inputs: inputs, {"text": "T", "tone": "mild"}),
        (lambda outputs: outputs, {"draft": "D"}),
        (lambda values: values["draft.output"], "D"),
        (lambda whatever: (whatever["text"], whatever["draft"]), ("T", "D")),
        (lambda whatever, more=1: (whatever["draft"], more), ("D", 1)),
        (lambda context, idempotency_key: (context, idempotency_key), ("the context", "key")),
        (lambda **all: all, {"text": "T", "tone": "mild", "draft": "D"}),
        (lambda draft, **rest: (draft, rest), ("D", {"text": "T", "tone": "mild"})),
        (lambda draft, /, tone: (draft, tone), ("D", "mild")),
        (lambda *args: args, ()),
        (lambda: 1, 1),
        (len, 3),
        (functools.partial(lambda a, draft: (a, draft), "a"), ("a", "D")),
        (Callable(), "D"),
        (Callable().method, ("D", "mild")),
        (Callable.of_class, "D"),
        (wrapped(lambda draft: draft), "D"),
    ],
)
def test_a_function_is_given_what_its_parameters_name(function, given):
    assert call(function, SCOPE, GIVEN, "Step 'a'")() == given


def test_a_parameter_of_which_nothing_is_known_is_named_with_the_nearest():
    with pytest.raises(
        ConfigurationError, match=r"Step 'a' asks for 'drft', which nothing is known of\. Did you mean 'draft'"
    ):
        call(lambda drft, text: 0, SCOPE, GIVEN, "Step 'a'")


def test_a_plain_functions_parameters_are_read_as_inspect_reads_them():
    from lambdallm.chains.calling import _inspected

    for function in (lambda a, /, b, c=1, *d, e, f=2, **g: 0, lambda: 0, lambda a=1, *, b=2: 0, Callable().method):
        assert parameters(function) == _inspected(function)


def test_functions_have_names_that_other_processes_know():
    assert function_name(len) == "builtins.len"
    assert function_name(wrapped) == f"{__name__}.wrapped"
    assert function_name(functools.partial(wrapped, 1)) == f"{__name__}.wrapped"
    assert function_name(Callable()) == f"{__name__}.Callable"


def test_a_functions_inputs_are_bound_by_the_step():
    chain = Chain("c", [
        Step("a", func=lambda: {"n": 2}),
        Step("b", func=lambda x, y, z: (x, y, z), inputs={"x": "{a.n}", "y": "{a.n} {text}", "z": 7}),
    ])  # fmt: skip
    assert chain.run(Invocation(), text="T").output == (2, "2 T", 7)


def test_what_a_function_gives_is_checked_where_the_step_has_a_shape():
    chain = Chain("c", [Step("a", func=lambda text: {"n": text}, output_schema={"n": int})])
    assert chain.run(Invocation(), text=1).output == {"n": 1}
    with pytest.raises(ExtractionValidationError, match="expected integer"):
        chain.run(Invocation(), text="x")


def test_a_function_is_called_again_for_each_of_its_retries():
    calls = []

    def flaky(idempotency_key):
        calls.append(idempotency_key)
        if len(calls) < 3:
            raise OSError("down")
        return "up"

    from lambdallm.chains import ChainRunner
    from lambdallm.testing.world import World

    chain = Chain("c", [Step("a", func=flaky, max_retries=2)])
    world = World(lambda _: None)
    result = world.run(ChainRunner(chain).flow(Invocation(), {}))
    assert (result.output, result.steps["a"].attempts, len(set(calls))) == ("up", 3, 1)
    assert result.duration_ms == pytest.approx(3100)

    calls.clear()
    with pytest.raises(OSError, match="down"):
        world.run(ChainRunner(Chain("c", [Step("a", func=flaky, max_retries=1)])).flow(Invocation(), {}))
    assert len(calls) == 2
