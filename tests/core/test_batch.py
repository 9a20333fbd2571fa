"""A function for each record of a batch: what failed comes again, alone where order does not count."""

import pytest

from events import event
from handler_kinds import KINDS, made
from lambdallm.core.exceptions import ProviderServerError
from lambdallm.runtime import EventError
from lambdallm.testing import MockLambdaContext, mock_model

pytestmark = pytest.mark.parametrize("kind", KINDS)


def processing(kind, failing=(), seen=None, **settings):
    @made(kind, **settings)
    async def function(event, context):
        def each(record):
            seen.append(record.id)
            if record.id in failing:
                raise ProviderServerError("down")

        return await context.aeach_record(each)

    return function


def failures(response):
    return [each["itemIdentifier"] for each in response["batchItemFailures"]]


@pytest.mark.parametrize(
    ("name", "failing", "done", "again"),
    [
        ("sqs", (), ["m-1", "m-2", "m-3"], []),
        ("sqs", ("m-2",), ["m-1", "m-2", "m-3"], ["m-2"]),
        ("sqs_fifo", ("m-1",), ["m-1", "m-2", "m-4"], ["m-1", "m-3", "m-5"]),
        ("sqs_fifo", ("m-3", "m-2"), ["m-1", "m-2", "m-3"], ["m-2", "m-3", "m-4", "m-5"]),
        ("kinesis", ("12",), ["11", "12"], ["12"]),
    ],
)
def test_what_failed_is_named(kind, name, failing, done, again, caplog):
    seen = []
    assert failures(processing(kind, failing, seen)(event(name), None)) == again
    assert seen == done
    assert ("failed: down" in caplog.text) == bool(failing)


def test_what_no_time_is_left_for_is_not_begun(kind):
    seen = []
    late = MockLambdaContext(remaining_time_ms=4_000)
    assert failures(processing(kind, (), seen)(event("sqs"), late)) == ["m-1", "m-2", "m-3"]
    assert seen == []


def test_sources_without_partial_failures_get_the_error(kind):
    seen = []
    with pytest.raises(ProviderServerError):
        processing(kind, ("s-1",), seen)(event("sns"), None)


def test_events_without_records_are_a_mistake(kind):
    with pytest.raises(EventError, match="no records"):
        processing(kind, (), [])({"a": 1}, None)


def test_each_record_may_ask_a_model(kind):
    @made(kind)
    async def function(event, context):
        if kind == "def":
            return await context.aeach_record(lambda record: context.blocking.invoke("{text}", text=record.text))

        async def each(record):
            await context.ainvoke("{text}", text=record.text)

        return await context.aeach_record(each)

    with mock_model(["ok"]) as model:
        assert failures(function(event("sqs"), None)) == []
    assert [call.prompt for call in model.calls] == ['{"text": "one"}', "two", "three"]


def test_an_error_keeps_its_cause(kind, caplog):
    @made(kind)
    async def function(event, context):
        def each(record):
            raise ValueError("outer") from KeyError("inner")

        return await context.aeach_record(each)

    function(event("sqs"), None)
    assert caplog.records[0].exc_info[1].__cause__.args == ("inner",)
