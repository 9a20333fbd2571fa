"""Runs as they are kept, recorded and told: no server, no process."""

import json
import threading

import pytest

from lambdallm.cli.playground.feed import Feed, Hub, sse
from lambdallm.cli.playground.guard import name_of, refusal, stranger
from lambdallm.cli.playground.record import answered, happened, is_runtimes
from lambdallm.cli.playground.runs import Runs, short
from lambdallm.runtime.emulator.listener import HttpRequest
from lambdallm.runtime.emulator.report import Report
from server_events import events

PRELUDE = "application/vnd.awslambda.http-integration-response"
NULS = bytes(8)
REPORT = Report("id", 12.345, 13, 128)


def run(id, **more):
    return {"run": id, "calls": [], **more}


class TestRuns:
    def test_the_oldest_go_from_memory_and_disk(self, tmp_path):
        runs = Runs(str(tmp_path), kept=3)
        for _ in range(12):
            runs.add(run(runs.new_id()))
        assert [one["run"] for one in runs.newest_first()] == ["r12", "r11", "r10"]
        folder = tmp_path / ".lambdallm" / "dev" / "runs"
        assert sorted(path.name for path in folder.iterdir()) == ["r10.json", "r11.json", "r12.json"]
        assert (folder.parent / ".gitignore").read_text() == "*\n"

    def test_are_read_again_but_for_what_is_broken(self, tmp_path):
        before = Runs(str(tmp_path))
        for _ in range(3):
            before.add(run(before.new_id(), result="é"))
        folder = tmp_path / ".lambdallm" / "dev" / "runs"
        (folder / "r2.json").write_text("{")
        (folder / "r9.json").write_text('{"run": "r1"}')
        (folder / "other.json").write_text("{}")
        after = Runs(str(tmp_path))
        assert [one["run"] for one in after.newest_first()] == ["r3", "r1"]
        assert after.get("r3")["result"] == "é"
        assert after.new_id() == "r10"

    def test_a_folder_that_can_not_be_written_costs_the_disk_alone(self, tmp_path):
        (tmp_path / ".lambdallm").write_text("a file in the way")
        runs = Runs(str(tmp_path))
        runs.add(run("r1"))
        assert runs.get("r1") is not None

    def test_ids_differ_whoever_asks(self, tmp_path):
        runs, ids = Runs(str(tmp_path)), []
        threads = [threading.Thread(target=lambda: ids.append(runs.new_id())) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(ids)) == 20

    def test_are_their_owners_alone_and_keep_no_credentials(self, tmp_path):
        headers = {"Authorization": "Bearer t0p", "Cookie": "sid=t0p", "accept": "*/*"}
        event = {"headers": headers, "multiValueHeaders": {"X-Api-Key": ["t0p"]}, "cookies": ["sid=t0p"], "body": "b"}
        runs = Runs(str(tmp_path))
        runs.add(run("r1", event=event, headers={"Set-Cookie": "sid=t0p", "x-own": "1"}))
        folder = tmp_path / ".lambdallm" / "dev" / "runs"
        assert (folder.stat().st_mode & 0o777, (folder / "r1.json").stat().st_mode & 0o777) == (0o700, 0o600)
        text = (folder / "r1.json").read_text()
        assert "t0p" not in text
        assert json.loads(text)["event"]["headers"] == {
            "Authorization": "(not kept)", "Cookie": "(not kept)", "accept": "*/*"
        }  # fmt: skip
        assert runs.get("r1")["event"] == event, "it can be sent again while dev runs"

    def test_of_all_length_are_kept_up_to_a_limit(self, tmp_path):
        runs = Runs(str(tmp_path), most_bytes=250_000)
        for _ in range(5):
            runs.add(run(runs.new_id(), result="x" * 100_000, event=None, log=[{}]))
        assert [one["run"] for one in runs.newest_first()] == ["r5", "r4"]
        assert len(list((tmp_path / ".lambdallm" / "dev" / "runs").iterdir())) == 2
        (listed, _) = runs.newest_first()
        assert (listed["result"], listed["log"], listed["cut"]) == (None, [], True)
        assert len(runs.get("r5")["result"]) == 100_000
        after = Runs(str(tmp_path), most_bytes=150_000)
        assert [one["run"] for one in after.newest_first()] == ["r5"]
        after.add(run(after.new_id(), result="y" * 400_000))
        assert [one["run"] for one in after.newest_first()] == ["r6"], "the newest stays, however long"

    def test_short_ones_have_no_messages(self):
        told = short(run("r1", calls=[{"model": "m", "messages": [1], "answer": 2}]))
        assert told["calls"] == [{"model": "m", "answer": 2}]


