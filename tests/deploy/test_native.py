"""A binary for another machine stops the build, for it would stop the function."""

import sysconfig
from pathlib import Path

import pytest

from lambdallm.deploy.errors import BuildError
from lambdallm.deploy.native import check_binary, machine_of
from lambdallm.deploy.settings import Settings

X86 = Settings(code=".", project=".", output="x.zip", python="3.12")
ARM = X86.replace(arch="arm64")


def elf(machine, order="little"):
    return b"\x7fELF\x02" + (b"\x01" if order == "little" else b"\x02") + bytes(12) + machine.to_bytes(2, order)


def test_the_machine_of_this_machines_own_library():
    (library, *_) = Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so")
    assert (
        machine_of(library.read_bytes()) == {"x86_64": "x86_64", "aarch64": "aarch64"}[__import__("os").uname().machine]
    )


@pytest.mark.parametrize(
    ("data", "machine"),
    [
        (elf(0x3E), "x86_64"),
        (elf(0xB7), "aarch64"),
        (elf(0x3E, "big"), "x86_64"),
        (elf(0x1234), "machine 4660"),
        (b"\xcf\xfa\xed\xfe" + bytes(30), "macOS"),
        (b"MZ\x90", "Windows"),
        (b"\x7fELF", None),
        (b"", None),
        (b"import os", None),
    ],
)
def test_the_machine_is_read_from_the_first_bytes(data, machine):
    assert machine_of(data) == machine


@pytest.mark.parametrize("path", ["pkg/_core.abi3.so", "pkg/libx.so.3", "pkg/_core.cpython-312-x86_64-linux-gnu.so"])
def test_a_library_for_another_machine_is_an_error_that_names_it(path):
    assert check_binary(path, "pkg", elf(0x3E), X86) is None
    with pytest.raises(BuildError, match=rf"{path} \(pkg\) is for x86_64, not for aarch64 under Linux"):
        check_binary(path, "pkg", elf(0x3E), ARM)


def test_a_library_from_a_mac_is_one():
    with pytest.raises(BuildError, match="is for macOS, not for x86_64 under Linux"):
        check_binary("pkg/_core.abi3.so", "pkg", b"\xcf\xfa\xed\xfe" + bytes(30), X86)


def test_a_program_for_another_machine_is_told_for_it_may_be_meant():
    assert check_binary("tools/emulator", "pkg", elf(0xB7), X86) == (
        "tools/emulator (pkg) is for aarch64, not for x86_64 under Linux."
    )


def test_what_linux_never_loads_is_no_matter():
    assert check_binary("pkg/cli.exe", "pkg", b"MZ\x90", X86) is None
    assert check_binary("pkg/A.class", "pkg", b"\xca\xfe\xba\xbe", X86) is None


def test_an_extension_for_another_python_is_an_error():
    with pytest.raises(BuildError, match=r"is for Python 3\.11, not for 3\.12"):
        check_binary("pkg/_core.cpython-311-x86_64-linux-gnu.so", "pkg", elf(0x3E), X86)
