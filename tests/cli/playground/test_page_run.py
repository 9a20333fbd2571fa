"""The page runs things: inputs of every type become a request, the answer streams in, and can be stopped."""

import json
import threading

from playwright.sync_api import expect

from playground_fake import a_project, a_run, streamed


def body_of(fake):
    return next(body for path, body in fake.asked if path == "run")


class TestChoosing:
    def test_the_first_function_is_shown_and_all_groups_are_listed(self, visit):
        page = visit()
        expect(page.get_by_role("heading", level=1)).to_have_text("lambda_handler")
        assert page.locator("#targets h2").all_text_contents() == ["Functions", "Prompts", "Chains"]
        assert page.locator("#targets .name").all_text_contents() == [
            "lambda_handler", "nightly", "summarize", "classify", "pipeline",
        ]  # fmt: skip
        expect(page.locator("#targets [aria-current=page]")).to_contain_text("lambda_handler")

    def test_a_target_shows_where_it_is_what_it_does_and_how_it_is_set(self, visit):
        page = visit()
        expect(page.locator("#form .place")).to_have_text("app.py:31")
        expect(page.locator("#form .doc")).to_have_text("Answers a customer's question from the product pages.")
        expect(page.locator("#form .settings")).to_contain_text("openai/gpt-4o-mini")
        page.get_by_role("link", name="pipeline").click()
        expect(page.locator("#form > header > .steps > li")).to_have_count(2)
        expect(page.locator("#form .steps .steps li")).to_have_text(["classify", "translate"])

    def test_agents_are_listed_where_there_are_some(self, fake, visit):
        pipeline = a_project()["chains"][0]
        fake.project = a_project(agents=[{**pipeline, "id": "app.clerk", "name": "clerk", "steps": []}])
        page = visit("agent/app.clerk")
        expect(page.locator("#targets h2")).to_have_text(["Functions", "Prompts", "Chains", "Agents"])
        page.fill("#input-text", "Hello")
        page.click("#run")
        page.wait_for_selector("#replay")
        assert body_of(fake)["kind"] == "agent"

    def test_a_project_without_anything_says_what_to_write(self, fake, visit):
        fake.project = a_project(functions=[], prompts=[], chains=[])
        page = visit(ready="text=Nothing to run yet")
        expect(page.locator("#form pre")).to_contain_text("@handler")


