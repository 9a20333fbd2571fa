import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "chains"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("report", ["4 calls", "flowchart TD"]),
        ("exactly_once", ["failed: the function was stopped", "'send': 'done'", "1 call to the model, 1 letter"]),
        ("durable", ["['pros+cons', 'verdict', 'sleep on it'] 3 calls"]),
    ],
)
def test_an_example_runs_and_says_what_it_promises(name, says):
    ran = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert all(one in ran.stdout for one in says), ran.stdout
