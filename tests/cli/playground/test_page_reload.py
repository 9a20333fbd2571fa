"""The code changes, breaks and is mended, the server goes and comes back: what was typed stays."""

from playwright.sync_api import expect

from playground_fake import a_project, a_run, an_input, fake_playground

BROKEN = {
    "errorType": "SyntaxError",
    "errorMessage": "'(' was never closed",
    "stackTrace": ['  File "app.py", line 12\n    print("x"\n'],
}


def live(page):
    expect(page.locator("#connection")).to_have_text("Live")
    return page


class TestTheCode:
    def test_that_changed_is_shown_and_said_to_be_new(self, fake, visit):
        page = live(visit("prompt/app.summarize"))
        page.fill("#input-text", "typed before")
        page.focus("#input-text")
        project = a_project()
        project["prompts"][0]["inputs"].append(an_input("tone", required=False))
        fake.project = project
        fake.push("project", {})
        expect(page.locator("#input-tone")).to_be_visible()
        expect(page.locator("#toast")).to_have_text("Code reloaded")
        assert page.input_value("#input-text") == "typed before"
        expect(page.locator("#input-text")).to_be_focused()

    def test_that_can_t_be_loaded_is_told_by_its_line_and_nothing_typed_is_lost(self, fake, visit):
        page = live(visit("prompt/app.summarize"))
        page.fill("#input-text", "typed before")
        fake.project = a_project(functions=[], prompts=[], chains=[], error=BROKEN)
        fake.push("project", {})
        banner = page.locator("#banner")
        expect(banner).to_contain_text("The project can’t be loaded")
        expect(banner.locator(".frame strong")).to_have_text("app.py:12")
        expect(page.locator("#form .notice")).to_have_text("This is no longer in the project's code.")
        assert page.input_value("#input-text") == "typed before"
        fake.project = a_project()
        fake.push("project", {})
        expect(banner).to_be_hidden()
        expect(page.locator("#form .notice")).to_have_count(0)
        assert page.input_value("#input-text") == "typed before"

    def test_an_edited_template_outlives_a_reload_of_the_code(self, fake, visit):
        page = live(visit("prompt/app.summarize"))
        page.fill("#edit-template", "My edit of {text}")
        project = a_project()
        project["prompts"][0]["template"] = "The code's new one: {text}"
        fake.project = project
        fake.push("project", {})
        expect(page.locator("#toast")).to_have_text("Code reloaded")
        assert page.input_value("#edit-template") == "My edit of {text}"
        page.get_by_role("button", name="Undo the edit").first.click()
        assert page.input_value("#edit-template") == "The code's new one: {text}"


class TestThePage:
    def test_keeps_what_was_typed_and_where_it_was_when_it_is_loaded_again(self, visit):
        page = visit("prompt/app.classify")
        page.fill("#input-text", "half a thought")
        page.fill("#input-labels", "[1, ")
        page.fill("#edit-system", "Own words")
        page.fill("#model", "echo")
        page.reload()
        page.wait_for_selector("#run")
        assert [page.input_value(f"#{id}") for id in ("input-text", "input-labels", "edit-system", "model")] == [
            "half a thought", "[1, ", "Own words", "echo",
        ]  # fmt: skip

    def test_an_event_that_is_no_json_yet_is_kept_too(self, visit):
        page = visit("function/app.lambda_handler")
        page.fill("#event", '{"a": ')
        page.reload()
        page.wait_for_selector("#run")
        assert page.input_value("#event") == '{"a": '

    def test_is_used_where_the_browser_stores_nothing(self, fake, page):
        page.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})")
        page.goto(f"{fake.address}#/prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        page.wait_for_selector("#replay")
        page.click("#theme")


class TestATabThatNobodySees:
    def test_gives_its_connection_back_and_catches_up_when_it_is_seen(self, fake, visit):
        """A browser has six connections to a server: seven tabs that listen would leave none to run anything."""
        page = visit("prompt/app.summarize")
        live(page)
        see = """(state) => {
            Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
            document.dispatchEvent(new Event('visibilitychange'));
        }"""
        page.evaluate(see, "hidden")
        expect(page.locator("#connection")).to_have_text("Paused")
        fake.runs = [a_run("r3")]
        page.evaluate(see, "visible")
        expect(page.locator("#connection")).to_have_text("Live")
        expect(page.locator("#history .run")).to_have_count(1)


class TestTheServer:
    def test_that_went_is_missed_and_found_again(self, page):
        page.allowed += [
            "ERR_CONNECTION_REFUSED",
            "ERR_INCOMPLETE_CHUNKED_ENCODING",
            "ERR_EMPTY_RESPONSE",
            "ERR_CONNECTION_RESET",
        ]
        with fake_playground() as first:
            port = int(first.address.split(":")[2].split("/")[0])
            page.goto(f"{first.address}#/prompt/app.summarize")
            live(page)
            page.fill("#input-text", "typed before")
        expect(page.locator("#connection")).to_have_text("Reconnecting…")
        expect(page.locator("#banner")).to_contain_text("lambdallm dev can’t be reached")
        page.click("#run")
        expect(page.locator(".error-card")).to_contain_text("lambdallm dev can't be reached. Is it still running?")
        with fake_playground(port) as second:
            second.runs = [a_run("r3")]
            expect(page.locator("#connection")).to_have_text("Live", timeout=20_000)
            expect(page.locator("#banner")).to_be_hidden()
            expect(page.locator("#history .run")).to_have_count(2)
            assert page.input_value("#input-text") == "typed before"
