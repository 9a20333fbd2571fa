"""A wheel of LambdaLLM that holds its metadata alone, so that an installer can resolve `lambdallm[extra]`.

What is packed is the LambdaLLM that runs the build: the one the project was tested with. Its code is taken from where
it is installed, its requirements by the installer, which needs no more than this to find them, also offline.
"""

from __future__ import annotations

import os

from .._version import __version__

_WHEEL = "Wheel-Version: 1.0\nGenerator: lambdallm\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_FIELDS = ("Requires-Dist", "Provides-Extra")


def write_own_wheel(folder: str) -> str:
    """Write the wheel into a folder, which is made, and return its version."""
    import zipfile

    from .archive import stamped

    os.makedirs(folder)
    about = f"lambdallm-{__version__}.dist-info"
    files = {f"{about}/METADATA": metadata(), f"{about}/WHEEL": _WHEEL}
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{about}/RECORD"))
    with zipfile.ZipFile(os.path.join(folder, f"lambdallm-{__version__}-py3-none-any.whl"), "w") as wheel:
        for name, text in files.items():
            wheel.writestr(stamped(name), text)
    return __version__


def metadata() -> str:
    """The fields of LambdaLLM's metadata that resolving reads."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import metadata as installed

    bare = f"Metadata-Version: 2.1\nName: lambdallm\nVersion: {__version__}\n"
    try:
        found = installed("lambdallm")
    except PackageNotFoundError:  # run from its source without being installed
        return bare
    lines = (f"{name}: {value}\n" for name in _FIELDS for value in found.get_all(name) or ())
    return bare + "".join(lines)