class TestInputs:
    def test_every_type_has_its_field_and_is_sent_as_that_type(self, fake, visit):
        page = visit("prompt/app.classify")
        page.fill("#input-text", "My parcel is late.\nAgain.")
        page.fill("#input-labels", '["late", "lost"]')
        page.fill("#input-threshold", "0.25")
        page.check("#input-strict")
        page.select_option("#input-explain", "false")
        page.fill("#model", "echo")
        page.fill("#temperature", "0.7")
        page.fill("#max-tokens", "99")
        page.click("#run")
        page.wait_for_selector("#replay")
        assert body_of(fake) == {
            "kind": "prompt", "id": "app.classify", "model": "echo", "template": None, "system": None,
            "temperature": 0.7, "max_tokens": 99,
            "inputs": {"text": "My parcel is late.\nAgain.", "labels": ["late", "lost"], "threshold": 0.25,
                       "strict": True, "explain": False},
        }  # fmt: skip

    def test_defaults_stand_in_their_fields_and_what_is_optional_and_empty_is_left_out(self, fake, visit):
        page = visit("prompt/app.classify")
        assert json.loads(page.input_value("#input-labels")) == ["refund", "question", "praise"]
        page.fill("#input-text", "x")
        page.fill("#input-threshold", "")
        page.click("#run")
        page.wait_for_selector("#replay")
        assert body_of(fake)["inputs"] == {"text": "x", "labels": ["refund", "question", "praise"], "strict": False}

    def test_choices_are_a_list_and_whole_numbers_are_whole(self, fake, visit):
        page = visit("prompt/app.summarize")
        assert page.locator("#input-audience option").all_text_contents()[1:] == ["customers", "engineers", "lawyers"]
        page.fill("#input-text", "x")
        page.fill("#input-sentences", "2.5")
        page.click("#run")
        expect(page.locator("#input-sentences-said")).to_have_text("2.5 is not a whole number.")
        expect(page.locator("#input-sentences")).to_be_focused()
        page.keyboard.press("ArrowUp")
        assert page.input_value("#input-sentences") == "3.5"
        page.fill("#input-sentences", "many")
        page.click("#run")
        expect(page.locator("#input-sentences-said")).to_have_text("many is not a number.")
        assert fake.asked == []

    def test_what_is_needed_is_asked_for_before_anything_is_sent(self, fake, visit):
        page = visit("prompt/app.classify")
        page.fill("#input-labels", "")
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator("#input-labels")).to_be_focused()
        expect(page.locator("#input-labels-said")).to_have_text("This is needed.")
        assert fake.asked == []

    def test_json_that_is_none_yet_is_marked_at_its_fault(self, fake, visit):
        page = visit("function/app.lambda_handler")
        page.fill("#event", '{\n  "a": 1,\n  "b": [1 2]\n}')
        fault = page.locator("#event-fault")
        expect(fault).to_have_text("Line 3, column 11: Expected “,” or “]”.")
        expect(page.locator(".editor-text .wrong")).to_have_text("2")
        page.click("#run")
        assert fake.asked == []
        assert page.evaluate("document.activeElement.selectionStart") == 22
        page.fill("#event", '{"a": [1, 2]}')
        expect(fault).to_be_hidden()
        page.get_by_role("button", name="Format").click()
        assert page.input_value("#event") == '{\n  "a": [\n    1,\n    2\n  ]\n}'
        page.click("#run")
        page.wait_for_selector("#replay")
        assert body_of(fake)["event"] == {"a": [1, 2]}

    def test_samples_fill_the_event(self, fake, visit):
        page = visit("function/app.lambda_handler")
        assert json.loads(page.input_value("#event")) == {"text": "Hello"}
        page.select_option("select[aria-label='Sample events']", label="function URL")
        assert json.loads(page.input_value("#event"))["rawPath"] == "/"

    def test_a_line_break_in_json_keeps_the_indentation_and_can_be_undone(self, visit):
        page = visit("function/app.lambda_handler")
        page.fill("#event", "")
        page.type("#event", '{\n"a": [\n1')
        assert page.input_value("#event") == '{\n  "a": [\n    1'
        page.keyboard.press("Control+z")
        assert page.input_value("#event") != '{\n  "a": [\n    1'

    def test_an_edited_template_and_system_are_sent_and_a_new_variable_gets_a_field(self, fake, visit):
        page = visit("prompt/app.classify")
        page.fill("#edit-template", "Sort {text} for {team}.")
        page.fill("#edit-system", "Be kind.")
        expect(page.get_by_text("edited", exact=True)).to_have_count(2)
        page.fill("#input-text", "x")
        page.fill("#input-team", "sales")
        page.click("#run")
        page.wait_for_selector("#replay")
        sent = body_of(fake)
        assert (sent["template"], sent["system"]) == ("Sort {text} for {team}.", "Be kind.")
        assert sent["inputs"]["team"] == "sales"
        page.get_by_role("button", name="Undo the edit").first.click()
        page.get_by_role("button", name="Undo the edit").first.click()
        assert page.input_value("#edit-template") == "Which of {labels} fits?\n{text}"
        expect(page.locator("#input-team")).to_have_count(0)

    def test_a_variable_that_an_edit_takes_out_is_asked_for_no_more(self, fake, visit):
        page = visit("prompt/app.summarize")
        page.fill("#edit-template", "Shorten {text}")
        expect(page.locator("#input-audience")).to_have_count(0)
        page.fill("#input-text", "x")
        page.click("#run")
        page.wait_for_selector("#replay")
        assert body_of(fake)["inputs"] == {"text": "x"}

    def test_models_are_offered_and_any_other_can_be_typed(self, visit):
        page = visit("prompt/app.classify")
        offered = page.locator("#models option").evaluate_all("all => all.map(one => one.value)")
        assert offered == ["local", "echo", "openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5"]
        assert page.get_attribute("#model", "placeholder") == "openai/gpt-4o-mini (the code's)"

    def test_reset_forgets_what_was_typed_and_can_be_undone(self, visit):
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.fill("#edit-template", "y {text}")
        page.get_by_role("button", name="Reset").click()
        assert page.input_value("#input-text") == ""
        assert page.input_value("#edit-template").startswith("Summarize the text below")
        page.get_by_role("button", name="Undo reset").click()
        assert page.input_value("#input-text") == "x"
        assert page.input_value("#edit-template") == "y {text}"


