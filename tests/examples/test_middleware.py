"""`examples/middleware`: each file runs without a key, and says what it is there to show."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples" / "middleware"


def run(name):
    told = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py")], env=os.environ, capture_output=True, text=True, timeout=120
    )
    assert (told.returncode, told.stderr) == (0, "")
    return told.stdout


def test_every_example_is_here():
    tested = set(re.findall(r'\brun\("(\w+)"', Path(__file__).read_text()))
    assert {path.stem for path in FOLDER.glob("*.py")} == tested


def test_everything_around_a_function():
    out = run("orders")
    assert "a preflight: 204" in out
    assert "no key: 401" in out
    assert '"problems": ["$.text: expected string, got 3"]' in out
    assert 'an order: 200 {"for": "shop"' in out
    assert 'the same again: 200 (replayed) {"for": "shop"' in out
    assert "another with its key: 422" in out
    lines = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert [line["status"] for line in lines] == [204, 401, 400, 200, 200, 422]
    assert [line["model_calls"] for line in lines] == [0, 0, 0, 1, 0, 0]


def test_middleware_of_one_s_own():
    out = run("own")
    assert out.count("{'answer': 'Hello Ada', 'measured': True}") == 2
    assert "'because': 'KeyError'" in out
    assert "Back soon." in out
    assert "refused: A call of up to" in out
    assert "40% of the budget of 'small' for this day is reached" in out
    assert 'without a token: 401, Bearer realm="api"' in out
