"""What is packed of LambdaLLM: all that runs, nothing that builds, tests or serves a developer."""

import subprocess
import sys
from pathlib import Path

import pytest

from lambdallm.deploy.collect import LIBRARY, library_files
from lambdallm.deploy.contents import (
    LEFT_OUT,
    is_left_out_of_lambdallm,
    is_left_out_of_packages,
    named_parts,
    not_in_the_runtime,
)

IMPORT_ALL = """
import importlib, sys, warnings
warnings.simplefilter("error")
for name in sys.stdin.read().split():
    try:
        importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").startswith("lambdallm"):
            raise
left_out = sorted(name for name in sys.modules if name.startswith(tuple(sys.argv[2:])))
assert not left_out, left_out
"""


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A folder with what is packed, and nothing else of LambdaLLM."""
    folder = tmp_path_factory.mktemp("packed")
    for file in library_files():
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(Path(file.source).read_bytes())
    return folder


def test_every_module_that_is_packed_imports_without_those_that_are_left_out(packed):
    modules = sorted(path.relative_to(packed).as_posix() for path in packed.rglob("*.py"))
    names = [module.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for module in modules]
    names = [name for name in names if not name.endswith("__main__")]
    out = [f"lambdallm.{name.removesuffix('.py').replace('/', '.')}" for name in LEFT_OUT]
    script = f"import sys; sys.path.insert(0, sys.argv[1])\n{IMPORT_ALL}"
    command = [sys.executable, "-S", "-B", "-c", script, str(packed), *out]
    done = subprocess.run(command, input="\n".join(names), cwd=packed, capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stderr
    assert len(names) > 400


def test_what_is_left_out_exists_so_that_the_list_is_true():
    assert [name for name in LEFT_OUT if not Path(LIBRARY, name).exists()] == []


@pytest.mark.parametrize("path", ["cli/main.py", "testing/mocks.py", "deploy/plan.py", "__main__.py", "core/x.pyc"])
def test_tools_and_caches_are_left_out(path):
    assert is_left_out_of_lambdallm(path)


@pytest.mark.parametrize("path", ["core/handler.py", "llm/catalog/openai.json", "runtime/__main__.py", "py.typed"])
def test_what_runs_is_packed(path):
    assert not is_left_out_of_lambdallm(path)


def test_the_gateway_is_packed_where_it_is_named():
    assert is_left_out_of_lambdallm("gateway/app.py")
    assert not is_left_out_of_lambdallm("gateway/app.py", {"gateway"})
    assert named_parts(b"from lambdallm.gateway import app") == {"gateway"}
    assert named_parts(b"from lambdallm import gateway") == {"gateway"}
    assert named_parts(b"an API gateway of mine") == set()


def test_of_a_packages_metadata_what_tells_of_its_installation_goes():
    gone = ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"]
    assert all(is_left_out_of_packages(f"yaml-6.dist-info/{name}") for name in gone)
    kept = ["yaml-6.dist-info/METADATA", "yaml-6.dist-info/licenses/LICENSE", "yaml/RECORD"]
    assert not any(is_left_out_of_packages(path) for path in kept)


def test_what_the_runtime_has_is_left_to_it_where_nothing_else_needs_it():
    boto = {"boto3": {"botocore", "s3transfer"}, "botocore": {"urllib3", "six"}, "s3transfer": set(), "six": set()}
    installed = boto | {"urllib3": set(), "requests": {"urllib3"}, "powertools": {"boto3"}}
    assert not_in_the_runtime(installed) == {"requests", "urllib3", "powertools"}
