"""What `lambdallm dev` prints, told lines and facts by hand."""

import io
import json

import pytest

from lambdallm.cli.dev_log import HOLD_SECONDS, Facts, Said, Terminal, read_line, summary


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def out():
    return io.StringIO()


@pytest.fixture
def terminal(out, clock):
    return Terminal(out, clock=clock)


class TestLines:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("plain words", Said("plain words")),
            ("[INFO]\t2026-11-21T10:00:00.123Z\t8f6a4f0e-0000-4000-8000-0123456789ab\thello", Said("hello", "INFO")),
            ("[WARNING]\t2026-11-21T10:00:00.123Z\t\tno id", Said("no id", "WARNING")),
            ("[Ten]: not a level", Said("[Ten]: not a level")),
            ("one\rtwo", Said("one\ntwo")),
            ('{"a": 1}', Said('{"a": 1}')),
            ("{not json}", Said("{not json}")),
            ('{"level": "WARN", "message": "careful"}', Said("careful", "WARNING")),
            (
                '{"timestamp": "2026-11-21T10:00:00Z", "level": "INFO", "message": "sold", "requestId": "x", "n": 3}',
                Said("sold  n=3", "INFO"),
            ),
            ('{"level": "ERROR", "message": {"a": 1}}', Said('{"a": 1}', "ERROR")),
        ],
    )
    def test_are_read_whatever_their_format(self, text, said):
        assert read_line(text) == said

    def test_a_records_stack_trace_follows_it(self):
        record = {"level": "ERROR", "message": "failed", "stackTrace": ['  File "app.py", line 1\n', "    boom()\n"]}
        assert read_line(json.dumps(record)) == Said('failed\n  File "app.py", line 1\n    boom()', "ERROR")


class TestSummary:
    def test_says_what_lambdas_report_would(self):
        facts = Facts("GET /", 200, 12.4, calls=1, tokens_in=2, tokens_out=3, cost_usd=0.00012, first_byte_ms=3.2)
        assert summary(facts) == "GET /  200  12 ms · 2 in + 3 out tokens · $0.00012 · first byte 3 ms"

    def test_names_what_is_unknown_and_what_failed(self):
        facts = Facts("GET /", 502, 12_000.0, calls=1, tokens_in=None, cost_usd=None, init_ms=50.0, error="KeyError")
        assert summary(facts) == "GET /  502  12.0 s · tokens unknown · cost unknown · cold start 50 ms · KeyError"


class TestAnInvocation:
    def test_has_its_lines_below_it(self, terminal, out):
        terminal.begun("1", "GET /")
        terminal.line("first", "app", "1")
        terminal.line("[WARNING]\t2026-11-21T10:00:00.123Z\t\tsecond", "app", "1")
        assert out.getvalue() == ""
        terminal.ended(Facts("GET /", 200, 5, "1"))
        assert out.getvalue() == "GET /  200  5 ms\n  first\n  WARNING second\n"

    def test_that_takes_long_shows_its_lines_as_they_come(self, terminal, out, clock):
        terminal.begun("1", "GET /")
        terminal.line("first", "app", "1")
        terminal.tick()
        assert out.getvalue() == ""
        clock.now = HOLD_SECONDS
        terminal.tick()
        assert out.getvalue() == "GET /  running\n  first\n"
        terminal.line("second", "app", "1")
        terminal.ended(Facts("GET /", 200, 700, "1"))
        assert out.getvalue() == "GET /  running\n  first\n  second\nGET /  200  700 ms\n"

    def test_keeps_its_lines_apart_from_those_of_another(self, terminal, out):
        for number in "12":
            terminal.begun(number, f"GET /{number}")
        terminal.line("of one", "app", "1")
        terminal.line("of two", "app", "2")
        terminal.ended(Facts("GET /2", 200, 5, "2"))
        terminal.ended(Facts("GET /1", 200, 5, "1"))
        assert out.getvalue() == "GET /2  200  5 ms\n  of two\nGET /1  200  5 ms\n  of one\n"

    def test_whose_lines_come_before_it_is_known_has_them_all(self, terminal, out):
        terminal.line("early", "app", "1")
        terminal.begun("1", "GET /")
        terminal.ended(Facts("GET /", 200, 5, "1"))
        assert out.getvalue() == "GET /  200  5 ms\n  early\n"

    def test_that_failed_shows_the_authors_lines_and_the_error(self, terminal, out):
        failure = {"said": "KeyError: 'a'", "frames": 'Traceback of your code:\n  File "app.py", line 3'}
        terminal.ended(Facts("GET /", 500, 5, "1", error="KeyError", failure=failure))
        assert out.getvalue().splitlines() == [
            "GET /  500  5 ms · KeyError",
            "  Traceback of your code:",
            '    File "app.py", line 3',
            "  error: KeyError: 'a'",
        ]


class TestLinesOfNobody:
    def test_before_the_first_invocation_are_shown_at_once(self, terminal, out):
        terminal.line("importing", "app", "")
        assert out.getvalue() == "  importing\n"

    def test_of_what_nobody_is_told_of_are_shown_after_a_moment(self, terminal, out, clock):
        terminal.line("warming", "app", "9")
        clock.now = HOLD_SECONDS
        terminal.tick()
        assert out.getvalue() == "  warming\n"


class TestForMachines:
    def test_each_line_is_an_object(self, out):
        terminal = Terminal(out, as_json=True)
        terminal.say("app.py changed", "cyan", event="changed", files=["app.py"])
        terminal.line("hello", "app", "1")
        terminal.ended(Facts("GET /", 200, 5, "1"))
        records = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [record["event"] for record in records] == ["changed", "log", "invocation"]
        assert (records[1]["message"], records[1]["level"], records[1]["request_id"]) == ("hello", "INFO", "1")
        assert (records[2]["status"], records[2]["what"]) == (200, "GET /")
        assert "\x1b" not in out.getvalue()
