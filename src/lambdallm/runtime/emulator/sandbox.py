"""A place for a function's process: a read-only code folder and a `/tmp` of its own, where the kernel gives them.

On Linux a process is put into user and mount namespaces by `unshare`: its `/tmp` is a file system of the given size
that nobody else sees, its code folder can't be written. It stays the user that started it, and has no right that it
would not have had. What lies in the machine's `/tmp` is hidden, apart from the code, the interpreter
and the folders that a function names. Elsewhere, or where the kernel forbids it (macOS; Linux without unprivileged
user namespaces), the process gets a folder of its own as `TMPDIR`, and nothing keeps it from writing its code.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .function import Function

_SCRIPT = """
set -e
base=$1 size=$2 code=$3
shift 2
mount -t tmpfs -o "size=$size,mode=1777" tmpfs "$base"
while [ "$1" != -- ]; do
  at=$1
  case $1 in /tmp/*) at=$base${1#/tmp}; mkdir -p "$at";; esac
  mount -o bind,ro "$1" "$at"
  shift
done
shift
mount --rbind "$base" /tmp
cd "$code"
exec $again "$@" </dev/null
"""
_AS_USER = 'again="unshare --user --map-user={} --map-group={} --"\n'
"""In a further namespace, the process is the user again that it is outside, and can't undo what was mounted."""


def prefix(function: Function, base: str) -> tuple[str, ...]:
    """The words before a function's command that isolate it; none where that can't be done here.

    `base` is an empty folder. Standard input of the command is a pipe's end until the function itself starts.
    """
    folders = (function.code, *_seen(function))
    words = _words(base, function.tmp_mb, folders)
    works = function.code != "/tmp" and _works(words, tuple(sorted({os.stat(folder).st_dev for folder in folders})))
    return words if works else ()


def _words(base: str, tmp_mb: int, folders: tuple[str, ...]) -> tuple[str, ...]:
    isolate = ("unshare", "--user", "--map-root-user", "--mount", "--")
    script = (_AS_USER.format(os.getuid(), os.getgid()) if os.getuid() else "again=\n") + _SCRIPT
    return (*isolate, "/bin/sh", "-c", script, "sh", base, f"{tmp_mb}m", *folders, "--")


def _seen(function: Function) -> tuple[str, ...]:
    """The folders of `/tmp` that the process needs: what it is run by, and what the function names."""
    program = os.path.dirname(shutil.which(function.command[0]) or "")
    paths = (function.environment | function.shell).get("PYTHONPATH", "").split(os.pathsep)  # type: ignore[operator]
    needed = (program, sys.prefix, sys.base_prefix, _own_folder(), *paths, *function.mounts)
    folders = sorted({os.path.realpath(f) for f in needed if f} | {os.path.abspath(f) for f in needed if f})
    return tuple(f for f in folders if f.startswith("/tmp/") and os.path.isdir(f) and f != function.code)


def _own_folder() -> str:
    """Where this package is imported from."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def _works(words: tuple[str, ...], devices: tuple[int, ...]) -> bool:
    """Whether it can be done, tried once for file systems that were met before: they differ in what they allow."""
    if devices not in _tried:
        _tried[devices] = _can_run(words)
    return _tried[devices]


def _can_run(words: tuple[str, ...]) -> bool:
    if not sys.platform.startswith("linux") or shutil.which(words[0]) is None:
        return False
    tried = subprocess.run([*words, "true"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return tried.returncode == 0


_tried: dict[tuple[int, ...], bool] = {}
