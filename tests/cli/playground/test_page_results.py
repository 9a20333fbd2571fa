"""What a run shows: figures, messages, times, log, details and errors, all of it as text, whatever it says."""

import json
import time

import pytest
from playwright.sync_api import expect

from playground_fake import a_call, a_project, a_run, an_input, text

PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def agent_run():
    """Two calls: the first asks for a tool, the second has its answer."""
    asked = [
        {"role": "system", "parts": [text("You help customers.")]},
        {
            "role": "user",
            "parts": [
                text("Is the kettle dishwasher-safe?"),
                {"type": "image", "media_type": "image/png", "url": PIXEL},
                {"type": "image", "media_type": "image/jpeg", "url": "s3://bucket/kettle.jpg"},
                {"type": "document", "name": "manual.pdf"},
                {"type": "audio", "seconds": 3},
            ],
        },
    ]
    calls_tool = {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "text": "The product page should say it."},
            {"type": "tool_call", "id": "call_1", "name": "search", "arguments": {"query": "kettle"}},
        ],
    }
    result = {
        "role": "tool",
        "parts": [{"type": "tool_result", "id": "call_1", "name": "search", "content": "hand wash only"}],
    }
    first = a_call(
        calls_tool,
        messages=asked,
        tokens_in=412,
        tokens_out=58,
        cached_tokens=256,
        reasoning_tokens=31,
        finish_reason="tool_calls",
        begun_ms=4,
        first_token_ms=None,
        ended_ms=812,
    )
    second = a_call(
        "Wash it by hand.",
        messages=[*asked, calls_tool, result],
        warnings=["top_k was left out"],
        attempts=2,
        begun_ms=861,
        first_token_ms=1190,
        ended_ms=1702,
    )
    spans = [
        {"name": "cold start", "kind": "init", "begun_ms": -212, "ended_ms": 0, "depth": 0},
        {"name": "invocation", "kind": "invoke", "begun_ms": 0, "ended_ms": 1712, "depth": 0},
        {"name": "openai/gpt-4o-mini", "kind": "model", "begun_ms": 4, "ended_ms": 812, "depth": 1},
        {"name": "tool search", "kind": "tool", "begun_ms": 813, "ended_ms": 860, "depth": 1},
        {"name": "openai/gpt-4o-mini", "kind": "model", "begun_ms": 861, "ended_ms": 1702, "depth": 1},
    ]
    report = {
        "init_ms": 212,
        "duration_ms": 1712,
        "billed_ms": 1924,
        "memory_mb": 512,
        "max_memory_mb": 61,
        "cost_usd": 0.000016,
        "first_byte_ms": 1712,
    }
    log = [
        {"line": "looking up", "level": "INFO"},
        {"line": "slow", "level": "WARNING"},
        {"line": "gone", "level": "ERROR"},
    ]
    return a_run(
        "r4",
        "function",
        "app.lambda_handler",
        {"answer": "Wash it by hand."},
        calls=[first, second],
        spans=spans,
        report=report,
        log=log,
        tokens_in=932,
        tokens_out=1092,
        cost_usd=0.00058,
        streamed=False,
        headers={"content-type": "application/json", "set-cookie": ["a=1", "b=2"]},
    )


@pytest.fixture
def agent(fake, visit):
    """The page at that run."""
    fake.runs = [agent_run()]
    return lambda tab: visit(f"function/app.lambda_handler/r4/{tab}", f".panel-{tab}")


class TestFigures:
    def test_are_the_times_the_tokens_and_the_cost(self, agent):
        shown = agent("answer").locator(".metrics > div")
        expect(shown).to_have_text(
            [
                "Duration1.71 s+ 212 ms cold start",
                "First token1.19 s",
                "Tokens in932256 cached",
                "Tokens out1,09231 reasoning",
                "Cost$0.00058+ $0.000016 Lambda",
                "Modelgpt-4o-mini2 calls",
            ]
        )

    def test_what_is_unknown_is_not_zero(self, fake, visit):
        fake.runs = [a_run(cost_usd=None, calls=[a_call(cost_usd=None)])]
        page = visit("prompt/app.summarize/r1/messages", ".message")
        expect(page.locator(".metrics > div").nth(4)).to_have_text("Cost–+ $0.0000012 Lambda")
        expect(page.locator(".facts")).to_contain_text("cost unknown")


