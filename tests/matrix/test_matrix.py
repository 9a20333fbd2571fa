"""The same functions in five places: whoever runs them and whatever asks, a caller sees the same."""

import pytest

from matrix import runners
from matrix.callers import HTTP, Reply, Value
from matrix.runners import AWS_CLIENT, OURS
from matrix.table import LATE, LOSSES, ROWS, STREAMING, TOO_SLOW, comparable, expected

PLACES = ["ours", "aws_client", "on_aws", "aws_client_on_aws", "cargo_lambda"]
WAYS = [f"{place}-{way}" for place in PLACES for way in ("buffered", "streaming")]
WAYS.remove("cargo_lambda-buffered")  # it reads whole answers of Rust's runtime alone


def running(way, folder, timeout=30):
    place, way = way.split("-")
    streams = way == "streaming"
    client = AWS_CLIENT if place.startswith("aws_client") else OURS
    if place == "cargo_lambda":
        return runners.under_cargo_lambda(folder)
    if place.endswith("on_aws"):
        return runners.aws_emulator(client, streams, folder, timeout)
    return runners.our_emulator(client, streams, timeout=float(timeout))


@pytest.fixture(scope="module", params=WAYS)
def runner(request, tmp_path_factory):
    with running(request.param, tmp_path_factory.mktemp("runner")) as found:
        yield found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.call)
def test_a_caller_sees_what_the_table_says(runner, row):
    for kind in runner.kinds:
        if kind in row.kinds and not left_out(runner, row):
            sees(runner, kind, row)


def left_out(runner, row):
    """cargo-lambda takes streams alone: what the framework answers to a function URL, or a generator."""
    return runner.takes_streams_alone and row.plain in ("value", "response", "coroutine")


def sees(runner, kind, row):
    wanted = expected(row, kind, runner)
    seen = comparable(runner.ask(kind, row.call), wanted)
    if not runner.shows_ends and isinstance(seen, Reply):
        seen = seen._replace(cut=False)
    assert seen == wanted, kind
    if row.streamed_direct and kind in HTTP and isinstance(wanted, Reply):
        assert runner.streamed == (runner.streams and kind in STREAMING), kind


def test_a_conversation_goes_on(runner):
    for session in ("one", "two"):
        for turn in (1, 2, 3):
            reply = runner.ask("url", "answers.talk", session=session * 10)
            assert comparable(reply, reply).body == {"answer": f"turn {turn}", "turns": turn}


@pytest.mark.parametrize("row", LOSSES, ids=lambda row: row.call)
def test_an_environment_that_is_lost_is_told_and_followed_by_another(runner, row):
    if runner.takes_streams_alone:
        pytest.skip("cargo-lambda does not start what has ended.")
    for kind in runner.kinds:
        # AWS's emulator shows nothing of a stream that does not end.
        sees(runner, kind, row if runner.is_whole else row._replace(streamed=None, streamed_direct=None))
        assert runner.ask("direct", "plain.number") == Value(7)


@pytest.fixture(scope="module", params=[way for way in WAYS if not way.startswith("cargo")])
def short(request, tmp_path_factory):
    """A function of two seconds, which has loaded what it needs. cargo-lambda knows no time limit."""
    with running(request.param, tmp_path_factory.mktemp("short"), timeout=2) as found:
        found.ask("direct", "streams.nothing")
        yield found


@pytest.mark.parametrize("kind", ["url", "direct"])
def test_what_is_too_slow_ends_in_time_with_what_there_is(short, kind):
    sees(short, kind, TOO_SLOW)
    assert short.ask("direct", "plain.number") == Value(7)


def test_what_is_late_is_ended_and_the_next_one_works(short):
    sees(short, "direct", LATE)
    assert short.ask("direct", "plain.number") == Value(7)
