"""The loop in this process: what it tells whoever watches it, and where it ends."""

import os
from contextlib import closing, contextmanager

import pytest

from lambdallm.runtime import Head, LambdaContext, ResponseStream, RuntimeApiError, RuntimeClient, logs, run
from runtime_api import runtime_api


@pytest.fixture(autouse=True)
def _log_of_its_own(monkeypatch):
    monkeypatch.setattr(logs, "current", logs.Current())


class Watched(LambdaContext):
    """A context that a tool has made its own."""

    watched = True


class Stream(ResponseStream):
    head, content_type = None, "text/plain"

    def __init__(self, *pieces):
        self._pieces = iter(pieces)

    def close(self):
        self._pieces = iter(())


@contextmanager
def serving():
    with runtime_api() as api, closing(RuntimeClient(api.address)) as client:
        yield api, client


def watched(function, *events, **options):
    """What `after` is told of events, each with its context, and the API with what it heard."""
    seen = []
    with serving() as (api, client):
        for event in events:
            api.invoke(event)

        def after(invocation, context, outcome):
            assert api.wait_for(f"{invocation.id}/response" if not outcome.fault or outcome.streamed else "/error")
            seen.append((invocation.id, context, outcome))
            if len(seen) == len(events):
                api.end()

        with pytest.raises(RuntimeApiError):
            run(client, lambda: function, context_type=Watched, after=after, **options)
    return seen, api


def test_whoever_watches_hears_of_each_invocation_when_it_is_answered():
    def function(event, context):
        assert context.watched
        if event == "raise":
            raise ValueError("no")
        return Stream(b"ab", b"c") if event == "stream" else event

    seen, api = watched(function, "value", "raise", "stream")
    (_, context, value), (_, _, raised), (_, _, streamed) = seen
    assert (context.aws_request_id, value.bytes_sent, value.fault) == ("request-1", len('"value"'), None)
    assert (raised.fault.type, str(raised.error)) == ("ValueError", "no")
    assert (streamed.streamed, streamed.bytes_sent) == (True, 3)
    ends = [request.path.rpartition("/")[2] for request in api.requests]
    assert ends[:6] == ["next", "response", "next", "error", "next", "response"]


@pytest.mark.parametrize("status", [410, 413])
def test_an_answer_that_is_too_large_or_too_late_does_not_end_the_environment(status, capsys):
    def function(event, context):
        if event == "raise":
            raise ValueError("no")
        return Stream(b"ab") if event == "stream" else event

    said = status, b"not now"
    seen = []
    with serving() as (api, client):
        api.replies["response"] = api.replies["error"] = said
        for each in ("value", "raise", "stream"):
            api.invoke(each)
        api.replies["next"] = lambda request: (500, {}, b"") if len(seen) == 3 else None
        with pytest.raises(RuntimeApiError, match="500"):
            run(client, lambda: function, after=lambda invocation, context, outcome: seen.append(outcome))
    assert [outcome.fault.type if outcome.fault else str(outcome.error)[:28] for outcome in seen] == [
        f"The Runtime API answered {status}", "ValueError", f"The Runtime API answered {status}",
    ]  # fmt: skip


def test_a_head_that_is_no_json_is_the_callers_error():
    stream = Stream(b"x")
    stream.head = Head(headers={"X-Odd": object()})
    seen, api = watched(lambda event, context: stream if event == "odd" else event, "odd", "fine")
    assert [outcome.fault and outcome.fault.type for _, _, outcome in seen] == ["Runtime.MarshalError", None]
    assert api.requests[1].path.endswith("/request-1/error")


def test_what_can_be_awaited_piece_by_piece_need_not_be_a_generator():
    class Few:
        def __aiter__(self):
            self._left = ["a", "b"]
            return self

        async def __anext__(self):
            if not self._left:
                raise StopAsyncIteration
            return self._left.pop(0)

    _, api = watched(lambda event, context: Few(), "x")
    assert api.requests[1].json() == "ab"


def test_an_event_that_can_not_be_read_has_a_context_and_no_call():
    calls = []
    seen, _ = watched(lambda event, context: calls.append(event), b"{")
    assert seen[0][1].aws_request_id == "request-1"
    assert seen[0][2].fault.type == "Runtime.UnmarshalError"
    assert calls == []


def test_what_is_ready_comes_between_the_loading_and_the_first_invocation():
    order = []

    def function(event, context):
        order.append("invocation")

    watched(function, {}, ready=lambda: order.append("ready"))
    assert order == ["ready", "invocation"]


def test_a_function_that_can_not_be_loaded_is_told_and_ends_the_process(capsys):
    def load():
        raise OSError("no disk")

    with serving() as (api, client), pytest.raises(SystemExit) as ended:
        run(client, load)
    assert ended.value.code == 1
    assert api.requests[0].path.endswith("/init/error")
    assert "[ERROR] OSError: no disk" in capsys.readouterr().out


def test_what_an_invocation_held_is_free_while_the_next_is_waited_for():
    import weakref

    class Held: ...

    holds = []

    def function(event, context):
        context.held = Held()
        holds.append(weakref.ref(context.held))

    with serving() as (api, client):
        api.invoke({})
        api.replies["next"] = lambda request: (500, {}, b"") if not _alive(holds) else None
        with pytest.raises(RuntimeApiError, match="500"):
            run(client, lambda: function)
    assert len(holds) == 1


def _alive(holds):
    return not holds or holds[0]() is not None


def test_the_process_knows_whose_invocation_it_serves(monkeypatch):
    seen = []
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=old")

    def function(event, context):
        seen.append((logs.current.request_id, logs.current.tenant_id, os.environ.get("_X_AMZN_TRACE_ID")))

    with serving() as (api, client):
        api.invoke({}, trace_id="Root=1", aws_tenant_id="blue")
        api.invoke({})
        api.replies["next"] = lambda request: (500, {}, b"") if len(seen) == 2 else None
        with pytest.raises(RuntimeApiError):
            run(client, lambda: function)
    assert seen == [("request-1", "blue", "Root=1"), ("request-2", None, None)]