class TestMessages:
    def test_have_roles_images_reasoning_tool_calls_and_results(self, agent):
        page = agent("messages")
        first, second = page.locator(".call").all()
        expect(first.locator("> .message h4")).to_have_text(["System", "User", "Assistant"])
        expect(first.locator(".facts")).to_contain_text("256 cached")
        assert first.locator("img").get_attribute("src") == PIXEL
        expect(first.locator(".attachment")).to_have_text(
            ["Image (image/jpeg), not loaded from s3://bucket/kettle.jpg", "Document manual.pdf"]
        )
        expect(first).to_contain_text('"seconds": 3')
        expect(first.locator("details.reasoning")).to_contain_text("The product page should say it.")
        expect(first.locator(".tool")).to_contain_text('"query": "kettle"')
        expect(second.locator(".tool").last).to_contain_text("hand wash only")
        expect(second.locator(".warning")).to_have_text("top_k was left out")
        expect(second.locator(".facts")).to_contain_text("2 attempts")

    def test_what_an_earlier_call_has_shown_is_folded(self, agent):
        page = agent("messages")
        second = page.locator(".call").nth(1)
        expect(second.locator(".known > summary")).to_have_text("3 messages as before")
        expect(second.locator("> .message h4")).to_have_text(["Tool", "Assistant"])

    def test_a_failed_call_says_why(self, fake, visit):
        fake.runs = [a_run(calls=[a_call(answer=None, error="RateLimitError: 429 from openai")])]
        page = visit("prompt/app.summarize/r1/messages", ".call-error")
        expect(page.locator(".call-error")).to_have_text("RateLimitError: 429 from openai")

    def test_come_with_the_run_in_full_and_none_are_said_to_be_none(self, fake, visit):
        fake.runs = [a_run(calls=[])]
        page = visit("prompt/app.summarize/r1/messages", ".panel-messages .empty")
        expect(page.locator(".panel .empty")).to_have_text("This run asked no model.")


class TestTiming:
    def test_spans_are_bars_to_scale_with_a_mark_at_the_first_token(self, agent):
        page = agent("timing")
        assert page.locator(".waterfall tbody th").all_text_contents() == [
            "cold start",
            "invocation",
            "openai/gpt-4o-mini",
            "tool search",
            "openai/gpt-4o-mini",
        ]
        lane, bars = page.locator(".lane").first.bounding_box(), page.locator(".bar:not(.streams)").all()
        cold, _, model, tool, streaming = (bar.bounding_box() for bar in bars)
        scale = lane["width"] / (212 + 1712)
        assert cold["width"] == pytest.approx(212 * scale, abs=1)
        assert model["width"] == pytest.approx(808 * scale, abs=1)
        assert model["x"] < tool["x"] < streaming["x"]
        first = page.locator(".first:not(.swatch)")
        expect(first).to_have_count(1)
        assert first.bounding_box()["x"] == pytest.approx(lane["x"] + (212 + 1190) * scale, abs=2)
        expect(page.locator(".figures")).to_contain_text("61 of 512 MB")

    def test_a_run_without_spans_says_so(self, fake, visit):
        fake.runs = [a_run(spans=[], report=None)]
        page = visit("prompt/app.summarize/r1/timing", ".panel-timing .empty")
        expect(page.locator(".panel .empty")).to_have_text("No times were taken of this run.")


class TestLogAndDetails:
    def test_lines_have_levels_and_can_be_filtered(self, agent):
        page = agent("log")
        expect(page.locator(".panel .log li")).to_have_text(["INFOlooking up", "WARNINGslow", "ERRORgone"])
        expect(page.locator(".level-error")).to_have_count(1)
        page.get_by_placeholder("Filter the lines").fill("SLOW")
        assert [one.is_visible() for one in page.locator(".panel .log li").all()] == [False, True, False]

    def test_request_and_response_are_there_whole(self, agent):
        page = agent("details")
        pairs = page.locator(".pairs > div")
        expect(pairs).to_have_text(["status200", "streamedno", "content-typeapplication/json", "set-cookiea=1, b=2"])
        assert json.loads(page.get_by_role("group", name="Event").inner_text()) == {"text": "Hello"}


