"""The order of an invocation's layers, by the rules that `middleware.base` states."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.middleware import FlowMiddleware, Middleware, ShortCircuit

from .worlds import Place


class Recorder(Middleware):
    """Says what it hears; `raises` and `answers` are by the moment's name."""

    def __init__(self, name, log, raises=None, answers=None):
        self.name, self.log = name, log
        self.raises, self.answers = raises or {}, answers or {}

    def _moment(self, moment, about):
        self.log.append(f"{self.name} {moment} {about}")
        if moment in self.raises:
            raise self.raises[moment]
        return self.answers.get(moment)

    def before_invoke(self, event, context):
        return self._moment("before", event)

    def after_invoke(self, event, result, context):
        return self._moment("after", result)

    def on_error(self, event, error, context):
        return self._moment("error", type(error).__name__)


def run(place, *layers, log, function=None):
    def own(event, context):
        log.append(f"function {event}")
        return "result"

    return place.invoke(layers, function or own, "event")


def fails(event, context):
    raise KeyError("x")


def test_before_in_order_and_after_in_reverse(place):
    log = []
    assert run(place, Recorder("a", log), Recorder("b", log), log=log) == "result"
    assert log == ["a before event", "b before event", "function event", "b after result", "a after result"]


def test_what_is_returned_goes_on(place):
    log = []
    outer = Recorder("a", log, answers={"before": "changed", "after": "last"})
    inner = Recorder("b", log, answers={"after": "first"})
    assert run(place, outer, inner, log=log) == "last"
    assert log == ["a before event", "b before changed", "function changed", "b after result", "a after first"]


def test_an_error_reaches_each_layer_from_inside_out(place):
    log = []
    with pytest.raises(KeyError):
        run(place, Recorder("a", log), Recorder("b", log), log=log, function=fails)
    assert log[2:] == ["b error KeyError", "a error KeyError"]


def test_an_answered_error_is_a_result_for_the_layers_outside(place):
    log = []
    inner = Recorder("b", log, answers={"error": "sorry"})
    assert run(place, Recorder("a", log), inner, log=log, function=fails) == "sorry"
    assert log[2:] == ["b error KeyError", "a after sorry"]


@pytest.mark.parametrize("nothing", ["", 0, {}, False])
def test_a_result_may_be_empty(place, nothing):
    log = []
    assert run(place, Recorder("a", log, answers={"after": nothing}), log=log) == nothing
    assert run(place, Recorder("a", log, answers={"error": nothing}), log=log, function=fails) == nothing
    assert run(place, Recorder("a", log, raises={"before": ShortCircuit(nothing)}), log=log) == nothing


def test_a_short_circuit_answers_in_the_functions_place(place):
    log = []
    inner = Recorder("b", log, raises={"before": ShortCircuit("cached")})
    assert run(place, Recorder("a", log), inner, Recorder("c", log), log=log) == "cached"
    assert log == ["a before event", "b before event", "a after cached"]


def test_a_layer_that_raises_before_is_not_called_again(place):
    log = []
    inner = Recorder("b", log, raises={"before": ValueError("no")})
    with pytest.raises(ValueError, match="no"):
        run(place, Recorder("a", log), inner, log=log)
    assert log == ["a before event", "b before event", "a error ValueError"]


def test_an_error_raised_after_the_function_goes_on_as_an_error(place):
    log = []
    inner = Recorder("b", log, raises={"after": ValueError("bad result")})
    with pytest.raises(ValueError, match="bad result"):
        run(place, Recorder("a", log), inner, log=log)
    assert log[3:] == ["b after result", "a error ValueError"]


def test_an_error_raised_over_an_error_goes_on_in_its_place_and_remembers_it(place):
    log = []
    inner = Recorder("b", log, raises={"error": ValueError("mapped")})
    with pytest.raises(ValueError, match="mapped") as caught:
        run(place, Recorder("a", log), inner, log=log, function=fails)
    assert log[2:] == ["b error KeyError", "a error ValueError"]
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_error_raised_again_is_the_same(place):
    class Raises(Middleware):
        def on_error(self, event, error, context):
            raise error

    with pytest.raises(KeyError) as caught:
        run(place, Raises(), log=[], function=fails)
    assert caught.value.__cause__ is None


def test_the_end_of_an_iteration_is_an_error_like_any_other(place):
    def function(event, context):
        raise StopIteration("inside")

    log = []
    with pytest.raises(RuntimeError if place.awaiting else (StopIteration, RuntimeError)):
        run(place, Recorder("a", log), log=log, function=function)
    assert len(log) == 2


def test_cancellation_is_told_to_nobody(place):
    def function(event, context):
        raise KeyboardInterrupt

    log = []
    with pytest.raises(KeyboardInterrupt):
        run(place, Recorder("a", log), log=log, function=function)
    assert log == ["a before event"]


moments = st.sampled_from(["before", "after", "error"])
behaviour = st.fixed_dictionaries(
    {}, optional={moment: st.sampled_from(["raise", "short", "answer"]) for moment in ("before", "after", "error")}
)


@settings(max_examples=200)
@given(layers=st.lists(behaviour, max_size=4), broken=st.booleans())
def test_each_layer_that_was_entered_hears_of_the_end_once(layers, broken):
    log = []

    def layer(name, behaves):
        errors = {"raise": ValueError("broken"), "short": ShortCircuit("short")}
        raises = {moment: errors[how] for moment, how in behaves.items() if how in errors}
        return Recorder(name, log, raises, {moment: moment for moment, how in behaves.items() if how == "answer"})

    recorders = [layer(str(number), behaves) for number, behaves in enumerate(layers)]
    with suppress(ValueError, KeyError):
        Place(False).invoke(recorders, fails if broken else lambda event, context: "result", "event")
    began = [line.split()[0] for line in log if " before " in line]
    ended = [line.split()[0] for line in log if " before " not in line]
    entered = [name for name in began if layers[int(name)].get("before") not in ("raise", "short")]
    assert ended == entered[::-1]


class Counts(FlowMiddleware):
    """Its own state of an invocation, kept between its moments."""

    def beginning(self, event, context):
        yield from ()
        self.remember(context, event["n"])

    def ending(self, event, result, context):
        yield from ()
        return (result, self.recalled(context))


def test_flows_run_in_both_kinds_of_handlers(place):
    assert place.invoke([Counts()], lambda event, context: "result", {"n": 3}) == ("result", 3)


def test_two_of_a_kind_keep_apart_what_they_remember(place):
    result = place.invoke([Counts(), Counts()], lambda event, context: "result", {"n": 3})
    assert result == (("result", 3), 3)


def test_flow_middleware_does_nothing_unless_it_is_told(place):
    assert place.invoke([FlowMiddleware()], lambda event, context: event, "event") == "event"
    with pytest.raises(KeyError):
        place.invoke([FlowMiddleware()], fails, "event")
