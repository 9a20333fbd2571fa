"""Runs are kept: the history, sending one again, comparing two, passing one on, and runs that come from elsewhere."""

import json
import subprocess
import sys
import time

import pytest
from playwright.sync_api import expect

from playground_fake import a_call, a_run, streamed

APP = """from lambdallm import Prompt, handler

summarize = Prompt(template="Summarize {text}")


@handler
def lambda_handler(event, context):
    return summarize.invoke(context, text=event["text"])
"""


@pytest.fixture
def two_runs(fake):
    """An older run of the code's own template, and a newer one of an edited template on another model."""
    now = time.time()
    words = "Revenue grew by 12 % and churn stayed low."
    call = a_call(
        words,
        provider="anthropic",
        model="claude-sonnet-4-5",
        first_token_ms=310.0,
        cached_tokens=8,
        reasoning_tokens=5,
    )
    report = {**a_run()["report"], "duration_ms": 240.8, "init_ms": None}
    newer = a_run(
        "r2",
        result=words,
        template="Be short: {text}",
        model="anthropic/claude-sonnet-4-5",
        tokens_in=24,
        tokens_out=30,
        cost_usd=0.00006,
        calls=[call],
        report=report,
        begun=now - 60,
    )
    older = a_run("r1", result="Revenue grew by 10 % and churn stayed low.", begun=now - 300)
    failed = a_run(
        "r0",
        "function",
        "jobs.nightly",
        None,
        status=502,
        begun=now - 7200,
        tokens_in=None,
        tokens_out=None,
        cost_usd=None,
        error={"errorType": "KeyError", "errorMessage": "'x'", "stackTrace": []},
    )
    fake.runs = [newer, older, failed]


def clipboard(page):
    return page.evaluate("navigator.clipboard.readText()")


@pytest.mark.usefixtures("two_runs")
class TestHistory:
    def test_lists_runs_with_their_state_time_and_cost_the_newest_first(self, visit):
        page = visit("prompt/app.summarize")
        assert page.locator("#history .run").all_inner_texts()
        expect(page.locator("#history .name")).to_have_text(["summarize", "summarize", "nightly"])
        expect(page.locator("#history time")).to_have_text(["1 min", "5 min", "2 h"])
        expect(page.locator("#history .run-facts").first).to_have_text(
            "241 ms · 54 tok · $0.00006 · claude-sonnet-4-5 · edited"
        )
        expect(page.locator("#history .status.failed")).to_have_count(1)
        page.get_by_role("button", name="This").click()
        expect(page.locator("#history .run")).to_have_count(2)

    def test_a_run_is_one_click_away_and_its_address_can_be_kept(self, visit):
        page = visit("prompt/app.summarize")
        page.locator("#history a").nth(1).click()
        assert page.url.endswith("#/prompt/app.summarize/r1")
        page.click("#tab-messages")
        assert page.url.endswith("#/prompt/app.summarize/r1/messages")
        page.reload()
        expect(page.locator(".message").last).to_contain_text("Revenue grew by 10 %")
        expect(page.locator("#history [aria-current]")).to_contain_text("52 tok")

    def test_going_back_goes_back(self, visit):
        page = visit("prompt/app.summarize/r1")
        page.locator("#targets").get_by_role("link", name="nightly").click()
        expect(page.locator("#form h1")).to_have_text("nightly")
        page.go_back()
        expect(page.locator("#form h1")).to_have_text("summarize")
        expect(page.locator(".when")).to_contain_text("r1")

    def test_a_run_that_is_gone_is_said_to_be_gone(self, visit):
        page = visit("prompt/app.summarize/r77", "text=Run r77 is not kept any more")
        page.allowed.append("status of 404")