class TestErrors:
    def test_are_told_by_the_author_s_lines_with_those_of_libraries_folded(self, fake, visit):
        frames = [
            '  File "app.py", line 12, in lambda_handler\n    return answer(event)\n',
            '  File "/x/site-packages/lambdallm/core/handler.py", line 88, in __call__\n    return self.run()\n',
            '  File "/x/site-packages/lambdallm/core/loop.py", line 8, in run\n    return f()\n',
            '  File "app.py", line 19, in answer\n    name = event["customer"]\n',
        ]
        error = {"errorType": "KeyError", "errorMessage": "'customer'", "stackTrace": frames}
        fake.runs = [a_run("r3", "function", "app.lambda_handler", None, status=502, error=error, calls=[])]
        page = visit("function/app.lambda_handler/r3", ".error-card")
        expect(page.locator("#result .status")).to_have_text("502 KeyError")
        expect(page.locator(".error-card")).to_contain_text("'customer'")
        expect(page.locator(".stack > .frame strong")).to_have_text(["app.py:12", "app.py:19"])
        expect(page.locator(".foreign summary")).to_have_text("2 frames of libraries")

    def test_keep_what_was_answered_before(self, fake, visit):
        error = {"errorType": "TimeoutError", "errorMessage": "Task timed out after 3.00 seconds", "stackTrace": None}
        fake.runs = [a_run(result="half an ans", error=error)]
        page = visit("prompt/app.summarize/r1", ".error-card")
        expect(page.locator(".stream")).to_have_text("half an ans")


class TestAnswers:
    def test_of_chains_are_their_output_with_what_each_step_gave_below(self, fake, visit):
        result = {
            "status": "completed",
            "output": "A title",
            "outputs": {"summary": "Short.", "title": "A title"},
            "checkpoint_id": None,
        }
        fake.runs = [a_run("r1", "chain", "app.pipeline", result)]
        page = visit("chain/app.pipeline/r1", ".outputs")
        expect(page.locator(".stream")).to_have_text("A title")
        expect(page.locator(".outputs summary")).to_have_text(["summary", "title"])

    @pytest.mark.parametrize(("result", "said"), [(None, "The answer is null."), ("", "The answer is an empty text.")])
    def test_that_are_nothing_say_so(self, fake, visit, result, said):
        fake.runs = [a_run(result=result)]
        expect(visit("prompt/app.summarize/r1", ".panel .empty").locator(".panel .empty")).to_have_text(said)

    def test_markdown_can_be_shown_as_such_and_that_is_remembered(self, fake, visit):
        linked = "Some **bold** `code` and [a link](https://example.com/) [bad](javascript:alert(1))."
        written = f"# Title\n\n{linked}\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |"
        fake.runs = [a_run(result=written)]
        page = visit("prompt/app.summarize/r1", ".stream")
        expect(page.locator(".stream")).to_have_text(written)
        page.get_by_role("button", name="Markdown").click()
        page.reload()
        expect(page.locator(".markdown [role=heading]")).to_have_text("Title")
        expect(page.locator(".markdown li")).to_have_text(["one", "two"])
        expect(page.locator(".markdown td")).to_have_text(["1", "2"])
        expect(page.locator(".markdown a")).to_have_attribute("href", "https://example.com/")
        expect(page.locator(".markdown a")).to_have_count(1)


HOSTILE = (
    "</pre><script>window.hacked=1</script><img src=x onerror='window.hacked=1'><svg onload=window.hacked=1>\"'`${1}"
)


def spoiled(value, kept=("run", "kind", "id", "type", "url", "media_type")):
    """The same with hostile text for every text but the few that decide what is drawn."""
    if isinstance(value, dict):
        return {name: item if name in kept else spoiled(item) for name, item in value.items()}
    if isinstance(value, list):
        return [spoiled(item) for item in value]
    return HOSTILE if isinstance(value, str) else value


class TestHostileText:
    """Whoever wrote a prompt, a document or an answer must not be able to write into the page."""

    def test_in_every_field_of_a_run_is_shown_as_text(self, fake, visit):
        error = {"errorType": "E", "errorMessage": "m", "stackTrace": ["  File"]}
        fake.runs = [
            spoiled({**agent_run(), "headers": {HOSTILE: "x"}, "error": error, "result": "text", "template": "t"})
        ]
        for tab in ("answer", "messages", "timing", "log", "details"):
            page = visit(f"function/app.lambda_handler/r4/{tab}", f".panel-{tab}")
            expect(page.locator("#result")).to_contain_text("<script>window.hacked=1</script>")
            assert page.locator("#result script, #result img[src=x], #result [onload]").count() == 0
        page.evaluate("localStorage.setItem('lambdallm:markdown', 'true')")
        page.reload()
        page.wait_for_selector(".error-card, .panel")
        assert page.evaluate("window.hacked") is None

    def test_in_the_project_is_shown_as_text(self, fake, visit):
        inputs = [an_input(HOSTILE, description=HOSTILE), an_input("b", "enum", choices=[HOSTILE], default=HOSTILE)]
        prompt = {
            "id": f"app.{HOSTILE}",
            "name": HOSTILE,
            "file": HOSTILE,
            "line": 1,
            "template": HOSTILE,
            "system": HOSTILE,
            "model": HOSTILE,
            "doc": HOSTILE,
            "inputs": inputs,
        }
        fake.project = a_project(
            name=HOSTILE,
            version=HOSTILE,
            functions=[],
            prompts=[prompt],
            models=[HOSTILE],
            error={"errorType": HOSTILE, "errorMessage": HOSTILE, "stackTrace": [HOSTILE]},
        )
        page = visit()
        expect(page.locator("#project-name")).to_have_text(HOSTILE)
        expect(page.locator("#form h1")).to_have_text(HOSTILE)
        expect(page.locator("#banner")).to_contain_text(HOSTILE)
        fake.push("log", {"function": HOSTILE, "request_id": HOSTILE, "line": HOSTILE, "level": HOSTILE})
        expect(page.locator(".log-toggle .last")).to_have_text(HOSTILE)
        assert page.evaluate("window.hacked") is None

    def test_can_t_become_markup_even_by_mistake(self, visit):
        """The browser itself refuses to read HTML from text on this page."""
        refused = """() => {
            try { document.body.innerHTML = '<b>x</b>'; return 'read'; } catch (error) { return error.name; }
        }"""
        page = visit()
        page.allowed.append("TrustedHTML")
        assert page.evaluate(refused) == "TypeError"


