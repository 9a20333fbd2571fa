"""Everything can be done without a mouse."""

import threading

import pytest
from playwright.sync_api import expect

from playground_fake import a_run, streamed


def test_a_prompt_is_found_filled_run_read_and_compared_by_keys_alone(fake, visit):
    fake.runs = [a_run("r1")]
    fake.script = streamed("An ", "answer.", run="r9")
    page = visit()
    keys = page.keyboard
    keys.press("/")
    keys.type("summ")
    keys.press("Enter")
    expect(page.locator("#form h1")).to_have_text("summarize")
    keys.press("i")
    expect(page.locator("#edit-template")).to_be_focused()
    for _ in range(2):
        keys.press("Tab")
    expect(page.locator("#input-text")).to_be_focused()
    keys.type("Typed / with ? keys")
    keys.press("Control+Enter")
    expect(page.locator(".when")).to_contain_text("r9")
    assert fake.asked[0][1]["inputs"]["text"] == "Typed / with ? keys"
    page.evaluate("document.activeElement.blur()")
    keys.press("2")
    expect(page.locator("#tab-messages")).to_have_attribute("aria-selected", "true")
    keys.press("[")
    expect(page.locator(".when")).to_contain_text("r1")
    keys.press("]")
    expect(page.locator(".when")).to_contain_text("r9")
    keys.press("c")
    keys.press("Enter")
    page.wait_for_selector(".sides")


def test_escape_stops_a_run(fake, visit):
    def script(body):
        yield "begin", {"run": "r9", "request_id": "x"}
        yield "piece", {"text": "half"}
        assert fake.stopped.wait(10)
        yield "end", a_run("r9", result="half")

    fake.script = script
    page = visit("prompt/app.summarize")
    page.fill("#input-text", "x")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".stream")).to_have_text("half")
    page.keyboard.press("Escape")
    page.wait_for_selector("#replay")


def test_a_second_run_is_not_begun_while_one_goes_on(fake, visit):
    go = threading.Event()
    ended = streamed("x")
    fake.script = lambda body: (item for item in ended(body) if item[0] != "end" or go.wait(10))
    page = visit("prompt/app.summarize")
    page.fill("#input-text", "x")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".stream")).to_have_text("x")
    page.keyboard.press("Control+Enter")
    go.set()
    page.wait_for_selector("#replay")
    assert [path for path, _ in fake.asked] == ["run"]


def test_arrow_keys_move_in_lists_tabs_and_menus(fake, visit):
    fake.runs = [a_run("r2"), a_run("r1")]
    page = visit("prompt/app.summarize/r2")
    keys = page.keyboard
    page.locator("#targets a").first.focus()
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    assert page.evaluate("document.activeElement.textContent") == "summarizeapp.py"
    page.locator("#history a").first.focus()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator(".when")).to_contain_text("r1")
    expect(page.locator("#history a").nth(1)).to_be_focused()
    page.focus("#tab-answer")
    keys.press("ArrowLeft")
    expect(page.locator("#tab-details")).to_be_focused()
    expect(page.locator(".panel-details")).to_be_visible()
    page.focus("#share")
    keys.press("Enter")
    keys.press("ArrowUp")
    expect(page.get_by_role("menuitem", name="As JSON")).to_be_focused()
    keys.press("Escape")
    expect(page.locator("#share")).to_be_focused()
    expect(page.locator("#share-menu")).to_be_hidden()


def test_the_palette_finds_parts_of_names_and_closes_without_a_choice(fake, visit):
    fake.runs = [a_run("r7", result="about kettles")]
    page = visit()
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to")
    expect(box).to_be_focused()
    box.fill("kett")
    expect(page.locator("[role=option]")).to_have_count(1)
    box.fill("lmh")
    expect(page.locator("[role=option]").first).to_contain_text("lambda_handler")
    box.fill("zzz")
    expect(page.get_by_text("Nothing has that name.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("#form h1")).to_have_text("lambda_handler")


def test_the_keys_are_told(visit):
    page = visit()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard")
    expect(dialog.locator("dt")).to_have_count(13)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_the_first_tab_stop_leads_past_the_lists(visit):
    page = visit()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the inputs")).to_be_focused()
    expect(page.get_by_text("Skip to the inputs")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#form")).to_be_focused()
    assert "#/" not in page.url or page.locator("#form h1").inner_text() == "lambda_handler"


@pytest.mark.parametrize("place", ["prompt/app.classify/r1", "function/app.lambda_handler", "compare/r1/r2"])
def test_focus_is_seen_wherever_it_goes(fake, visit, place):
    fake.runs = [a_run("r2"), a_run("r1", id="app.classify")]
    page = visit(place, ".sides" if place.startswith("compare") else "#run")
    page.evaluate("document.activeElement.blur()")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        outline = page.evaluate("""() => {
            const {activeElement: at} = document;
            const ring = (one) => one && getComputedStyle(one).outlineStyle !== 'none';
            return [at.tagName + '#' + at.id, at === document.body || ring(at) || ring(at.closest('.editor'))];
        }""")
        seen.append(outline)
    assert [name for name, ring in seen if not ring] == []
    assert len({name for name, _ in seen}) > 5
