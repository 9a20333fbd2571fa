"""The package's door: each name is where it says, and opening it costs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import lambdallm.runtime as runtime


def test_every_name_resolves():
    assert set(runtime.__all__) == set(runtime._HOMES) <= set(dir(runtime))
    assert all(getattr(runtime, name) is not None for name in runtime.__all__)


def test_it_loads_nothing_until_a_name_is_used():
    code = "import sys; before = set(sys.modules); import lambdallm.runtime; print(*(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(out.split()) == {"__future__", "lambdallm", "lambdallm._door", "lambdallm.runtime"}


def test_no_module_of_the_runtime_imports_the_emulator():
    """What runs in Lambda does not carry it: not at import, and not within a function."""
    folder = Path(runtime.__file__).parent
    for module in folder.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Import):
                named = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                named = [f"{node.module or ''}.{alias.name}" for alias in node.names]
            else:
                continue
            assert not any("emulator" in name.split(".") for name in named), f"{module.name}:{node.lineno}"
