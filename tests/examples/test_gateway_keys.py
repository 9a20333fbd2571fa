"""The example of keys, as a person runs it."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "gateway" / "keys.py"


def test_the_example_prints_the_life_of_a_key():
    told = subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True, text=True, timeout=60)
    assert told.stdout.splitlines() == [
        "the key is from alice, a wrong one from 401 invalid_api_key",
        "the old one is from alice, the new one from alice",
        "revoked: 401 api_key_revoked",
        "  erin revoke done",
        "  erin rotate done",
        "  erin create done",
    ], told.stderr
