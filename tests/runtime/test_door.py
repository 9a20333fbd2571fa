"""The package's door: each name is where it says, and opening it costs nothing."""

import subprocess
import sys

import lambdallm.runtime as runtime


def test_every_name_resolves():
    assert set(runtime.__all__) == set(runtime._HOMES) <= set(dir(runtime))
    assert all(getattr(runtime, name) is not None for name in runtime.__all__)


def test_it_loads_nothing_until_a_name_is_used():
    code = "import sys; before = set(sys.modules); import lambdallm.runtime; print(*(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(out.split()) == {"__future__", "lambdallm", "lambdallm._door", "lambdallm.runtime"}
