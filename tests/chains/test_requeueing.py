"""A function that has itself invoked anew when its time runs out, until the chain is done."""

import json
import os
from contextlib import closing

import pytest

import servers
from chain_play import ENVIRON, Invocation
from lambdallm.chains import Chain, ChainRunner, LambdaRequeue, SqsRequeue, Step
from lambdallm.llm.drivers import Driver
from lambdallm.llm.errors import ConfigurationError, DeadlineExceededError
from lambdallm.llm.flow import Clock, Perform
from lambdallm.llm.services import ServiceError
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing.world import World

STEPS = [Step(name, name.upper()) for name in "abcdef"]


class Kept:
    """A queue that keeps what it was given."""

    def __init__(self):
        self.payloads = []

    def requeue(self, payload):
        yield Perform(lambda: self.payloads.append(payload))


def invocations(chain, queue, event, *, seconds=4.0, most=10):
    """Results of a function that is invoked for an event, and then for whatever it sent itself."""
    results, asked = [], []
    events, start = [event], 0.0
    while events and len(results) < most:
        world = World(lambda _: None, ENVIRON)
        world.clock = Clock(1_000.0 + start, 1_700_000_000.0 + start)
        context = Invocation(
            seconds=seconds, left=14, clock=lambda w=world: w.clock, event=events.pop(), request_id=f"r-{len(results)}"
        )
        results.append(world.run(ChainRunner(chain).flow(context, {})))
        asked += context.asked_for
        events, queue.payloads = queue.payloads, []
        start += 15
    return results, asked


def chain_with(queue, **options):
    return Chain("c", STEPS, on_timeout="requeue", requeue=queue, store=MemoryStateStore(), **options)


def test_the_same_event_comes_back_and_the_chain_goes_on_where_it_was():
    queue = Kept()
    results, asked = invocations(chain_with(queue), queue, {"text": "T"})
    assert [result.status for result in results] == ["requeued", "requeued", "completed"]
    assert asked == ["A", "B", "C", "C", "D", "E", "E", "F"], "the step that time ended is tried again"
    assert results[-1].outputs == {name: f"<{name.upper()}>" for name in "abcdef"}
    assert {result.checkpoint_id for result in results} == {results[0].checkpoint_id}


def test_the_event_says_which_invocation_began_the_work():
    queue = Kept()
    world = World(lambda _: None, ENVIRON)
    context = Invocation(seconds=4, left=10, clock=lambda: world.clock, event={"text": "T"}, request_id="first")
    world.run(ChainRunner(chain_with(queue)).flow(context, {}))
    assert queue.payloads == [{"text": "T", "lambdallm_resume": "first"}]


def test_messages_of_a_queue_come_back_as_messages():
    queue = Kept()
    seen = []

    class Wrapping(Kept):
        def requeue(self, payload):
            seen.append(payload)
            yield from queue.requeue({"Records": [{"eventSource": "aws:sqs", "body": json.dumps(payload)}]})

    event = {"Records": [{"eventSource": "aws:sqs", "body": '{"text": "T"}'}]}
    results, _ = invocations(chain_with(Wrapping()), queue, event)
    assert [result.status for result in results] == ["requeued", "requeued", "completed"]
    assert seen[0] == {"text": "T", "lambdallm_resume": "r-0"}


def test_a_requeue_that_fails_tells_what_was_done():
    class Broken:
        def requeue(self, payload):
            raise ServiceError("no permission")

    with pytest.raises(ServiceError, match="no permission") as error:
        invocations(chain_with(Broken()), Kept(), {"text": "T"})
    assert error.value.chain_result.outputs == {"a": "<A>", "b": "<B>"}


def test_a_run_that_finishes_no_step_in_a_whole_invocation_is_not_requeued_for_ever():
    queue = Kept()
    with pytest.raises(DeadlineExceededError, match="has finished no step in a whole invocation, and is not requeued"):
        invocations(chain_with(queue), queue, {}, seconds=20)


@pytest.mark.parametrize("event", ["text", ["x"], {"Records": [{"body": "no json"}]}, {"Records": [{"body": "[]"}]}])
def test_an_event_that_can_not_carry_the_id_is_refused(event):
    queue = Kept()
    with pytest.raises(ConfigurationError, match="can't be requeued"):
        invocations(chain_with(queue), queue, event)


@pytest.fixture
def aws(ministack, monkeypatch):
    for name, value in {**servers.AWS, "AWS_ENDPOINT_URL": ministack}.items():
        monkeypatch.setenv(name, value)
    return ministack


def test_a_queue_of_aws_carries_it(aws):
    import boto3

    driver, sqs = Driver(), boto3.client("sqs", endpoint_url=aws, region_name="us-east-1")
    with closing(driver), closing(sqs):
        check_queues(driver.run, sqs, aws)


def check_queues(run, sqs, aws):
    url = sqs.create_queue(QueueName=f"chains-{os.getpid()}")["QueueUrl"]
    run(SqsRequeue(url, endpoint=aws).requeue({"text": "ä", "lambdallm_resume": "r"}))
    (message,) = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(message["Body"]) == {"text": "ä", "lambdallm_resume": "r"}

    url = sqs.create_queue(QueueName=f"chains-{os.getpid()}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    run(SqsRequeue(url, endpoint=aws, delay_seconds=9).requeue({"lambdallm_resume": "r"}))
    assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]


def test_a_function_invokes_itself_without_waiting(aws):
    """What goes over the wire: the emulator runs the function, which is found by the name in the environment."""
    from lambdallm.llm.flow import Send
    from lambdallm.transport.types import HttpResponse

    world = World(lambda effect: HttpResponse(202, (("x-amzn-requestid", "r"),)), {**os.environ, **ENVIRON})
    world.run(LambdaRequeue().requeue({"text": "T", "lambdallm_resume": "r"}))
    (sent,) = world.of(Send)
    assert sent.request.url.endswith("/2015-03-31/functions/reports/invocations")
    assert json.loads(sent.request.body) == {"text": "T", "lambdallm_resume": "r"}
    assert ("X-Amz-Invocation-Type", "Event") in sent.request.headers


def test_a_function_that_does_not_know_its_name_says_so():
    with pytest.raises(ConfigurationError, match=r"The function to be invoked anew is not known\. Name it"):
        World(lambda _: None).run(LambdaRequeue().requeue({}))