class TestStreams:
    def test_the_first_piece_is_seen_before_the_second_is_made(self, fake, visit):
        seen = threading.Event()

        def script(body):
            yield "begin", {"run": "r9", "request_id": "x"}
            yield "log", {"line": "asking the model", "level": "INFO"}
            yield "piece", {"text": "one "}
            assert seen.wait(10)
            yield "piece", {"text": "two"}
            yield "end", a_run("r9", result="one two")

        fake.script = script
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator(".stream")).to_have_text("one ")
        expect(page.locator("#result .status")).to_have_text("Running")
        expect(page.locator("#run")).to_contain_text("Stop")
        expect(page.locator("#tab-log .count")).to_have_text("1")
        seen.set()
        expect(page.locator(".stream")).to_have_text("one two")
        expect(page.locator("#result .status")).to_have_text("200 OK")
        expect(page.locator("#run")).to_contain_text("Run")

    def test_the_end_leaves_the_text_that_was_drawn(self, fake, visit):
        fake.script = streamed("one ", "two")
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        hold, go = threading.Event(), fake.script
        fake.script = lambda body: (item for item in go(body) if item[0] != "end" or hold.wait(10))
        page.click("#run")
        expect(page.locator(".stream")).to_have_text("one two")
        page.evaluate("document.querySelector('.stream').dataset.same = 'yes'")
        hold.set()
        page.wait_for_selector("#replay")
        assert page.get_attribute(".stream", "data-same") == "yes"

    def test_logs_are_seen_while_it_runs(self, fake, visit):
        go = threading.Event()

        def script(body):
            yield "begin", {"run": "r9", "request_id": "x"}
            yield "log", {"line": "first line", "level": "WARNING"}
            assert go.wait(10)
            yield "log", {"line": "second line", "level": "INFO"}
            yield "end", a_run("r9")

        fake.script = script
        page = visit("function/app.lambda_handler")
        page.click("#run")
        page.click("#tab-log")
        expect(page.locator(".panel .log li")).to_have_text(["WARNINGfirst line"])
        go.set()
        page.wait_for_selector("#replay")

    def test_a_run_can_be_stopped(self, fake, visit):
        def script(body):
            yield "begin", {"run": "r9", "request_id": "x"}
            yield "piece", {"text": "half"}
            assert fake.stopped.wait(10)
            stopped = {"errorType": "Stopped", "errorMessage": "It was stopped.", "stackTrace": []}
            yield "end", a_run("r9", result="half", status=None, error=stopped)

        fake.script = script
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator(".stream")).to_have_text("half")
        page.click("#run")
        expect(page.locator("#result .status")).to_have_text("Stopped")
        expect(page.locator(".stream")).to_have_text("half")
        assert ("stop", {"run": "r9"}) in fake.asked

    def test_a_connection_that_ends_early_keeps_what_came(self, fake, visit):
        fake.script = lambda body: iter([("begin", {"run": "r9", "request_id": "x"}), ("piece", {"text": "half"})])
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator(".error-card")).to_contain_text("The connection ended before the run did.")
        expect(page.locator(".stream")).to_have_text("half")

    def test_a_refusal_is_told(self, fake, visit):
        fake.refuse = "There is no prompt 'app.summarize' any more."
        page = visit("prompt/app.summarize")
        page.allowed.append("status of 400")
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator(".error-card")).to_contain_text("There is no prompt 'app.summarize' any more.")
        expect(page.locator("#run")).to_contain_text("Run")

    def test_two_targets_can_run_at_once(self, fake, visit):
        gates = {"app.summarize": threading.Event(), "app.lambda_handler": threading.Event()}

        def script(body):
            run = {"app.summarize": "r8", "app.lambda_handler": "r9"}[body["id"]]
            yield "begin", {"run": run, "request_id": "x"}
            yield "piece", {"text": f"this is {run}"}
            assert gates[body["id"]].wait(10)
            yield "end", a_run(run, body["kind"], body["id"], f"this is {run}")

        fake.script = script
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator(".stream")).to_have_text("this is r8")
        page.locator("#targets").get_by_role("link", name="lambda_handler").click()
        expect(page.locator("#run")).to_contain_text("Run")
        page.click("#run")
        expect(page.locator(".stream")).to_have_text("this is r9")
        gates["app.summarize"].set()
        expect(page.locator("#history .status.done")).to_have_count(1)
        expect(page.locator("#result .status")).to_have_text("Running")
        gates["app.lambda_handler"].set()
        page.wait_for_selector("#replay")
        assert page.url.endswith("#/function/app.lambda_handler/r9")
