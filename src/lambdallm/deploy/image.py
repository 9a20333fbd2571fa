"""What is in the image that LambdaLLM mounts (`lambdallm._image`): its own modules, and of a packed Python's library
those that a first call imports.

The library's are for that one build of Python, so it is asked itself; for one that can't run here there are none.
"""

from __future__ import annotations

import json
import subprocess

from .._value import Value
from .plan import OURS, PYTHON, Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .bytecode import Module
    from .settings import Settings

FIRST_CALL = (
    *("__future__", "json", "re", "enum", "functools", "collections", "base64", "struct", "warnings", "traceback"),
    *("socket", "selectors", "ssl", "hashlib", "hmac", "datetime", "urllib.parse"),
)
"""What LambdaLLM imports of the standard library on the way to a first answer, and when that is an error."""

_ASK = """
import sys
before = set(sys.modules)
for name in sys.argv[1:]:
    __import__(name)
found = [(name, module.__spec__) for name, module in sys.modules.items() if name not in before]
names = [name for name, spec in found if spec and spec.name == name and str(spec.origin).endswith(".py")]
import json
print(json.dumps([sys.version, names]))
"""
_HEAD_BYTES = 16
"""Of a `.pyc` file, before its code."""


class Standard(Value):
    """The modules of the standard library that go into an image, and the `sys.version` that they are for."""

    version: str = ""
    names: frozenset[str] = frozenset()


NO_STANDARD = Standard()


def standard_of(python: str, settings: Settings, entries: Iterable[Entry]) -> Standard:
    """What a first call imports of the library of the Python that is packed, where `python` is that one.

    A name that the package has outside that library hides it, as without an image.
    """
    if python != settings.packed_python:
        return NO_STANDARD
    hidden = {entry.path.partition("/")[0].partition(".")[0] for entry in entries if entry.owner != PYTHON}
    command = (python, "-I", "-S", "-B", "-c", _ASK, *(name for name in FIRST_CALL if name not in hidden))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:  # a library that is not whole
        return NO_STANDARD
    version, names = json.loads(done.stdout)
    return Standard(version, frozenset(name for name in names if name.partition(".")[0] not in hidden))


def image_of(own: Sequence[Module], everything: Iterable[Module], standard: Standard) -> Entry:
    """The image's file: LambdaLLM's modules, which take fewer system calls to import from it, and the library's."""
    from .._image import packed

    library = (module for module in everything if module.source.owner == PYTHON)
    known = {name: held for name, held in _codes(library, below=3).items() if name in standard.names}
    magic = own[0].pyc[:4]
    return Entry("lambdallm/image.bin", OURS, data=packed(magic, _codes(own), standard.version, known))


def _codes(modules: Iterable[Module], below: int = 0) -> dict[str, tuple[bool, bytes]]:
    """Names of modules → whether it is a package, and its marshalled code, seen from `below` that many folders."""
    codes = {}
    for module in modules:
        file = "/".join(module.source.path.split("/")[below:])
        path = file.removesuffix(".py")
        name = path.removesuffix("/__init__").replace("/", ".")
        codes[name] = (path.endswith("/__init__"), module.pyc[_HEAD_BYTES:])
    return codes
