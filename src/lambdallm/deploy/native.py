"""Whether a binary is for the machine and the Python that will run it, read from its first bytes and its name. Pure."""

from __future__ import annotations

import re

from .errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .settings import Settings

_ELF_MACHINES = {0x03: "x86", 0x28: "arm", 0x3E: "x86_64", 0xB7: "aarch64", 0xF3: "riscv"}
_OTHERS = {
    b"\xcf\xfa\xed\xfe": "macOS",
    b"\xce\xfa\xed\xfe": "macOS",
    b"\xca\xfe\xba\xbe": "macOS",
    b"MZ": "Windows",
}
_TAGGED = re.compile(r"\.(?:cpython-|cp|pypy)(\d)(\d+)[^./]*\.(?:so|pyd)$")
_FIX = "Require a wheel that fits, or leave the file out: --leave-out."


def check_binary(path: str, owner: str, data: bytes, settings: Settings) -> str | None:
    """What should be known of a file that is a binary for elsewhere, or `None`.

    Raises `BuildError` for one that is loaded into the process, which would fail there. Others may be meant: some
    packages carry programs for several machines.
    """
    if (machine := machine_of(data)) is None:
        return None
    if machine != settings.machine:
        if machine in _OTHERS.values() and not path.endswith(".so"):  # no Linux program would load it
            return None
        said = f"{path} ({owner}) is for {machine}, not for {settings.machine} under Linux."
        if is_library(path):
            raise BuildError(said, fix=_FIX)
        return said
    version = python_of(path)
    if version not in (None, settings.python):
        raise BuildError(f"{path} ({owner}) is for Python {version}, not for {settings.python}.", fix=_FIX)
    return None


def machine_of(data: bytes) -> str | None:
    """The machine that a binary is for: an architecture under Linux, or another system; `None` for no binary."""
    if data.startswith(b"\x7fELF") and len(data) >= 20:
        number = int.from_bytes(data[18:20], "little" if data[5] == 1 else "big")
        return _ELF_MACHINES.get(number, f"machine {number}")
    return next((name for magic, name in _OTHERS.items() if data.startswith(magic)), None)


def is_library(path: str) -> bool:
    """Whether a file is loaded into a process, by its name."""
    name = path.rpartition("/")[2]
    return name.endswith(".so") or ".so." in name


def python_of(path: str) -> str | None:
    """The version of Python that an extension module is made for, "3.12"; `None` where its name doesn't say."""
    found = _TAGGED.search(path)
    return f"{found[1]}.{found[2]}" if found else None
