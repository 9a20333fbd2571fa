"""The example of functions runs, and answers each kind of event as the documentation says."""

import subprocess
import sys
from ast import literal_eval
from pathlib import Path

SHOP = Path(__file__).parents[2] / "examples" / "functions" / "shop.py"


def test_each_event_gets_the_answer_of_its_kind():
    told = subprocess.run([sys.executable, SHOP], capture_output=True, text=True, timeout=60, check=True)
    described, refused, compared, translated, saved = map(literal_eval, told.stdout.splitlines())
    assert (described["statusCode"], refused["statusCode"]) == (201, 400)
    assert described["headers"]["Cache-Control"] == "max-age=3600"
    assert "The body is not JSON" in refused["body"]
    assert compared == ["(What is good about tea?)", "(What is good about coffee?)"]
    assert translated == {"batchItemFailures": [{"itemIdentifier": "m-2"}]}
    assert saved == ["(In French: one)"]
    assert "Record m-2 failed" in told.stderr