class TestSendingAgain:
    def test_a_run_s_input_comes_back_into_the_fields_and_can_be_changed(self, fake, visit):
        fake.runs = [
            a_run(
                template="Tell {audience} in {sentences} sentences: {text}",
                model="echo",
                inputs={"text": "Old text.", "sentences": 3, "audience": "lawyers"},
            )
        ]
        page = visit("prompt/app.summarize/r1")
        page.click("#replay")
        expect(page.locator("#edit-template")).to_be_focused()
        assert [
            page.input_value(f"#{id}")
            for id in ("edit-template", "input-text", "input-sentences", "input-audience", "model")
        ] == [
            "Tell {audience} in {sentences} sentences: {text}",
            "Old text.",
            "3",
            "lawyers",
            "echo",
        ]
        page.fill("#input-text", "New text.")
        page.click("#run")
        expect(page.locator(".when")).to_contain_text("r9")
        assert fake.asked[0][1]["inputs"] == {"text": "New text.", "sentences": 3, "audience": "lawyers"}

    def test_an_event_is_edited_and_sent_again(self, fake, visit):
        fake.runs = [a_run("r1", "function", "app.lambda_handler", event={"text": "from curl", "n": [1]})]
        page = visit("function/app.lambda_handler/r1")
        page.click("#replay")
        assert json.loads(page.input_value("#event")) == {"text": "from curl", "n": [1]}
        page.fill("#event", '{"text": "again"}')
        page.click("#run")
        expect(page.locator(".when")).to_contain_text("r9")
        assert fake.asked[0][1]["event"] == {"text": "again"}


