"""Hundreds of invocations through one environment: nothing is kept, no line is lost, and every caller gets its own."""

import re

import pytest

from matrix import runners
from matrix.runners import AWS_CLIENT, OURS
from matrix.table import BY_CALL, comparable, expected

MIXED = (
    "answers.asked", "plain.raises", "streams.words", "plain.a_set", "answers.awaited", "streams.fails_midway",
    "streams.awaited_model", "plain.not_a_number", "failures.awaited_raises", "answers.chain", "plain.recursion",
)  # fmt: skip
"""Answers, errors, garbage, streams, and streams that fail mid-way: what an environment survives. The last one is left
out under AWS's client, whose memory settles only after some hundred stack traces of a thousand lines."""
EVENT_BYTES = 20_000
GROWN_BYTES = 1_500_000
"""Every third event of the second half would be more; the allocator alone moves by some hundred KB."""


def invoked(runner, number, call):
    """The answer to an invocation, which is the one in the table."""
    row = BY_CALL[call]
    wanted = expected(row, "direct", runner)
    padding = "x" * EVENT_BYTES
    seen = comparable(runner.ask("direct", "counted.work", then=call, n=number, padding=padding), wanted)
    assert seen == wanted, f"{call}, invocation {number}"


def process(runner):
    return runner.ask("direct", "counted.process").value


def memory_of(runner, count):
    """The processes that served, and their memory: half-way, when all has been met often enough, and at the end."""
    samples, calls = [], MIXED if runner.client is OURS else MIXED[:-1]
    for number in range(count):
        invoked(runner, number, calls[number % len(calls)])
        if number + 1 in (count // 2, count):
            samples.append(process(runner))
    return samples


def printed(lines):
    """The numbers that functions have printed, each with its request id."""
    found = (re.fullmatch(r"number (\d+) of (\S+)", line) for line in lines)
    return [(int(match[1]), match[2]) for match in found if match]


@pytest.mark.parametrize("client", [OURS, AWS_CLIENT], ids=["ours", "aws_client"])
def test_500_on_our_emulator(client):
    lines = []
    with runners.our_emulator(client, streams=True, heard=lines.append) as runner:
        early, late = memory_of(runner, 500)
    assert early["pid"] == late["pid"], "one environment"
    assert late["bytes"] - early["bytes"] < GROWN_BYTES
    numbers = printed(lines)
    assert [number for number, _ in numbers] == list(range(500)), "every line, once, in order"
    assert [id for _, id in numbers] == [line.request_id for line in lines if line.startswith("number ")]
    assert len({id for _, id in numbers}) == 500
    reports = [line for line in lines if line.startswith("REPORT RequestId: ")]
    assert len(reports) == 502
    assert sum("Init Duration" in line for line in reports) == 1


@pytest.mark.parametrize("client", [OURS, AWS_CLIENT], ids=["ours", "aws_client"])
def test_many_on_awss_emulator(client, tmp_path):
    with runners.aws_emulator(client, True, tmp_path) as runner:
        early, late = memory_of(runner, 250)
        lines = runner.log().splitlines()
    assert early["pid"] == late["pid"]
    assert late["bytes"] - early["bytes"] < GROWN_BYTES
    assert [number for number, _ in printed(lines)] == list(range(250))
    assert all(f"START RequestId: {id} Version: $LATEST" in lines for _, id in printed(lines))


FATAL = ("plain.exits", "plain.leaves", "plain.dies")


def test_what_ends_environments_loses_no_line_and_harms_nobody_else():
    """Between any two ends there are answers and errors; the environment of those is a new one each time."""
    lines, pids, number = [], [], 0
    with runners.our_emulator(OURS, streams=True, heard=lines.append, timeout=2.0) as runner:
        for fatal in (*FATAL, "plain.dies_midway", "plain.late", *FATAL, "plain.dies_midway"):
            for call in ("plain.number", "plain.raises", "plain.a_set", "plain.fails_midway", fatal):
                invoked(runner, number, call)
                number += 1
            pids.append(process(runner)["pid"])
    assert [n for n, _ in printed(lines)] == list(range(number))
    assert [id for _, id in printed(lines)] == [line.request_id for line in lines if line.startswith("number ")]
    assert len(set(pids)) == len(pids)
    assert sum("Task timed out after 2.00 seconds" in line for line in lines) == 1


@pytest.mark.parametrize("client", [OURS, AWS_CLIENT], ids=["ours", "aws_client"])
def test_the_same_on_awss_emulator(client, tmp_path):
    pids, number = [], 0
    with runners.aws_emulator(client, False, tmp_path) as runner:
        for fatal in FATAL * 2:
            for call in ("plain.number", "plain.raises", "plain.a_set", fatal):
                invoked(runner, number, call)
                number += 1
            pids.append(process(runner)["pid"])
        numbers = printed(runner.log().splitlines())
    assert [n for n, _ in numbers] == list(range(number))
    assert len(set(pids)) == len(pids)
