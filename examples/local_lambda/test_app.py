"""The function of this folder, tested as Lambda runs it: `pytest` starts its process once, for all tests."""

import json
from pathlib import Path
from urllib.request import urlopen

import pytest

from lambdallm.testing import FunctionFailedError, LocalLambda


@pytest.fixture(scope="module")
def app():
    with LocalLambda(Path(__file__).parent, memory_mb=512, timeout=20) as running:
        yield running


def test_it_says_hello(app):
    assert app.invoke({"name": "Ada"}) == {"said": "Say hello to Ada."}


def test_it_answers_over_http(app):
    assert json.load(urlopen(app.url)) == {"said": "Say hello to all."}


def test_it_fails_as_asked(app):
    with pytest.raises(FunctionFailedError, match="ValueError: as asked"):
        app.invoke({"fail": True})
