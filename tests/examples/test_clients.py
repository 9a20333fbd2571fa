"""`examples/clients`: the same calls to any provider."""

import subprocess
import sys
from pathlib import Path

import pytest

CLIENTS = Path(__file__).parents[2] / "examples" / "clients"


def run(*arguments):
    told = subprocess.run(
        [sys.executable, str(CLIENTS / "anywhere.py"), *arguments], capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_the_same_calls_need_no_key_with_echo():
    out = run()
    assert "'Name a river.' from echo/echo" in out
    assert 'the model calls weather({"city": ""})' in out
    assert "'Count to three.' in 3 pieces" in out


@pytest.mark.model
def test_and_answer_from_the_embedded_model(local_model):
    out = run("local")
    assert "from local/" in out
    assert out.count(" pieces") == 2
