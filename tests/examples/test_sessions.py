"""The examples of sessions run, and say what the documentation says they do."""

import subprocess
import sys
from pathlib import Path

CHAT = Path(__file__).parents[2] / "examples" / "sessions" / "chat.py"


def test_a_conversation_goes_on():
    told = subprocess.run([sys.executable, CHAT], capture_output=True, text=True, timeout=60, check=True).stdout
    answer, *asked = told.splitlines()
    assert answer == '{"answer": "Your name is Ada.", "turns": 2}'
    assert "user: My name is Ada." in asked
    assert asked[-1] == "user: What is my name?"
