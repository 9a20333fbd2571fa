"""The executables of a deployment that start our own runtime: small Python programs, with no shell in front.

Both stand at the root of the zip, or of a layer, as files with mode 755. Python starts with `-S`: what `site` would do,
reading `.pth` files and finding what is installed, takes a millisecond and a half; the runtime does what of it a
function needs. The other flags that make Python quicker (`-E`, `-I`) would hide `PYTHONPATH`, which functions may set.
"""

from __future__ import annotations

import re

_LONGEST_LINE = 127
"""Older Linux kernels cut a first line there."""

_TEXT = '''#!{python} -S
"""Starts the function in LambdaLLM's runtime."""
import gc
import sys

gc.disable()  # the runtime switches it on again
sys.path[1:1] = ["/opt/python/lib/python{{}}.{{}}/site-packages".format(*sys.version_info), "/opt/python"]
from lambdallm.runtime.main import main

main()
'''


def bootstrap(python: str) -> str:
    """The text of `bootstrap` for the runtimes `provided.al2023` and `provided.al2`.

    `python` is where the interpreter is in Lambda: in the zip below `/var/task`, or in a layer below `/opt`.
    Raises `ValueError` for a path that can't be used.
    """
    return _script(python)


def exec_wrapper(python: str) -> str:
    """The text of a program that `AWS_LAMBDA_EXEC_WRAPPER` names, for AWS's managed Python runtimes.

    `python` is a version such as `"3.12"`, or the interpreter's path. Lambda calls the program in the place of its own
    runtime, whose command line it is given, and which it leaves aside. Raises `ValueError` for what is neither.
    """
    if re.fullmatch(r"3\.\d+", python):
        python = f"/var/lang/bin/python{python}"
    return _script(python)


def _script(python: str) -> str:
    line = f"#!{python} -S"
    if not python.startswith("/") or not python.isprintable() or " " in python:
        raise ValueError(f"The interpreter {python!r} can't start a script. Give an absolute path without spaces.")
    if len(line.encode()) > _LONGEST_LINE:
        raise ValueError(f"The interpreter's path {python!r} is too long for the first line of a script. Shorten it.")
    return _TEXT.format(python=python)
