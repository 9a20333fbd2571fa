"""What a build is asked for, and what follows from it about Lambda: platforms, places, versions."""

from __future__ import annotations

import os
import re
import sys

from .._value import Value
from .errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    Arch = Literal["x86_64", "arm64"]
    RuntimeKind = Literal["managed", "provided"]

MANAGED = ("3.11", "3.12", "3.13", "3.14")
"""The managed Python runtimes that LambdaLLM runs on (docs: "Lambda runtimes")."""

TASK_ROOT = "/var/task"
"""Where Lambda unpacks a package."""

_MACHINES = {"x86_64": "x86_64", "arm64": "aarch64"}
_GLIBC = {"3.11": 26}
"""The C library's minor version: Amazon Linux 2 has 2.26, Amazon Linux 2023 of all later runtimes 2.34."""

_UV_HAS = (17, 28, 31, 32, 33, 34)


class Settings(Value):
    """What to build: the folder `code` becomes the root of the package, `project` is where its requirements are.

    `python_home` is a Python installation to pack, for `provided`. `sources` False leaves out the source text of
    dependencies, `bytecode` False leaves out the compiled form of everything. `without_boto3` leaves boto3 and what
    only it needs to the managed runtime. `leave_out` are patterns, as in a `.gitignore`, of what else is not packed,
    of the project and of its dependencies, by paths in the package.
    """

    code: str
    project: str
    output: str
    handlers: tuple[str, ...] = ()
    python: str = f"{sys.version_info.major}.{sys.version_info.minor}"
    arch: Arch = "x86_64"
    runtime: RuntimeKind = "managed"
    requirements: str | None = None
    python_home: str | None = None
    sources: bool = True
    bytecode: bool = True
    without_boto3: bool = False
    leave_out: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    @property
    def machine(self) -> str:
        """The architecture as wheels and compilers call it."""
        return _MACHINES[self.arch]

    @property
    def interpreter(self) -> str:
        """Where Python is found when the function runs."""
        if self.runtime == "managed":
            return f"/var/lang/bin/python{self.python}"
        return f"{TASK_ROOT}/python/bin/python{self.python}" if self.python_home else f"/opt/bin/python{self.python}"

    @property
    def packed_python(self) -> str | None:
        """The interpreter to pack, where it lies now."""
        return os.path.join(self.python_home, "bin", f"python{self.python}") if self.python_home else None

    @property
    def uv_platform(self) -> str:
        """The platform in the words of `uv --python-platform`: the newest it knows that is not too new."""
        return f"{self.machine}-manylinux_2_{max(minor for minor in _UV_HAS if minor <= self._glibc)}"

    @property
    def pip_platforms(self) -> tuple[str, ...]:
        """The same for `pip --platform`, which takes each by name."""
        newest = (f"manylinux_2_{minor}_{self.machine}" for minor in range(self._glibc, 16, -1))
        return (*newest, f"manylinux2014_{self.machine}", f"linux_{self.machine}")

    @property
    def _glibc(self) -> int:
        return _GLIBC.get(self.python, 34) if self.runtime == "managed" else 34


def _check(settings: Settings) -> None:
    """Raise `BuildError` for what can't be built."""
    found = re.fullmatch(r"3\.(\d+)", settings.python)
    if found is None or int(found[1]) < 11:
        raise BuildError(f"Python {settings.python!r} can't run LambdaLLM.", fix="Name a version such as 3.12.")
    if settings.runtime == "managed" and settings.python not in MANAGED:
        fix = f"Take one of {', '.join(MANAGED)}, or --runtime provided."
        raise BuildError(f"AWS has no managed runtime that this version knows for Python {settings.python}.", fix=fix)
    if settings.runtime == "managed" and settings.python_home:
        raise BuildError("A managed runtime brings its own Python.", fix="Leave out --python-home.")
    if settings.runtime == "provided" and settings.without_boto3:
        raise BuildError("A provided runtime has no boto3.", fix="Leave out --without-boto3.")
