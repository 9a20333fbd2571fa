"""Light and dark, wide and narrow, for eyes and for ears."""

import pytest
from playwright.sync_api import expect

from browser import accessibility_faults, opened
from playground_fake import a_call, a_project, a_run, streamed

ERROR = {
    "errorType": "KeyError",
    "errorMessage": "'x'",
    "stackTrace": ['  File "app.py", line 3, in f\n    g()\n', '  File "/x/site-packages/a.py", line 3, in f\n'],
}
PLACES = [
    ("function/app.lambda_handler", "#run"), ("prompt/app.classify", "#run"), ("prompt/app.summarize/r1", ".markdown"),
    ("prompt/app.summarize/r1/messages", ".message"), ("prompt/app.summarize/r1/timing", ".waterfall"),
    ("prompt/app.summarize/r1/log", ".log"), ("prompt/app.summarize/r1/details", ".pairs"),
    ("function/jobs.nightly/r3", ".error-card"), ("compare/r1/r2", ".sides"),
]  # fmt: skip


def some_runs():
    words = "# Title\n\nA **short** `summary`.\n\n```\ncode\n```\n\n> quoted\n\n| a |\n|---|\n| 1 |"
    log = [{"line": f"a line of level {level}", "level": level} for level in ("DEBUG", "INFO", "WARNING", "ERROR")]
    return [
        a_run("r1", result=words, log=log, calls=[a_call(words, warnings=["a warning"], error="an error")]),
        a_run("r2", result="A longer summary.", cost_usd=0.0002, template="x {text}"),
        a_run("r3", "function", "jobs.nightly", None, status=502, error=ERROR, calls=[]),
    ]


@pytest.fixture(params=["light", "dark"])
def coloured(request, browser, fake):
    """A page in light, checked for everything; in dark for contrast alone, as all else is the same there."""
    with opened(browser, color_scheme=request.param) as page:
        page.add_init_script("localStorage.setItem('lambdallm:markdown', 'true')")
        page.rules = None if request.param == "light" else ["color-contrast"]
        yield page


class TestAccessibility:
    def test_axe_finds_no_fault_anywhere(self, fake, coloured):
        fake.runs = some_runs()
        for place, ready in PLACES:
            coloured.goto(f"{fake.address}#/{place}")
            coloured.wait_for_selector(ready)
            assert accessibility_faults(coloured, coloured.rules) == [], place

    def test_nor_in_dialogs_menus_banners_faults_and_while_it_runs(self, fake, coloured):
        fake.runs = some_runs()
        fake.project = a_project(error=ERROR)
        fake.script = lambda body: (
            item for item in streamed("half")(body) if item[0] != "end" or fake.stopped.wait(20)
        )
        page = coloured
        page.goto(f"{fake.address}#/prompt/app.classify")
        page.wait_for_selector("#banner .error-card")
        page.fill("#input-labels", "[1 2]")
        page.fill("#input-threshold", "x")
        page.click("#run")
        assert accessibility_faults(page, page.rules) == []
        page.keyboard.press("Control+k")
        assert accessibility_faults(page, page.rules) == []
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("?")
        assert accessibility_faults(page, page.rules) == []
        page.keyboard.press("Escape")
        page.goto(f"{fake.address}#/prompt/app.summarize")
        page.click("#share")
        page.click(".log-toggle")
        assert accessibility_faults(page, page.rules) == []
        page.fill("#input-text", "x")
        page.click("#run")
        expect(page.locator(".stream")).to_have_text("half")
        assert accessibility_faults(page, page.rules) == []
        fake.stopped.set()
        page.wait_for_selector("#replay")

    def test_an_answer_is_read_out_as_it_comes_by_sentences(self, fake, visit):
        fake.script = streamed("One sen", "tence. Ano", "ther one")
        page = visit("prompt/app.summarize")
        page.fill("#input-text", "x")
        page.click("#run")
        page.wait_for_selector("#replay")
        said = page.get_by_role("log", name="Answer, as it arrives")
        expect(said).to_have_text("One sentence. Another one")
        expect(page.locator("#told")).to_contain_text("200 OK")


