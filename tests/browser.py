"""A headless Chromium for tests of pages, and what every page must hold: no error on its console, no request elsewhere.

Debian's Chromium is driven by Playwright, which downloads nothing. Where there is none the tests skip, unless
`LAMBDALLM_REQUIRE_BROWSER` is set.
"""

import os
import re
import shutil
from contextlib import contextmanager

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CLIPBOARD = ["clipboard-read", "clipboard-write"]
LOCAL = re.compile(r"(?:https?://127\.0\.0\.1[:/]|data:|blob:|about:)")


def chromium():
    """The path of the browser; skips, or fails where one is required."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    reason = "No Chromium is installed (Debian: apt-get install chromium)."
    if os.environ.get("LAMBDALLM_REQUIRE_BROWSER"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@contextmanager
def launched():
    """A browser with a profile of its own, until the block ends."""
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, **options):
    """A page in a fresh profile. At the end it must have logged no error and asked nobody but 127.0.0.1.

    Parts of messages that a test provokes on purpose go into the list `page.allowed`.
    """
    usual = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", "permissions": CLIPBOARD}
    context = browser.new_context(**{**usual, **options})
    context.set_default_timeout(10_000)
    page = context.new_page()
    errors, elsewhere, page.allowed = [], [], []
    page.on("console", lambda message: message.type in ("error", "warning") and errors.append(message.text))
    page.on("pageerror", lambda error: errors.append(f"{error}"))
    page.on("request", lambda request: LOCAL.match(request.url) or elsewhere.append(request.url))
    try:
        yield page
        assert [told for told in errors if not any(part in told for part in page.allowed)] == []
        assert elsewhere == []
    except BaseException as failure:
        failure.add_note(f"The page's console: {errors}")
        raise
    finally:
        context.close()


def accessibility_faults(page, rules=None):
    """What axe-core finds wrong (WCAG 2.1 A and AA, and good practice, or the named rules), each as a line."""
    from axe_playwright_python.base import AXE_FILE_PATH

    page.evaluate(AXE_FILE_PATH.read_text(encoding="utf-8"))
    options = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]
