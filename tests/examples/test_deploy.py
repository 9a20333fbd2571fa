"""The example of making a package runs as it is printed."""

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "deploy" / "package.py"


def test_the_example_says_what_is_in_the_package():
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert "MB zipped, " in lines[0]
    assert lines[1].startswith("lambdallm: ")
    assert lines[2].startswith("your code: ")
    assert lines[-1] == "Python '3.8' can't run LambdaLLM. Name a version such as 3.12."