class TestMuchText:
    def test_ten_thousand_pieces_cost_few_nodes_and_few_layouts(self, fake, visit):
        pieces = [f"word{at} " + ("\n" if at % 50 == 49 else "") for at in range(10_000)]

        def script(body):
            yield "begin", {"run": "r9", "request_id": "x"}
            yield from (("piece", {"text": piece}) for piece in pieces)
            yield "end", a_run("r9", result="".join(pieces), begun=time.time())

        fake.script = script
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        counting = page.context.new_cdp_session(page)
        counting.send("Performance.enable")

        def layouts():
            return {one["name"]: one["value"] for one in counting.send("Performance.getMetrics")["metrics"]}[
                "LayoutCount"
            ]

        before = layouts()
        page.click("#run")
        page.wait_for_selector("#replay", timeout=30_000)
        assert layouts() - before < 1000  # one for a frame, not one for a piece
        assert page.locator(".stream > div").count() < 60
        assert page.evaluate("document.querySelectorAll('*').length") < 800
        shown = page.locator(".stream > div").evaluate_all("all => all.map(one => one.textContent).join('\\n')")
        assert shown == "".join(pieces)
        page.fill("#input-text", "still answers")
        assert page.input_value("#input-text") == "still answers"

    def test_a_hundred_thousand_lines_of_a_log_leave_the_page_usable(self, fake, visit):
        def script(body):
            yield "begin", {"run": "r9", "request_id": "x"}
            yield from (("log", {"line": f"line {at}", "level": "INFO"}) for at in range(100_000))
            fake.stopped.wait(20)
            yield "end", a_run("r9", result="said", begun=time.time())

        fake.script = script
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        page.click("#tab-log")
        expect(page.locator(".panel .log li").last).to_have_text("INFOline 99999", timeout=20_000)
        assert page.locator(".panel .log li").count() == 2000
        expect(page.locator("#tab-log .count")).to_have_text("100000")
        fake.stopped.set()
        page.wait_for_selector("#replay")

    def test_a_long_run_is_listed_in_brief_and_fetched_whole(self, fake, visit):
        whole = a_run("r1", result="the whole answer")
        fake.runs = [whole]
        page = visit("prompt/app.summarize/r1/answer", "#replay")
        expect(page.locator(".stream")).to_have_text("the whole answer")
        loading = """async (run) => {
            const {Result} = await import('/_playground/js/result.js');
            const root = document.createElement('div');
            new Result(root, {}).show({...run, result: null, cut: true}, 'answer', {partial: true});
            return root.querySelector('#panel').textContent;
        }"""
        assert page.evaluate(loading, whole) == "Loading…"

    def test_blocks_keep_every_empty_line(self, visit):
        page = visit()
        texts = ["\n".join(["x" * 100] * 200), "a\n\n\nb" * 3000, "\n" * 9000, "x" * 9000, "", "\n\nend\n"]
        drawn = """async ({text, size}) => {
            const {StreamView} = await import('/_playground/js/stream.js');
            const view = new StreamView();
            for (let at = 0; at < text.length; at += size) view.put(text.slice(at, at + size));
            return [...view.root.children].map((one) => one.textContent).join('\\n');
        }"""
        for written in texts:
            for size in (1, 7, 100_000):
                assert page.evaluate(drawn, {"text": written, "size": size}) == written