class TestRecord:
    @pytest.mark.parametrize(
        ("chunks", "kind", "streamed", "status", "result"),
        [
            ([b'{"a": 1}'], "application/json", False, None, {"a": 1}),
            ([b"not json"], "application/json", False, None, "not json"),
            ([b'{"statusCode": 201, "body": "{\\"a\\": 1}"}'], "application/json", False, 201, {"a": 1}),
            ([b'{"statusCode": 200, "body": "text"}'], "application/json", False, 200, "text"),
            ([b'{"statusCode": "odd"}'], "application/json", False, None, {"statusCode": "odd"}),
            ([b"a", b"b"], "text/plain", True, None, "ab"),
            (
                [b'{"statusCode": 200, "headers": {"Content-Type": "text/plain"}}', NULS, b"a", b"1"],
                PRELUDE,
                True,
                200,
                "a1",
            ),
            ([b'{"statusCode": 200}', NULS, b'{"a": 1}'], PRELUDE, True, 200, {"a": 1}),
        ],
    )
    def test_an_answer_is_taken_apart(self, chunks, kind, streamed, status, result):
        told = answered(chunks, kind, streamed=streamed, failure=None)
        assert (told["status"], told["result"], told["error"]) == (status, result, None)

    def test_a_stream_that_failed_keeps_what_had_come(self):
        failure = {"error": {"errorType": "E"}, "status": 502}
        told = answered([b'{"statusCode": 200}', b"\0" * 8, b"part"], PRELUDE, streamed=True, failure=failure)
        assert (told["result"], told["status"], told["error"]) == ("part", 502, {"errorType": "E"})

    def test_of_very_many_lines_the_first_and_the_last_are_kept(self):
        log = happened(None, REPORT, [f"line {number}" for number in range(100_000)], None)["log"]
        assert [log[at]["line"] for at in (0, 999, 1001, -1)] == ["line 0", "line 999", "line 99000", "line 99999"]
        assert (len(log), log[1000]["line"].split()[1]) == (2001, "98,000")

    def test_without_a_trace_lambdas_own_times_are_told(self):
        told = happened(None, REPORT, [], 31.25)
        assert [(span["name"], span["begun_ms"], span["ended_ms"]) for span in told["spans"]] == [
            ("cold start", -31.25, 0.0), ("invocation", 0.0, 12.35),
        ]  # fmt: skip
        assert (told["report"]["init_ms"], told["report"]["billed_ms"], told["calls"]) == (31.25, 13, [])

    @pytest.mark.parametrize(
        ("line", "is_ours"),
        [
            ("[ERROR] KeyError: 'a'\rTraceback (most recent call last):\r  File", True),
            ("[ERROR]\t2026-11-21T10:00:00.000Z\tid\tmine", False),
            ('{"timestamp": "x", "level": "ERROR", "errorMessage": "m", "errorType": "E", "stackTrace": []}', True),
            ('{"timestamp": "x", "level": "ERROR", "message": "m", "errorType": "E"}', False),
            ('{"timestamp" "errorType"', False),
        ],
    )
    def test_the_runtimes_own_telling_of_an_error_is_known(self, line, is_ours):
        assert is_runtimes(line) is is_ours


class TestFeeds:
    def test_an_event_is_one_line_whatever_its_text(self):
        assert events(sse("piece", {"text": "a\n\nevent: end\r\ré"})) == [
            ("piece", json.dumps({"text": "a\n\nevent: end\r\ré"}, ensure_ascii=False))
        ]

    def test_a_hub_tells_all_and_forgets_who_left(self):
        hub = Hub()
        first, second = hub.open(), hub.open()
        first.left()
        hub.send("run", {"n": 1})
        hub.close()
        assert b"".join(second).count(b"event: run") == 1
        assert b"event: run" not in b"".join(first)

    def test_one_that_is_closed_ends(self):
        feed = Feed()
        feed.put("a", 1)
        feed.close()
        feed.put("b", 2)
        assert list(feed) == [sse("a", 1)]


@pytest.mark.parametrize(
    ("host", "name"),
    [("localhost", "localhost"), ("LOCALHOST:3000", "localhost"), ("[::1]:3000", "::1"), ("", ""), ("::1", "")],
)
def test_the_name_of_a_host(host, name):
    assert name_of(host) == name


def test_a_page_of_the_playground_itself_may_post():
    headers = (("Host", "localhost:3000"), ("Origin", "http://localhost:3000"), ("Content-Type", "application/json"))
    asked = HttpRequest("POST", "/_playground/api/run", (*headers, ("Sec-Fetch-Site", "same-origin")))
    assert refusal(asked) is None


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"Host": "127.0.0.1:3000"}, False),
        ({"Host": "[::1]:3000"}, False),
        ({"Host": "192.168.1.7:3000"}, False),
        ({"Host": "localhost:3000"}, False),
        ({"Host": "dev:3000"}, False),
        ({"Host": "host.docker.internal:3000"}, False),
        ({"Host": "rebound.example.com:3000"}, True),
        ({"Host": "127.0.0.1.example.com"}, True),
        ({"Host": "127.0.0.1:3000", "Origin": "http://example.com"}, True),
        ({"Host": "127.0.0.1:3000", "Origin": "null"}, True),
        ({"Host": "127.0.0.1:3000", "Sec-Fetch-Site": "cross-site"}, True),
    ],
)
def test_lambdas_api_is_for_programs_and_not_for_pages(headers, refused):
    asked = HttpRequest("POST", "/2015-03-31/functions/f/invocations", tuple(headers.items()))
    assert (stranger(asked) is not None) == refused
