"""What is installed is what the tests ran: the wheel holds the data beside the code, and nothing else."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_it_carries_roots_of_trust_under_their_hashes(names):
    roots = [name for name in names if name.startswith("lambdallm/transport/roots/")]
    assert len(roots) > 100
    assert all(name.rpartition("/")[2][:8].isalnum() and name.endswith((".0", ".1")) for name in roots)


@pytest.mark.parametrize(
    "name",
    [
        "lambdallm/py.typed",
        "lambdallm/llm/catalog/openai.json",
        "lambdallm/cli/templates/chat/app.py.tmpl",
        "lambdallm/testing/mocks.py",
    ],
)
def test_it_carries_its_data(names, name):
    assert name in names


def test_it_carries_nothing_else(names):
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"lambdallm"}