class TestColours:
    def test_follow_the_system_until_they_are_chosen_and_are_remembered(self, browser, fake):
        ground = "getComputedStyle(document.body).backgroundColor"
        with opened(browser, color_scheme="dark") as page:
            page.goto(fake.address)
            page.wait_for_selector("#run")
            dark = page.evaluate(ground)
            page.emulate_media(color_scheme="light")
            light = page.evaluate(ground)
            assert dark != light == "rgb(255, 255, 255)"
            page.click("#theme")
            page.click("#theme")
            expect(page.locator("#theme")).to_have_attribute("aria-label", "Colours: dark. Change")
            assert page.evaluate(ground) == dark
            page.reload()
            page.wait_for_selector("#run")
            assert page.evaluate(ground) == dark
            page.evaluate("document.activeElement.blur()")
            page.keyboard.press("t")
            assert page.evaluate(ground) == light


class TestNarrow:
    @pytest.mark.parametrize("width", [320, 390, 700, 1024])
    def test_nothing_is_wider_than_the_window(self, browser, fake, width):
        fake.runs = some_runs()
        fake.runs[0]["result"] = "x" * 500
        with opened(browser, viewport={"width": width, "height": 844}) as page:
            for place, ready in PLACES:
                page.goto(f"{fake.address}#/{place}")
                page.wait_for_selector(ready if ready != ".markdown" else ".stream")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, place
                over = page.evaluate(
                    """(width) => [...document.querySelectorAll('#form *, #result *, #compare *')]
                    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > width + 1
                        && !one.closest('.hidden, svg, .editor, .waterfall, .code, .scrolls, .tabs'))
                    .map((one) => one.outerHTML.slice(0, 120))""",
                    width,
                )
                assert over == [], place

    def test_the_lists_open_over_the_page_and_close_when_one_is_chosen(self, browser, fake):
        with opened(browser, viewport={"width": 390, "height": 844}) as page:
            page.goto(fake.address)
            page.wait_for_selector("#run")
            expect(page.locator("#side")).to_be_hidden()
            page.click("#menu")
            expect(page.locator("#side")).to_be_visible()
            page.keyboard.press("Escape")
            expect(page.locator("#side")).to_be_hidden()
            page.click("#menu")
            page.get_by_role("link", name="summarize").click()
            expect(page.locator("#side")).to_be_hidden()
            expect(page.locator("#form h1")).to_have_text("summarize")

    def test_a_run_brings_its_answer_into_view(self, browser, fake):
        with opened(browser, viewport={"width": 390, "height": 844}) as page:
            page.goto(f"{fake.address}#/prompt/app.summarize")
            page.wait_for_selector("#run")
            page.fill("#input-text", "x")
            page.click("#run")
            page.wait_for_selector("#replay")
            expect(page.locator(".stream")).to_be_in_viewport()
            root = page.evaluate("[document.scrollingElement.scrollHeight, document.scrollingElement.scrollTop]")
            assert root == [844, 0], "the parts scroll, never the page, whose head and foot stay"
            expect(page.locator("#menu")).to_be_in_viewport()

    def test_a_run_that_goes_on_can_be_stopped_from_there(self, browser, fake):
        fake.script = lambda body: (
            item for item in streamed("half")(body) if item[0] != "end" or fake.stopped.wait(20)
        )
        with opened(browser, viewport={"width": 390, "height": 844}) as page:
            page.goto(f"{fake.address}#/prompt/app.summarize")
            page.wait_for_selector("#run")
            page.fill("#input-text", "x")
            page.click("#run")
            expect(page.locator(".stream")).to_have_text("half")
            stop = page.locator("#result").get_by_role("button", name="Stop")
            expect(stop).to_be_in_viewport()
            stop.click()
            page.wait_for_selector("#replay")
