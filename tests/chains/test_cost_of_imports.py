"""What a cold start pays for chains."""

import subprocess
import sys

import lambdallm

SOURCE = lambdallm.__path__[0].rpartition("/")[0]
NEVER = {"asyncio", "inspect", "typing", "dataclasses", "logging", "hashlib", "uuid", "datetime", "threading", "boto3",
         "sqlite3", "difflib", "random", "concurrent.futures", "aws_durable_execution_sdk_python"}  # fmt: skip


def imported(code):
    script = f"import sys; sys.path.insert(0, {SOURCE!r})\n{code}\nprint(*sys.modules)"
    out = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True).stdout
    return set(out.splitlines()[-1].split())


MAKE = """
from lambdallm.chains.chain import Chain, Step
Chain("c", [Step("a", "A {x}"), Step("b", func=lambda a: a, condition=lambda a: True), Step("c", "{b.output}")])
"""


def test_making_a_chain_imports_nothing_that_costs_milliseconds():
    found = imported(MAKE)
    assert not found & NEVER
    assert "lambdallm.chains.runner" not in found


def test_importing_the_package_imports_none_of_its_modules():
    assert not [name for name in imported("import lambdallm.chains") if name.startswith("lambdallm.chains.")]


def test_what_decides_opens_and_waits_for_nothing():
    found = imported("import lambdallm.chains.plan, lambdallm.chains.check, lambdallm.chains.shape")
    assert not found & {"socket", "ssl", "asyncio", "threading", "boto3", "lambdallm.llm.drivers.blocking"}


def test_every_public_name_resolves():
    from lambdallm import chains

    assert all(getattr(chains, name) is not None for name in chains.__all__)
    assert set(chains.__all__) == set(chains._HOMES)
