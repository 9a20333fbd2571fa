"""What goes into a package and what never does: of a project, of LambdaLLM, of an installed package, of Python.

Lists only. `tests/deploy/test_contents.py` proves that what stays of LambdaLLM imports nothing of what is left out.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PROJECT_IGNORES = """
.*
__pycache__/
*.py[co]
*.egg-info/
node_modules/
tests/
test/
test_*.py
*_test.py
conftest.py
venv/
cdk.out/
/dist/
/build/
/requirements*.txt
/pyproject.toml
/setup.py
/setup.cfg
/tox.ini
/pytest.ini
/noxfile.py
/Makefile
/Dockerfile
/README*
/uv.lock
/poetry.lock
/pdm.lock
/pylock*.toml
/Pipfile*
/template.y*ml
/samconfig.*
"""
"""What of a project never runs, in the words of a `.gitignore`; a project's own `.lambdaignore` is over it."""

NEVER = """
.env
.env.*
.git
.lambdallm/
__pycache__/
"""
"""What no `.lambdaignore` takes in: secrets and histories would be readable to all who can read the function."""

BESIDE_THE_CODE = ("lambdallm.yaml", "lambdallm.yml", "lambdallm.json", "prompts", "providers")
"""What a function reads of its project when its code lies in a folder below, such as `src`: packed at the root."""

LEFT_OUT = ("__main__.py", "cli", "deploy", "runtime/emulator", "testing")
"""What of LambdaLLM never runs in Lambda: files and folders of the package."""

WHEN_USED = ("gateway",)
"""Folders of LambdaLLM that are packed where the project's own files name them."""

IN_THE_RUNTIME = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
"""What AWS's managed Python runtimes have installed: boto3 and all it needs (docs: "runtime-included SDK versions")."""

PYTHON_IGNORES = """
__pycache__/
*.pyc
/config-*/
/dist-packages/
/ensurepip/
/idlelib/
/lib2to3/
/pydoc_data/
/site-packages/
/test/
tests/
/tkinter/
/turtledemo/
/turtle.py
/venv/
/lib-dynload/_ctypes_test*
/lib-dynload/_test*
/lib-dynload/_tkinter*
/lib-dynload/xxlimited*
"""
"""What of Python's standard library a function never needs, by paths below `lib/python3.N`."""

_RECORDS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")


def is_left_out_of_lambdallm(path: str, used: Iterable[str] = ()) -> bool:
    """Whether a file of the package, by its path in it, is no part of what runs; `used` names folders that are."""
    out = (*LEFT_OUT, *(name for name in WHEN_USED if name not in used))
    return path.endswith(".pyc") or any(path == name or path.startswith(f"{name}/") for name in out)


def is_left_out_of_packages(path: str) -> bool:
    """Whether a file of an installed package is about its installation: where, when, by whom."""
    folder, _, name = path.rpartition("/")
    about = folder.endswith(".dist-info") and "/" not in folder
    return "__pycache__/" in path or (about and name in _RECORDS) or (not folder and name.startswith("."))


def named_parts(code: bytes) -> set[str]:
    """The folders of `WHEN_USED` that a text which speaks of LambdaLLM names; too many rather than too few."""
    if b"lambdallm" not in code:
        return set()
    return {name for name in WHEN_USED if re.search(rb"\b%b\b" % name.encode(), code)}


def not_in_the_runtime(requires: dict[str, set[str]]) -> set[str]:
    """The installed packages that must be packed where those of the runtime are left to it.

    `requires` says what each needs. One of the runtime's that a packed package needs is packed too: only boto3 may
    count on the version found there.
    """
    needed = set(requires) - set(IN_THE_RUNTIME)
    waiting = list(needed)
    while waiting:
        for name in requires[waiting.pop()] & set(requires) - needed:
            if name not in ("boto3", "botocore"):
                needed.add(name)
                waiting.append(name)
    return needed