@pytest.mark.usefixtures("two_runs")
class TestComparing:
    def test_two_runs_stand_side_by_side_with_their_differences(self, visit):
        page = visit("compare/r1/r2", ".sides")
        rows = page.locator(".figures-table tbody tr").evaluate_all(
            "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
        )
        assert rows == [
            ["Model", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5", "another"],
            ["Duration", "120 ms", "241 ms", "+120 ms (+100\u00a0%)"],
            ["First token", "80 ms", "310 ms", "+230 ms (+288\u00a0%)"],
            ["Tokens in", "12", "24", "+12 (+100\u00a0%)"],
            ["of them cached", "0", "8", "+8"],
            ["Tokens out", "40", "30", "−10 (−25\u00a0%)"],
            ["of them reasoning", "0", "5", "+5"],
            ["Cost", "$0.00012", "$0.00006", "−$0.00006 (−50\u00a0%)"],
            ["Model calls", "1", "1", "="],
            ["Cold start", "31 ms", "–", "–"],
        ]
        answers = page.get_by_role("region", name="Answers")
        expect(answers.locator("del")).to_have_text(["10"])
        expect(answers.locator("ins")).to_have_text(["12"])
        expect(page.get_by_role("heading", name="Template")).to_be_visible()
        expect(page.locator(".sides").first.locator("ins")).to_contain_text(["Be short"])

    def test_the_run_before_is_the_first_that_is_offered(self, visit):
        page = visit("prompt/app.summarize/r2")
        page.click("#compare-with")
        expect(page.locator("[role=option]").first).to_contain_text("r1 summarize")
        page.keyboard.press("Enter")
        page.wait_for_selector(".sides")
        assert page.url.endswith("#/compare/r1/r2")
        page.click("#swap")
        expect(page.locator(".letter + button")).to_have_text(["r2 app.summarize", "r1 app.summarize"])
        page.click("#close-compare")
        expect(page.locator("#form h1")).to_have_text("summarize")

    def test_an_edited_prompt_is_run_and_compared_with_what_it_was(self, fake, visit):
        fake.script = streamed("Revenue ", "rose.", run="r9")
        page = visit("prompt/app.summarize/r1")
        page.click("#replay")
        page.fill("#edit-template", "In three words: {text}")
        page.click("#run")
        expect(page.locator(".when")).to_contain_text("r9")
        page.click("#compare-with")
        page.keyboard.type("r1")
        page.keyboard.press("Enter")
        page.wait_for_selector(".sides")
        expect(page.locator(".sides").first.locator("ins")).to_contain_text(["In three words"])

    def test_a_run_that_is_not_kept_can_t_be_compared(self, visit):
        page = visit("compare/r1/r99", "text=These runs can't be compared")
        page.allowed.append("status of 404")

    def test_alone_there_is_nothing_to_compare_with(self, fake, visit):
        fake.runs = [a_run()]
        page = visit("prompt/app.summarize/r1")
        page.click("#compare-with")
        expect(page.locator("#toast")).to_have_text("There is no other run to compare with yet")


class TestPassingOn:
    def chosen(self, page, what):
        page.click("#share")
        page.get_by_role("menuitem", name=what).click()
        expect(page.locator("#toast")).to_contain_text("copied")
        return clipboard(page)

    def test_the_answer_and_the_whole_run_as_json(self, fake, visit):
        fake.runs = [a_run(result="The answer.")]
        page = visit("prompt/app.summarize/r1")
        assert self.chosen(page, "Answer") == "The answer."
        assert json.loads(self.chosen(page, "As JSON"))["calls"][0]["messages"][1]["role"] == "user"

    def test_a_prompt_s_run_as_a_curl_command(self, fake, visit):
        fake.runs = [a_run(inputs={"text": "It's $HOME"}, template="Say {text}")]
        command = self.chosen(visit("prompt/app.summarize/r1"), "As curl command")
        fake.asked.clear()
        subprocess.run(["sh", "-c", f"{command} --silent"], check=True, capture_output=True, timeout=30)
        assert fake.asked == [
            (
                "run",
                {"kind": "prompt", "id": "app.summarize", "inputs": {"text": "It's $HOME"}, "template": "Say {text}"},
            )
        ]

    def test_an_http_event_as_the_request_it_was(self, fake, visit):
        event = {
            "version": "2.0",
            "rawPath": "/a b",
            "rawQueryString": "x=1",
            "headers": {"content-type": "application/json", "host": "h"},
            "cookies": ["a=b"],
            "requestContext": {"http": {"method": "PUT"}},
            "body": '{"it": "\'s"}',
        }
        fake.runs = [a_run("r1", "function", "app.lambda_handler", event=event)]
        assert self.chosen(visit("function/app.lambda_handler/r1"), "As curl command") == (
            "curl -N -X PUT 'http://127.0.0.1:3000/a b?x=1' \\\n  -H 'content-type: application/json' \\\n"
            "  -H 'cookie: a=b' \\\n  --data-raw '{\"it\": \"'\\''s\"}'"
        )

    def test_another_event_as_an_invocation(self, fake, visit):
        fake.runs = [a_run("r1", "function", "app.lambda_handler", event={"n": 1})]
        command = self.chosen(visit("function/app.lambda_handler/r1"), "As curl command")
        assert command.startswith("curl 'http://127.0.0.1:")
        assert command.endswith("/2015-03-31/functions/lambda_handler/invocations' \\\n  -d '{\"n\":1}'")

    @pytest.mark.parametrize("kind", ["prompt", "function"])
    def test_as_a_test_that_passes(self, fake, visit, tmp_path, kind):
        (tmp_path / "app.py").write_text(APP)
        name, given = {"prompt": ("summarize", "inputs"), "function": ("lambda_handler", "event")}[kind]
        fake.runs = [a_run("r1", kind, f"app.{name}", 'He said "it\'s\n100 %".', **{given: {"text": "Ünï \\ {x}"}})]
        written = self.chosen(visit(f"{kind}/app.{name}/r1"), "As test")
        (tmp_path / "test_run.py").write_text(written)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, written + done.stdout


class TestRunsFromElsewhere:
    def test_appear_and_are_followed_while_no_run_is_chosen(self, fake, visit):
        page = visit("function/app.lambda_handler")
        expect(page.locator("#result")).to_contain_text("curl http://127.0.0.1:3000/")
        expect(page.locator("#connection")).to_have_text("Live")
        came = a_run("r5", "function", "app.lambda_handler", "from curl", begun=time.time())
        fake.runs = [came]
        fake.push("run", came)
        expect(page.locator(".stream")).to_have_text("from curl")
        expect(page.locator("#toast")).to_have_text("lambda_handler was called: 200 OK")
        expect(page.locator("#history .run.fresh")).to_have_count(1)

    def test_disturb_no_one_who_reads_another_run(self, fake, visit):
        fake.runs = [a_run("r1", "function", "app.lambda_handler", "what I read")]
        page = visit("function/app.lambda_handler/r1")
        expect(page.locator("#connection")).to_have_text("Live")
        fake.push("run", a_run("r5", "function", "app.lambda_handler", "from curl", begun=time.time()))
        expect(page.locator("#history .run")).to_have_count(2)
        expect(page.locator(".stream")).to_have_text("what I read")

    def test_log_lines_are_at_the_foot(self, fake, visit):
        page = visit()
        expect(page.locator("#connection")).to_have_text("Live")
        for at in range(3):
            fake.push(
                "log", {"function": "app.lambda_handler", "request_id": "x", "line": f"line {at}", "level": "INFO"}
            )
        expect(page.locator(".log-toggle .last")).to_have_text("line 2")
        page.click(".log-toggle")
        expect(page.locator("#server-log li")).to_have_text([f"lambda_handlerINFOline {at}" for at in range(3)])
