"""Published versions: copies of a function's code folder that nothing changes any more, with its settings then."""

from __future__ import annotations

import shutil
import threading
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

from ..._value import Value
from .service_errors import ServiceError, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .function import Function

LEFT_OUT = ("__pycache__", ".git", ".venv", "node_modules", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".lambdallm")


class Code(Value):
    """What is known of a code folder: the digest of all its files, and their bytes together."""

    sha256: str
    size: int


def code_of(folder: str) -> Code:
    """The digest and size of a code folder; caches and environments do not count. Raises `ServiceError`."""
    digest, size = sha256(), 0
    try:
        for path in _files(Path(folder)):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode() + data)
            size += len(data)
    except OSError as error:
        raise ServiceError("ServiceException", f"The code in {folder!r} can't be read: {error}") from error
    return Code(b64encode(digest.digest()).decode(), size)


class Versions:
    """The published versions of one account's functions, by name, in a folder of `new_folder`; `close` removes it."""

    def __init__(self, new_folder: Callable[[str], str]) -> None:
        self._new_folder, self._folder = new_folder, ""
        self._of: dict[str, list[tuple[Function, Code, str]]] = {}
        self._lock = threading.Lock()

    def publish(self, function: Function, description: str = "", expected_sha256: str | None = None) -> Function:
        """A version of a function as it is now; the newest one again where nothing has changed since.

        Raises `ServiceError` where the code is not the expected one.
        """
        with self._lock:
            code = code_of(function.code)
            if expected_sha256 not in (None, "", code.sha256):
                said = f"is different from current CodeSHA256 in $LATEST ({code.sha256})."
                raise wrong(f"CodeSHA256 ({expected_sha256}) {said} Please try again with the CodeSHA256 in $LATEST.")
            known = self._of.setdefault(function.name, [])
            if (
                known
                and known[-1][1] == code
                and known[-1][0].replace(code=function.code, version=function.version) == function
            ):
                return known[-1][0]
            made = function.replace(version=f"{len(known) + 1}", code=self._copy(function, len(known) + 1))
            known.append((made, code, description))
            return made

    def of(self, name: str) -> tuple[Function, ...]:
        """The versions of a function, oldest first."""
        return tuple(function for function, _, _ in self._of.get(name, ()))

    def find(self, name: str, version: str) -> Function | None:
        """A version, where there is one."""
        return next((each for each in self.of(name) if each.version == version), None)

    def description(self, name: str, version: str) -> str:
        """What a version was described as when it was published."""
        return next((said for each, _, said in self._of.get(name, ()) if each.version == version), "")

    def close(self) -> None:
        """Remove the copies."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _copy(self, function: Function, number: int) -> str:
        if not self._folder:
            self._folder = self._new_folder("lambdallm-versions-")
        target = f"{self._folder}/{function.name}/{number}"
        try:
            shutil.copytree(function.code, target, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        except (OSError, shutil.Error) as error:
            raise ServiceError("ServiceException", f"The code of {function.name!r} can't be copied: {error}") from error
        return target


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in LEFT_OUT:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path
