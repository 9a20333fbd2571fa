"""The page and `lambdallm dev` together: what one says the other understands."""

import json
import urllib.request

import pytest
from playwright.sync_api import expect

from browser import opened

APP = '''
    from lambdallm import Chain, Prompt, Step, handler

    READERS = ["customers", "engineers"]
    summarize = Prompt(template="Summarize for {audience}: {text}", input_schema={"text": str, "audience": READERS})
    pipeline = Chain("pipeline", [Step("summary", "Summarize: {text}"), Step("title", "A title for: {summary}")])

    @handler(model="echo")
    def lambda_handler(event, context):
        """Says what it was told."""
        print("told:", event.get("text"))
        return context.stream(summarize, text=event.get("text", "nothing"), audience="customers")

    @handler
    def broken(event, context):
        return event["customer"]
'''


@pytest.fixture
def served(serve, project):
    return serve(project({"app.py": APP, "lambdallm.yaml": "model: echo\n"}))


@pytest.fixture
def dev(browser, served):
    """The page of a running `lambdallm dev`: dev("prompt/app.summarize")."""
    with opened(browser) as page:

        def go(place):
            page.goto(f"http://127.0.0.1:{served.port}/_playground/#/{place}")
            page.wait_for_selector("#run")
            expect(page.locator("#connection")).to_have_text("Live")
            return page

        yield go


def test_a_function_s_answer_streams_in_with_what_it_printed_asked_and_took(dev):
    page = dev("function/app.lambda_handler")
    expect(page.locator(".doc")).to_have_text("Says what it was told.")
    page.fill("#event", '{"text": "kettles"}')
    page.click("#run")
    page.wait_for_selector("#replay")
    expect(page.locator(".stream")).to_have_text("Summarize for customers: kettles")
    expect(page.locator(".metrics")).to_contain_text("Tokens in")
    page.click("#tab-messages")
    expect(page.locator(".message h4")).to_have_text(["User", "Assistant"])
    page.click("#tab-timing")
    expect(page.locator(".waterfall .span-model")).to_have_count(1)
    page.click("#tab-log")
    expect(page.locator(".panel .log li")).to_contain_text(["told: kettles"])


def test_an_edited_prompt_is_run_and_compared_with_the_code_s(dev):
    page = dev("prompt/app.summarize")
    page.fill("#input-text", "kettles")
    page.select_option("#input-audience", "engineers")
    page.fill("#model", "echo")
    page.click("#run")
    expect(page.locator(".stream")).to_have_text("Summarize for engineers: kettles")
    page.fill("#edit-template", "Shorten for {audience}: {text}")
    page.click("#run")
    expect(page.locator(".stream")).to_have_text("Shorten for engineers: kettles")
    page.wait_for_selector("#replay")
    page.click("#compare-with")
    page.keyboard.press("Enter")
    answers = page.get_by_role("region", name="Answers")
    expect(answers.locator("del")).to_have_text(["Summarize"])
    expect(answers.locator("ins")).to_have_text(["Shorten"])


def test_a_chain_shows_its_steps(dev):
    page = dev("chain/app.pipeline")
    expect(page.locator("#form .steps li")).to_have_text(["summary", "title"])
    page.fill("#input-text", "kettles")
    page.fill("#model", "echo")
    page.click("#run")
    expect(page.locator(".output")).to_contain_text("A title for: Summarize: kettles")
    page.click("#tab-timing")
    expect(page.locator(".waterfall .span-step")).to_have_count(2)


def test_an_error_is_told_by_the_author_s_line(dev):
    page = dev("function/app.broken")
    page.click("#run")
    expect(page.locator(".error-card")).to_contain_text("KeyError")
    expect(page.locator(".frame strong")).to_have_text(["app.py:15"])


def test_a_request_from_elsewhere_appears_and_is_sent_again(dev, served):
    page = dev("function/app.lambda_handler")
    address = f"http://127.0.0.1:{served.port}/lambda_handler/?text=no"
    with urllib.request.urlopen(urllib.request.Request(address, data=b'{"text": "from curl"}')) as answer:
        assert answer.read() == b"Summarize for customers: nothing"
    expect(page.locator("#toast")).to_have_text("lambda_handler was called: 200 OK")
    expect(page.locator(".stream")).to_have_text("Summarize for customers: nothing")
    page.click("#replay")
    event = json.loads(page.input_value("#event"))
    assert event["queryStringParameters"] == {"text": "no"}
    page.click("#run")
    expect(page.locator("#history .run")).to_have_count(2)


def test_saved_code_is_there_at_once_and_broken_code_is_told(dev, project):
    page = dev("prompt/app.summarize")
    page.fill("#input-text", "typed before")
    project({"app.py": APP.replace("Summarize for", "Condense for")})
    expect(page.locator("#edit-template")).to_have_value("Condense for {audience}: {text}")
    project({"app.py": APP.replace("def broken(", "def broken((")})
    expect(page.locator("#banner")).to_contain_text("SyntaxError")
    expect(page.locator("#banner")).to_contain_text("app.py, line 14")
    project({"app.py": APP})
    expect(page.locator("#banner")).to_be_hidden()
    expect(page.locator("#edit-template")).to_have_value("Summarize for {audience}: {text}")
    assert page.input_value("#input-text") == "typed before"
