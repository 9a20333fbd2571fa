"""`examples/quickstart`: both functions without a model, and the demonstration with the embedded one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"


def invoke(name, event, model, environ):
    """What `lambdallm invoke` makes of one of the functions."""
    told = subprocess.run(
        [sys.executable, "-m", "lambdallm", "invoke", f"app.py:{name}", "--event", event, "--model", model, "--json"],
        cwd=QUICKSTART,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


@pytest.fixture
def environ():
    return {name: value for name, value in os.environ.items() if not name.startswith("LAMBDALLM_MODEL")}


def test_sentiment_has_its_shape_whatever_the_model(environ):
    assert invoke("sentiment", "events/review.json", "echo", environ)["result"] == {"sentiment": "positive"}


def test_summary_streams_what_the_model_says(environ):
    report = invoke("summary", "events/article.json", "echo", environ)
    text = json.loads((QUICKSTART / "events" / "article.json").read_text())["text"]
    assert report["result"].startswith(text)
    assert report["first_token_ms"] is not None


def demo(environ):
    return subprocess.run(
        [sys.executable, str(QUICKSTART / "demo.py")], env=environ, capture_output=True, text=True, timeout=300
    )


@pytest.mark.model
def test_the_demonstration_answers_and_measures(local_model, environ):
    told = demo(environ)
    assert told.returncode == 0, told.stderr
    assert told.stderr == ""
    said = told.stdout
    assert '{"sentiment": "positive"}  Best coffee' in said
    assert '{"sentiment": "negative"}  The battery died' in said
    assert "bees" in said
    for fact in ("tokens in", "tokens/s", "first token after", "bare Python", "Try next"):
        assert fact in said


def test_without_the_model_the_demonstration_says_how_to_get_it(environ, tmp_path):
    told = demo({**environ, "LAMBDALLM_LOCAL_MODEL": "", "LAMBDALLM_CACHE": str(tmp_path)})
    assert told.returncode == 2
    assert "lambdallm local pull" in told.stderr
    assert "Traceback" not in told.stderr
