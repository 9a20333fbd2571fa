"""A browser for the tests of a module, and for each test a fake server and a page of its own.

Not for all modules: while it is open Playwright keeps an event loop running, and other tests run loops of their own.
"""

import pytest

from browser import launched, opened
from playground_fake import fake_playground


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture
def fake():
    with fake_playground() as fake:
        yield fake


@pytest.fixture
def page(browser, fake):
    """A page that is not at the playground yet: `visit` brings it there."""
    with opened(browser) as page:
        yield page


@pytest.fixture
def visit(page, fake):
    """Open the playground at a place of its address: visit("prompt/app.summarize")."""

    def go(place="", ready="#run"):
        page.goto(f"{fake.address}#/{place}" if place else fake.address)
        page.wait_for_selector(ready)
        return page

    return go
