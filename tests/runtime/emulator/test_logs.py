from lambdallm.runtime.emulator.job import Job
from lambdallm.runtime.emulator.journal import Journal
from lambdallm.runtime.emulator.logs import Line, Lines, tail


def test_bytes_are_cut_into_lines():
    lines = Lines()
    assert list(lines.feed(b"one\ntw")) == ["one"]
    assert list(lines.feed(b"o\r\n\nthr\xff")) == ["two", ""]
    assert list(lines.rest()) == ["thr\ufffd"]
    assert list(lines.rest()) == []


def test_a_line_without_an_end_is_cut():
    assert [len(line) for line in Lines().feed(b"x" * 600_000)] == [262_144, 262_144]


def test_a_tail_has_at_most_so_many_bytes():
    assert tail(["one", "two"], 100) == "one\ntwo\n"
    assert tail(["one", "two"], 6) == "e\ntwo\n"
    assert tail(["é" * 10], 4) == "é\n"


def test_a_line_is_text_that_knows_where_it_comes_from():
    line = Line("hello", "app", "id-1")
    assert line == "hello"
    assert (line.function, line.request_id, line.source) == ("app", "id-1", "function")


def test_lines_belong_to_the_invocation_that_runs_or_waits():
    heard = []
    journal, one = Journal("app", heard.append), Job(b"", arn="a", version="1", streams=False, log_tail_bytes=4096)
    journal.printed(b"early\n")
    journal.attach(one)
    journal.printed(b"loading\n")
    journal.begin(one, "1")
    journal.printed(b"working")
    journal.rest()
    journal.detach()
    journal.printed(b"idle\n")
    assert one.lines == ["early", "loading", f"START RequestId: {one.id} Version: 1", "working"]
    assert [line.request_id for line in heard] == ["", "", one.id, one.id, ""]
