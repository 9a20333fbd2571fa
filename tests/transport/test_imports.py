"""What a cold start loads: an allow-list of modules, because each costs milliseconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lambdallm

SOURCE = str(Path(lambdallm.__file__).parent.parent)

ALLOWED = {
    "__future__", "_collections", "_collections_abc", "_functools", "_operator", "_socket", "abc", "_abc", "array",
    "collections", "collections.abc", "enum", "errno", "functools",
    "genericpath", "itertools", "keyword", "math", "operator", "os",
    "os.path", "posixpath", "reprlib", "select", "selectors", "socket", "stat", "_stat", "types", "_weakref",
    "importlib", "importlib._bootstrap", "importlib._bootstrap_external", "warnings", "_imp",
}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; sys.path.insert(0, {SOURCE!r}); before = set(sys.modules); {statement}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-S", "-E", "-c", code], capture_output=True, text=True, check=True)
    plain = subprocess.run(
        [sys.executable, "-S", "-E", "-c", "import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return {name for name in set(ran.stdout.split()) - set(plain.stdout.split()) if not name.startswith("lambdallm")}


@pytest.mark.parametrize(
    "statement",
    [
        "import lambdallm.transport.sync",
        "from lambdallm.transport import SyncTransport, HttpRequest, Timeouts; SyncTransport()",
    ],
)
def test_the_synchronous_transport_loads_sockets_and_nothing_heavy(statement: str) -> None:
    assert loaded_by(statement) <= ALLOWED


def test_the_package_door_loads_nothing() -> None:
    assert loaded_by("import lambdallm.transport") <= ALLOWED - {"socket", "selectors", "select"}


def test_only_https_loads_ssl_and_only_compression_loads_zlib() -> None:
    loaded = loaded_by("import lambdallm.transport.sync")
    assert not loaded & {"ssl", "_ssl", "zlib", "typing", "dataclasses", "threading", "logging", "asyncio", "http"}


def test_every_public_name_resolves() -> None:
    from lambdallm import transport

    for name in transport.__all__:
        assert getattr(transport, name) is not None
    assert set(transport.__all__) <= set(dir(transport))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = transport.nonsense  # type: ignore[attr-defined]
