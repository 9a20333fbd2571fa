"""The example of hooks runs: what is made ready is used, and what was collected is sent at the end."""

import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parents[2] / "examples" / "lifecycle" / "app.py"


def test_hooks_stand_around_an_invocation():
    told = subprocess.run([sys.executable, APP], capture_output=True, text=True, timeout=60, check=True).stdout
    answer, sent = told.splitlines()
    assert "Describe tea for $4.5." in answer
    assert sent == "sent: restored r-1"
