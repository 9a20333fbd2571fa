"""A session is loaded once in an invocation, whoever wants it and however often."""

import pytest

from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.handler import HandlerSettings
from lambdallm.llm.flow import Await, Perform


def test_a_session_is_loaded_once_for_threads_that_want_it_at_once():
    class Loads:
        opened, loads = (lambda self, event, context: self), 0

        def loading(self):
            self.loads += 1
            yield Perform(lambda: None)

    session = Loads()
    context = LambdaLLMContext(HandlerSettings(session=session))
    first, second = context.opened_session(), context.opened_session()
    assert type(first.send(None)) is Perform
    waits = second.send(None)
    assert type(waits) is Await
    for flow in (first, second):
        with pytest.raises(StopIteration) as end:
            flow.send(None)
        assert end.value.value is session
    assert (session.loads, [signal.fired for signal in waits.signals]) == (1, [True])


def test_a_session_that_could_not_be_loaded_is_loaded_by_the_next_use():
    class Fails:
        opened, answers = (lambda self, event, context: self), [OSError("down"), None]

        def loading(self):
            if (error := self.answers.pop(0)) is not None:
                raise error
            yield from ()

    context = LambdaLLMContext(HandlerSettings(session=Fails()))
    with pytest.raises(OSError, match="down"):
        _ = context.session
    assert context.session.answers == []
